"""What a file is: its streams, its times, how much of it decodes; untrusted bytes are opened in child processes."""

"""What the core is given: a request, and the sections of its configuration."""

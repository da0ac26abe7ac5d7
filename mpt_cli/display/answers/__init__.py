"""What a command shows when it has ended."""

"""What shells and man need: completions and the man page."""

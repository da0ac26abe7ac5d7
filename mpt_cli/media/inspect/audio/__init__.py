"""Audio tracks of a file."""

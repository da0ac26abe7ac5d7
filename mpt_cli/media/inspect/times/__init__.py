"""When the frames of a file are shown."""

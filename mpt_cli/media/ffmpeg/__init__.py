"""ffmpeg: arguments, filters, progress, and the run of the program."""

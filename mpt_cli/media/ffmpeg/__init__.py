"""Run ffmpeg: its arguments, its filters, its progress."""

"""Media files; the only room that uses ffmpeg and PyAV."""

"""The only code that touches ffmpeg or PyAV; imports row 0 only."""

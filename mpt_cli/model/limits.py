"""Limits that more than one room uses. Imports nothing, because child processes load it too."""

from __future__ import annotations

MOST_TICKS = 240_000
"""Highest timescale, in ticks a second: enough for N x 1000/1001 up to 240 frames a second."""
LEAST_SIDE, MOST_SIDE, MOST_PIXELS = 16, 16_384, 134_217_728
"""Limits of frames, in pixels: for a reel, and for clips where the configuration sets no others."""
MOST_STREAMS = 100
"""Most streams that a clip may have, where the configuration sets no other number."""
MAX_FILE_BYTES = 8 * 2**20
"""Maximum size of a settings file or a job file, in bytes."""

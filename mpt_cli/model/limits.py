"""Bounds that hold in more than one room of the house; imports nothing, because children load it too."""

from __future__ import annotations

MOST_TICKS = 240_000
"""Into so many a second is divided at most, to time pictures: enough for N x 1000/1001 up to 240 pictures a second."""
LEAST_SIDE, MOST_SIDE, MOST_PIXELS = 16, 16_384, 134_217_728
"""Bounds of pictures, in pixels: those of a reel, and of clips where the configuration says no others."""
MOST_STREAMS = 100
"""Streams that a clip may have, where the configuration says no other number."""
MAX_FILE_BYTES = 8 * 2**20
"""Size of a file of settings or jobs."""

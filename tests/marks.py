"""What numbered clips carry: a board on every picture, and a sound that no other clip has.

The board has 8 by 8 cells. Each row holds four bits, each bit two cells: white then black is 1,
black then white is 0. A bit is read by comparing its two cells, so that no change of brightness or
range can flip it, and a mixture of two pictures loses its contrast instead of looking like a third.
The 32 bits are 8 for the clip, 16 for the picture and 8 to check them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Gray = NDArray[np.uint8]

CELLS = 8
"""Rows and columns of the board."""
MARGIN = 0.1
"""Share of the picture left free on each side of the board."""
SIGNAL_RATE = 48_000
"""Samples a second of :func:`signature`."""


def check_byte(clip_id: int, number: int) -> int:
    """Eight bits that fit only to this clip and number."""
    high, low = divmod(number, 256)
    return (7 * clip_id + 31 * high + 91 * low + 17) % 251


def board_bits(clip_id: int, number: int) -> NDArray[np.bool_]:
    """The 32 bits of a picture, most significant first, in rows of four."""
    word = clip_id << 24 | number << 8 | check_byte(clip_id, number)
    return np.array([word >> shift & 1 for shift in range(31, -1, -1)], dtype=bool).reshape(CELLS, CELLS // 2)


def cell_edges(length: int) -> NDArray[np.float64]:
    """The nine borders of the board's cells along a side of the picture."""
    return np.linspace(MARGIN * length, (1 - MARGIN) * length, CELLS + 1)


def draw_number(size: tuple[int, int], clip_id: int, number: int) -> Gray:
    """The picture with this number: the board on grey."""
    if not (0 <= clip_id < 256 and 0 <= number < 65536):
        raise ValueError(f"clip {clip_id}, picture {number}: does not fit on the board")
    width, height = size
    picture = np.full((height, width), 118, np.uint8)
    columns, rows = cell_edges(width).round().astype(int), cell_edges(height).round().astype(int)
    for (row, bit), one in np.ndenumerate(board_bits(clip_id, number)):
        for half in (0, 1):
            column = 2 * bit + half
            white = bool(one) is (half == 0)
            picture[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = 220 if white else 30
    return picture


def signature(clip_id: int, samples: int) -> Samples:
    """First samples of a clip's own sound: seeded noise between 300 and 4,000 Hz at 48 kHz, mono.

    The band survives lossy codecs and sample rates from 11,025 up. A fixed kernel filters
    it, so that a longer signature begins with the shorter one.
    """
    taps = np.arange(-64, 65) / SIGNAL_RATE
    kernel = (8000 * np.sinc(8000 * taps) - 600 * np.sinc(600 * taps)) * np.hamming(taps.size) / SIGNAL_RATE
    white = np.random.default_rng([0x6D7074, clip_id]).standard_normal(samples + taps.size - 1)
    return (0.3 * np.convolve(white, kernel, "valid")).clip(-0.9, 0.9).astype(np.float32)

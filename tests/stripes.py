"""Frames that say their number by eight vertical stripes, the lowest bit at the left, drawn by lavfi alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests import reader

if TYPE_CHECKING:
    from pathlib import Path

_BITS = 8
_MIDDLE = 125
"""Between 30 and 220, the gray of a 0 and of a 1."""


def source(rate: str, seconds: float, *, size: str = "160x96") -> str:
    """Return the lavfi source of up to 256 frames; its width is a multiple of eight."""
    stripes = f"if(mod(floor(N/pow(2,floor({_BITS}*X/W))),2),220,30)"
    return f"color=gray:s={size}:r={rate}:d={seconds},geq=lum='{stripes}':cb=128:cr=128"


def numbers(path: Path) -> list[int]:
    """Return what each frame of a reel of the same shape says."""
    return [_number(frame.to_ndarray(format="gray").astype(np.uint8)) for frame in reader.frames(path)]


def _number(gray: reader.Gray) -> int:
    height, width = gray.shape
    rows = gray[height // 4 : height * 3 // 4]
    columns = (slice(width * (4 * bit + 1) // 32, width * (4 * bit + 3) // 32) for bit in range(_BITS))
    return sum(int(rows[:, column].mean() > _MIDDLE) << bit for bit, column in enumerate(columns))

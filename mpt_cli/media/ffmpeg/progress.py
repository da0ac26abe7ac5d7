"""Progress of ffmpeg, from its output with ``-progress pipe:1`` (pure). Imports nothing of mpt.

ffmpeg writes lines ``key=value`` in blocks; each ends with ``progress=continue`` or ``progress=end``.
Keys and values differ by version and output: a value that is missing, ``N/A``, negative or not a number is
left out, and no input raises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

_MAX_DIGITS = 18  # of a number that can be meant; int() refuses thousands of digits


@dataclass(frozen=True, slots=True)
class Progress:
    """One block of progress.

    Attributes:
        done_seconds: Output time so far, in seconds; never falls within one parser, because a block
            without a time repeats the last one.
        frames: Output frames so far, or None.
        speed: Output seconds written per second, or None.
        finished: True for the last block.
    """

    done_seconds: Fraction
    frames: int | None
    speed: float | None
    finished: bool


class ProgressParser:
    """Parser that converts the lines of one ffmpeg run to :class:`Progress`, one for each block."""

    def __init__(self) -> None:
        """Start before the first block."""
        self._done_seconds = Fraction(0)
        self._block: dict[str, str] = {}

    def feed(self, line: str) -> Progress | None:
        """Parse one line; return the block that it ends, else None."""
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not equals:
            return None
        if key != "progress":
            if key in {"out_time_us", "frame", "speed"}:
                self._block[key] = value
            return None
        block, self._block = self._block, {}
        microseconds = _whole(block.get("out_time_us", ""))  # out_time_ms holds microseconds too
        if microseconds is not None:
            self._done_seconds = max(self._done_seconds, Fraction(microseconds, 1_000_000))
        return Progress(
            done_seconds=self._done_seconds,
            frames=_whole(block.get("frame", "")),
            speed=_speed(block.get("speed", "")),
            finished=value == "end",
        )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def _speed(text: str) -> float | None:
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        return None
    return speed if math.isfinite(speed) and speed >= 0 else None

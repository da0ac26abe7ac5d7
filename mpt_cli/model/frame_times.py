"""When each frame of a stream is shown, kept small enough to travel with what is known of a file."""

from __future__ import annotations

import base64
import zlib
from array import array
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction  # noqa: TC003 - what reads times back from JSON needs the type
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL = 1
"""Of zlib: an hour at a constant rate takes 1 kB, one of trembling milliseconds 60 kB."""


class Timing(StrEnum):
    """How the times of frames are to be read."""

    STAMPED = "stamped"
    """Each frame is shown at its timestamp."""
    GRID = "grid"
    """Timestamps are those of a constant rate, written coarsely: each frame is shown at its place on the grid."""
    COUNTED = "counted"
    """Timestamps are missing or say nothing: frame n is shown n frames after the first."""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Timestamps of the frames of a stream in order of showing, in ticks of ``time_base`` seconds.

    ``rate`` is that of the grid or of the count; it says nothing where frames are ``stamped``.
    ``packed`` holds the gaps between timestamps: 64-bit integers, compressed, in base64, because it
    travels as JSON.
    """

    time_base: Fraction
    first: int
    last: int
    frames: int
    packed: str
    timing: Timing
    rate: Fraction

    @classmethod
    def of(cls, ticks: Sequence[int], *, time_base: Fraction, timing: Timing, rate: Fraction) -> Self:
        """Keep timestamps that are given in order of showing; there is at least one."""
        gaps = array("q", (later - earlier for earlier, later in pairwise(ticks)))
        packed = base64.b64encode(zlib.compress(gaps.tobytes(), _LEVEL)).decode()
        return cls(time_base, ticks[0], ticks[-1], len(ticks), packed, timing, rate)

    def ticks(self) -> list[int]:
        """Return the timestamps, in ticks, in order of showing."""
        gaps = array("q")
        gaps.frombytes(zlib.decompress(base64.b64decode(self.packed)))
        return list(accumulate(gaps, initial=self.first))

    @property
    def origin(self) -> Fraction:
        """Seconds at which the first frame is shown."""
        return self.first * self.time_base

    @property
    def last_shown(self) -> Fraction:
        """Seconds at which the last frame is shown."""
        return self.shown_at(self.frames - 1, self.last)

    def shown_at(self, number: int, tick: int) -> Fraction:
        """Return when the frame with this number and timestamp is shown, in seconds."""
        if self.timing is Timing.STAMPED:
            return tick * self.time_base
        place = number if self.timing is Timing.COUNTED else nearest_place(tick - self.first, self._ticks_per_frame)
        return self.origin + place / self.rate

    def shown(self, scale: int) -> list[int]:
        """Return when each frame is shown, as :meth:`shown_at` does, in whole parts of a second: so many each."""
        ticks, part = self.ticks(), (self.time_base * scale).numerator
        if self.timing is Timing.STAMPED:
            return [tick * part for tick in ticks]
        begin, frame, step = self.first * part, (scale / self.rate).numerator, self._ticks_per_frame
        if self.timing is Timing.COUNTED:
            return [begin + number * frame for number in range(len(ticks))]
        return [begin + nearest_place(tick - self.first, step) * frame for tick in ticks]

    @property
    def _ticks_per_frame(self) -> Fraction:
        return 1 / (self.rate * self.time_base)


def nearest_place(distance: int, step: Fraction) -> int:
    """Return the nearest place on a grid of this step, half a step upwards, of what is so far behind its first one."""
    return (2 * distance * step.denominator + step.numerator) // (2 * step.numerator)

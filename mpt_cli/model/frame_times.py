"""Presentation times of the frames of a stream, packed small enough to travel with the probe result."""

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
"""Level of zlib: an hour at a constant rate takes 1 kB, one of trembling milliseconds 60 kB."""


class Timing(StrEnum):
    """Interpretations of frame timestamps."""

    STAMPED = "stamped"
    """Each frame is shown at its timestamp."""
    GRID = "grid"
    """Timestamps are those of a constant rate, rounded coarsely: each frame is shown at its index on the grid."""
    COUNTED = "counted"
    """Timestamps are missing or meaningless: frame n is shown n frames after the first."""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """Timestamps of the frames of a stream, in presentation order.

    Attributes:
        time_base: Duration of a tick, in seconds.
        first: Timestamp of the first frame, in ticks.
        last: Timestamp of the last frame, in ticks.
        frames: Number of frames.
        packed: Gaps between timestamps: 64-bit integers, compressed, in base64 because they travel as JSON.
        timing: Interpretation of the timestamps.
        rate: Frames per second of the grid or the count; meaningless where frames are ``STAMPED``.
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
        """Pack timestamps.

        Args:
            ticks: At least one timestamp in ticks, in presentation order.
            time_base: Duration of a tick, in seconds.
            timing: Interpretation of the timestamps.
            rate: Frames per second of the grid or the count.

        Returns:
            The packed times.
        """
        return cls(time_base, ticks[0], ticks[-1], len(ticks), packed(ticks), timing, rate)

    def ticks(self) -> list[int]:
        """Return the timestamps in ticks, in presentation order."""
        return unpacked(self.packed, self.first)

    def places(self) -> list[int]:
        """Return the ticks from the first frame to each, in presentation order."""
        return [tick - self.first for tick in self.ticks()]

    @property
    def origin(self) -> Fraction:
        """Time in seconds at which the first frame is shown."""
        return self.first * self.time_base

    @property
    def last_shown(self) -> Fraction:
        """Time in seconds at which the last frame is shown."""
        return self.shown_at(self.frames - 1, self.last)

    def shown_at(self, number: int, tick: int) -> Fraction:
        """Return the time at which a frame is shown.

        Args:
            number: Index of the frame in presentation order.
            tick: Timestamp of the frame, in ticks.

        Returns:
            The time in seconds.
        """
        if self.timing is Timing.STAMPED:
            return tick * self.time_base
        index = number if self.timing is Timing.COUNTED else nearest_index(tick - self.first, self._ticks_per_frame)
        return self.origin + index / self.rate

    def shown(self, scale: int) -> list[int]:
        """Return the time at which each frame is shown, as :meth:`shown_at` does, in integers.

        Args:
            scale: Parts of a second to count in; each time must be a whole number of them.

        Returns:
            One time for each frame, in ``1 / scale`` seconds.
        """
        ticks, part = self.ticks(), (self.time_base * scale).numerator
        if self.timing is Timing.STAMPED:
            return [tick * part for tick in ticks]
        begin, frame, step = self.first * part, (scale / self.rate).numerator, self._ticks_per_frame
        if self.timing is Timing.COUNTED:
            return [begin + number * frame for number in range(len(ticks))]
        return [begin + nearest_index(tick - self.first, step) * frame for tick in ticks]

    @property
    def _ticks_per_frame(self) -> Fraction:
        return 1 / (self.rate * self.time_base)


def nearest_index(distance: int, step: Fraction) -> int:
    """Return the index on a grid of this step that is nearest to a distance from its start, half a step upwards."""
    return (2 * distance * step.denominator + step.numerator) // (2 * step.numerator)


def packed(numbers: Sequence[int]) -> str:
    """Return the gaps between numbers that rise: 64-bit integers, compressed, in base64."""
    gaps = array("q", (later - earlier for earlier, later in pairwise(numbers)))
    return base64.b64encode(zlib.compress(gaps.tobytes(), _LEVEL)).decode()


def unpacked(gaps: str, first: int) -> list[int]:
    """Return the numbers whose gaps :func:`packed` returned, from the first one on."""
    found = array("q")
    found.frombytes(zlib.decompress(base64.b64decode(gaps)))
    return list(accumulate(found, initial=first))

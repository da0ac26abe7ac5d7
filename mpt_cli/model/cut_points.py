"""Where a part of a stream can be copied out of it, packed small enough to travel with the probe result."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mpt_cli.model.frame_times import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class CutPoints:
    """Frames between which a part can be copied, by their numbers in the order of showing.

    Attributes:
        starts: Frames at which decoding can begin, while no other one of the part is shown before them.
        ends: Frames that are neither stored nor shown before any frame in front of them, so that a part may end there,
            in the order of showing; None where all frames are such ones.
    """

    starts: str
    ends: str | None

    @classmethod
    def of(cls, starts: Sequence[int], ends: Sequence[int] | None) -> Self:
        """Pack numbers of frames, which are in order."""
        return cls(packed([0, *starts]), None if ends is None else packed([0, *ends]))

    def start_from(self, frame: int) -> int | None:
        """Return the first start that is not before a frame; None for none."""
        starts = unpacked(self.starts, 0)[1:]
        place = bisect_left(starts, frame)
        return starts[place] if place < len(starts) else None

    def end_until(self, frame: int) -> int:
        """Return the last end that is not behind a frame; 0 for none."""
        if self.ends is None:
            return frame
        ends = unpacked(self.ends, 0)
        return ends[bisect_right(ends, frame) - 1]

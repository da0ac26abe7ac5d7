"""Clock that counts the frames of a source for a segment, in whole ticks so that nothing is rounded twice.

``setpts`` computes in doubles and cuts off what is behind the point: at a clock of one tick a frame,
``(PTS*TB-origin)/TB`` loses frames (7/24 s became frame 6) and frames that lie half way between two
frames of the reel turn both ways. In a clock that divides every time that occurs, all values are
whole numbers below 2^53, and ``fps`` decides each tie the same way (half a frame is late: it belongs
to the next frame).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

from mpt_cli.media.clock_jumps import one_row_expression
from mpt_cli.model.frame_times import Timing
from mpt_cli.model.timing import round_half_up

if TYPE_CHECKING:
    from mpt_cli.model.frame_times import FrameTimes
    from mpt_cli.model.media_info import MediaInfo

_MOST_TICKS = 2**30
"""Ticks a second: ``bwdif`` doubles them, and a time base of ffmpeg is two 32-bit integers."""
_LEAST_TICKS = 10_000
"""Times that are not known in advance fall between those that are."""
_SAME = Fraction(1, 1_000_000)
"""Seconds by which two times may differ and be the same, where no clock divides them all."""


@dataclass(frozen=True, slots=True)
class FrameClock:
    """Clock in which the frames of a source are counted for a segment, and its expressions for ``setpts``."""

    media: MediaInfo
    origin: Fraction
    """Timestamp of the segment's first output frame, in seconds of the file's clock."""
    frame_rate: Fraction
    ticks_per_second: int = field(init=False)
    """Least number that divides all times that occur, else the greatest that divides those of the reel."""

    def __post_init__(self) -> None:
        """Find the number of ticks, which all expressions count in."""
        object.__setattr__(self, "ticks_per_second", self._common_ticks())

    def _common_ticks(self) -> int:
        times, media = self.media.frame_times, self.media
        rates = [self.frame_rate, *([times.rate] if times is not None else [])]
        bases = [times.time_base] if times is not None else [media.last_picture, media.video_start]
        frame = lcm(*(rate.numerator for rate in rates))
        exact = lcm(frame, *(time.denominator for time in (self.origin, *bases, *media.clock_moves)))
        if exact > _MOST_TICKS:
            return max(1, _MOST_TICKS // frame) * frame
        return exact * ceil(_LEAST_TICKS / exact)

    def source_expression(self) -> str | None:
        """Return the expression that puts frames on their own clock, in ticks; None if they are on it already."""
        times, moved = self.media.frame_times, self._continuous_times()
        if times is None or times.timing is Timing.STAMPED:
            return None if moved == "PTS" else moved
        first, step = self._ticks(times.origin), self._ticks(1 / times.rate)
        index = "N" if times.timing is Timing.COUNTED else f"round(({moved}-{first})/{step})"
        return f"{first}+{step}*{index}"

    def segment_expression(self, far_seconds: Fraction) -> str:
        """Return the expression that counts from the origin, and moves timestamps after the last frame far away."""
        last = self._ticks(self._last_shown() + _SAME)
        return f"if(gt(PTS,{last}),{self._ticks(far_seconds)},PTS-{self._ticks(self.origin)})"

    def _ticks(self, seconds: Fraction) -> int:
        return round_half_up(seconds * self.ticks_per_second)

    def _last_shown(self) -> Fraction:
        times: FrameTimes | None = self.media.frame_times
        return self.media.last_picture if times is None else times.last_shown

    def _continuous_times(self) -> str:
        """Return the expression of continuous times, for a stream whose clock jumps as often as there are moves."""
        moves = self.media.clock_moves
        if not moves:
            return "PTS"
        return one_row_expression(moves, map(self._ticks, moves), unit="1")

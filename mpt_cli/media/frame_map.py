"""Verification that each frame of a segment shows the right source frame.

ffmpeg 6 and newer writes, while it encodes and at no cost, the decoded frame that each encoded frame
was created from (``-stats_enc_pre``): the number and the timestamp that the decoder gave it pass through all
filters. Counting frames proves nothing: one frame lost and one shown twice leave the count as it was.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor, lcm
from typing import TYPE_CHECKING

from mpt_cli.model.errors import VerificationError
from mpt_cli.model.frame_times import Timing, nearest_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from mpt_cli.model.frame_times import FrameTimes

FORMAT = "{n} {ni} {ptsi} {tbi}"
"""Fields of a line: encoded frame, decoded frame, and the timestamp of that with its time base."""
_UNKNOWN = -1
"""Number of a decoded frame that ffmpeg does not know."""
_NO_TIME = -(2**63)
"""Timestamp that ffmpeg writes for a decoded frame without one (AV_NOPTS_VALUE)."""


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """One frame of a segment: number and timestamp of the decoded frame that it was created from.

    ``ticks`` of ``base`` seconds; None where the decoder gave it no timestamp.
    """

    decoded: int
    ticks: int | None
    base: Fraction


def read_frame_map(path: Path) -> list[ShownFrame]:
    """Return the frames of a segment in order.

    Raises:
        VerificationError: A line cannot be parsed.
    """
    shown, bases = list[ShownFrame](), dict[str, Fraction]()
    try:
        for number, line in enumerate(path.read_text(encoding="ascii").splitlines()):
            encoded, decoded, pts, base = line.split()
            if int(encoded) != number:
                raise VerificationError(f"frame {encoded} was encoded where frame {number} was due")
            if base not in bases:
                bases[base] = Fraction(base)
            ticks = int(pts)
            shown.append(ShownFrame(int(decoded), None if ticks == _NO_TIME else ticks, bases[base]))
    except (OSError, ValueError, ZeroDivisionError) as error:
        raise VerificationError(f"its frame map cannot be read ({error})") from error
    return shown


def planned_frames(times: FrameTimes, origin: Fraction, rate: Fraction, frames: int) -> Iterator[int]:
    """Yield, for each frame of a segment, the number of the source frame that it has to show.

    Output frame k shows the last source frame whose nearest index on the reel's grid is k or earlier
    (half a frame is late: it belongs to the next index), and the first one before it begins.

    Args:
        times: Presentation times of the source frames.
        origin: Time of output frame 0, in seconds of the source's clock.
        rate: Frames per second of the reel.
        frames: Number of output frames.
    """
    scale = lcm(times.time_base.denominator, times.rate.numerator, origin.denominator, rate.numerator)
    start = (origin * scale).numerator
    indices = [nearest_index(time - start, scale / rate) for time in times.shown(scale)]
    source = 0
    for number in range(frames):
        while source + 1 < len(indices) and indices[source + 1] <= number:
            source += 1
        yield source


def prove_frame_map(
    shown: Sequence[ShownFrame],
    planned: Iterable[int],
    times: FrameTimes,
    *,
    clock_moves: Sequence[Fraction] = (),
) -> None:
    """Compare the frames that a segment shows with those that it should.

    A source frame that was not decoded cannot be shown: then the one before it is shown. A frame
    that the filters lost differs from it by the numbers of the decoded frames.

    Raises:
        VerificationError: A frame is shown too early, too late or out of order, or is missing.
    """
    find = _Finder(times, clock_moves)
    before: tuple[int, int] | None = None
    due: set[int] = set()  # planned since the source frame that was last seen, and not seen
    for number, (frame, wanted) in enumerate(zip(shown, planned, strict=True)):
        source = find(frame)
        if source > wanted or (before is not None and source < before[0]):
            raise VerificationError(f"frame {number} shows source frame {source}, not {wanted}")
        if before is None or source != before[0]:
            due.discard(source)
            if before is not None:
                _refuse_lost(number, before, (source, frame.decoded), due)
            before, due = (source, frame.decoded), set()
        if wanted != source:
            due.add(wanted)
    if due:
        raise VerificationError(f"source frame {min(due)} is missing at the end")


def prove_each_once(shown: Sequence[ShownFrame]) -> None:
    """Raise VerificationError unless each decoded frame was encoded once, in order."""
    for number, frame in enumerate(shown):
        if frame.decoded != number:
            raise VerificationError(f"frame {number} shows decoded frame {frame.decoded}")


def _refuse_lost(number: int, before: tuple[int, int], after: tuple[int, int], due: set[int]) -> None:
    """Raise where more frames were decoded between two that are shown than may be left out there."""
    source_before, decoded_before = before
    source_after, decoded_after = after
    between = [source for source in due if source_before < source < source_after]
    may_be_left_out = source_after - source_before - 1 - len(between)
    if between and decoded_after - decoded_before - 1 > may_be_left_out:
        raise VerificationError(f"source frame {between[0]} is missing before frame {number}")


class _Finder:
    """Finds the source frame of a decoded frame, by its timestamp."""

    def __init__(self, times: FrameTimes, clock_moves: Sequence[Fraction]) -> None:
        self._times, self._ticks = times, times.ticks()
        self._moves = list(accumulate(clock_moves, initial=Fraction(0)))
        self._piece = 0
        self._last: tuple[int, int] | None = None  # source frame and decoded frame

    def __call__(self, frame: ShownFrame) -> int:
        """Return the number of the source frame; raise VerificationError where there is none at its time."""
        if frame.decoded == _UNKNOWN:
            raise VerificationError("a frame comes from no decoded one")
        if self._times.timing is Timing.COUNTED:
            return frame.decoded
        source = self._by_count(frame) if frame.ticks is None else self._by_time(frame.ticks, frame.base)
        self._last = source, frame.decoded
        return source

    def _by_count(self, frame: ShownFrame) -> int:
        source, decoded = self._last or (0, 0)
        return source + frame.decoded - decoded

    def _by_time(self, ticks: int, base: Fraction) -> int:
        """Find a frame by a timestamp that pieces of a file may share: the first one not before the last found."""
        passed: int | None = None
        for piece in range(self._piece, len(self._moves)):
            moved = Fraction(ticks)
            if piece or base != self._times.time_base:
                moved = (ticks * base + self._moves[piece]) / self._times.time_base
            source = self._nearest(moved)
            if source is not None and (self._last is None or source >= self._last[0]):
                self._piece = piece
                return source
            passed = source if passed is None else passed
        if passed is not None:
            return passed
        raise VerificationError(f"no source frame is shown at {float(ticks * base):.6f} s")

    def _nearest(self, time: Fraction) -> int | None:
        """Return the frame within a tick of a time, which is given in ticks; of several, the last."""
        at, end = bisect_left(self._ticks, ceil(time - 1)), floor(time + 1)
        found = None
        while at < len(self._ticks) and self._ticks[at] <= end:
            if found is None or abs(self._ticks[at] - time) <= abs(self._ticks[found] - time):
                found = at
            at += 1
        return found

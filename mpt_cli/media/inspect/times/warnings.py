"""Say what was done about the times of a file."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

from mpt_cli.media.inspect.times.repair import LEAST_GAP, Repair
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted
from mpt_cli.model.frame_times import Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mpt_cli.media.clock_jumps import Jump
    from mpt_cli.media.inspect.times.packet_times import Timeline
    from mpt_cli.model.media_info import AudioStreamInfo

_LEAST_HOLD, _HELD_SHARE = Fraction(1), Fraction(1, 10)
"""Seconds, and of a clip, that a frame may be held without a word."""
_TRIM = "trim it to the part that has frames"
_HOUR = 3600
"""Seconds of a gap that is no part of a clip."""


def time_warnings(path: Path, timeline: Timeline, jumps: Sequence[Jump], zero: Fraction) -> Iterator[Issue]:
    """Say which times are assumed or repaired."""
    if ahead := [jump for jump in jumps if jump.seconds > 0]:  # where it begins anew, nothing is left out
        yield _left_out(path, ahead, zero)
    if timeline.repair is Repair.NO_TIMES:
        message = f"has no timestamps: {_number(timeline.frame_rate)} frames a second are assumed"
        hint = "for another rate write it anew, without loss: ffmpeg -r RATE -i IN -c:v ffv1 OUT.mkv"
        yield Issue(IssueCode.NO_TIMESTAMPS, message, path, hint)
    elif repaired := _repaired(timeline, zero):
        yield Issue(IssueCode.TIMESTAMPS_REPAIRED, repaired, path)


def audio_time_warnings(path: Path, tracks: Sequence[AudioStreamInfo]) -> Iterator[Issue]:
    """Say of which audio tracks the times are not believed, and what is heard."""
    for track in tracks:
        if track.anchors:
            name = f"audio track {track.number} ({track.codec})"
            message = f"has packets with equal timestamps in {name}: they are heard one after another"
            yield Issue(IssueCode.TIMESTAMPS_REPAIRED, message, path)


def hold_warnings(
    path: Path,
    timeline: Timeline,
    shown: tuple[Fraction, Fraction | None],
    clip: tuple[Fraction, Fraction],
    *,
    lost: Fraction,
) -> Iterator[Issue]:
    """Say where a frame is held because the audio is longer, and where the last one is not held as it says.

    Both spans are in seconds of the clock of the file: from when to when there are frames, and the whole clip.
    The end of the frames is None where it is not known. ``lost`` are the seconds of frames at the start that do not
    decode, of which another warning tells.
    """
    least = max(_LEAST_HOLD, (clip[1] - clip[0]) * _HELD_SHARE)
    begin, end = shown
    lengths = "" if end is None else f"its frames last {_seconds(end - begin)}, "
    lengths += f"its audio makes it {_seconds(clip[1] - clip[0])} long"
    if (late := begin - clip[0]) - lost > least:
        message = f"begins without frames: {lengths}, and the first one is held for {_seconds(late)}"
        yield Issue(IssueCode.FRAME_HELD, message, path, _TRIM)
    if end is not None and (held := clip[1] - end) > least:
        message = f"has audio after its last frame: {lengths}, and that frame is held for {_seconds(held)}"
        yield Issue(IssueCode.FRAME_HELD, message, path, _TRIM)
    if timeline.told_end is not None and timeline.told_end - clip[1] > least:
        told, usual = _seconds(timeline.told_end - timeline.last), _seconds(timeline.end - timeline.last, digits=2)
        message = f"has a last frame of {told}, while others last {usual}: it is shown as long as those"
        hint = "look at the end of the reel, and export the clip again if that frame should stay longer"
        yield Issue(IssueCode.IMPLAUSIBLE_DURATION, message, path, hint)


def _left_out(path: Path, gaps: Sequence[Jump], zero: Fraction) -> Issue:
    longest = max(gaps, key=lambda gap: gap.seconds)
    more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    gap = f"a gap of {_seconds(longest.seconds)} at {_seconds(longest.before - zero)}{more}"
    message = f"has {gap}, where its clock jumps: the gap is left out of the reel"
    code = IssueCode.IMPLAUSIBLE_DURATION if longest.seconds > _HOUR else IssueCode.TIMESTAMPS_REPAIRED
    return Issue(code, message, path, "look at the reel there, and fill the gap first if it should be seen")


def _repaired(timeline: Timeline, zero: Fraction) -> str | None:
    is_counted = timeline.times.timing is Timing.COUNTED
    evenly = f"its {timeline.pictures} frames are shown evenly, {_number(timeline.frame_rate)} a second"
    match timeline.repair:
        case Repair.EQUAL:
            return f"has frames with equal timestamps: {evenly if is_counted else _left_out_for_equal(timeline, zero)}"
        case Repair.DISORDER:
            return f"has timestamps in disorder: {evenly}"
        case Repair.STRAY:
            return f"has frames with timestamps far from all others: {evenly}"
        case Repair.MISSING if not is_counted:
            return "has frames without timestamps: they are shown between their neighbors"
    return None


def _left_out_for_equal(timeline: Timeline, zero: Fraction) -> str:
    """Return how many frames are not shown because others have their times, and where the first of them is."""
    times = timeline.times
    least = max(1, floor(LEAST_GAP / times.time_base))
    equal = [earlier for earlier, later in pairwise(times.ticks()) if later - earlier < least]
    if not equal:
        return "the last of equal ones is shown"
    at = _seconds(equal[0] * times.time_base - zero, digits=2)
    frames = f"{counted(len(equal), 'frame')}, {'at' if len(equal) == 1 else 'the first at'} {at}"
    return f"the last of equal ones is shown, without {frames}"


def _seconds(value: Fraction, *, digits: int = 1) -> str:
    return f"{float(value):.{digits}f} s"


def _number(rate: Fraction) -> str:
    return f"{float(rate):.5g}"

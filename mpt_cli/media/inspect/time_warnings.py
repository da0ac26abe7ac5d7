"""Say what was done about the times of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.errors import Issue, IssueCode
from mpt_cli.frame_times import Timing
from mpt_cli.media.inspect.time_repair import Repair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.inspect.packet_times import Timeline


def time_warnings(path: Path, timeline: Timeline) -> Iterator[Issue]:
    """Say which times are assumed or repaired."""
    if timeline.repair is Repair.NO_TIMES:
        message = f"has no timestamps: {_number(timeline.frame_rate)} frames a second are assumed"
        hint = "for another rate write it anew: ffmpeg -r RATE -i IN -c copy OUT.mkv"
        yield Issue(IssueCode.NO_TIMESTAMPS, message, path, hint)
    elif repaired := _repaired(timeline):
        yield Issue(IssueCode.TIMESTAMPS_REPAIRED, repaired, path)


def _repaired(timeline: Timeline) -> str | None:
    counted = timeline.times.timing is Timing.COUNTED
    evenly = f"its {timeline.pictures} frames are shown evenly, {_number(timeline.frame_rate)} a second"
    match timeline.repair:
        case Repair.EQUAL:
            return f"has frames with equal timestamps: {evenly if counted else 'the last of equal ones is shown'}"
        case Repair.DISORDER:
            return f"has timestamps in disorder: {evenly}"
        case Repair.MISSING if not counted:
            return "has frames without timestamps: they are shown between their neighbors"
    return None


def _number(rate: Fraction) -> str:
    return f"{float(rate):.5g}"

"""Order of the clips of a reel: as given, by name, or by the time of recording (pure)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from mpt_cli.model.choices import ClipOrder, ConcatenationMode
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted
from mpt_cli.model.natural_order import natural_key, recording_of
from mpt_cli.model.recording_times import seconds_of_day, seconds_of_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.config.sections import ConcatConfig
    from mpt_cli.model.clips import VideoClip
    from mpt_cli.model.media_info import MediaInfo

    UsableClip = tuple[int, VideoClip, MediaInfo]

_CLEAR_SECONDS = 60.0
"""Difference of two times that is no accident of clocks, or of writing the end in place of the start."""
_NUMBERED = re.compile(r"[0-9]{1,3}(?![0-9])")
"""Beginning of a name that somebody numbered by hand; cameras write letters first, or more digits."""


def in_order(clips: Sequence[UsableClip], order: ClipOrder) -> list[UsableClip]:
    """Return the clips in an order; clips that it does not tell apart stay as they are given.

    Args:
        clips: Index in the request, clip and media of each.
        order: What decides the order.
    """
    if order is ClipOrder.NAME:
        return sorted(clips, key=_by_name)
    if order is ClipOrder.TIME:
        starts = _starts_of_recordings(clips)
        return sorted(clips, key=lambda clip: (starts[_recording(clip)], _by_name(clip)))
    return list(clips)


def order_notices(clips: Sequence[UsableClip], concat: ConcatConfig) -> tuple[Issue, ...]:
    """Return what there is to say of the order of these clips.

    Args:
        clips: Index in the request, clip and media of each, as given.
        concat: The settings of the order.
    """
    if concat.mode is not ConcatenationMode.SEQUENTIAL:
        return ()
    if concat.order is ClipOrder.TIME:
        return _guessed(clips)
    if "order" in concat.model_fields_set or not _is_by_name(clips):
        return ()
    return _differing(clips)


def _guessed(clips: Sequence[UsableClip]) -> tuple[Issue, ...]:
    """Name the clips of which only the time of the file is known, which copying may change."""
    paths = dict.fromkeys(clip.path for _, clip, media in clips if _known_time(clip.path, media) is None)
    if not paths or len({clip.path for _, clip, _ in clips}) < 2:
        return ()
    first = next(iter(paths))
    others = f", as for {counted(len(paths) - 1, 'other clip')}" if len(paths) > 1 else ""
    message = f"does not tell when it was recorded; the time of the file is used{others}"
    return (Issue(IssueCode.ORDER_GUESSED, message, first, "look at the order with --dry-run"),)


def _differing(clips: Sequence[UsableClip]) -> tuple[Issue, ...]:
    """Name two neighbours of which the later one in the order of names was clearly recorded before the other."""
    if all(_NUMBERED.match(clip.path.name) for _, clip, _ in clips):
        return ()
    times = [(clip.path, seconds) for _, clip, media in clips if (seconds := _exact_time(clip.path, media)) is not None]
    turned = [
        (before, after)
        for (before, earlier), (after, later) in pairwise(times)
        if later < earlier - _CLEAR_SECONDS and not _is_one_recording(before, after)
    ]
    if not turned:
        return ()
    before, after = turned[0]
    message = f"was recorded before {before.name}, but follows it by name"
    if len(turned) > 1:
        message += f"; {counted(len(turned) - 1, 'other clip')} too"
    return (
        Issue(
            IssueCode.ORDER_DIFFERS,
            message,
            after,
            "give --order time to follow the times, or --order name to keep this order",
        ),
    )


def _is_by_name(clips: Sequence[UsableClip]) -> bool:
    """Return whether the clips are in the order of their paths, as folders and patterns of a shell give them."""
    keys = [natural_key(str(clip.path)) for _, clip, _ in clips]
    return all(one <= other for one, other in pairwise(keys))


def _by_name(clip: UsableClip) -> tuple[object, ...]:
    _, clip_of, _ = clip
    return natural_key(clip_of.path.name)


def _starts_of_recordings(clips: Sequence[UsableClip]) -> dict[object, float]:
    """Return when each recording began, which is when its first chapter did."""
    starts: dict[object, float] = {}
    for clip in clips:
        _, of, media = clip
        time = _known_time(of.path, media)
        seconds = media.modified if time is None else time
        starts[_recording(clip)] = min(seconds, starts.get(_recording(clip), seconds))
    return starts


def _recording(clip: UsableClip) -> object:
    """Return a key of the recording that a clip is a chapter of; its path where it is alone."""
    _, of, _ = clip
    recording = recording_of(of.path.name)
    return of.path if recording is None else (of.path.parent, recording)


def _is_one_recording(one: Path, other: Path) -> bool:
    recording = recording_of(one.name)
    return recording is not None and recording == recording_of(other.name)


def _known_time(path: Path, media: MediaInfo) -> float | None:
    """Return when a clip was recorded, as container or name tell; None where only the file has a time."""
    exact = _exact_time(path, media)
    return seconds_of_day(path.stem) if exact is None else exact


def _exact_time(path: Path, media: MediaInfo) -> float | None:
    return seconds_of_name(path.stem) if media.recorded is None else media.recorded

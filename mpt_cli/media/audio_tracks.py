"""Choice of the audio tracks of a file that are heard, and warnings for those left out (pure)."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted
from mpt_cli.model.timing import clip_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.model.choices import AudioTracks
    from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo

_SILENT_DB = -60.0
"""A track whose loudest second is below that is silent: a microphone that nobody uses has -70 dB, and speech -30."""
_SIDES = {("l", "r"), ("left", "right"), ("fl", "fr")}
"""Words in which the titles of two tracks differ that are the sides of one recording."""

_MARKS_DEFAULT = ("matroska", "webm")
"""Containers in which the track to hear is marked on purpose; no camera writes them."""

_OVERLAP = Fraction(1, 4)
"""Seconds that one track may continue while the next one begins."""


def with_heard_tracks(media: MediaInfo, wanted: AudioTracks, path: Path) -> MediaInfo:
    """Return the description of a file with its heard audio tracks, and a warning where others are left out.

    Args:
        media: Description of the file.
        wanted: ``auto`` hears two mono tracks of a camera on their sides, or each on both, and else
            the default track; ``first`` the default one; ``mix`` all that are not silent; a number that track.
        path: Path for the warning.

    Returns:
        The description.
    """
    tracks = [track for track in media.audio_tracks if track.part_of in (None, track.index)]
    if not tracks:
        return _without(media, wanted, path) if isinstance(wanted, int) else media
    if wanted == "first":
        return _hearing(media, _going_on(tracks[:1], tracks))
    if isinstance(wanted, int):
        chosen = [track for track in tracks if track.number == wanted]
        return _hearing(media, chosen) if chosen else _without(media, wanted, path)
    audible = _distinct([track for track in tracks if _is_audible(track)])
    if wanted == "mix":
        return _hearing(media, audible or tracks[:1])
    heard = _going_on(_heard_together(tracks, audible, recorder=media.container not in _MARKS_DEFAULT), audible)
    known = {_content(track) for track in heard}
    left_out = [track for track in audible if _content(track) not in known]
    return _warned(_hearing(media, heard), _left_out(heard, left_out, path)) if left_out else _hearing(media, heard)


def _heard_together(
    tracks: Sequence[AudioStreamInfo], audible: Sequence[AudioStreamInfo], *, recorder: bool
) -> list[AudioStreamInfo]:
    """Return the tracks that belong together, the default one first."""
    if sides := _sides(tracks):
        return sides
    first = tracks[0]
    if recorder and len(audible) == 2 and all(_is_nameless_mono(track) for track in audible):
        return list(audible)  # two microphones of one recorder
    if not _is_audible(first) and audible:
        return [first, audible[0]]
    return [first]


def _going_on(heard: Sequence[AudioStreamInfo], others: Sequence[AudioStreamInfo]) -> list[AudioStreamInfo]:
    """Return the heard tracks, with those that only begin where these have ended."""
    row = list(heard)
    for track in sorted(others, key=lambda track: track.start):
        if track not in row and all(track.start >= before.end - _OVERLAP for before in row):
            row.append(track)
    return row


def _sides(tracks: Sequence[AudioStreamInfo]) -> list[AudioStreamInfo]:
    """Return the left and the right side, the only mono tracks that differ in nothing but that; else nothing."""
    mono = [track for track in tracks if len(track.channels) == 1]
    pairs = [(left, right) for left in mono for right in mono if _are_sides(left, right)]
    if len(pairs) != 1:
        return []
    return [replace(side, channels=(name,), is_part=True) for side, name in zip(pairs[0], ("FL", "FR"), strict=True)]


def _are_sides(left: AudioStreamInfo, right: AudioStreamInfo) -> bool:
    if (*left.channels, *right.channels) == ("FL", "FR"):
        return True
    ones, others = (re.findall(r"[^\W_]+", (track.title or "").lower()) for track in (left, right))
    differ = {pair for pair in zip(ones, others, strict=False) if pair[0] != pair[1]}
    return len(ones) == len(others) and len(differ) == 1 and differ <= _SIDES


def _is_nameless_mono(track: AudioStreamInfo) -> bool:
    return len(track.channels) == 1 and not (track.title or track.language or track.is_version)


def _is_audible(track: AudioStreamInfo) -> bool:
    return track.level_db is None or track.level_db > _SILENT_DB


def _content(track: AudioStreamInfo) -> int:
    """Return a number that is equal for tracks with the same samples."""
    return track.index if track.same_as is None else track.same_as


def _distinct(tracks: Sequence[AudioStreamInfo]) -> list[AudioStreamInfo]:
    return list({_content(track): track for track in reversed(tracks)}.values())[::-1]


def _hearing(media: MediaInfo, tracks: Sequence[AudioStreamInfo]) -> MediaInfo:
    """Return the description with these tracks heard, and all parts of them; its duration includes theirs."""
    audio, *rest = (part for track in tracks for part in (track, *parts_of(track, media.audio_tracks)))
    others = tuple(rest)
    if (audio, others) == (media.audio, media.audio_with):
        return media
    heard = replace(media, audio=audio, audio_with=others)
    if not media.scanned or media.video_end is None:
        return heard
    usual = media.audio is None or media.zero == min(media.video_start, media.audio.start)
    zero = min(media.video_start, *(track.start for track in tracks)) if usual else media.zero
    duration = clip_duration(zero, media.video_end, max(track.end for track in tracks))
    return replace(heard, zero=zero, duration=duration)


def parts_of(first: AudioStreamInfo, tracks: Sequence[AudioStreamInfo]) -> tuple[AudioStreamInfo, ...]:
    """Return the other tracks that form one layout with this one."""
    own = first.part_of == first.index
    return tuple(track for track in tracks if own and track is not first and track.part_of == first.index)


def _warned(media: MediaInfo, warning: Issue) -> MediaInfo:
    return replace(media, warnings=(*media.warnings, warning))


def _without(media: MediaInfo, wanted: int, path: Path) -> MediaInfo:
    """Return the file as it is, with a warning that it has no such track."""
    instead = "it has no audio" if media.audio is None else f"track {media.audio.number} is used"
    message = f"has no audio track {wanted}: {instead}"
    return _warned(media, Issue(IssueCode.AUDIO_TRACKS_LEFT_OUT, message, path))


def _left_out(heard: Sequence[AudioStreamInfo], others: Sequence[AudioStreamInfo], path: Path) -> Issue:
    used = " and ".join(_name(track) for track in heard)
    unused = ", ".join(f"{_name(track)}{_level(track)}" for track in others)
    message = f"has {counted(len(heard) + len(others), 'audio track')}: {used} is used, {unused} is left out"
    hint = f'use --audio-tracks mix for all, --audio-tracks {others[0].number} for that one, or "first" to say nothing'
    return Issue(IssueCode.AUDIO_TRACKS_LEFT_OUT, message, path, hint)


def _name(track: AudioStreamInfo) -> str:
    said = [f'"{track.title}"'] if track.title else []
    return " ".join([f"track {track.number}", *said, *([f"[{track.language}]"] if track.language else [])])


def _level(track: AudioStreamInfo) -> str:
    return "" if track.level_db is None else f" ({track.level_db:.1f} dB)"

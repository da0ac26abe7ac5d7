"""Find out whether a recording goes on in other tracks than those that it began in.

A transport stream does where two were joined byte for byte, or its recorder was restarted: under other
packet identifiers. A film of QuickTime may have one track a scene. Audio goes on in its other track
(:mod:`mpt_cli.media.audio_tracks`); video does not: ffmpeg could join the tracks, but holds all frames of the
later ones in memory meanwhile. Nor does libav follow to new identifiers (``merge_pmt_versions``) without
loss: the last frames under the old ones come out behind all others.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from mpt_cli.media.inspect.demux import listing
from mpt_cli.model.errors import Issue, IssueCode, ProbeError

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer

    from mpt_cli.media.inspect.findings import Findings

_LEAST_SECONDS = 1
_GROWS = ("mpegts", "mpeg", "flv")
"""Containers whose streams libav may find while it reads."""
_LISTED = re.compile(r"^  Stream #0:(\d+)\b[^:]*: (Video|Audio)", re.MULTILINE)


def may_go_on(container: InputContainer) -> bool:
    """Return whether the heads of a transport stream tell that it must be read to its end to know."""
    if container.format.name != "mpegts":
        return False
    begins = [
        None if stream.start_time is None else stream.start_time * Fraction(stream.time_base or 1)
        for stream in (*container.streams.video, *container.streams.audio)
    ]
    known = [begin for begin in begins if begin is not None]
    return len(known) < len(begins) or max(known) - min(known) >= _LEAST_SECONDS


def unread_parts(path: Path, found: Findings, end: Fraction) -> tuple[Issue, ...]:
    """Return a warning where audio goes on in a stream that cannot be read; ``end`` is that of the video.

    Raises ProbeError where the video goes on in another track.
    """
    if not found.scanned:
        return ()
    others = found.order.taking_turns(video.index for video in found.chosen.others)
    late, missing = _late(found.container), _end_of(found.container) - end
    late_videos = [index for index, kind in late.items() if kind == "Video"] if missing >= _LEAST_SECONDS else []
    late_audios = [index for index, kind in late.items() if kind == "Audio"]
    if others or late_videos:
        videos = [index for index in found.order.runs if index in (found.video.index, *others)] + late_videos
        audios = [stream.index for stream in found.container.streams.audio] + late_audios
        message = _said(found, others, late_videos, missing)
        raise ProbeError(IssueCode.DATA_NOT_READ, message, path=path, hint=_hint(found, videos, audios))
    audio_end = max((track.end for track in found.tracks), default=end)
    if not late_audios or end - audio_end < _LEAST_SECONDS:
        return ()
    lost = f"its last {float(end - audio_end):.1f} s are silent"
    number = len(found.container.streams.audio) + 1
    message = f"has audio that goes on in audio track {number}, which cannot be read: {lost}"
    return (Issue(IssueCode.AUDIO_TRACKS_LEFT_OUT, message, path, "cut it into two clips where the audio changes"),)


def _said(found: Findings, others: list[int], late: list[int], missing: Fraction) -> str:
    """Return what is said of parts that are in other tracks."""
    seconds = sum((found.order.runs[index].seconds for index in others), Fraction(0))
    seconds += missing if late else 0
    known = [stream.index for stream in found.container.streams.video]
    numbers = {index: number for number, index in enumerate([*known, *late], 1)}
    tracks = " and ".join(str(numbers[index]) for index in (*others, *late))
    return (
        f"changes its video track: {float(seconds):.1f} s are in track {tracks}, "
        f"the others in track {numbers[found.video.index]}"
    )


def _hint(found: Findings, videos: list[int], audios: list[int]) -> str:
    """Return what makes one clip of all parts, or one of each: a command, where each track is one part."""
    command = "ffmpeg -probesize 1G -analyzeduration 1G -i IN"
    if found.order.runs[found.video.index].parts > 1 or len(audios) not in (0, 1, len(videos)):
        return "cut it where the track changes, and name the parts as clips"
    if len(audios) == 1:
        starts = "".join(f"[0:{index}]setpts=PTS-STARTPTS[v{index}];" for index in videos)
        joined = "".join(f"[v{index}]" for index in videos)
        graph = f'"{starts}{joined}concat=n={len(videos)}"'
        return f"convert it first: {command} -filter_complex {graph} -map 0:{audios[0]} OUT.mkv"
    parts = zip(videos, audios, strict=True) if audios else ((video,) for video in videos)
    outputs = [
        " ".join([*(f"-map 0:{index}" for index in part), f"-c copy part{number}.mkv"])
        for number, part in enumerate(parts, 1)
    ]
    return f"split it, and name its parts as clips: {command} {' '.join(outputs)}"


def _late(container: InputContainer) -> dict[int, str]:
    """Return the streams that libav found while it read, and PyAV does not know: index and kind."""
    if not container.format.name.startswith(_GROWS):
        return {}
    listed = {int(index): kind for index, kind in _LISTED.findall(listing(container))}
    return {index: kind for index, kind in listed.items() if index >= len(container.streams)}


def _end_of(container: InputContainer) -> Fraction:
    return Fraction((container.start_time or 0) + (container.duration or 0), av.time_base)

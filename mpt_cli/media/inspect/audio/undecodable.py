"""Say which audio of a file cannot be decoded."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from mpt_cli.media.inspect.demux import listing
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from mpt_cli.media.inspect.audio.findings import AudioFindings

_CODEC = r"^  Stream #0:{index}\b[^:]*: Audio: (\w+)[^(,\n]*(?:\(([^/)\n]+) /)?"
"""Of libav's listing: its name of a codec, or ``none``, and the one that the container has for it."""


def undecodable_audio(
    path: Path, container: InputContainer, tracks: Sequence[AudioFindings], *, scanned: bool
) -> tuple[Issue, ...]:
    """Return a warning for each audio track that is not heard because it cannot be decoded.

    ``tracks`` are those that were read, with ``scanned`` to their end: those of the video that have a decoder.
    Beside one that is heard, a track without a decoder counts where the file says that it is to be played.
    """
    silent = not any(track.is_decoded for track in tracks)
    issues = [
        _issue(path, _undecoded(track), silent=silent)
        for track in tracks
        if not track.is_decoded and track.packets and (silent or scanned or track.knows_enough)
    ]
    for stream in container.streams.audio:
        if stream.codec_context is None and (silent or stream.disposition & Disposition.default):
            seconds = _seconds(container, stream)
            if seconds:
                name = _codec_name(container, stream.index)
                why = f"stream {stream.index} ({name}, {float(seconds):.1f} s) has no decoder"
                issues.append(_issue(path, why, silent=silent))
    return tuple(issues)


def _undecoded(track: AudioFindings) -> str:
    name, seconds = track.stream.codec_context.codec.canonical_name, track.end - track.start
    why = f"none of the {track.packets} packets that were read of stream {track.stream.index}"
    return f"{why} ({name}, {float(seconds):.1f} s) decodes"


_HINT = "convert its audio first, or mute the clip in a job file: mute = true"


def _issue(path: Path, why: str, *, silent: bool) -> Issue:
    consequence = "the reel is silent there" if silent else "another track is heard"
    message = f"has audio that cannot be decoded: {why}; {consequence}"
    return Issue(IssueCode.AUDIO_UNDECODABLE, message, path, _HINT)


def _seconds(container: InputContainer, stream: AudioStream) -> Fraction:
    """Return how long a track is by its header; 0 for one that has no packets."""
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return Fraction(container.duration or 0, av.time_base)


def _codec_name(container: InputContainer, index: int) -> str:
    match = re.search(_CODEC.format(index=index), listing(container), re.MULTILINE)
    if match is None:
        return "unknown codec"
    known, tag = match.groups()
    return tag if known == "none" and tag else known

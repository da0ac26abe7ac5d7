"""Say which audio of a file cannot be decoded, so that its reel is silent there."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from mpt_cli.errors import Issue, IssueCode
from mpt_cli.media.inspect.demux import listing

if TYPE_CHECKING:
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from mpt_cli.media.inspect.audio_findings import AudioFindings

_CODEC = r"^  Stream #0:{index}\b[^:]*: Audio: (\w+)[^(,\n]*(?:\(([^/)\n]+) /)?"
"""Of libav's listing: its name of a codec, or ``none``, and the one that the container has for it."""


def undecodable_audio(path: Path, container: InputContainer, track: AudioFindings | None) -> tuple[Issue, ...]:
    """Return a warning where a file has audio, but none that decodes.

    ``track`` is the audio track that was read, None where none has a decoder.
    """
    if track is not None:
        if track.is_decoded or not track.packets:
            return ()
        name, seconds = track.stream.codec_context.codec.canonical_name, track.end - track.start
        why = f"none of the {track.packets} packets that were read of stream {track.stream.index}"
        return (_issue(path, f"{why} ({name}, {float(seconds):.1f} s) decodes"),)
    for stream in container.streams.audio:
        if stream.codec_context is None and (seconds := _seconds(container, stream)):
            name = _codec_name(container, stream.index)
            return (_issue(path, f"stream {stream.index} ({name}, {float(seconds):.1f} s) has no decoder"),)
    return ()


def _issue(path: Path, why: str) -> Issue:
    message = f"has audio that cannot be decoded: {why}; the reel is silent there"
    return Issue(IssueCode.AUDIO_UNDECODABLE, message, path, "convert its audio first, or mute the clip")


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

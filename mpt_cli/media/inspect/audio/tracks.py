"""Describe the audio tracks of a file."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from av.stream import Disposition

from mpt_cli.media.inspect.audio.depth import lossless_format
from mpt_cli.model.media_info import AudioStreamInfo

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from mpt_cli.media.inspect.audio.findings import AudioFindings
    from mpt_cli.media.inspect.audio.levels import Level
    from mpt_cli.media.inspect.findings import Findings

_VERSIONS = (
    Disposition.dub | Disposition.comment | Disposition.lyrics | Disposition.karaoke | Disposition.hearing_impaired
    | Disposition.visual_impaired | Disposition.clean_effects | Disposition.descriptions
)  # fmt: skip
_OF_A_WRITER = re.compile(r"handle|media|sound|audio|iso|core|track|stream", re.IGNORECASE)
"""Words in what a muxer names each of its tracks."""


def audio_tracks(container: InputContainer, found: Findings, levels: dict[int, Level]) -> tuple[AudioStreamInfo, ...]:
    """Return the audio tracks that belong to the video and decode, the default one first."""
    numbers = {stream.index: number for number, stream in enumerate(container.streams.audio, 1)}
    described = tuple(_audio_info(track, numbers, levels) for track in found.tracks)
    return described if found.scanned else tuple(replace(track, bit_rate=None, coded=None) for track in described)


def _audio_info(track: AudioFindings, numbers: dict[int, int], levels: dict[int, Level]) -> AudioStreamInfo:
    stream, frame = track.stream, track.frame
    level = levels.get(stream.index)
    return AudioStreamInfo(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        channels=track.channels,
        layout=frame.layout.name,
        sample_rate=frame.sample_rate,
        irregular=track.is_irregular,
        tremble=track.tremble,
        anchors=track.anchors,
        number=numbers[stream.index],
        title=_title(stream),
        language=_language(stream),
        is_version=bool(stream.disposition & _VERSIONS),
        level_db=round(level.db, 1) if level else None,
        same_as=level.same_as if level else None,
        bit_rate=track.bit_rate,
        lossless=lossless_format(stream, frame),
        start=track.start,
        end=track.end,
        coded=track.coded,
    )


def _title(stream: AudioStream) -> str | None:
    """Return what a track is called; MP4 has the name of its handler for that, which often says nothing."""
    tags = {key.lower(): value.strip() for key, value in stream.metadata.items()}
    named = tags.get("title") or tags.get("name")
    handler = tags.get("handler_name", "")
    return named or (handler if handler and not _OF_A_WRITER.search(handler) else None)


def _language(stream: AudioStream) -> str | None:
    language = stream.metadata.get("language", "").strip()
    return language if language and language != "und" else None

"""Put audio together that a file holds in several tracks: each of IAMF (Eclipsa) has some channels of one layout."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import av
from av.stream import Disposition

from mpt_cli.media.inspect.demux import listing
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av.container import InputContainer

    from mpt_cli.model.media_info import AudioStreamInfo

_ELEMENT = re.compile(r"^ +Stream group .*: IAMF Audio Element:", re.MULTILINE)
_LAYER = re.compile(r"^ +Layer 0: (.+)$", re.MULTILINE)
_CHANNELS = re.compile(r"\d+ channels \(([^)]+)\)")
_AMBISONIC = re.compile(r"ambisonic (\d)")


def layered(
    path: Path, container: InputContainer, tracks: tuple[AudioStreamInfo, ...]
) -> tuple[tuple[AudioStreamInfo, ...], tuple[Issue, ...]]:
    """Return the tracks, those of one layout as parts of the first, and a warning where they are not understood.

    Of several layers the first is a mix of all, made by who published the file: it is heard alone.
    """
    if not any(stream.disposition & Disposition.dependent for stream in container.streams.audio):
        return tracks, ()
    names = _channels(container)
    if not names or sum(len(track.channels) for track in tracks) < len(names):
        message = "has layered audio (IAMF) of which only the first track is heard"
        hint = "export it with plain audio: AAC, stereo or 5.1"
        return tracks[:1], (Issue(IssueCode.AUDIO_TRACKS_LEFT_OUT, message, path, hint),)
    return _parts(sorted(tracks, key=lambda track: track.index), names), ()


def _parts(tracks: Sequence[AudioStreamInfo], names: Sequence[str]) -> tuple[AudioStreamInfo, ...]:
    """Give each track its channels of the layout, in order; tracks behind them are of other layers."""
    first, left, parts = tracks[0], iter(names), []
    for track in tracks:
        if own := tuple(islice(left, len(track.channels))):
            parts.append(replace(track, channels=own, is_part=True, part_of=first.index))
    if len(parts) == 1:
        return (replace(parts[0], is_part=False, part_of=None),)
    levels = [part.level_db for part in parts if part.level_db is not None]
    return (replace(parts[0], level_db=max(levels, default=None), same_as=None), *parts[1:])


def _channels(container: InputContainer) -> tuple[str, ...]:
    """Return the names of the channels of the first layer of the only element, or none."""
    text = listing(container)
    layers = _LAYER.findall(text)
    if len(_ELEMENT.findall(text)) != 1 or not layers:
        return ()
    if match := _CHANNELS.fullmatch(layers[0]):
        return tuple(match[1].split("+"))
    if match := _AMBISONIC.fullmatch(layers[0]):
        return tuple(f"AMBI{number}" for number in range((int(match[1]) + 1) ** 2))
    try:
        return tuple(channel.name for channel in av.AudioLayout(layers[0]).channels)
    except ValueError:
        return ()

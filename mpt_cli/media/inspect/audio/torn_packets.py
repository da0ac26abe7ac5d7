"""Read the audio packets of a transport stream of which each of two files holds a part."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from mpt_cli.media.inspect.demux import readable_packets
from mpt_cli.media.open_options import OPEN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_AROUND_BYTES = 6 << 20
"""Bytes of each file: tables come ten times a second, and audio is less than two seconds from its video."""
_SLACK = Fraction(1, 1000)


def torn_packets(first: Path, second: Path, stream_id: int, between: Sequence[Fraction]) -> list[bytes]:
    """Return the packets of a stream between two times that are in neither file as a whole."""
    data = io.BytesIO(_end_of(first) + _start_of(second))
    begin, end = between[0] - _SLACK, between[1] - _SLACK
    try:
        with av.open(data, "r", format="mpegts", options=dict(OPEN_OPTIONS), metadata_errors="replace") as container:
            streams: list[Any] = [stream for stream in container.streams.audio if stream.id == stream_id]
            found = [packet for packet in readable_packets(container, streams[:1]) if packet.pts is not None]
            return [bytes(packet) for packet in found if begin <= packet.pts * packet.time_base < end]
    except (av.FFmpegError, ValueError):
        return []


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _AROUND_BYTES))
        return file.read()


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_AROUND_BYTES)

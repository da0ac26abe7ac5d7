"""Open files and read packets through PyAV, and what libav knows of a container that PyAV has no name for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import av
import av.logging

from mpt_cli.media.open_options import OPEN_OPTIONS, file_url, protocols
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from av.container import InputContainer
    from av.stream import Stream

_PROGRAMME = re.compile(r"  (?:Program (\d+)|No Program)")
_PACKET_HEAD = 64
"""Bytes, at most, that a container puts between where a packet begins for libav and its data."""
_STREAM = re.compile(r"  Stream #0:(\d+)")


def open_container(path: Path, options: Mapping[str, str] = OPEN_OPTIONS, *, end: int | None = None) -> InputContainer:
    """Open a file, or its bytes before ``end``, which may open nothing else.

    Tags that are not UTF-8 must not hide the media beside them.
    """
    given = {**options, "protocol_whitelist": protocols(end)}
    return av.open(file_url(path, end), options=given, metadata_errors="replace")


def is_cut_off(packet: Any, size: int) -> bool:
    """Return whether a packet ends with the file of this size, before it is whole."""
    return bool(packet.is_corrupt and packet.pos is not None and packet.pos + packet.size + _PACKET_HEAD >= size)


def packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Any]:
    """Yield the packets of these streams, and at the end an empty one for each.

    A stream that libav finds while it reads (GPS data of a dash camera, a new programme) is unknown to
    PyAV, which gives out no packet of it. At the end it raises IndexError in place of the empty packet
    of that stream, after those of all others.
    """
    demuxed = container.demux(list(streams))
    while True:
        try:
            packet = next(demuxed)
        except (StopIteration, IndexError):
            return
        yield packet


def readable_packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Any]:
    """Yield the packets as :func:`packets` does; an error of libav ends them, as it ends the reading in ffmpeg."""
    try:
        yield from packets(container, streams)
    except av.FFmpegError as error:
        refuse_shortage(error)


def programmes(container: InputContainer) -> dict[int, frozenset[int]]:
    """Return the numbers of the programmes that each stream belongs to, by the index of the stream."""
    found: dict[int, frozenset[int]] = {}
    programme = frozenset[int]()
    for line in listing(container).splitlines():
        if match := _PROGRAMME.match(line):
            programme = frozenset({int(match[1])} if match[1] else ())
        elif match := _STREAM.match(line):
            found[int(match[1])] = found.get(int(match[1]), frozenset()) | programme
    return found


def listing(container: InputContainer) -> str:
    """Return libav's own listing of a container: PyAV knows no programmes and no groups of streams."""
    before, untyped = av.logging.get_level(), cast("Any", container)
    av.logging.set_level(av.logging.INFO)
    try:
        return str(untyped.dumps_format())
    finally:
        av.logging.set_level(before)

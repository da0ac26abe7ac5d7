"""Decode single packets of a file that may be damaged."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import av
from av.video.frame import VideoFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.packet import Packet

_ORDER_PACKETS = 100
"""Packets that are decoded to see whether frames come in the order of their times."""
SAMPLE_PACKETS = 300
"""Packets of a stream that are looked at when a plausible header is trusted."""


def first_frame(packet: Packet[Any], kind: type[Any]) -> Any:
    """Return the first frame that a packet brings out, or None; a damaged packet brings nothing."""
    try:
        return _first_whole(packet.decode(), kind)
    except (av.FFmpegError, ValueError):
        return None


def only_frame(packet: Packet[Any]) -> Any:
    """Return the frame that a video packet decodes to if nothing follows, or None; the decoder is spent then."""
    stream: Any = packet.stream
    try:
        return _first_whole([*packet.decode(), *stream.decode(None)], VideoFrame)
    except (av.FFmpegError, ValueError):
        return None


def shows_frame_at(packets: Iterable[Packet[Any]], tick: int) -> bool:
    """Return whether these packets decode to a whole frame that is shown at a time, or later."""
    for packet in packets:
        try:
            frames: list[Any] = packet.decode()
        except (av.FFmpegError, ValueError):
            continue
        for frame in frames:
            if frame.pts is not None and frame.pts >= tick and not getattr(frame, "is_corrupt", False):
                return True
    return False


def come_in_disorder(packets: Iterable[Packet[Any]]) -> bool:
    """Return whether a frame of the first packets comes out of the decoder behind one that has a later time."""
    last: int | None = None
    for packet in islice(packets, _ORDER_PACKETS):
        try:
            frames: list[Any] = packet.decode()
        except (av.FFmpegError, ValueError):
            continue
        for frame in frames:
            if frame.pts is None:
                continue
            if last is not None and frame.pts < last:
                return True
            last = frame.pts
    return False


def _first_whole(frames: list[Any], kind: type[Any]) -> Any:
    """Of a stream that is not what its header says another kind may come, and is nothing either."""
    whole = (frame for frame in frames if not getattr(frame, "is_corrupt", False))
    return next((frame for frame in whole if isinstance(frame, kind)), None)

"""Decode single packets of a file that may be damaged."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import av
from av.video.frame import VideoFrame

from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from av.packet import Packet

_ORDER_PACKETS = 100
"""Packets that are decoded to see whether frames come in the order of their times."""
SAMPLE_PACKETS = 300
"""Packets of a stream that are looked at when a plausible header is trusted."""


def first_frame(packet: Packet[Any], kind: type[Any]) -> Any:
    """Return the first frame that a packet brings out, or None; a damaged packet brings nothing."""
    try:
        return _first_whole(packet.decode(), kind)
    except (av.FFmpegError, ValueError) as error:
        refuse_shortage(error)
        return None


def only_frame(packet: Packet[Any]) -> Any:
    """Return the frame that a video packet decodes to if nothing follows, or None; the decoder is spent then."""
    stream: Any = packet.stream
    try:
        return _first_whole([*packet.decode(), *stream.decode(None)], VideoFrame)
    except (av.FFmpegError, ValueError) as error:
        refuse_shortage(error)
        return None


def timed_frames(packets: Iterable[Packet[Any]], *, alive: Callable[[], object] = lambda: None) -> Iterator[Any]:
    """Yield the frames of packets that have a time, as the decoder gives them; damaged packets bring none.

    ``alive`` is called before each packet is decoded, and may raise.
    """
    for packet in packets:
        alive()
        try:
            frames: list[Any] = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            continue
        yield from (frame for frame in frames if frame.pts is not None)


def shows_frame_at(packets: Iterable[Packet[Any]], tick: int) -> bool:
    """Return whether these packets decode to a whole frame that is shown at a time, or later."""
    return any(frame.pts >= tick and not getattr(frame, "is_corrupt", False) for frame in timed_frames(packets))


def come_in_disorder(packets: Iterable[Packet[Any]]) -> bool:
    """Return whether a frame of the first packets comes out of the decoder behind one that has a later time."""
    times = (frame.pts for frame in timed_frames(islice(packets, _ORDER_PACKETS)))
    return any(later < earlier for earlier, later in pairwise(times))


def _first_whole(frames: list[Any], kind: type[Any]) -> Any:
    """Of a stream that is not what its header says another kind may come, and is nothing either."""
    whole = (frame for frame in frames if not getattr(frame, "is_corrupt", False))
    return next((frame for frame in whole if isinstance(frame, kind)), None)

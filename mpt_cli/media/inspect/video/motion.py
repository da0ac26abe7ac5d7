"""Tell which of several video tracks moves: others hold a thumbnail, slides, or one still again and again."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.video.frame import VideoFrame

from mpt_cli.media.inspect.demux import readable_packets
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_SECONDS, _PACKETS, _BYTES = 20, 4000, 64 << 20
"""So much of the file is read at most; all tracks of a recording begin together."""
_DECODED = 48
"""So many packets of each track are decoded, and behind them only keyframes."""
_FRAMES_A_SECOND = 5
_SHARE = 4
"""A track moves with so many frames a second, or with this part of those of the one that has most."""
_WIDTH, _HEIGHT, _LEAST_CHANGE = 32, 18, 3
"""Frames are compared so small, in values of 0 to 255: a coded still trembles by 1."""


class _Track:
    """How many frames a track has, from when to when, and whether what it shows changes."""

    def __init__(self) -> None:
        self.frames, self.decoded, self.changes = 0, 0, False
        self.seconds = Fraction(0)
        self._begin: Fraction | None = None
        self._first: bytes | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether all frames that were decoded, at least two, show the same."""
        return self.decoded > 1 and not self.changes

    def take(self, packet: Packet[Any]) -> None:
        """Count a packet, and decode it if it is one of the first or a keyframe."""
        self.frames += 1
        time = packet.dts if packet.dts is not None else packet.pts
        if time is not None:
            now = time * Fraction(packet.time_base)
            self._begin = now if self._begin is None else self._begin
            self.seconds = max(self.seconds, now - self._begin)
        if not self.changes and (self.frames <= _DECODED or packet.is_keyframe):
            self._compare(packet)

    def _compare(self, packet: Packet[Any]) -> None:
        try:
            small = [_small(frame) for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            return
        for frame in small:
            self.decoded += 1
            first = self._first = self._first or frame
            self.changes = self.changes or any(abs(a - b) >= _LEAST_CHANGE for a, b in zip(first, frame, strict=True))


def moving(container: InputContainer, videos: Sequence[VideoStream], alive: Callable[[], object]) -> set[int]:
    """Return the indexes of the video tracks that move, or of all where none does.

    Reads from the start of a container that was just opened.
    """
    tracks = {video.index: _Track() for video in videos}
    read = size = 0
    for packet in readable_packets(container, videos):
        alive()
        if not packet.size or packet.is_discard:
            continue
        read, size = read + 1, size + packet.size
        tracks[packet.stream_index].take(packet)
        enough = min(track.seconds for track in tracks.values()) >= _SECONDS
        if enough or read >= _PACKETS or size >= _BYTES:
            break
    span = max(track.seconds for track in tracks.values())
    most = max(track.frames for track in tracks.values())
    least = min(_FRAMES_A_SECOND * span, Fraction(most, _SHARE))
    even = {index for index, track in tracks.items() if track.frames > 1 and track.frames >= least}
    return {index for index in even if not tracks[index].is_frozen} or even or set(tracks)


def _small(frame: VideoFrame) -> bytes:
    """Return the luma of a frame in a size at which noise is gone."""
    plane = frame.reformat(width=_WIDTH, height=_HEIGHT, format="gray").planes[0]
    rows, content = range(_HEIGHT), bytes(plane)
    return b"".join(content[row * plane.line_size : row * plane.line_size + _WIDTH] for row in rows)

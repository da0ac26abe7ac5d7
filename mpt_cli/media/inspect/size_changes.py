"""Whether the pictures of a stream change their size or colours, found by decoding only keyframes that look new.

A keyframe looks new when what says its size and colours differs from all before: parameter sets (H.264,
HEVC, AV1), or a part of its own header (:mod:`mpt_cli.media.inspect.size_marks`). Codecs without such a
mark are not looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import CodecContext
from av.video.frame import VideoFrame

from mpt_cli.media.inspect.color_description import description_of
from mpt_cli.media.inspect.size_marks import size_mark
from mpt_cli.models import Dimensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

    from mpt_cli.mediainfo import Color

_MOST_LOOKS = 50
"""Keyframes of one file that are decoded; who changes more often has changed before."""

Shape = tuple[Dimensions, Fraction]


@dataclass(frozen=True, slots=True)
class _Keyframe:
    """A keyframe, and what its decoder must be told before."""

    data: bytes
    extradata: bytes | None
    time: Fraction | None


class Shapes:
    """The sizes, pixel shapes and colours that keyframes of a stream were found to have."""

    def __init__(self, context: VideoCodecContext) -> None:
        """Know nothing yet of the stream that this decoder is for."""
        self._codec, self._decoder = context.codec.canonical_name, context.codec.name
        self._extradata = context.extradata
        self._seen: set[bytes] = set()
        self._first: _Keyframe | None = None  # decoded when there is another to compare it with
        self._found: set[Shape] = set()
        self.interlaced = False
        """Whether a keyframe that was looked at is."""
        self.colors: list[tuple[Fraction | None, Color]] = []
        """What keyframes that were looked at say of their colours, and when they are shown."""

    @property
    def change_size(self) -> bool:
        """Whether a picture has other pixels than another."""
        return len(self._found) > 1

    @property
    def change_shape(self) -> bool:
        """Whether a picture is shown wider or narrower than another."""
        return len({Fraction(size.width, size.height) * sar for size, sar in self._found}) > 1

    def take(self, packet: Packet[Any], data: bytes, new_sets: Sequence[bytes]) -> None:
        """Look at a keyframe, with the parameter sets in it that were not seen before."""
        mark = b"".join(new_sets) + size_mark(self._codec, data)
        if packet.has_sidedata("new_extradata"):  # the next description of an MP4
            self._extradata = bytes(packet.get_sidedata("new_extradata"))
            mark += self._extradata
        if (self._seen and not mark) or mark in self._seen or len(self._seen) >= _MOST_LOOKS:
            return
        self._seen.add(mark)
        time = None if packet.pts is None else packet.pts * Fraction(packet.time_base)
        keyframe = _Keyframe(data, self._extradata, time)
        if self._first is None:
            self._first = keyframe
            return
        for unknown in (keyframe,) if self._found else (self._first, keyframe):
            if (shape := self._shape(unknown)) is not None:
                self._found.add(shape)

    def _shape(self, keyframe: _Keyframe) -> Shape | None:
        """The shape of one picture, decoded by itself; None where nothing comes out."""
        alone: Any = CodecContext.create(self._decoder, "r")
        alone.extradata, alone.thread_count = keyframe.extradata, 1
        try:
            frames = [*alone.decode(av.Packet(keyframe.data)), *alone.decode(None)]
        except (av.FFmpegError, ValueError):
            return None
        frame = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)
        if frame is None:
            return None
        self.interlaced = self.interlaced or bool(frame.interlaced_frame)
        self.colors.append((keyframe.time, description_of(frame)))
        sar = alone.sample_aspect_ratio
        return Dimensions(frame.width, frame.height), Fraction(sar) if sar else Fraction(1)

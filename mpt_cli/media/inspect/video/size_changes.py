"""Whether the pictures of a stream change their size or colours, found by decoding only keyframes that look new.

A keyframe looks new when what says its size and colours differs from all before: parameter sets (H.264,
HEVC, AV1), or a part of its own header (:mod:`mpt_cli.media.inspect.video.size_marks`). Codecs without such a
mark are not looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.codec.context import CodecContext
from av.video.frame import VideoFrame

from mpt_cli.media.inspect.video.color_description import description_of
from mpt_cli.media.inspect.video.size_marks import size_mark
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.clips import Dimensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

    from mpt_cli.model.clips import Color

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
        self._shapes: dict[bytes, Shape | None] = {}
        """What keyframes with each mark were found to be; of the first it is not known before there is another."""
        self._first: _Keyframe | None = None
        self._runs: list[tuple[Fraction | None, Shape]] = []
        self.interlaced = False
        """Whether a keyframe that was looked at is."""
        self.colors: list[tuple[Fraction | None, Color]] = []
        """What keyframes that were looked at say of their colours, and when they are shown."""

    @property
    def change_size(self) -> bool:
        """Whether a picture has other pixels than another."""
        return len({shape for _, shape in self._runs}) > 1

    @property
    def change_shape(self) -> bool:
        """Whether a picture is shown wider or narrower than another."""
        return len({_ratio(shape) for _, shape in self._runs}) > 1

    def ratios(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return from when on frames are how wide, as a multiple of the first; empty where a time is not known."""
        first = _ratio(self._runs[0][1]) if self._runs else Fraction(1)
        found: list[tuple[Fraction, Fraction]] = []
        for time, shape in self._runs:
            ratio = _ratio(shape) / first
            if time is None:
                return ()
            if not found or ratio != found[-1][1]:
                found.append((time, ratio))
        return tuple(found) if 1 < len(found) <= _MOST_LOOKS else ()

    def take(self, packet: Packet[Any], data: bytes, sets: Sequence[bytes]) -> None:
        """Look at a keyframe, with the parameter sets in it."""
        mark = b"".join(sets) + size_mark(self._codec, data)
        if packet.has_sidedata("new_extradata"):  # the next description of an MP4
            self._extradata = bytes(packet.get_sidedata("new_extradata"))
            mark += self._extradata
        if self._first is not None and not mark:
            return
        time = None if packet.pts is None else packet.pts * Fraction(packet.time_base)
        keyframe = _Keyframe(data, self._extradata, time)
        if self._first is None:
            self._first, self._shapes[mark] = keyframe, None
        elif mark not in self._shapes and len(self._shapes) < _MOST_LOOKS:
            if not self._runs:
                self._note(self._first.time, self._shape(self._first))
                self._shapes |= dict.fromkeys(self._shapes, self._runs[-1][1] if self._runs else None)
            self._shapes[mark] = self._shape(keyframe)
        self._note(time, self._shapes.get(mark))

    def _note(self, time: Fraction | None, shape: Shape | None) -> None:
        """Remember what frames are from here on, where that is known and new."""
        if shape is not None and (not self._runs or self._runs[-1][1] != shape):
            self._runs.append((time, shape))

    def _shape(self, keyframe: _Keyframe) -> Shape | None:
        """Return the shape of one frame, decoded alone; None where nothing comes out."""
        alone: Any = CodecContext.create(self._decoder, "r")
        alone.extradata, alone.thread_count = keyframe.extradata, 1
        try:
            frames = [*alone.decode(av.Packet(keyframe.data)), *alone.decode(None)]
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            return None
        frame = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)
        if frame is None:
            return None
        self.interlaced = self.interlaced or bool(frame.interlaced_frame)
        self.colors.append((keyframe.time, description_of(frame)))
        sar = alone.sample_aspect_ratio
        return Dimensions(frame.width, frame.height), Fraction(sar) if sar else Fraction(1)


def _ratio(shape: Shape) -> Fraction:
    """Return width by height as shown."""
    size, sar = shape
    return Fraction(size.width, size.height) * sar

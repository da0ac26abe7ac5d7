"""Collect what the packets of one audio track bring to light."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import av
from av.audio.frame import AudioFrame

from mpt_cli.media.ffmpeg.downmix import placed
from mpt_cli.media.inspect.audio.channel_names import channel_names, release_custom_order
from mpt_cli.media.inspect.audio.clock import STEADY, AudioClock
from mpt_cli.media.inspect.audio.coded import CodedPackets
from mpt_cli.media.inspect.audio.headers import HEADERS
from mpt_cli.media.inspect.decoding import SAMPLE_PACKETS
from mpt_cli.media.process.shortage import refuse_shortage

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

    from mpt_cli.media.clock_jumps import Clock
    from mpt_cli.media.inspect.audio.anchors import Anchors
    from mpt_cli.media.inspect.audio.clock import ClockFindings
    from mpt_cli.model.media_info import CodedAudio

_LOOK_SECONDS = 2
"""A packet is decoded so often, and where its header is another, to see whether channels and rate are the same."""

_MOST_FAILED_LOOKS = 3
_MICROSECOND = 1_000_000
_LONG = 1
"""A packet that claims to last more seconds is decoded, to see whether it does."""


class AudioFindings:
    """The first decoded frame of one audio track, whether later ones are alike, and when its packets end."""

    def __init__(self, stream: AudioStream, clock: Clock) -> None:
        """Start with nothing found; the clock is the one of the whole file."""
        self.stream, self._clock = stream, clock
        codec = stream.codec_context.codec.canonical_name
        self._labels = release_custom_order(stream)
        self._frame: AudioFrame | None = None
        self._undecoded = 0
        self._changes = False
        self._failed_looks = 0
        self._is_described_inside = stream.container.format.name == "flv"  # asking each packet is dear
        self._time_base = Fraction(stream.time_base or 1)
        self._look_ticks, self._long_ticks = round(_LOOK_SECONDS / self._time_base), round(_LONG / self._time_base)
        self._last_look = 0
        self._header, self._last_header = HEADERS.get(codec), 0
        self._times = AudioClock(codec, self._time_base)
        self._coded = CodedPackets(stream)
        self._samples, self._size = 0, 0  # of the longest frame that was decoded, and of its packet
        self.packets = 0
        self._end_ticks = 0
        self._largest_size = self._largest_ticks = 0
        self._start = Fraction(0)
        self._first = self._first_time = 0  # the packet of the first frame, and its time in microseconds

    @property
    def start(self) -> Fraction:
        """When its frames begin, or its packets while none decodes."""
        return Fraction(self.anchors[0][1], _MICROSECOND) if self.anchors else self._start

    @property
    def end(self) -> Fraction:
        """When its packets end, or its first frame."""
        if self.anchors:
            return Fraction(self._found.time_of(len(self._times)), _MICROSECOND)
        first = Fraction(self._frame.samples, self._frame.sample_rate) if self._frame is not None else 0
        return max(self._start + first, self._end_ticks * self._time_base if self.packets else self._start)

    @property
    def bit_rate(self) -> int | None:
        """Bits per second of its packets; None where one alone was read."""
        seconds = self.end - self.start
        return round(8 * self._times.size / seconds) if self.packets > 1 and seconds > 0 else None

    @property
    def largest_time(self) -> Fraction:
        """When its largest packet comes, by its file: silence takes few bytes in most codecs."""
        return self._largest_ticks * self._time_base

    @property
    def frame(self) -> AudioFrame:
        """The first decoded frame; only of a track of which some was decoded."""
        assert self._frame is not None
        return self._frame

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of its channels, in order; of those without one as players take them."""
        return placed(channel_names(self.frame, self._labels))

    @property
    def is_irregular(self) -> bool:
        """Whether channels, rate or times are such that the filters of ffmpeg do not follow."""
        return self._changes or bool(self._labels) or bool(self.anchors)

    @property
    def tremble(self) -> Fraction | None:
        """By how much its packets come too late and too early; None for a clock that is steady."""
        return self._found.tremble

    @cached_property
    def coded(self) -> CodedAudio | None:
        """Its packets as a decoder takes them; None where they do not follow each other."""
        if self.is_irregular or self.tremble is not None or self._frame is None:
            return None
        return self._coded.described(self._frame.sample_rate, self._samples, self._size)

    @cached_property
    def anchors(self) -> Anchors:
        """From which packets on it follows its times, in microseconds; empty where each packet does.

        The first one is heard when its first frame is, which may lack what an encoder puts in front.
        """
        if not self._found.anchors:
            return ()
        late = self._found.time_of(self._first) - self._first_time
        return ((0, round(self._start * _MICROSECOND) + late), *self._found.anchors[1:])

    @cached_property
    def _found(self) -> ClockFindings:
        if self._changes or self._frame is None:
            return STEADY
        return self._times.findings(self.frame.sample_rate, self._samples, self._size)

    @property
    def is_decoded(self) -> bool:
        """Whether some of the track was decoded."""
        return self._frame is not None

    @property
    def knows_enough(self) -> bool:
        """Whether more packets would tell nothing that counts where a plausible header is trusted."""
        return self.is_decoded or self._undecoded > SAMPLE_PACKETS

    def take(self, packet: Packet[Any]) -> None:
        """Look at the next packet of the track."""
        size, pts, samples = packet.size, packet.pts, None
        if self._frame is None:
            samples = self._take_first(packet)
        elif size and not self._changes:
            samples = self._look_now_and_then(packet, pts or 0)
        if not size:
            return
        if packet.is_discard:
            self._coded.take(packet, pts)
            return
        shift = self._clock.shift_of(packet)
        if shift is None or pts is None:
            self._times.add(None, size, samples or 0)
            self._coded.take(packet, None)
            return
        ticks = pts + round(shift / self._time_base) if shift else pts
        self._coded.take(packet, ticks)
        length = packet.duration or 0
        if length > self._long_ticks:
            samples = _samples(_decoded(packet)) if samples is None else samples
            length = round(Fraction(samples, self._rate) / self._time_base)
        if size > self._largest_size:
            self._largest_size, self._largest_ticks = size, pts
        self.packets += 1
        self._times.add(ticks, size, samples or 0)
        self._end_ticks = max(self._end_ticks, ticks + length) if self.packets > 1 else ticks + length

    @property
    def _rate(self) -> int:
        return self._frame.sample_rate if self._frame is not None else self.stream.codec_context.sample_rate or 1

    def _take_first(self, packet: Packet[Any]) -> int:
        """Decode a packet, before which none did, and return how many samples it holds."""
        frames = _decoded(packet) or []
        frame = next((frame for frame in frames if not frame.is_corrupt), None)
        self._undecoded += frame is None
        if frame is not None and frame.pts is not None and frame.samples:
            self._frame = frame
            self._start = frame.pts * Fraction(frame.time_base or 1)
            self._first, self._last_look = len(self._times), packet.pts or 0
            self._first_time = round(self._last_look * self._time_base * _MICROSECOND)
            self._samples, self._size = frame.samples, packet.size
        elif not self.packets and packet.pts is not None:
            self._start = packet.pts * self._time_base
        return _samples(frames)

    def _look_now_and_then(self, packet: Packet[Any], pts: int) -> int | None:
        """Look where it is time to, or the header says that something may have changed.

        Return how many samples the packet holds, or None where it was not decoded.
        """
        header = self._header.read(packet) if self._header else 0
        if self._is_described_inside and packet.has_sidedata("new_extradata"):
            self._changes = True
            return None
        is_due = header != self._last_header or abs(pts - self._last_look) >= self._look_ticks
        if not (is_due or self._times.is_decoded):
            return None
        frames = _decoded(packet)
        if is_due:
            self._last_header = header
            self._look(packet, frames)
        return _samples(frames)

    def _look(self, packet: Packet[Any], frames: list[AudioFrame] | None) -> None:
        """See whether a packet decoded to what the first one did.

        Where several in a row do not decode they are damaged, or of a kind that a packet told of which was
        not decoded.
        """
        if frames is None:
            self._failed_looks += 1
            self._changes = self._failed_looks >= _MOST_FAILED_LOOKS
            return
        frame = next((frame for frame in frames if frame.samples), None)
        if frame is None:
            return
        self._failed_looks, self._last_look = 0, packet.pts or 0
        if frame.samples > self._samples:  # the first one may lack what an encoder puts in front
            self._samples, self._size = frame.samples, packet.size
        self._changes = _kind(frame) != _kind(self.frame)


def _decoded(packet: Packet[Any]) -> list[AudioFrame] | None:
    """Return the frames of a packet; None where it does not decode."""
    try:
        frames: list[Any] = packet.decode()
        return [frame for frame in frames if isinstance(frame, AudioFrame)]
    except (av.FFmpegError, ValueError) as error:
        refuse_shortage(error)
        return None


def _samples(frames: list[AudioFrame] | None) -> int:
    return sum(frame.samples for frame in frames or ())


def _kind(frame: AudioFrame) -> tuple[object, ...]:
    """Return the properties whose change restarts the filters of ffmpeg."""
    return frame.layout.name, frame.format.name, frame.sample_rate

"""Describe the packets of an audio track as a decoder takes them."""

from __future__ import annotations

import hashlib
from array import array
from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING, Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.codec.context import Flags2

from mpt_cli.media.inspect.audio.channel_names import planes_of
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.media_info import CodedAudio

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

_COUNTED = ("aac", "ac3", "eac3", "flac", "mp1", "mp2", "mp3", "opus")
"""Codecs of which each packet holds as many samples as another."""
_BY_BYTES = "pcm_"
_LOOKED_AT = 3
_PRIMING = {
    "aac": (Fraction(10, 12), Fraction(1), 0.55),
    "ac3": (Fraction(1, 12), Fraction(2, 12), 0.6),
    "eac3": (Fraction(1, 12), Fraction(2, 12), 0.6),
    "opus": (Fraction(1, 12), Fraction(2, 12), 0.1),
    "mp2": (Fraction(2, 12), Fraction(4, 12), 0.3),
}
"""Part of the first packet that is silent where an encoder began with it, and its level there beside that of the
next packets above which it did not. Measured, of a recording that begins with full noise, and of a piece from its
midst: AAC at 64 kb/s 0.4 and 0.8, AC-3 0.4 and 0.9, Opus 0.01 and 0.2, MP2 0.01 and 0.5."""
_AUDIBLE = 0.001
_EACH = 4
"""One in so many samples is looked at: a level needs no more."""
_EVEN = Fraction(1, 500)
"""Seconds by which the last timestamp may differ from the samples before it."""


class CodedPackets:
    """Collects what the packets of one track bring to light."""

    def __init__(self, stream: AudioStream) -> None:
        """Start with none."""
        self._context: Any = stream.codec_context
        self._codec = stream.codec_context.codec.canonical_name
        self._tick = Fraction(stream.time_base or 1)
        self._known = self._codec in _COUNTED or self._codec.startswith(_BY_BYTES)
        self._may_be_torn = stream.container.format.name == "mpegts"
        self._head: list[bytes] = []
        self._latest = b""
        self._first: int | None = None
        self._last = self._number_of_last = self._bytes_of_last = 0
        self._number = self._bytes = 0

    def take(self, packet: Packet[Any], ticks: int | None) -> None:
        """Take a packet in; ``ticks`` is its time after the moves of the clock, if it has one."""
        if not self._known or not packet.size:
            return
        if len(self._head) < _LOOKED_AT:
            self._head.append(bytes(packet))
        if not self._number:
            self._first = ticks
        if ticks is not None:
            self._last, self._number_of_last, self._bytes_of_last = ticks, self._number, self._bytes
        self._number += 1
        self._bytes += packet.size
        if self._may_be_torn:
            self._latest = bytes(packet)

    def described(self, rate: int, samples: int, size: int) -> CodedAudio | None:
        """Return the description, where packets follow each other; ``samples`` are those of one of ``size`` bytes."""
        by_bytes, levels = self._codec.startswith(_BY_BYTES), list[float]()
        if self._first is None or self._number < _LOOKED_AT or not samples or not size:
            return None
        if not by_bytes:  # what a file hides of its first packet counts here
            samples, levels = self._looked_at()
        if not samples:
            return None
        number = self._number - self._ends_torn()
        total = self._bytes * samples // size if by_bytes else number * samples
        before = self._bytes_of_last * samples // size if by_bytes else self._number_of_last * samples
        if abs((self._last - self._first) * self._tick - Fraction(before, rate)) > _EVEN + self._tick:
            return None
        setup = hashlib.sha256(self._context.extradata or b"").hexdigest()[:16]
        return CodedAudio(self._first * self._tick, total, samples, self._tick, setup, self._is_in_midst(levels))

    def _ends_torn(self) -> bool:
        """Return whether the file ends within the last packet, by the size that its header tells."""
        if not self._latest:
            return False
        try:
            parser: Any = av.CodecContext.create(self._context.codec.name, "r")
            parsed = parser.parse(self._latest + b"".join(self._head))  # AC-3 is found by several
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            return False
        return bool(parsed) and parsed[0].size != len(self._latest)

    def _is_in_midst(self, levels: list[float]) -> bool | None:
        """Return whether the first packet is none of an encoder that had just begun; None where it is silent."""
        if self._codec == "mp3":
            return _needs_earlier_bits(self._head[0])
        if self._codec not in _PRIMING or len(levels) < _LOOKED_AT:
            return None
        first, *others = levels
        usual = max(others)
        return first > _PRIMING[self._codec][2] * usual if usual > _AUDIBLE else None

    def _looked_at(self) -> tuple[int, list[float]]:
        """Return the samples of a packet, the level of a part of the first one, and the levels of the next."""
        begin, end, _ = _PRIMING.get(self._codec, (Fraction(0), Fraction(1), 1))
        levels, longest = list[float](), 0
        try:
            decoder: Any = av.CodecContext.create(self._context.codec.name, "r")
            decoder.extradata = self._context.extradata
            decoder.flags2 |= Flags2.skip_manual
            for data in self._head:
                for frame in decoder.decode(av.Packet(data)):
                    if isinstance(frame, AudioFrame) and frame.samples:
                        part = (0, frame.samples) if levels else (int(begin * frame.samples), int(end * frame.samples))
                        levels.append(_level(frame, *part))
                        longest = max(longest, frame.samples)
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
        return longest, levels


def _needs_earlier_bits(packet: bytes) -> bool | None:
    """Return whether a packet of MP3 takes bits from those before it, as the first of an encoder never does."""
    if len(packet) < 8 or packet[0] != 0xFF:
        return None
    begin = 4 if packet[1] & 1 else 6  # a checksum stands between
    is_first_version = packet[1] >> 3 & 3 == 3
    return bool(packet[begin] or (is_first_version and packet[begin + 1] & 0x80))


def _level(frame: AudioFrame, first: int, end: int) -> float:
    """Return the level of the loudest channel between two samples."""
    plain = AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate)
    levels = [0.0]
    for each in plain.resample(frame):
        for plane in planes_of(each):
            values = array("f", bytes(memoryview(plane)[4 * first : 4 * end]))[::_EACH]
            levels.append(sqrt(sum(value * value for value in values) / max(1, len(values))))
    return max(levels)

"""Verification of the audio of a finished reel: its times, its length and, without loss, each of its samples."""

from __future__ import annotations

import zlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from av.audio.resampler import AudioResampler

from mpt_cli.media.encoders.audio import codec_of
from mpt_cli.media.inspect.audio.channel_names import planes_of
from mpt_cli.model.audio_form import SampleFormat
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.timing import AAC_FRAME

if TYPE_CHECKING:
    from pathlib import Path

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

    from mpt_cli.model.audio_form import AudioForm

_PACKED = {
    SampleFormat.S16: "s16",
    SampleFormat.S24: "s32",
    SampleFormat.S32: "s32",
    SampleFormat.F32: "flt",
    SampleFormat.F64: "dbl",
}
"""Format of decoded frames whose bytes are the samples of a format; of 24 bits each fourth byte is zero."""


class AudioReading:
    """Reads the audio packets of a reel in order."""

    def __init__(self, path: Path, stream: AudioStream, form: AudioForm, slack: Fraction) -> None:
        """Begin to read.

        Args:
            path: The reel, for errors.
            stream: Its audio.
            form: The planned format.
            slack: Seconds by which the container rounds times.
        """
        self._path, self._form = path, form
        base = Fraction(stream.time_base or 1)
        self._unit = form.sample_rate * base.denominator
        """Part of a second in which times and samples are whole numbers: an hour of AAC has 170,000 packets."""
        self._per_tick, self._per_sample = form.sample_rate * base.numerator, base.denominator
        self._slack = int(slack * self._unit)
        self.samples, self._packets, self._most, self._crc = 0, 0, 0, 0
        self._resampler = AudioResampler(_PACKED[form.samples], stream.codec_context.layout, form.sample_rate)

    def take(self, packet: Any) -> None:
        """Decode the next packet, and verify that it begins where the samples before it end.

        Raises:
            VerificationError: It begins elsewhere, or has no time.
        """
        frames: list[AudioFrame] = packet.decode()
        held = sum(frame.samples for frame in frames)
        if packet.size:
            self._verify_time(packet)
            self._packets += 1
        self.samples, self._most = self.samples + held, max(self._most, held)
        if self._form.is_lossless:
            for frame in frames:
                self._crc = zlib.crc32(self._pcm(frame), self._crc)

    def verify(self, samples: int, crc: int | None) -> None:
        """Verify the length of the audio and, where nothing is lost, its samples.

        Args:
            samples: Planned number of samples. A codec with loss ends with a whole packet.
            crc: CRC-32 over the planned PCM, for a codec without loss; else None.

        Raises:
            VerificationError: The audio is not as planned.
        """
        spare = 1 if self._form.is_lossless else max(codec_of(self._form).packet, 1)
        if not samples <= self.samples < samples + spare:
            message = f"{self.samples} samples of sound decode, {samples} were planned"
            raise VerificationError(message, path=self._path)
        if self._form.is_lossless and crc != self._crc:
            raise VerificationError("its samples are not those of its clips", path=self._path)

    def _verify_time(self, packet: Any) -> None:
        """Verify when a packet begins; the first one may begin with what its encoder puts in front."""
        if packet.pts is None:
            raise VerificationError("a packet has no timestamp", path=self._path)
        is_aac = self._form.codec == "aac"
        count = self._packets * AAC_FRAME if is_aac else self.samples
        off = packet.pts * self._per_tick - count * self._per_sample
        early = 0 if is_aac or self._packets else codec_of(self._form).priming * self._per_sample
        if -early - self._slack <= off <= self._slack:
            return
        message = f"sound packet {self._packets} is {1000 * off / self._unit:+.3f} ms off its time"
        raise VerificationError(message, path=self._path)

    def _pcm(self, frame: AudioFrame) -> bytes:
        """Return the samples of a frame as raw PCM of the planned format."""
        packed = [frame] if frame.format.name == _PACKED[self._form.samples] else self._resampler.resample(frame)
        bits = 32 if self._form.samples is SampleFormat.S24 else self._form.samples.bits
        size = len(self._form.channels) * bits // 8
        whole = b"".join(bytes(planes_of(each)[0])[: each.samples * size] for each in packed)
        if self._form.samples is not SampleFormat.S24:
            return whole
        narrow = bytearray(len(whole) // 4 * 3)
        for byte in range(3):
            narrow[byte::3] = whole[byte + 1 :: 4]
        return bytes(narrow)

"""Target format of the audio of a reel: codec, rate, channels and depth (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LAYOUTS: dict[str, tuple[str, ...]] = {
    "mono": ("FC",),
    "stereo": ("FL", "FR"),
    "2.1": ("FL", "FR", "LFE"),
    "3.0": ("FL", "FR", "FC"),
    "3.1": ("FL", "FR", "FC", "LFE"),
    "4.0": ("FL", "FR", "FC", "BC"),
    "quad": ("FL", "FR", "BL", "BR"),
    "5.0": ("FL", "FR", "FC", "BL", "BR"),
    "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "6.1": ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""Channels of each layout that a reel can have, in ffmpeg's names and order."""


class SampleFormat(StrEnum):
    """Format of raw PCM, in ffmpeg's names."""

    S16 = "s16le"
    S24 = "s24le"
    S32 = "s32le"
    F32 = "f32le"
    F64 = "f64le"

    @property
    def bits(self) -> int:
        """Bits of a sample."""
        return int(self[1:3])

    @property
    def is_float(self) -> bool:
        """True for floating-point samples, which may be above full scale."""
        return self.startswith("f")


@dataclass(frozen=True, slots=True)
class AudioForm:
    """Target format of the audio of all clips of a reel.

    Attributes:
        codec: Codec in the reel, in ffmpeg's name.
        sample_rate: Samples per second.
        layout: Channel layout, one of :data:`LAYOUTS`.
        bitrate: Bits per second; None for a codec without loss.
        samples: Format of the raw PCM that is kept until the join.
    """

    codec: str = "aac"
    sample_rate: int = 48_000
    layout: str = "stereo"
    bitrate: int | None = 192_000
    samples: SampleFormat = SampleFormat.S16

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in order."""
        return LAYOUTS[self.layout]

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels in raw PCM."""
        return len(self.channels) * self.samples.bits // 8

    @property
    def is_lossless(self) -> bool:
        """True if the reel holds the very samples of its PCM."""
        return self.bitrate is None

    @property
    def coded_bitrate(self) -> int:
        """Bits per second in the reel; of a codec without loss, those of its PCM, which are the most."""
        return self.sample_rate * self.frame_bytes * 8 if self.bitrate is None else self.bitrate

    def __str__(self) -> str:
        """Return the format in words, such as ``aac, 48 kHz, stereo, 192 kb/s``."""
        rate = "" if self.bitrate is None else f", {self.bitrate / 1000:g} kb/s"
        return f"{self.codec}, {self.sample_rate / 1000:g} kHz, {self.layout}{rate}"


def layout_of(channels: tuple[str, ...]) -> str | None:
    """Return the name of the layout of these channels, in any order; None where a reel cannot have it.

    Surround channels at the sides alone are those at the back of other layouts: ``5.1(side)`` is 5.1.
    """
    names = set(channels)
    if len(names) != len(channels):
        return None
    if len(names) == 1:
        return "mono"
    if names == {"DL", "DR"}:
        return "stereo"
    if {"SL", "SR"} <= names and not names & {"BL", "BR", "BC"}:
        names = names - {"SL", "SR"} | {"BL", "BR"}
    return next((layout for layout, own in LAYOUTS.items() if set(own) == names), None)

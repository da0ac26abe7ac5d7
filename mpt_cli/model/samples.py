"""What the samples of encoded frames mean: bits, colours, and the light that they were mastered for (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass

from mpt_cli.model.choices import DynamicRange
from mpt_cli.model.clips import Color

BT709 = Color("bt709", "tv", "bt709", "bt709")
HLG = Color("bt2020nc", "tv", "bt2020", "arib-std-b67")
PQ = Color("bt2020nc", "tv", "bt2020", "smpte2084")


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """Static metadata of HDR after SMPTE ST 2086 and CTA-861.3; None for what a file does not say.

    Attributes:
        display: x and y of green, blue, red and white in units of 0.00002, then the most and the least light of the
            mastering display in units of 0.0001 cd/m2.
        light: Light of the brightest pixel and of the brightest frame (MaxCLL, MaxFALL), in cd/m2.
    """

    display: tuple[int, ...] | None = None
    light: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of encoded frames.

    Attributes:
        pixel_format: Pixel format, in ffmpeg's name.
        color: Colour description that the frames are converted to, and tagged with.
        metadata: Static metadata of HDR, or None.
        profile: Profile of the encoder; None for the usual one.
    """

    pixel_format: str = "yuv420p"
    color: Color = BT709
    metadata: HdrMetadata | None = None
    profile: str | None = None


SDR_SAMPLES = Samples()
"""8 bits of BT.709, which every player shows."""


def samples_of(dynamic_range: DynamicRange, metadata: HdrMetadata | None = None) -> Samples:
    """Return the samples of a reel of this dynamic range; only PQ has static metadata."""
    if dynamic_range is DynamicRange.PQ:
        return Samples("yuv420p10le", PQ, metadata)
    return Samples("yuv420p10le", HLG) if dynamic_range is DynamicRange.HLG else SDR_SAMPLES


def dynamic_range_of(color: Color) -> DynamicRange:
    """Return the dynamic range of frames with this colour description."""
    found = {PQ.transfer: DynamicRange.PQ, HLG.transfer: DynamicRange.HLG}
    return found.get(color.transfer, DynamicRange.SDR)

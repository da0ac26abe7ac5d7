"""Which kept frames an encoder here can make more of, so that one odd clip can join those of another encoder (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.color import source_color
from mpt_cli.model.choices import Codec
from mpt_cli.model.samples import Samples

if TYPE_CHECKING:
    from mpt_cli.model.clips import Dimensions, KeptFrames

_PROFILES = {
    ("h264", 8): {
        "Constrained Baseline": "baseline",
        "Baseline": "baseline",
        "Main": "main",
        "High": "high",
    },
    ("h264", 10): {"High 10": "high10"},
    ("hevc", 8): {"Main": "main"},
    ("hevc", 10): {"Main 10": "main10"},
    ("av1", 8): {"Main": "main"},
    ("av1", 10): {"Main": "main"},
}
_FORMATS = {"yuv420p": 8, "yuvj420p": 8, "yuv420p10le": 10}
_MATRICES = ("bt709", "smpte170m", "bt470bg", "bt2020nc")
_PRIMARIES = ("bt709", "bt2020", "smpte432")
_TRANSFERS = ("bt709", "arib-std-b67", "smpte2084")


def samples_like(kept: KeptFrames, dimensions: Dimensions) -> Samples | None:
    """Return the samples by which an encoder makes frames like kept ones; None where none here does."""
    bits = _FORMATS.get(kept.pixel_format)
    profile = None if bits is None else _PROFILES.get((kept.codec, bits), {}).get(kept.profile or "")
    if profile is None or kept.interlaced or kept.variable or not dimensions.is_even:
        return None
    meant = source_color(kept.color, dimensions, kept.pixel_format)
    if meant.matrix not in _MATRICES or meant.primaries not in _PRIMARIES or meant.transfer not in _TRANSFERS:
        return None
    pixel_format = "yuv420p10le" if bits == 10 else "yuv420p"
    return Samples(pixel_format, kept.color, profile=profile)


def codec_like(kept: KeptFrames) -> Codec:
    """Return the codec of kept frames that an encoder here can make."""
    return Codec(kept.codec)

"""What the colours of a source are, and how they become 8-bit BT.709 of limited range (pure).

ffmpeg's own guesses are not relied on: matrix and range are always named, in and out. Measured:
``out_color_matrix=bt709`` alone shifts untagged HD (63 → 58), and ``format=yuv420p`` alone leaves
full range as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpt_cli.mediainfo import Color
    from mpt_cli.models import Dimensions

# Values of libavutil's enums (ISO/IEC 23091-2), under ffmpeg's names; 2 is "unspecified".
MATRICES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
RANGES = {1: "tv", 2: "pc"}
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431", 12: "smpte432",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 13: "iec61966-2-1",
    14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip
HDR_TRANSFERS = {"smpte2084": "pq", "arib-std-b67": "hlg"}

BT709_TAGS = {"color_range": "tv", "colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}
"""Encoder options that tag the output."""

_SCALE_MATRICES = {"bt709": "bt709", "fcc": "fcc", "bt470bg": "bt601", "smpte170m": "bt601", "smpte240m": "smpte240m",
                   "bt2020nc": "bt2020", "bt2020c": "bt2020"}  # fmt: skip
_ZSCALE_MATRICES = {"bt709": "709", "fcc": "fcc", "bt470bg": "470bg", "smpte170m": "170m", "smpte240m": "7",
                    "bt2020nc": "2020_ncl", "bt2020c": "2020_cl", "gbr": "709"}  # fmt: skip
"""7, because ffmpeg 5.1 misspells ``smpte240m``; RGB has become YUV by then."""

_WIDE = {"bt2020": "2020", "smpte431": "smpte431", "smpte432": "smpte432"}
"""Primaries that show far more than BT.709's, under the names of ``zscale``: UHD, cinema, Apple's P3."""

_HD_WIDTH, _SD_HEIGHT = 1280, 576
REFERENCE_WHITE_NITS = 203
"""ITU-R BT.2408: diffuse white of HDR. With mobius it takes HLG 38 % to 42 % and 75 % to 84 %;
hable leaves 29 % and 62 %, which is too dark (measured)."""


@dataclass(frozen=True, slots=True)
class SourceColor:
    """Colours of a source with every gap filled: ffmpeg's names, none missing.

    ``primaries`` are BT.709's also where they are SD's: those are so near that players show them as
    they are.
    """

    matrix: str
    full_range: bool
    primaries: str
    hdr: str | None

    @property
    def wide(self) -> bool:
        """Whether its primaries must be converted too."""
        return self.primaries != "bt709"


def setparams_arguments() -> dict[str, str]:
    """Arguments of ``setparams`` that tag pictures as the output is tagged."""
    return {"range" if name == "color_range" else name: value for name, value in BT709_TAGS.items()}


def source_color(color: Color, dimensions: Dimensions, pixel_format: str) -> SourceColor:
    """What the colours of a stream are, by its tags, else by its size and pixel format.

    Untagged YUV is BT.709 from 1280 pixels wide or more than 576 high, else BT.601, as players
    assume. ``yuvj`` formats are full range whatever the tag says.
    """
    hd = dimensions.width >= _HD_WIDTH or dimensions.height > _SD_HEIGHT
    hdr = HDR_TRANSFERS.get(color.transfer or "")
    untagged = "bt2020nc" if hdr else "bt709" if hd else "smpte170m"
    matrix = color.matrix or untagged
    rgb = matrix == "gbr" or pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8"))
    return SourceColor(
        matrix="gbr" if rgb else matrix,
        full_range=rgb or pixel_format.startswith("yuvj") or color.range == "pc",
        primaries=color.primaries if color.primaries in _WIDE else "bt2020" if hdr and not color.primaries else "bt709",
        hdr=hdr,
    )


def scale_arguments(source: SourceColor) -> dict[str, str]:
    """Arguments of ``scale`` that only bring the range to limited; the matrix stays.

    Where in and out differ, ``scale`` goes over 8-bit RGB: four times the time of scaling alone, and
    what lies outside RGB is cut off (measured). RGB gets the matrix of its primaries.
    """
    if source.matrix == "gbr":
        return {"out_color_matrix": "bt2020" if source.wide else "bt709", "out_range": "tv"}
    matrix = _SCALE_MATRICES[source.matrix]
    return {
        "in_color_matrix": matrix,
        "in_range": "pc" if source.full_range else "tv",
        "out_color_matrix": matrix,
        "out_range": "tv",
    }


def rgb_arguments(source: SourceColor) -> dict[str, str]:
    """Arguments of ``scale`` that say what YUV means on its way to RGB; empty for RGB."""
    return {name: value for name, value in scale_arguments(source).items() if name.startswith("in_")}


def colorspace_arguments(source: SourceColor) -> dict[str, str]:
    """Arguments of ``colorspace`` that take limited range of another matrix to BT.709; empty for BT.709."""
    if source.matrix in ("bt709", "gbr"):
        return {}
    same = {f"{side}{part}": "bt709" for side in ("i", "") for part in ("primaries", "trc")}
    # It knows no constant luminance; with BT.709's primaries that tag is a mistake anyway.
    matrix = "bt2020nc" if source.matrix == "bt2020c" else source.matrix
    return {"ispace": matrix, "space": "bt709", **same, "irange": "tv", "range": "tv"}


def zscale_input_arguments(source: SourceColor) -> dict[str, str]:
    """Arguments of ``zscale`` that say what a wide or HDR source is, once its range is limited.

    Constant luminance is not defined with the transfers of HDR: there the tag cannot be right.
    """
    matrix = "bt2020nc" if source.hdr and source.matrix == "bt2020c" else source.matrix
    transfer = {"pq": "smpte2084", "hlg": "arib-std-b67"}.get(source.hdr or "", "709")
    return {
        "matrixin": "2020_ncl" if matrix == "gbr" and source.wide else _ZSCALE_MATRICES[matrix],
        "primariesin": _WIDE.get(source.primaries, "709"),
        "transferin": transfer,
        "rangein": "limited",
    }

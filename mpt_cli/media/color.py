"""Colours of a source, resolved to the description that they are converted by (pure).

ffmpeg's own guesses are not relied on: everything is always named, in and out, by the numbers of ITU-T
H.273, because the spellings differ between versions (5.1 has a ``smpte2400m``). Measured:
``out_color_matrix=bt709`` alone shifts untagged HD (63 → 58), and ``format=yuv420p`` alone leaves
full range as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mpt_cli.model.clips import Color, Dimensions
    from mpt_cli.model.media_info import VideoStreamInfo

MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c", 14: "ictcp", 15: "ipt-c2",
    16: "ycgco-re", 17: "ycgco-ro",
}  # fmt: skip
RANGES = {1: "tv", 2: "pc"}
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "jedec-p22",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
"""Values of libavutil's enums (ISO/IEC 23091-2), under ffmpeg's names; missing numbers are reserved."""
UNSPECIFIED = {0, 2}
"""Code "unspecified" of the three, and the forbidden one, which means the same; of ranges only 0."""
HDR_TRANSFERS = {"smpte2084": "pq", "arib-std-b67": "hlg"}

_SCALED = {"bt709": "bt709", "fcc": "fcc", "bt470bg": "bt601", "smpte170m": "bt601", "smpte240m": "smpte240m",
           "bt2020nc": "bt2020"}  # fmt: skip
"""Matrices that ``scale`` knows, under its names in every version."""
_CONSTANT_LUMINANCE = ("bt2020c", "chroma-derived-c")
_ONLY_ZSCALE = ("ycgco", "chroma-derived-nc", "ictcp", *_CONSTANT_LUMINANCE)
_NO_SCALER = ("bgr4", "rgb4")
"""Pixel formats that ffmpeg writes and does not read."""
_NO_FILTER = ("smpte2085", "ipt-c2", "ycgco-re", "ycgco-ro")
"""Matrices that no filter converts."""
_NEAR_BT709 = ("bt709", "bt470bg", "smpte170m", "smpte240m", "jedec-p22")
"""Primaries of SD are so near to those of HD that players show them as they are."""
_LIKE_BT709 = ("bt709", "bt470m", "bt470bg", "smpte170m", "smpte240m", "iec61966-2-4", "bt1361e", "iec61966-2-1",
               "bt2020-10", "bt2020-12")  # fmt: skip
"""Transfers of video that was graded on ordinary displays: players show them as they are, whatever the
gamma in the tag (broadcasts of 625 lines have 2.8, and nobody darkens them).
"""
_WIDE = ("bt470m", "film", "bt2020", "smpte431", "smpte432")
"""Primaries that show far more than BT.709's: NTSC of 1953, film, UHD, cinema, Apple's P3."""

_HD_WIDTH, _SD_HEIGHT = 1280, 576
_RGB = re.compile(r"(x2|0)?(rgb|bgr|gbr)|argb|abgr|pal8|bayer|xyz")
_GRAY = re.compile(r"(gray|ya|mono)(\D*)(\d*)(le|be)?")


@dataclass(frozen=True, slots=True)
class SourceColor:
    """Colours of a source as they are converted: ffmpeg's names, none missing.

    ``primaries`` are BT.709's also where they are SD's, and ``transfer`` is BT.709's for every
    ordinary display: those are so near that players show them as they are.
    """

    matrix: str
    full_range: bool
    primaries: str = "bt709"
    transfer: str = "bt709"

    @property
    def hdr(self) -> str | None:
        """``pq``, ``hlg`` or None."""
        return HDR_TRANSFERS.get(self.transfer)

    @property
    def is_ordinary(self) -> bool:
        """True if only the matrix and the range can differ from the target's."""
        ordinary = self.matrix == "gbr" or self.matrix in _SCALED
        return ordinary and (self.primaries, self.transfer) == ("bt709", "bt709")

    @property
    def has_constant_luminance(self) -> bool:
        """True if luma was computed from linear light, and not from the coded values."""
        return self.matrix in _CONSTANT_LUMINANCE


RESOLVED = SourceColor("gbr", full_range=True)
"""Colours of frames whose transparency was resolved."""
BT709 = SourceColor("bt709", full_range=False)


def tags_of(color: Color) -> dict[str, str]:
    """Return the encoder options that tag frames with a description."""
    told = {
        "color_range": color.range,
        "colorspace": color.matrix,
        "color_primaries": color.primaries,
        "color_trc": color.transfer,
    }
    return {name: value or "unknown" for name, value in told.items()}


def setparams_arguments(color: Color) -> dict[str, str]:
    """Return the arguments of ``setparams`` that tag frames as the output is tagged."""
    return {"range" if name == "color_range" else name: value for name, value in tags_of(color).items()}


def named(table: Mapping[int, str], code: int) -> str | None:
    """Return the name of a code, ``code 77`` for a reserved one, None for an unspecified one."""
    if code in table:
        return table[code]
    return None if code in UNSPECIFIED or (table is RANGES) else f"code {code}"


def color_of(video: VideoStreamInfo) -> SourceColor:
    """Return the colours by which a stream is converted."""
    return source_color(video.color, video.dimensions, video.pixel_format)


def source_color(color: Color, dimensions: Dimensions, pixel_format: str) -> SourceColor:
    """Return the colours of a stream by its tags, else by its size and pixel format.

    Untagged YUV is BT.709 from 1280 pixels wide or more than 576 high, else BT.601, as players
    assume. ``yuvj`` formats are full range whatever the tag is, and grey without a tag is too.
    """
    if pixel_format.startswith("xyz"):  # converted as it is read
        return SourceColor("gbr", full_range=True)
    transfer = _transfer(color)
    hdr = transfer in HDR_TRANSFERS
    matrix = "gbr" if is_rgb(pixel_format) else _matrix(color.matrix, transfer, dimensions)
    full = color.range == "pc" or pixel_format.startswith("yuvj") or (color.range is None and is_gray(pixel_format))
    return SourceColor(matrix, matrix == "gbr" or full, _primaries(color, matrix, hdr=hdr), transfer)


def _transfer(color: Color) -> str:
    found = color.transfer or "bt709"
    if color.matrix == "ictcp" and found not in HDR_TRANSFERS:
        return "smpte2084"  # it is defined with those of HDR only
    return "bt709" if found in _LIKE_BT709 or found not in TRANSFERS.values() else found


def _matrix(tagged: str | None, transfer: str, dimensions: Dimensions) -> str:
    hdr = transfer in HDR_TRANSFERS
    if tagged in _CONSTANT_LUMINANCE and transfer != "bt709":  # not defined with them: the tag cannot be right
        return "bt2020nc" if tagged == "bt2020c" else "chroma-derived-nc"
    if tagged is not None and (tagged in _SCALED or tagged in _ONLY_ZSCALE):
        return tagged
    hd = dimensions.width >= _HD_WIDTH or dimensions.height > _SD_HEIGHT
    return "bt2020nc" if hdr else "bt709" if hd else "smpte170m"


def _primaries(color: Color, matrix: str, *, hdr: bool) -> str:
    found = color.primaries
    if matrix == "ictcp":  # defined for these alone
        return "bt2020"
    if found is None and (hdr or matrix.startswith("bt2020")):
        return "bt2020"
    if matrix.startswith("chroma-derived") and found in _NEAR_BT709:
        return found  # the matrix follows from them
    return found if found in _WIDE else "bt709"


def is_rgb(pixel_format: str) -> bool:
    """Return True if pixels are red, green and blue, or are decoded to these."""
    return _RGB.match(pixel_format) is not None


def is_gray(pixel_format: str) -> bool:
    """Return True if pixels are luma alone."""
    return _GRAY.fullmatch(pixel_format) is not None


def yuv_of_gray(pixel_format: str) -> str:
    """Return the format with chroma for a grey format, of as many bits and with its alpha.

    The lower byte comes first in any case: ``tpad`` of ffmpeg 5.1 takes no other order, and what is put in
    front of it then scales the range once more (measured).
    """
    found = _GRAY.fullmatch(pixel_format)
    assert found is not None
    kind, _, bits, order = found.groups()
    planes = "yuva444p" if kind == "ya" else "yuv420p"
    deep = int(bits or 8) > 8 and order
    return f"{planes}{16 if kind == 'ya' else bits}le" if deep else planes


def refusal(color: Color, pixel_format: str, codec: str) -> str | None:
    """Return the reason for which colours cannot be converted; None where they can."""
    if pixel_format in _NO_SCALER:
        return f"has pixels that cannot be converted ({pixel_format})"
    if color.primaries == "smpte428" and not pixel_format.startswith("xyz"):  # a space without a white of its own
        return "has colours coded as XYZ (primaries smpte428), which cannot be converted"
    if is_rgb(pixel_format) or is_gray(pixel_format):
        return None
    if color.matrix in _NO_FILTER:
        return f"has colours coded by {color.matrix}, which cannot be converted"
    if codec == "av1" and (color.matrix or "").startswith("code"):  # no option of its decoder takes that back
        return f"has colours coded by a matrix that is not known ({color.matrix})"
    return None


def guesses(color: Color, dimensions: Dimensions, pixel_format: str) -> tuple[str, ...]:
    """Return a text for each part of a description that cannot be used, with its replacement."""
    taken, found = source_color(color, dimensions, pixel_format), []
    if pixel_format.startswith("xyz"):
        return ()
    if color.matrix not in (None, taken.matrix, *_NO_FILTER) and not (is_rgb(pixel_format) or is_gray(pixel_format)):
        found.append(("matrix", color.matrix, taken.matrix))
    if color.primaries not in (None, taken.primaries, *_NEAR_BT709):
        found.append(("primaries", color.primaries, taken.primaries))
    meant = "bt709" if color.transfer in _LIKE_BT709 else color.transfer
    if taken.transfer != meant and (meant or color.matrix == "ictcp"):
        found.append(("transfer", color.transfer or "that is not told", taken.transfer))
    return tuple(f"a colour {part} {said} that cannot be used, and is taken for {used}" for part, said, used in found)


def scale_arguments(source: SourceColor) -> dict[str, str]:
    """Return the arguments of ``scale`` that only bring the range to limited; the matrix stays.

    Where in and out differ, ``scale`` goes over 8-bit RGB: four times the time of scaling alone, and
    everything outside RGB is cut off (measured).
    """
    if source.matrix == "gbr":
        return {"out_color_matrix": "bt709", "out_range": "tv"}
    matrix = _SCALED.get(source.matrix, "bt709")
    return {
        "in_color_matrix": matrix,
        "in_range": "pc" if source.full_range else "tv",
        "out_color_matrix": matrix,
        "out_range": "tv",
    }


def rgb_arguments(source: SourceColor) -> dict[str, str]:
    """Return the arguments of ``scale`` that describe YUV on its way to RGB; empty for RGB."""
    return {name: value for name, value in scale_arguments(source).items() if name.startswith("in_")}


def code_of(table: Mapping[int, str], name: str) -> int:
    """Return the number of a name."""
    return next(code for code, known in table.items() if known == name)

"""Colour filters from any source to the colours of a reel, in limited range (pure).

Decoded frames do not always carry their colours: a description that only the container has is not on them,
and codes that ffmpeg has no name for end a filter. So they are tagged first, as they are converted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mpt_cli.media import color
from mpt_cli.media.color import MATRICES, PRIMARIES, TRANSFERS, code_of

if TYPE_CHECKING:
    from mpt_cli.media.color import SourceColor
    from mpt_cli.model.media_info import VideoStreamInfo

REFERENCE_WHITE_NITS = 203
"""ITU-R BT.2408: diffuse white of HDR. With mobius it takes HLG 38 % to 42 % and 75 % to 84 %;
hable leaves 29 % and 62 %, which is too dark (measured).
"""
_PEAK = 10
"""Brightest light, in reference whites, whatever a file claims of it: else its clips would differ."""
_GBR, _BT709, _LINEAR = 0, 1, 8
_CODED = "if(lt(val,0.018054*maxval),4.5*val,(1.099297*pow(val/maxval,0.45)-0.099297)*maxval)"
"""Linear light as BT.2020 codes it."""
_FROM_CINEMA = "pow(1.0911*pow(val/maxval,2.6),1/2.4)*maxval"
"""SMPTE ST 428-1 for a display of BT.1886; ``zscale`` does not know it in ffmpeg 5.1."""

_OF_OTHER_WHITE = {
    "bt470m": (1.4862, -0.4036, -0.0826, -0.0251, 0.9540, 0.0711, -0.0272, -0.0441, 1.0713),
    "film": (1.3462, -0.3392, -0.0070, -0.0474, 1.0661, -0.0187, -0.0217, -0.0613, 1.0830),
    "smpte431": (1.1575, -0.1550, -0.0026, -0.0415, 1.0456, -0.0041, -0.0181, -0.0786, 1.0966),
}
"""Matrices, by rows, from linear light of primaries whose white is not daylight to BT.709's, adapted to it
(Bradford): the ``zscale`` of ffmpeg 9 does not adapt, and grey would get a tint.
"""


def described(stream: Any, video: VideoStreamInfo) -> Any:
    """Return frames tagged with their colours, grey ones with chroma.

    ``scale`` takes grey for full range, and for limited range it depends on the version of ffmpeg: as
    full range, in and out, its values stay, and then they are tagged with their real range.
    """
    source = color.color_of(video)
    if video.pixel_format.startswith(("xyz", "bayer")):  # ffmpeg 9 converts them well to this alone
        stream = stream.filter("format", "gbrp16le")
    if not color.is_gray(video.pixel_format):
        return stream.filter("setparams", **_tags(source))
    stream = stream.filter("setparams", **_tags(source) | {"range": "pc"})
    stream = stream.filter("scale", in_range="pc", out_range="pc")
    return stream.filter("format", color.yuv_of_gray(video.pixel_format)).filter("setparams", **_tags(source))


def _tags(source: SourceColor) -> dict[str, Any]:
    """Return the tags of a source for ``setparams``; all that only ``zscale`` converts is called BT.709 until then."""
    known = "in_color_matrix" in color.scale_arguments(source) and source.is_ordinary
    matrix = _GBR if source.matrix == "gbr" else code_of(MATRICES, source.matrix) if known else _BT709
    return {
        "range": "pc" if source.full_range else "tv",
        "colorspace": matrix,
        "color_primaries": _BT709,
        "color_trc": _BT709,
    }


def opaque_rgb(stream: Any, source: SourceColor) -> Any:
    """Return red, green and blue of BT.709 without transparency, of the same size."""
    if source.is_ordinary:
        return stream.filter("scale", **color.rgb_arguments(source)).filter("format", "rgb24")
    stream = stream.filter("scale", **color.scale_arguments(source)).filter("format", _deep(source, "yuv444p"))
    stream = converted(stream, source, color.BT709).filter("format", "yuv444p")
    return stream.filter("scale", **color.rgb_arguments(color.BT709))


def working_format(source: SourceColor, pixel_format: str) -> str:
    """Return the pixel format in which a source is scaled before :func:`converted`."""
    return pixel_format if source.is_ordinary else _deep(source, "yuv420p")


def _deep(source: SourceColor, planes: str) -> str:
    """Return a format with more bits for values that are spread afterwards: linear light has few steps in the dark."""
    return f"{planes}16le" if source.transfer == "linear" else f"{planes}10le"


def converted(stream: Any, source: SourceColor, target: SourceColor) -> Any:
    """Convert colours of limited range, in the format of :func:`working_format`, to those of the target.

    HDR of the target's transfer keeps its values. SDR in an HDR reel has its white at 203 cd/m2 (ITU-R BT.2408), in
    the light of a BT.1886 display, and HLG and PQ become each other in that of an HLG display of 1000 cd/m2 (BT.2100).
    """
    if not (source.is_ordinary and target.is_ordinary):
        is_like = replace(source, full_range=False) == replace(target, full_range=False)
        return stream if is_like else _by_zscale(stream, source, target)
    matrix = "bt709" if source.matrix == "gbr" else source.matrix
    if matrix == target.matrix:
        return stream
    same = {f"{side}{part}": "bt709" for side in ("i", "") for part in ("primaries", "trc")}
    return stream.filter("colorspace", ispace=matrix, space=target.matrix, **same, irange="tv", range="tv")


def _by_zscale(stream: Any, source: SourceColor, target: SourceColor) -> Any:
    """Convert other colours; HDR to SDR in linear light, with highlights bent by ``mobius``.

    Without ``agamma=0`` the gamma of an HLG display is given to each channel and not to luminance (ITU-R
    BT.2100), which made saturated colours up to 30 levels wrong. PQ has none, and would take twice the time of
    a whole clip (10.6 against 19.3 CPU s for 4 s of 1080p, measured).
    """
    stream, given = _by_curve(stream, source)
    wanted = {
        "matrix": code_of(MATRICES, target.matrix),
        "primaries": code_of(PRIMARIES, target.primaries),
        "transfer": code_of(TRANSFERS, target.transfer),
        "range": "limited",
    }
    into = _light(target)
    mixed = _OF_OTHER_WHITE.get(source.primaries)
    bent = source.hdr is not None and target.hdr is None
    if not (bent or mixed):
        return stream.filter("zscale", **given, **wanted, **(_light(source) | into))
    primaries = given["primariesin"] if mixed else _BT709
    light = {"matrix": _GBR, "transfer": _LINEAR, "primaries": primaries, "range": "full"}
    stream = stream.filter("zscale", **given, **light, **_light(source)).filter("format", "gbrpf32le")
    if mixed:
        names = [f"{to}{of}" for to in "rgb" for of in "rgb"]
        stream = stream.filter("colorchannelmixer", **dict(zip(names, mixed, strict=True)))
    if bent:
        stream = stream.filter("tonemap", "mobius", desat=0, peak=_PEAK)
    given = {"matrixin": _GBR, "primariesin": _BT709, "transferin": _LINEAR, "rangein": "full"}
    return stream.filter("zscale", **given, **wanted, **into)


def _light(color_of_hdr: SourceColor) -> dict[str, int]:
    """Return the arguments of ``zscale`` for HDR on one of its sides: the light that 1.0 stands for, and its gamma."""
    if color_of_hdr.hdr is None:
        return {}
    return {"npl": REFERENCE_WHITE_NITS} | ({"agamma": 0} if color_of_hdr.hdr == "hlg" else {})


def _by_curve(stream: Any, source: SourceColor) -> tuple[Any, dict[str, Any]]:
    """Return frames that ``zscale`` converts, and its arguments that name their colours.

    It makes linear light of constant luminance by the camera's curve, and codes it by the display's: grey
    came out 15 levels too light (measured). So the camera's curve is put on again.
    """
    given = {
        "matrixin": _BT709 if source.matrix == "gbr" else code_of(MATRICES, source.matrix),
        "primariesin": code_of(PRIMARIES, source.primaries),
        "transferin": code_of(TRANSFERS, source.transfer),
        "rangein": "limited",
    }
    if source.has_constant_luminance:
        light, curve = _LINEAR, _CODED
    elif source.transfer == "smpte428":
        given["transferin"] = light = _BT709
        curve = _FROM_CINEMA
    else:
        return stream, given
    rgb = stream.filter("zscale", **given, matrix=_GBR, transfer=light, primaries=given["primariesin"], range="full")
    rgb = rgb.filter("format", "gbrp16le").filter("lutrgb", r=curve, g=curve, b=curve)
    return rgb, given | {"matrixin": _GBR, "rangein": "full"}

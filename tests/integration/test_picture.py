"""Colours: what a source means by its numbers is what the reel shows, as 8-bit BT.709 of limited range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests import reader
from tests.integration.reels import config_of, finished_reel
from tests.media import Color, Recipe
from tests.reader import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.media import MediaFolder

    RGB = tuple[float, float, float]

NEAR = 3
"""Of 255: one step of luma or chroma is up to 2."""
PURE: dict[str, RGB] = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
BT709 = reader.ColorTags(matrix=1, primaries=1, transfer=1, range=1)
LEFT, RIGHT = Region(left=0.1, right=0.4), Region(left=0.6, right=0.9)

STILL = Recipe(seconds=0.1, sound=None)
SD = Color("smpte170m", tagged=False)
HD = Color("bt709", tagged=False)


def reel_of(
    clip: Path, tmp_path: Path, *, size: str = "64x36", background: str = "black", fit: str = "stretch", fps: str = "30"
) -> Path:
    """A reel of one clip, of good quality, so that the encoder changes no colour."""
    config = config_of(size=size, fit=fit, background=background, crf=10, fps=fps)
    return finished_reel(tmp_path / f"{clip.stem}-{size}-{background[-6:]}-{fps.replace('/', '-')}.mp4", [clip], config)


def close_to(color: Iterable[float]) -> object:
    """Equal to a colour but for the rounding of its storage."""
    return pytest.approx(tuple(color), abs=NEAR)


@pytest.mark.parametrize("color", PURE)
@pytest.mark.parametrize(("size", "meaning"), [("640x360", SD), ("1280x720", HD), ("1280x534", HD), ("320x578", HD)])
@pytest.mark.core(1)
def test_an_untagged_picture_is_judged_by_its_size(
    media: MediaFolder, tmp_path: Path, color: str, size: str, meaning: Color
) -> None:
    clip = media.make(STILL, source=f"color={color}", size=size, color=meaning)
    reel = reel_of(clip, tmp_path)
    assert reader.mean_color(reel) == close_to(PURE[color])
    assert reader.color_tags(reel) == BT709


KINDS: dict[str, Recipe] = {
    "bt601": Recipe(color=Color("smpte170m", "smpte170m", "smpte170m")),
    "bt601 in hd": Recipe(color=Color("smpte170m"), size="1280x720"),
    "bt470bg": Recipe(color=Color("bt470bg", "bt470bg", "bt709")),
    "smpte240m": Recipe(color=Color("smpte240m", "smpte240m", "smpte240m")),
    "bt709 in sd": Recipe(color=Color("bt709")),
    "full range": Recipe(color=Color("bt709", full_range=True)),
    "full range bt601": Recipe(color=Color("smpte170m", full_range=True)),
    "yuvj": Recipe(
        color=Color("smpte170m", full_range=True, tagged=False), pixel_format="yuvj420p", codec="mjpeg", suffix=".mov"
    ),
    "rgb": Recipe(pixel_format="rgb24", codec="libx264rgb"),
    "rgb in mov": Recipe(pixel_format="rgb24", codec="png", suffix=".mov"),
    "palette": Recipe(pixel_format="pal8", codec="png", suffix=".mov", filters=("format=pal8",)),
    "4:4:4": Recipe(color=Color("smpte170m"), pixel_format="yuv444p"),
    "4:2:2": Recipe(color=Color("bt709"), pixel_format="yuv422p"),
    "4:1:1": Recipe(color=SD, pixel_format="yuv411p", codec="ffv1", suffix=".mkv"),
    "10 bit": Recipe(color=Color("bt709"), pixel_format="yuv420p10le"),
    "10 bit bt601": Recipe(color=Color("smpte170m"), pixel_format="yuv420p10le"),
    "10 bit 4:2:2 full range": Recipe(color=Color("bt709", full_range=True), pixel_format="yuv422p10le"),
    "12 bit 4:4:4": Recipe(color=Color("bt709"), pixel_format="yuv444p12le", codec="libx265"),
    "odd 4:2:0": Recipe(color=Color("smpte170m"), size="161x91", codec="ffv1", suffix=".mkv"),
    "odd 4:4:4": Recipe(color=Color("bt709"), size="161x91", pixel_format="yuv444p"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.core(1)
def test_every_kind_of_source_keeps_its_colour(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    bars = tuple(f"drawbox=x={n}*iw/3:w=iw/3:color={color}:t=fill" for n, color in enumerate(PURE))
    recipe = KINDS[kind]
    drawn = ("format=gbrp", *bars, *recipe.filters)
    clip = media.make(recipe, seconds=0.1, sound=None, source="color=black", filters=drawn)
    reel = reel_of(clip, tmp_path, size="96x54")
    thirds = [Region(left=(n + 0.25) / 3, right=(n + 0.75) / 3) for n in range(3)]
    for third, (name, rgb) in zip(thirds, PURE.items(), strict=True):
        assert reader.mean_color(reel, region=third) == close_to(rgb), name
    assert reader.color_tags(reel) == BT709
    assert next(reader.frames(reel)).format.name == "yuv420p"


TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""Linear light of BT.709's primaries in those of BT.2020 (ITU-R BT.2087, table 2)."""


def light_of(rgb: RGB) -> NDArray[np.float64]:
    """Linear light (0 to 1) that a display of gamma 2.4 (ITU-R BT.1886) makes of a colour."""
    light: NDArray[np.float64] = (np.array(rgb) / 255).clip(0) ** 2.4
    return light


def as_yuv(rgb: NDArray[np.float64], bits: int) -> str:
    """A filter that sets every pixel to this colour, coded by BT.2020 in limited range; exact, unlike a conversion."""
    luma = 0.2627 * rgb[0] + 0.6780 * rgb[1] + 0.0593 * rgb[2]
    chroma = (rgb[2] - luma) / 1.8814, (rgb[0] - luma) / 1.4746
    step = 2 ** (bits - 8)
    blue, red = (round((128 + 224 * part) * step) for part in chroma)
    return f"geq=lum={round((16 + 219 * luma) * step)}:cb={blue}:cr={red}"


MUTED: dict[str, RGB] = {"brick": (200, 80, 60), "leaf": (90, 180, 110), "sky": (70, 110, 220)}
"""The way over linear light makes much of a rounding near black: pure colours would not tell."""
WIDE = "color_primaries=bt2020:color_trc=bt2020-10"


@pytest.mark.parametrize("color", MUTED)
@pytest.mark.parametrize("kind", ["10 bit", "8 bit", "rgb"])
@pytest.mark.core(1)
def test_wide_colours_are_brought_into_bt709(media: MediaFolder, tmp_path: Path, kind: str, color: str) -> None:
    wide = (TO_BT2020 @ light_of(MUTED[color])) ** (1 / 2.4)
    picture: dict[str, tuple[str, tuple[str, ...]]] = {
        "10 bit": ("yuv420p10le", (as_yuv(wide, 10), f"setparams=colorspace=bt2020nc:range=tv:{WIDE}")),
        "8 bit": ("yuv420p", (as_yuv(wide, 8), f"setparams=colorspace=bt2020nc:range=tv:{WIDE}")),
        "rgb": ("gbrp", (f"setparams=colorspace=gbr:{WIDE}",)),
    }
    pixel_format, filters = picture[kind]
    source = "color=0x" + "".join(f"{round(255 * value):02x}" for value in wide)
    coded = Recipe(pixel_format=pixel_format, filters=(f"format={pixel_format}", *filters), codec="ffv1", suffix=".mkv")
    clip = media.make(coded, seconds=0.1, sound=None, source=source)
    reel = reel_of(clip, tmp_path)
    # ffmpeg's way from RGB to YUV cuts instead of rounding; unconverted, red would be 31 or 40 off.
    assert reader.mean_color(reel) == pytest.approx(MUTED[color], abs=8 if kind == "rgb" else 4)
    assert reader.color_tags(reel) == BT709


HLG, PQ = "arib-std-b67", "smpte2084"
PQ_WHITE = 0.58
"""203 cd/m² in PQ, as in HLG 75 %: diffuse white (ITU-R BT.2408)."""


@pytest.mark.parametrize("size", ["160x90", "161x91"])
@pytest.mark.parametrize(
    ("transfer", "signal", "least", "most"),
    [(HLG, 0.0, 0, 1), (HLG, 0.38, 38, 48), (HLG, 0.75, 80, 90), (HLG, 1.0, 93, 103),
     (PQ, 0.38, 36, 48), (PQ, PQ_WHITE, 80, 90), (PQ, 0.75, 93, 103)],
)  # fmt: skip
@pytest.mark.core(1)
def test_white_of_hdr_stays_near_white(
    media: MediaFolder, tmp_path: Path, size: str, transfer: str, signal: float, least: float, most: float
) -> None:
    level = f"{round(255 * signal):02x}"
    hdr = Recipe(color=Color("bt2020nc", "bt2020", transfer), pixel_format="yuv420p10le", codec="ffv1", suffix=".mkv")
    clip = media.make(hdr, seconds=0.1, sound=None, size=size, source=f"color=0x{3 * level}")
    reel = reel_of(clip, tmp_path)
    red, green, blue = (value / 2.55 for value in reader.mean_color(reel))
    assert least <= green <= most
    assert (red, blue) == pytest.approx((green, green), abs=1)
    assert reader.color_tags(reel) == BT709
    assert next(reader.frames(reel)).format.name == "yuv420p"


def as_pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light in units of 203 cd/m² as the signal of PQ (ITU-R BT.2100, table 4)."""
    power = (light * 203 / 10_000) ** 0.1593017578125
    signal: NDArray[np.float64] = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return signal


def as_hlg(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of a scene, 1 being diffuse white, as the signal of HLG (ITU-R BT.2100, table 5)."""
    scene = 0.265 * light
    above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), above)


@pytest.mark.parametrize("color", MUTED)
@pytest.mark.parametrize(("transfer", "signal_of"), [(HLG, as_hlg), (PQ, as_pq)])
def test_colours_of_hdr_keep_their_hue(
    media: MediaFolder,
    tmp_path: Path,
    transfer: str,
    signal_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    color: str,
) -> None:
    light = light_of(MUTED[color])
    light /= light.max()
    signal = as_yuv(signal_of(TO_BT2020 @ light), 10)
    tags = f"setparams=colorspace=bt2020nc:range=tv:color_primaries=bt2020:color_trc={transfer}"
    hdr = Recipe(pixel_format="yuv420p10le", filters=("format=yuv420p10le", signal, tags), codec="ffv1", suffix=".mkv")
    clip = media.make(hdr, seconds=0.1, sound=None, source="color=gray")
    shown = light_of(reader.mean_color(reel_of(clip, tmp_path)))
    assert shown / shown.max() == pytest.approx(light / light.max(), abs=0.02)


def test_hdr_of_full_range_is_not_lighter(media: MediaFolder, tmp_path: Path) -> None:
    shades = []
    for full in (False, True):
        color = Color("bt2020nc", "bt2020", HLG, full_range=full)
        clip = media.make(STILL, source="color=0x616161", color=color, codec="libx265", pixel_format="yuv420p10le")
        shades.append(reader.mean_color(reel_of(clip, tmp_path)))
    assert shades[0] == close_to(shades[1])


def alpha(share: str) -> tuple[str, ...]:
    """Filters after which a picture is red, opaque at its left and of this opacity (0 to 255) at its right."""
    return ("format=rgba", f"geq=r=255:g=0:b=0:a='if(lt(X,W/2),255,{share})'")


ALPHA: dict[str, Recipe] = {
    "prores": Recipe(codec="prores_ks", pixel_format="yuva444p10le", suffix=".mov"),
    "qtrle": Recipe(codec="qtrle", pixel_format="argb", suffix=".mov"),
    "vp9": Recipe(codec="libvpx-vp9", pixel_format="yuva420p", suffix=".webm"),
    "vp8": Recipe(codec="libvpx", pixel_format="yuva420p", suffix=".webm", options=("-auto-alt-ref", "0")),
    "png": Recipe(codec="png", pixel_format="rgba", suffix=".mov"),
    "gif": Recipe(codec="gif", pixel_format=None, suffix=".gif"),
    "odd": Recipe(codec="prores_ks", pixel_format="yuva444p10le", suffix=".mov", size="161x91"),
}
GIF_PALETTE = ("split[a][b];[a]palettegen[p];[b][p]paletteuse",)


@pytest.mark.parametrize("kind", ALPHA)
def test_what_is_transparent_shows_the_background(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    filters = (*alpha("0"), *(GIF_PALETTE if kind == "gif" else ()))
    clip = media.make(ALPHA[kind], seconds=0.2, fps="10", sound=None, source="color=red", filters=filters)
    for background, rgb in (("blue", (0, 0, 255)), ("#00ff80", (0, 255, 128)), ("black", (0, 0, 0))):
        reel = reel_of(clip, tmp_path, background=background)
        assert reader.mean_color(reel, region=LEFT) == close_to((255, 0, 0))
        assert reader.mean_color(reel, region=RIGHT) == close_to(rgb)


@pytest.mark.parametrize("kind", ["prores", "vp9", "png"])
def test_what_is_half_transparent_is_mixed_with_the_background(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    clip = media.make(ALPHA[kind], seconds=0.2, fps="10", sound=None, source="color=red", filters=alpha("128"))
    reel = reel_of(clip, tmp_path, background="blue")
    assert reader.mean_color(reel, region=RIGHT) == close_to((128, 0, 127))


@pytest.mark.parametrize(
    ("size", "meaning"),
    [("160x90", SD), ("160x90", Color("bt709")), ("1280x720", HD), ("1280x720", Color("smpte170m"))],
)
def test_pictures_with_transparency_have_the_right_matrix(
    media: MediaFolder, tmp_path: Path, size: str, meaning: Color
) -> None:
    convert, tags = meaning.filters()
    filters = (*alpha("0"), convert, "format=yuva444p10le", tags)
    clip = media.make(
        ALPHA["prores"], seconds=0.1, sound=None, size=size, source="color=red", pixel_format=None, filters=filters
    )
    assert reader.mean_color(reel_of(clip, tmp_path), region=LEFT) == close_to((255, 0, 0))


MOVING = ("geq=lum='if(lt(X,N*3),235,16)':cb=128:cr=128",)
"""A white edge that moves three pixels from one field to the next."""
INTERLACED = Recipe(seconds=0.4, fps="25", size="160x96", source="color=gray", filters=MOVING, sound=None)


def combing(path: Path) -> float:
    """How far lines differ from the mean of their neighbours, at most over all pictures of an upright edge."""
    most = 0.0
    for frame in reader.frames(path):
        gray = frame.to_ndarray(format="gray").astype(float)
        most = max(most, float(np.abs(gray[1:-1] - (gray[:-2] + gray[2:]) / 2).max()))
    return most


def edges(path: Path) -> list[float]:
    """Where the white edge stands in each picture, in pixels."""
    return [float((frame.to_ndarray(format="gray") > 126).sum(axis=1).mean()) for frame in reader.frames(path)]


@pytest.mark.parametrize(("fps", "step"), [("25", 6), ("50", 3)])
@pytest.mark.core(1)
def test_interlaced_pictures_are_taken_apart(media: MediaFolder, tmp_path: Path, fps: str, step: int) -> None:
    clip = media.make(INTERLACED, interlaced=True)
    assert combing(clip) > 150, "the source has no combs"
    reel = reel_of(clip, tmp_path, size="160x96", fps=fps)
    assert combing(reel) < 40
    stands = edges(reel)[2:-2]
    assert np.diff(stands) == pytest.approx([step] * (len(stands) - 1), abs=1)


def test_pictures_that_only_look_interlaced_are_left_alone(media: MediaFolder, tmp_path: Path) -> None:
    filters = (*MOVING, "interlace=scan=tff", "setfield=prog")
    clip = media.make(INTERLACED, filters=filters)
    reel = reel_of(clip, tmp_path, size="160x96", fps="25")
    assert combing(reel) > 150

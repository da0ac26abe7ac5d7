"""Shape: a clip of any size, pixel shape or orientation lies upright and undistorted where its fit says."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.model.choices import Fit, QualityLevel
from mpt_cli.model.clips import Dimensions
from tests import reader
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.integration.segments import Bench
from tests.media import Color, Recipe
from tests.reader import Region

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.media import MediaFolder

    Box = tuple[int, int, int, int]

SQUARE = Fraction(1, 3)
"""Side of the white square in the middle of a drawn picture, as a share of its shorter side."""
SOFT = 2
"""Pixels that scaling may spread an edge over, and that even numbers may take."""


def drawing(shown: str, *, sar: str = "1") -> tuple[str, ...]:
    """Filters that draw a white square on grey: square as shown, where the pixels have this aspect ratio."""
    size = Dimensions.parse(shown)
    height = min(size.width, size.height) * SQUARE
    width = height / Fraction(sar)
    return ("format=gbrp", f"drawbox=x=(iw-{width})/2:y=(ih-{height})/2:w={width}:h={height}:color=white:t=fill")


def drawn(media: MediaFolder, shown: str, **changes: object) -> Path:
    """A grey clip with a white square, of square pixels unless the changes say more."""
    recipe = Recipe(seconds=0.1, sound=None, size=shown, source="color=gray", color=Color(), filters=drawing(shown))
    return media.make(recipe, **changes)


def first_picture(path: Path) -> NDArray[np.uint8]:
    """Luma of the first picture."""
    gray: NDArray[np.uint8] = next(reader.frames(path)).to_ndarray(format="gray").astype(np.uint8)
    return gray


def box_of(mask: NDArray[np.bool_]) -> Box:
    """Left, top, right and bottom of what is true, right and bottom being the first outside."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def picture_box(path: Path) -> Box:
    """Where the picture lies on a black background."""
    return box_of(first_picture(path) > 70)


def square_sides(path: Path) -> tuple[int, int]:
    """Width and height of the white square."""
    left, top, right, bottom = box_of(first_picture(path) > 180)
    return right - left, bottom - top


def fitted(shown: str, target: str) -> tuple[Box, Fraction]:
    """Where a contained picture lies, and its factor: exact, not rounded to even numbers."""
    size, room = Dimensions.parse(shown), Dimensions.parse(target)
    factor = min(Fraction(room.width, size.width), Fraction(room.height, size.height))
    width, height = size.width * factor, size.height * factor
    left, top = (room.width - width) / 2, (room.height - height) / 2
    return (round(left), round(top), round(left + width), round(top + height)), factor


def reel_of(
    clip: Path, tmp_path: Path, target: str, *, fit: Fit = Fit.CONTAIN, background: str = "black", suffix: str = ".mp4"
) -> Path:
    """A reel of one clip at this size."""
    config = config_of(size=target, fit=fit, background=background, quality=QualityLevel.HIGH)
    return finished_reel(tmp_path / f"{clip.stem}-{target}-{fit}-{background[-6:]}{suffix}", [clip], config)


SIZES = [
    ("160x90", "90x160"), ("90x160", "160x90"), ("160x90", "160x90"), ("160x90", "320x180"), ("320x180", "64x36"),
    ("120x120", "160x90"), ("161x91", "160x90"), ("161x91", "90x90"), ("99x161", "160x160"), ("64x20", "160x160"),
    ("33x33", "100x50"),
]  # fmt: skip
"""Stored size of a clip and size of the reel."""


@pytest.mark.anchor("T006")
@pytest.mark.parametrize(("shown", "target"), SIZES)
@pytest.mark.core(1)
def test_a_contained_picture_is_whole_centred_and_undistorted(
    media: MediaFolder, tmp_path: Path, shown: str, target: str
) -> None:
    clip = drawn(media, shown, pixel_format="yuv444p")
    result = make_reel(tmp_path / "reel.mp4", [clip], config_of(size=target, quality=QualityLevel.HIGH))
    assert result.output is not None
    assert str(result.output.dimensions) == target
    reel = result.output.path
    assert first_picture(reel).shape == (Dimensions.parse(target).height, Dimensions.parse(target).width)
    box, factor = fitted(shown, target)
    assert picture_box(reel) == pytest.approx(box, abs=SOFT)
    side = float(min(Dimensions.parse(shown).width, Dimensions.parse(shown).height) * SQUARE * factor)
    assert square_sides(reel) == pytest.approx((side, side), abs=SOFT)


@pytest.mark.anchor("T047")
@pytest.mark.parametrize(("shown", "target"), [("160x90", "90x160"), ("161x91", "90x90"), ("99x161", "160x160")])
@pytest.mark.core(1)
def test_a_processed_clip_has_exactly_the_target_s_size(
    media: MediaFolder, tmp_path: Path, shown: str, target: str
) -> None:
    clip = Bench(tmp_path).clip(drawn(media, shown, pixel_format="yuv444p"), form_of(size=target))
    assert str(clip.dimensions) == target
    width, height = Dimensions.parse(target).width, Dimensions.parse(target).height
    assert {(frame.width, frame.height) for frame in reader.frames(clip.processed_path)} == {(width, height)}
    assert picture_box(clip.processed_path) == pytest.approx(fitted(shown, target)[0], abs=SOFT)


@pytest.mark.anchor("T006")
@pytest.mark.parametrize(("shown", "target"), [("160x90", "90x160"), ("90x160", "160x90"), ("161x91", "64x64")])
@pytest.mark.core(1)
def test_a_covering_picture_fills_the_frame_and_is_cut_evenly(
    media: MediaFolder, tmp_path: Path, shown: str, target: str
) -> None:
    reel = reel_of(drawn(media, shown, pixel_format="yuv444p"), tmp_path, target, fit=Fit.COVER)
    size, room = Dimensions.parse(shown), Dimensions.parse(target)
    factor = max(Fraction(room.width, size.width), Fraction(room.height, size.height))
    assert picture_box(reel) == (0, 0, room.width, room.height)
    side = float(min(size.width, size.height) * SQUARE * factor)
    assert square_sides(reel) == pytest.approx((side, side), abs=2 * SOFT)
    left, top, right, bottom = box_of(first_picture(reel) > 180)
    assert (left + right, top + bottom) == pytest.approx((room.width, room.height), abs=SOFT)


def test_a_stretched_picture_fills_the_frame_and_changes_its_shape(media: MediaFolder, tmp_path: Path) -> None:
    reel = reel_of(drawn(media, "160x90"), tmp_path, "80x180", fit=Fit.STRETCH)
    assert picture_box(reel) == (0, 0, 80, 180)
    assert square_sides(reel) == pytest.approx((15, 60), abs=SOFT)


def test_a_blurred_copy_fills_what_the_picture_leaves_free(media: MediaFolder, tmp_path: Path) -> None:
    stripes = ("format=gbrp", "geq=r='255*mod(floor(X/4),2)':g='255*mod(floor(X/4),2)':b='255*mod(floor(X/4),2)'")
    clip = media.make(seconds=0.1, sound=None, size="160x90", source="color=gray", color=Color(), filters=stripes)
    picture = first_picture(reel_of(clip, tmp_path, "160x284", fit=Fit.BLUR)).astype(float)
    assert picture.shape == (284, 160)
    assert picture[100:184].std() > 80, "the picture itself is sharp"
    for free in (picture[:90], picture[194:]):
        assert free.std() < 20
        assert free.mean() == pytest.approx(picture[100:184].mean(), abs=15)


def test_a_blurred_copy_has_the_colours_of_its_clip(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(seconds=0.1, sound=None, size="160x90", source="color=red", color=Color("smpte170m"))
    reel = reel_of(clip, tmp_path, "90x160", fit=Fit.BLUR)
    for region in (Region(0, 0, 1, 0.3), Region(0, 0.35, 1, 0.65), Region(0, 0.7, 1, 1)):
        assert reader.mean_color(reel, region=region) == pytest.approx((255, 0, 0), abs=3)


def four(upper_left: str, upper_right: str, lower_left: str, lower_right: str) -> tuple[str, ...]:
    """Filters that draw four quarters of these colours."""
    places = [(0, 0), ("iw/2", 0), (0, "ih/2"), ("iw/2", "ih/2")]
    colors = (upper_left, upper_right, lower_left, lower_right)
    boxes = [f"drawbox=x={x}:y={y}:w=iw/2:h=ih/2:color={c}:t=fill" for (x, y), c in zip(places, colors, strict=True)]
    return ("format=gbrp", *boxes)


QUARTERS = ("red", "lime", "blue", "white")
_NAMES = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white"}


def quarters(path: Path) -> list[list[str]]:
    """The colours of the four quarters of a reel, two lines of two."""
    steps = (0.15, 0.65)
    found = [[reader.mean_color(path, region=Region(x, y, x + 0.2, y + 0.2)) for x in steps] for y in steps]
    return [[_NAMES.get((r > 128, g > 128, b > 128), "?") for r, g, b in line] for line in found]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.core(1)
def test_a_turned_or_mirrored_clip_is_upright(
    media: MediaFolder, tmp_path: Path, degrees: int, *, mirrored: bool
) -> None:
    clip = media.make(
        Recipe(seconds=0.1, sound=None, source="color=gray", color=Color(), filters=four(*QUARTERS)),
        rotation=degrees,
        mirrored=mirrored,
    )
    # A display rotation of ffmpeg's is counterclockwise, and its mirror comes after it.
    wanted = np.rot90(np.array(QUARTERS).reshape(2, 2), degrees // 90)
    wanted = np.fliplr(wanted) if mirrored else wanted
    shown = "90x160" if degrees in (90, 270) else "160x90"
    reel = reel_of(clip, tmp_path, shown)
    assert quarters(reel) == wanted.tolist()
    assert picture_box(reel)[2:] == (Dimensions.parse(shown).width, Dimensions.parse(shown).height)
    assert next(reader.frames(reel)).rotation == 0
    other = reel_of(clip, tmp_path, "120x120")
    assert picture_box(other) == pytest.approx(fitted(shown, "120x120")[0], abs=SOFT)


@pytest.mark.parametrize(
    ("stored", "sar", "shown"),
    [
        ("120x90", "4/3", "160x90"),
        ("180x80", "2/3", "120x80"),
        ("90x72", "64/45", "128x72"),
        ("90x160", "16/9", "160x160"),
    ],
)
@pytest.mark.parametrize("target", ["160x90", "90x90"])
@pytest.mark.core(1)
def test_pixels_that_are_not_square_become_square(
    media: MediaFolder, tmp_path: Path, stored: str, sar: str, shown: str, target: str
) -> None:
    size = Dimensions.parse(shown)
    height = min(size.width, size.height) * SQUARE
    square = f"drawbox=x=(iw-{height / Fraction(sar)})/2:y=(ih-{height})/2:w={height / Fraction(sar)}:h={height}"
    filters = ("format=gbrp", f"{square}:color=white:t=fill")
    clip = drawn(media, stored, sar=sar, filters=filters, pixel_format="yuv444p")
    reel = reel_of(clip, tmp_path, target)
    box, factor = fitted(shown, target)
    assert picture_box(reel) == pytest.approx(box, abs=SOFT)
    side = float(height * factor)
    assert square_sides(reel) == pytest.approx((side, side), abs=SOFT)
    with av.open(str(reel)) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 1)


def test_turned_pixels_that_are_not_square_become_square(media: MediaFolder, tmp_path: Path) -> None:
    clip = drawn(media, "120x90", sar="4/3", rotation=90)
    assert picture_box(reel_of(clip, tmp_path, "160x160")) == pytest.approx((35, 0, 125, 160), abs=SOFT)


BARS: dict[str, Recipe] = {
    "bt601": Recipe(color=Color("smpte170m", tagged=False)),
    "full range": Recipe(color=Color("bt709", full_range=True)),
    "rgb": Recipe(codec="png", pixel_format="rgb24", suffix=".mov"),
    "hdr": Recipe(codec="libx265", pixel_format="yuv420p10le", color=Color("bt2020nc", "bt2020", "arib-std-b67")),
}


@pytest.mark.parametrize("kind", BARS)
@pytest.mark.parametrize(
    ("background", "rgb"), [("black", (0, 0, 0)), ("red", (255, 0, 0)), ("#00ff80", (0, 255, 128))]
)
def test_bars_have_the_colour_of_the_background(
    media: MediaFolder, tmp_path: Path, kind: str, background: str, rgb: tuple[int, int, int]
) -> None:
    clip = media.make(BARS[kind], seconds=0.1, sound=None, source="color=gray")
    reel = reel_of(clip, tmp_path, "90x160", background=background)
    for bar in (Region(0, 0, 1, 0.3), Region(0, 0.7, 1, 1)):
        assert reader.mean_color(reel, region=bar) == pytest.approx(rgb, abs=3)


@pytest.mark.parametrize("size", ["161x91", "63x161"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_odd_sizes_leave_no_dark_edge(media: MediaFolder, tmp_path: Path, size: str, codec: str) -> None:
    clip = media.make(
        Recipe(seconds=0.1, sound=None, size=size, source="color=white", pixel_format="yuv444p"), codec=codec
    )
    width, height = (Dimensions.parse(size).width // 2 * 2, Dimensions.parse(size).height // 2 * 2)
    picture = first_picture(reel_of(clip, tmp_path, f"{width}x{height}", fit=Fit.STRETCH))
    assert picture.min() > 245

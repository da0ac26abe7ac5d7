"""Contact sheets and posters as pictures: grids that suit, cells that show their own clip, names that can be read."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.media_info import Still
from mpt_cli.reporting.fonts import font_folders, system_fonts
from mpt_cli.reporting.letters import Letters
from mpt_cli.reporting.pictures import best_still, encoded, image_of, thumbnail
from mpt_cli.reporting.sheet import MOST_CELLS, Cell, draw_sheet, layout_for

if TYPE_CHECKING:
    from mpt_cli.reporting.sheet import Layout

PORTRAIT, LANDSCAPE, SQUARE, STRIP = (
    Dimensions(1080, 1920),
    Dimensions(1920, 1080),
    Dimensions(1080, 1080),
    Dimensions(3840, 160),
)
BARE = Letters(fonts=list)
"""A system without fonts."""
HOSTILE = (
    "a\nb\x1b[31m.mp4",
    "<b>&\"'.mp4",
    "שלום.mp4",
    "日本の夏.mp4",
    "\udcff\udcfe.mp4",
    "long " * 60 + ".mp4",
    "\u202egpj.mp4",
    "é" * 200,
    "😀" * 50,
    "-o",
    " ",
)


def flat(color: tuple[int, int, int], width: int, height: int) -> Still:
    return Still(width, height, bytes(color) * (width * height))


def color_of(number: int) -> tuple[int, int, int]:
    """Another colour for each of 500 numbers, none near the sheet's own."""
    return 60 + number % 8 * 24, 60 + number // 8 % 8 * 24, 60 + number // 64 * 24


def cells_of(count: int, layout: Layout, *, name: str = "clip.mp4") -> list[Cell]:
    picture = layout.picture
    return [
        Cell(n + 1, name, Fraction(n), Fraction(1), flat(color_of(n), picture.width, picture.height))
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 60, MOST_CELLS])
@pytest.mark.parametrize("reel", [PORTRAIT, LANDSCAPE, SQUARE, STRIP], ids=["portrait", "landscape", "square", "strip"])
def test_a_grid_holds_all_cells_apart_and_suits_its_number(count: int, reel: Dimensions) -> None:
    layout = layout_for(count, reel)
    assert layout.columns * layout.rows >= count > layout.columns * (layout.rows - 1)
    boxes = []
    for place in range(count):
        x, y = layout.corner(place)
        boxes.append((x, y, x + layout.picture.width, y + layout.picture.height + layout.label))
    assert all(x >= 0 and y > 0 and r <= layout.size.width and b <= layout.size.height for x, y, r, b in boxes)
    assert len({(x, y) for x, y, _, _ in boxes}) == count
    rights = [r for x, _, r, _ in boxes[: layout.columns - 1]]
    assert all(right < left for right, (left, *_) in zip(rights, boxes[1 : layout.columns], strict=True))
    assert layout.size.pixels < 40_000_000
    if count >= 7 and reel is not STRIP:
        assert 0.8 < layout.size.width / layout.size.height < 2.4
        assert layout.columns * layout.rows - count <= max(2, count // 6)


def test_a_cell_has_the_shape_of_the_reel() -> None:
    for reel in (PORTRAIT, LANDSCAPE, SQUARE):
        picture = layout_for(12, reel).picture
        assert picture.width / picture.height == pytest.approx(reel.width / reel.height, rel=0.02)


@pytest.mark.core(2)
@pytest.mark.parametrize("count", [1, 2, 7, 60])
@pytest.mark.parametrize("reel", [PORTRAIT, LANDSCAPE], ids=["portrait", "landscape"])
def test_each_cell_shows_its_own_picture_whole(count: int, reel: Dimensions) -> None:
    layout = layout_for(count, reel)
    sheet = draw_sheet("reel.mp4", "facts", cells_of(count, layout), layout)
    assert (sheet.width, sheet.height) == (layout.size.width, layout.size.height)
    for place in range(count):
        x, y = layout.corner(place)
        inside = sheet.crop((x + 12, y + 12, x + layout.picture.width - 12, y + layout.picture.height - 12))
        assert inside.getcolors(1) == [(inside.width * inside.height, color_of(place))]


def test_a_missing_picture_is_said_and_a_smaller_one_lies_in_the_middle() -> None:
    layout = layout_for(2, SQUARE)
    size = layout.picture
    small = flat((250, 10, 10), size.width // 2, size.height)
    cells = [Cell(1, "a", Fraction(0), Fraction(1), None), Cell(2, "b", Fraction(1), Fraction(1), small)]
    sheet = draw_sheet("reel.mp4", "", cells, layout)
    (x, y), (x2, y2) = layout.corner(0), layout.corner(1)
    words = sheet.crop((x + 9, y + 9, x + size.width - 9, y + size.height - 9))
    assert len(words.getcolors(1 << 16) or ()) > 5
    assert sheet.getpixel((x2 + size.width // 2, y2 + size.height // 2)) == (250, 10, 10)
    assert sheet.getpixel((x2 + 20, y2 + size.height // 2)) == (26, 29, 35)


@pytest.mark.parametrize("letters", [Letters(), BARE], ids=["with fonts", "without fonts"])
@pytest.mark.heavy
def test_hostile_names_stay_in_their_cells(letters: Letters) -> None:
    layout = layout_for(len(HOSTILE), PORTRAIT)
    plain = cells_of(len(HOSTILE), layout, name="")
    cells = [Cell(c.number, name, c.start, c.duration, c.still) for c, name in zip(plain, HOSTILE, strict=True)]
    sheet = draw_sheet(HOSTILE[5], HOSTILE[0], cells, layout, letters)
    for place in range(len(HOSTILE)):
        x, y = layout.corner(place)
        right = x + layout.picture.width
        gutter = sheet.crop((right + 2, y, right + layout.gap - 2, y + layout.picture.height + layout.label))
        assert gutter.getcolors(1) is not None, "something reaches beyond"
        label = sheet.crop((x, y + layout.picture.height + 3, right, y + layout.picture.height + layout.label))
        assert len(label.getcolors(1 << 16) or ()) > 3, "nothing is written"


def test_without_fonts_letters_are_said_in_those_that_there_are() -> None:
    assert BARE.drawable("walk 1.mp4") == "walk 1.mp4"
    assert BARE.drawable("a\nb\x1b") == "a\\nb\\x1b"
    assert BARE.drawable("Café Brülée") == "Cafe Brulee"
    assert BARE.drawable("日本") == "\\u65e5\\u672c"
    assert BARE.drawable("😀") == "\\U0001f600"
    assert BARE.drawable("\udcff") == "\\xff"


def test_fonts_of_the_system_are_asked_only_for_what_is_missing(tmp_path: Path) -> None:
    asked = []

    def fonts() -> list[Path]:
        asked.append(1)
        (tmp_path / "broken.ttf").write_bytes(b"no font")
        return [tmp_path / "broken.ttf", tmp_path / "missing.ttf"]

    letters = Letters(fonts=fonts)
    assert letters.width("plain.mp4", 16) > 0
    assert asked == []
    assert letters.drawable("é日") == "e\\u65e5"
    assert asked == [1]
    assert all(isinstance(path, Path) for path in system_fonts())


def test_letters_that_are_stored_in_parts_are_drawn_whole() -> None:
    assert BARE.drawable("Cafe\u0301") == "Cafe"
    assert BARE.drawable("\u1112\u1161\u11ab") == "\\ud55c"  # one letter, not three


@pytest.mark.heavy
def test_plain_fonts_come_first_among_thousands(tmp_path: Path) -> None:
    names = [f"tex/a{number:04}.otf" for number in range(900)] + ["z/NotoSansCJK-Regular.ttc", "z/DejaVuSans.ttf"]
    for name in [*names, "z/notes.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.name for path in system_fonts([tmp_path / "gone", tmp_path])]
    assert found[:2] == ["DejaVuSans.ttf", "NotoSansCJK-Regular.ttc"]
    assert len(found) == 400


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_fonts_are_looked_for_where_systems_and_users_keep_them(platform: str, tmp_path: Path) -> None:
    variables = {"XDG_DATA_DIRS": "/opt/share:relative", "XDG_DATA_HOME": "/data", "LOCALAPPDATA": "/local"}
    folders = {str(folder) for folder in font_folders(platform=platform, environ=variables, home=tmp_path)}
    wanted = {
        "linux": {"/usr/share/fonts", "/opt/share/fonts", "/data/fonts", f"{tmp_path}/.fonts"},
        "darwin": {"/System/Library/Fonts", f"{tmp_path}/Library/Fonts"},
        "win32": {"C:/Windows/Fonts", "/local/Microsoft/Windows/Fonts"},
    }
    assert wanted[platform] <= folders


def test_a_name_is_cut_in_its_middle_to_its_width() -> None:
    name = "a very long name of a recording, part 0017.mp4"
    for width in (300, 120, 40):
        cut = BARE.fitted(name, 16, width)
        head, _, tail = cut.partition("…")
        assert BARE.width(cut, 16) <= width
        assert name.startswith(head)
        assert name.endswith(tail)
    assert BARE.fitted(name, 16, 5000) == name
    assert BARE.fitted(name, 16, 1) == "…"


def textured(step: int, *, light: int = 200, dark: int = 60, size: int = 160) -> Still:
    image = Image.new("RGB", (size, size), (dark, dark, dark))
    canvas = ImageDraw.Draw(image)
    for x in range(0, size, 2 * step):
        canvas.rectangle((x, 0, x + step - 1, size), fill=(light, light, light))
    return Still(size, size, image.tobytes())


def test_the_most_telling_picture_is_neither_black_nor_white_and_full_of_edges() -> None:
    black, white = flat((0, 0, 0), 160, 160), flat((255, 255, 255), 160, 160)
    plain, rich = flat((120, 120, 120), 160, 160), textured(4)
    assert best_still({0: black, 1: plain, 2: rich, 3: textured(40)}) == 2
    assert best_still({0: black, 1: white, 2: plain}) == 2
    assert best_still({0: textured(4, light=20, dark=0), 1: plain}) == 1, "a dark one tells less than it has edges"
    assert best_still({3: rich, 7: rich}) == 3
    assert best_still({4: black}) == 4
    assert best_still({}) is None


def test_noise_tells_less_than_things() -> None:
    noise = Image.effect_noise((640, 640), 60).convert("RGB")
    grain = Still(640, 640, noise.tobytes())
    assert best_still({0: grain, 1: textured(80, size=640)}) in (0, 1)
    assert best_still({0: grain, 1: textured(16, size=640)}) == 1


def test_files_are_what_their_names_say() -> None:
    still = textured(10)
    for suffix, form in ((".png", "PNG"), (".jpg", "JPEG"), (".JPEG", "JPEG")):
        read = Image.open(BytesIO(encoded(image_of(still), suffix)))
        assert (read.format, read.size) == (form, (160, 160))
    assert Image.open(BytesIO(encoded(image_of(still), ".png"))).tobytes() == still.rgb
    assert len(thumbnail(still)) < 10_000

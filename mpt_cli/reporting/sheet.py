"""Contact sheet: a grid with one frame of each clip, its number, name and start time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.formatting import exact_seconds_text, seconds_text
from mpt_cli.reporting.letters import Letters
from mpt_cli.reporting.pictures import image_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from mpt_cli.model.media_info import Still
    from mpt_cli.reporting.letters import Color

MOST_CELLS = 500
"""Greatest number of cells; 500 give an image of about 20 megapixels."""

_ALL_PIXELS = 1_800_000
_LEAST_PIXELS, _MOST_PIXELS = 34_560, 230_400
"""Pixels of one still: all together about two megapixels, each between 248x139 and 640x360, or upright."""
_LEAST_WIDTH = 132
"""Least width of a cell in pixels, so that its name is readable."""
_FLATTEST, _STEEPEST = 2.4, 0.45
"""Range of aspect ratios in which cells have that of the reel."""
_SHEET_SHAPE = 1.45

_GROUND: Color = (15, 17, 21)
_PLATE: Color = (26, 29, 35)
_TEXT: Color = (236, 238, 241)
_DIM: Color = (146, 153, 165)
_RIM: Color = (48, 53, 62)
"""Line around stills: black ones would have no edge on this background."""
_OVERSAMPLED = 4
"""Factor by which round corners are drawn larger, because Pillow does not smooth them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Content of a cell: number of the clip in the request, name, start in the reel and length in seconds."""

    number: int
    name: str
    start: Fraction
    duration: Fraction
    still: Still | None


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of a sheet in pixels; ``picture`` is the size of the box that each still is scaled into."""

    columns: int
    rows: int
    picture: Dimensions
    gap: int
    margin: int
    head: int
    letter: int
    """Font size of the names."""

    @property
    def label(self) -> int:
        """Height of the two lines below a still."""
        return round(self.letter * 3.1)

    @property
    def size(self) -> Dimensions:
        """Size of the whole sheet."""
        wide = 2 * self.margin + self.columns * (self.picture.width + self.gap) - self.gap
        high = self.margin + self.head + self.rows * (self.picture.height + self.label + self.gap) - self.gap
        return Dimensions(wide, high + self.margin)

    def corner(self, index: int) -> tuple[int, int]:
        """Return the top left corner of the still at this index, counted along the rows."""
        row, column = divmod(index, self.columns)
        x = self.margin + column * (self.picture.width + self.gap)
        return x, self.margin + self.head + row * (self.picture.height + self.label + self.gap)


def layout_for(count: int, reel: Dimensions) -> Layout:
    """Return the layout for a number of clips; the sheet is a little wider than high.

    Args:
        count: Number of cells, at least 1.
        reel: Frame size of the reel.
    """
    shape = min(_FLATTEST, max(_STEEPEST, reel.width / reel.height))
    pixels = min(_MOST_PIXELS, max(_LEAST_PIXELS, _ALL_PIXELS / count))
    width = max(_LEAST_WIDTH, round(math.sqrt(pixels * shape)))
    picture = Dimensions(width, max(2, round(width / shape)))
    letter = max(13, round(math.sqrt(width) * 0.88))
    gap = letter
    candidates = [
        Layout(columns, math.ceil(count / columns), picture, gap, 2 * gap, round(4.4 * letter), letter)
        for columns in range(1, count + 1)
    ]
    return min(candidates, key=lambda layout: _misfit(layout, count))


def _misfit(layout: Layout, count: int) -> float:
    """Return the cost of a layout: its distance from the wanted shape and its empty cells."""
    size, empty = layout.size, layout.columns * layout.rows - count
    return abs(math.log(size.width / size.height / _SHEET_SHAPE)) + 1.5 * empty / (layout.columns * layout.rows)


def draw_sheet(
    title: str, facts: str, cells: Sequence[Cell], layout: Layout, letters: Letters | None = None
) -> Image.Image:
    """Return the sheet as an image, with title and facts at its top."""
    letters, size = letters or Letters(), layout.size
    sheet = Image.new("RGB", (size.width, size.height), _GROUND)
    canvas = ImageDraw.Draw(sheet)
    _draw_head(canvas, title, facts, layout, letters)
    mask, rim = _rounded(layout.picture, layout.gap // 2)
    for index, cell in enumerate(cells):
        _draw_cell(sheet, canvas, cell, layout.corner(index), layout, letters, mask)
        sheet.paste(_RIM, layout.corner(index), rim)
    return sheet


def _draw_head(canvas: ImageDraw.ImageDraw, title: str, facts: str, layout: Layout, letters: Letters) -> None:
    large, small = round(layout.letter * 1.5), layout.letter
    room = layout.size.width - 2 * layout.margin
    x, y = layout.margin, layout.margin + large
    letters.draw(canvas, (x, y), letters.fitted(title, large, room), large, _TEXT)
    letters.draw(canvas, (x, y + round(small * 1.6)), letters.fitted(facts, small, room), small, _DIM)


def _draw_cell(
    sheet: Image.Image,
    canvas: ImageDraw.ImageDraw,
    cell: Cell,
    corner: tuple[int, int],
    layout: Layout,
    letters: Letters,
    mask: Image.Image,
) -> None:
    box, letter = layout.picture, layout.letter
    plate = Image.new("RGB", (box.width, box.height), _PLATE)
    if cell.still is not None:
        plate.paste(image_of(cell.still), ((box.width - cell.still.width) // 2, (box.height - cell.still.height) // 2))
    else:
        label = letters.fitted("no picture", letter, box.width)
        middle = ((box.width - letters.width(label, letter)) / 2, box.height / 2 + letter / 3)
        letters.draw(ImageDraw.Draw(plate), middle, label, letter, _DIM)
    sheet.paste(plate, corner, mask)
    x, y = corner[0], corner[1] + box.height + round(letter * 1.35)
    number = f"{cell.number}  "
    indent = letters.width(number, letter)
    letters.draw(canvas, (x, y), number, letter, _DIM)
    letters.draw(canvas, (x + indent, y), letters.fitted(cell.name, letter, box.width - indent), letter, _TEXT)
    small = max(12, letter - 2)
    y += round(letter * 1.35)
    letters.draw(canvas, (x, y), f"at {exact_seconds_text(cell.start)}", small, _DIM)
    length = seconds_text(cell.duration)
    letters.draw(canvas, (x + box.width - letters.width(length, small), y), length, small, _DIM)


def _rounded(size: Dimensions, radius: int) -> tuple[Image.Image, Image.Image]:
    """Return masks with smooth round corners: of the inside, and of a thin line around it."""
    small = (size.width, size.height)
    inside, rim = (Image.new("L", (size.width * _OVERSAMPLED, size.height * _OVERSAMPLED)) for _ in range(2))
    box, radius = (0, 0, inside.width - 1, inside.height - 1), radius * _OVERSAMPLED
    ImageDraw.Draw(inside).rounded_rectangle(box, radius, fill=255)
    ImageDraw.Draw(rim).rounded_rectangle(box, radius, outline=255, width=_OVERSAMPLED)
    return inside.resize(small, Image.Resampling.BOX), rim.resize(small, Image.Resampling.BOX)

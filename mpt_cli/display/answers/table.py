"""Plain tables that fit: whole in a pipe; on a terminal cut or without the columns that matter least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.text import cell_width, pad, shorten, shorten_middle

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and what happens to it where room is short.

    ``least`` is how narrow it may be cut (0: never); columns with the highest ``drop`` go first
    (0: never). ``middle`` cuts in the middle, for names.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0
    middle: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, escaped already, with its style."""

    text: str
    style: str = ""


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> list[Text]:
    """Return a line of titles and one for each row, within ``width`` cells; None means any width."""
    widths = [
        max(cell_width(column.title), *(cell_width(row[place].text) for row in rows), 0)
        for place, column in enumerate(columns)
    ]
    if width is not None:
        _narrow(columns, widths, width)
    titles = [Cell(column.title, "bold") for column in columns]
    return [_line(columns, row, widths) for row in (titles, *rows)]


def _narrow(columns: Sequence[Column], widths: list[int], width: int) -> None:
    """Make the widths fit, in place; -1 marks a column that is left out."""

    def over() -> int:
        return sum(cells + _GAP for cells in widths if cells >= 0) - _GAP - width

    droppable = sorted((place for place, column in enumerate(columns) if column.drop), key=lambda at: -columns[at].drop)
    while True:
        slack = sum(max(0, widths[at] - column.least) for at, column in enumerate(columns) if column.least)
        if over() <= slack or not droppable:
            break
        widths[droppable.pop(0)] = -1
    while over() > 0:
        places = [at for at, column in enumerate(columns) if column.least and widths[at] > column.least]
        if not places:
            break
        widest = max(places, key=lambda at: widths[at])
        widths[widest] -= 1


def _line(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int]) -> Text:
    line = Text(no_wrap=True, overflow="crop")
    for column, cell, width in zip(columns, row, widths, strict=True):
        if width < 0:
            continue
        cut = (shorten_middle if column.middle else shorten)(cell.text, width)
        line.append((" " * _GAP if line else "") + pad(cut, width, right=column.right), cell.style)
    line.rstrip()
    return line

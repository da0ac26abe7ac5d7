"""Plain tables: complete in a pipe; fitted to a terminal by cutting cells and dropping columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.text import cell_width, distinct, pad, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """Column with its title and its behaviour in a narrow terminal.

    ``least`` is the smallest width after cutting, in cells (0: never cut). The column with the highest
    ``drop`` is dropped first (0: never). ``middle`` is for names, which stay distinct when they are cut.
    """

    title: str
    right: bool = False
    least: int = 0
    drop: int = 0
    middle: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Escaped text with its style."""

    text: str
    style: str = ""


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> list[Text]:
    """Return a line of titles and one per row, at most ``width`` cells wide; None allows any width."""
    widths = [
        max(cell_width(column.title), *(cell_width(row[index].text) for row in rows), 0)
        for index, column in enumerate(columns)
    ]
    if width is not None:
        _narrow(columns, widths, width)
    titles = [Cell(column.title, "bold") for column in columns]
    cut = [
        (distinct if column.middle else _shortened)([row[index].text for row in (titles, *rows)], max(0, widths[index]))
        for index, column in enumerate(columns)
    ]
    return [_line(columns, row, widths, [texts[number] for texts in cut]) for number, row in enumerate((titles, *rows))]


def _shortened(texts: Sequence[str], width: int) -> list[str]:
    return [shorten(text, width) for text in texts]


def _narrow(columns: Sequence[Column], widths: list[int], width: int) -> None:
    """Reduce the widths in place until they fit; -1 marks a dropped column."""

    def over() -> int:
        return sum(cells + _GAP for cells in widths if cells >= 0) - _GAP - width

    droppable = sorted((index for index, column in enumerate(columns) if column.drop), key=lambda i: -columns[i].drop)
    while True:
        slack = sum(max(0, widths[i] - column.least) for i, column in enumerate(columns) if column.least)
        if over() <= slack or not droppable:
            break
        widths[droppable.pop(0)] = -1
    while over() > 0:
        cuttable = [i for i, column in enumerate(columns) if column.least and widths[i] > column.least]
        if not cuttable:
            break
        widest = max(cuttable, key=lambda i: widths[i])
        widths[widest] -= 1


def _line(columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int], texts: Sequence[str]) -> Text:
    line = Text(no_wrap=True, overflow="crop")
    for column, cell, width, cut in zip(columns, row, widths, texts, strict=True):
        if width < 0:
            continue
        line.append((" " * _GAP if line else "") + pad(cut, width, right=column.right), cell.style)
    line.rstrip()
    return line

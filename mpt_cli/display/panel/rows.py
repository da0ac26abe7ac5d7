"""Rows of the panel: column widths, bars, clips and totals. Pure functions.

All rows share one grid: mark and number, name, bar, percent, speed, memory. A row is at most
``Grid.usable`` cells wide, so that nothing wraps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.run_lines import ClipState
from mpt_cli.display.text import cell_width, pad, shorten, shorten_middle
from mpt_cli.model.formatting import percent_text, seconds_text, size_text, speed_text
from mpt_cli.reporting.summaries import DONE

if TYPE_CHECKING:
    from mpt_cli.display.run_lines import ClipLine

_MARGIN = 4
"""Free cells at the right: a terminal echoes ``^C`` at the cursor, which must not wrap."""
_PERCENT, _SPEED, _MEMORY = 4, 5, 8
_GAP = 2
_MIN_NAME, _MAX_BAR, _MIN_BAR = 20, 50, 8


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters of a panel."""

    running: str
    finished: str
    failed: str
    notice: str
    done: str
    half: str
    rest: str
    ellipsis: str


UNICODE = Glyphs("▸", "✓", "✗", "!", "━", "╸", "─", "…")
ASCII = Glyphs(">", "+", "x", "!", "#", "", "-", "~")


@dataclass(frozen=True, slots=True)
class Grid:
    """Widths of the columns in cells; 0 for a column that is left out."""

    usable: int
    digits: int
    name: int
    bar: int
    percent: int
    speed: int
    memory: int

    @property
    def prefix(self) -> int:
        """Cells before the name: space, mark, space, number, two spaces."""
        return self.digits + 5

    @property
    def right(self) -> int:
        """Cells after the bar."""
        return sum(column + _GAP for column in (self.percent, self.speed, self.memory) if column)


def grid(width: int, *, total_clips: int, longest_name: int) -> Grid:
    """Return the grid for a terminal of this width; the name column fits the longest name if there is room."""
    usable = max(1, width - _MARGIN)
    digits = max(2, len(str(total_clips)))
    percent = _PERCENT if usable >= 24 else 0
    speed = _SPEED if usable >= 48 else 0
    memory = _MEMORY if usable >= 40 else 0
    bare = Grid(usable, digits, 0, 0, percent, speed, memory)
    room = usable - bare.prefix - bare.right
    if room < _MIN_NAME // 2 + _GAP + _MIN_BAR:
        return Grid(usable, digits, max(0, room), 0, percent, speed, memory)
    most = max(_MIN_NAME // 2, min(room - _GAP - _MIN_BAR, room * 3 // 5))
    name = min(most, max(_MIN_NAME, longest_name))
    return Grid(usable, digits, name, min(_MAX_BAR, room - _GAP - name), percent, speed, memory)


def add_bar(line: Text, share: float | None, width: int, style: str, glyphs: Glyphs) -> None:
    """Append a bar of exactly ``width`` cells, empty for an unknown share."""
    halves = int(min(1.0, max(0.0, share or 0.0)) * width * 2)
    done = glyphs.done * (halves // 2) + (glyphs.half if halves % 2 else "")
    line.append(done, style)
    line.append(glyphs.rest * (width - len(done)), "dim")


def clip_row(clip: ClipLine, grid: Grid, glyphs: Glyphs) -> Text:
    """Return the row of a clip."""
    mark, style = {
        ClipState.RUNNING: (glyphs.running, "cyan"),
        ClipState.FINISHED: (glyphs.finished, "green"),
        ClipState.FAILED: (glyphs.failed, "bold red"),
    }[clip.state]
    line = _line()
    line.append(f" {mark} ", style)
    line.append(f"{clip.index + 1:>{grid.digits}}  ", "dim")
    name = shorten_middle(clip.name, grid.name, mark=glyphs.ellipsis)
    line.append(pad(name, grid.name), "dim" if clip.state is ClipState.FINISHED else "")
    if clip.state is ClipState.RUNNING:
        _add_running(line, clip, grid, glyphs)
    elif clip.state is ClipState.FINISHED:
        _add_finished(line, clip, grid)
    else:
        line.append("  " + clip.note, "red")
    return cut(line, grid, glyphs)


def _add_running(line: Text, clip: ClipLine, grid: Grid, glyphs: Glyphs) -> None:
    if grid.bar:
        line.append("  ")
        add_bar(line, clip.share, grid.bar, "cyan", glyphs)
    if grid.percent:
        line.append("  " + pad(percent_text(clip.share), grid.percent, right=True))
    if grid.speed:
        line.append("  " + pad(speed_text(clip.speed or None), grid.speed, right=True), "dim")
    if grid.memory:
        line.append("  " + pad(size_text(clip.memory_bytes), grid.memory, right=True), "dim")


def _add_finished(line: Text, clip: ClipLine, grid: Grid) -> None:
    verb = DONE.get(clip.action, "done")
    room = grid.bar + grid.right - (grid.memory + _GAP if grid.memory else 0)
    spent = seconds_text(clip.elapsed_seconds)
    text = verb if clip.action == "reuse" else f"{verb} in {spent}"
    text = spent if cell_width(text) > room else text
    line.append("  " + pad(shorten(text, room, mark=""), room), "dim")
    if grid.memory and clip.memory_bytes is not None:
        line.append("  " + pad(size_text(clip.memory_bytes), grid.memory, right=True), "dim")


def label_row(label: str, share: float | None, right: str, grid: Grid, glyphs: Glyphs, *, style: str) -> Text:
    """Return a row of totals in the same grid: label, bar, percent, and text at the right."""
    line = _line()
    width = grid.prefix - 1 + grid.name
    line.append(" " + pad(shorten(label, width, mark=glyphs.ellipsis), width), "bold")
    if grid.bar and share is not None:
        line.append("  ")
        add_bar(line, share, grid.bar, style, glyphs)
    elif grid.bar:
        line.append(" " * (grid.bar + _GAP))
    if grid.percent:
        shown = percent_text(share) if share is not None else ""
        line.append("  " + pad(shown, grid.percent, right=True))
    room = grid.right - (grid.percent + _GAP if grid.percent else 0) - _GAP
    if room >= cell_width(right):
        line.append("  " + pad(right, room, right=True))
    return cut(line, grid, glyphs)


def text_row(text: str, grid: Grid, glyphs: Glyphs, *, style: str) -> Text:
    """Return a row of plain text."""
    return cut(_line(" " + text, style), grid, glyphs)


def cut(line: Text, grid: Grid, glyphs: Glyphs) -> Text:
    """Return the line cut to the usable width, with its styles."""
    line.rstrip()
    if cell_width(line.plain) <= grid.usable:
        return line
    kept = shorten(line.plain, grid.usable, mark=glyphs.ellipsis)
    short = line[: len(kept) - len(glyphs.ellipsis)] if kept.endswith(glyphs.ellipsis) else _line()
    short.append(glyphs.ellipsis if grid.usable else "")
    short.no_wrap, short.overflow = True, "crop"
    return short


def _line(text: str = "", style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="crop")

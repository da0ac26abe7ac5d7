"""Canvas of lines that are redrawn in place at the cursor of a terminal.

rich's Live erases all lines before it draws them, and counts them by the width they had when they were
drawn: a terminal that becomes narrower wraps them, and their upper halves stay. Here a drawing replaces
the last one in a single write, an unchanged drawing is not written, and lines are counted at the current
width.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from mpt_cli.display.text import cell_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.text import Text

_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_REST_OF_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"


class Canvas:
    """Canvas on the terminal of a console. Not thread-safe: the owner holds a lock."""

    def __init__(self, console: Console) -> None:
        """Create an empty canvas."""
        self._console = console
        self._widths: list[int] = []
        """Widths in cells of the lines on the screen."""
        self._drawn: object = None
        self._gone = False

    @property
    def size(self) -> tuple[int, int]:
        """Current columns and lines of the terminal, regardless of ``COLUMNS``."""
        try:
            return os.get_terminal_size(self._console.file.fileno())
        except (OSError, ValueError):
            return self._console.size

    def open(self) -> None:
        """Hide the cursor, which would be seen jumping."""
        self._write(_HIDE_CURSOR)

    def draw(self, lines: Sequence[Text]) -> None:
        """Replace the last lines by these; each is narrower than the terminal."""
        with self._console.capture() as capture:
            for line in lines:
                self._console.print(line, soft_wrap=True)
        shown = capture.get().removesuffix("\n")
        if (drawing := (shown, self.size)) == self._drawn:
            return
        start = self._to_start()
        self._drawn, self._widths = drawing, [cell_width(line.plain) for line in lines]
        self._write(start + shown.replace("\n", f"{_ERASE_REST_OF_LINE}\n") + _ERASE_BELOW)

    def write_above(self, text: str) -> None:
        """Write whole lines that stay above the next drawing."""
        self._write(self._to_start() + _ERASE_BELOW + text)
        self._drawn, self._widths = None, []

    def close(self) -> None:
        """Erase the lines and show the cursor at their start."""
        self.write_above(_SHOW_CURSOR)

    def _to_start(self) -> str:
        """Return the sequence that moves the cursor from the end of the lines to their start."""
        columns, height = self.size
        rows = sum(max(1, -(-width // max(1, columns))) for width in self._widths)
        up = min(rows, height) - 1
        return f"\r\x1b[{up}A" if up > 0 else "\r"

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._console.file.write(text)
            self._console.file.flush()
        except (OSError, ValueError):  # the terminal is gone; the run continues
            self._gone = True


class LinesAbove(io.TextIOBase):
    """Stream whose lines appear above the panel, for other writers to stderr."""

    def __init__(self, write_above: Callable[[str], object]) -> None:
        """Pass whole lines to ``write_above``."""
        self._write_above, self._rest = write_above, ""

    def write(self, text: str) -> int:
        """Pass on the complete lines."""
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._write_above(whole + newline)
        return len(text)

    def finish(self) -> None:
        """Pass on the last line, even without a line break."""
        if self._rest:
            self.write("\n")

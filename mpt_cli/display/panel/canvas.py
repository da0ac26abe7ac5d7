"""Canvas: lines at the cursor of a terminal that are drawn again and again in their place.

rich's Live erases all lines before it draws them, and counts them as they were wide when they were
drawn: a terminal that becomes narrower breaks them, and their upper halves stay. Here a picture is
written over the last one in a single write, nothing is written while nothing changes, and lines are
counted as they stand now.
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
    """Draws on the console's terminal. Not thread-safe; its owner holds a lock."""

    def __init__(self, console: Console) -> None:
        """Draw nothing yet."""
        self._console = console
        self._widths: list[int] = []
        """Of the lines that stand there."""
        self._drawn: object = None
        self._gone = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal now, whatever ``COLUMNS`` claims."""
        try:
            return os.get_terminal_size(self._console.file.fileno())
        except (OSError, ValueError):
            return self._console.size

    def open(self) -> None:
        """Hide the cursor, which would be seen at work."""
        self._write(_HIDE_CURSOR)

    def draw(self, lines: Sequence[Text]) -> None:
        """Put these lines in the place of the last ones; each is narrower than the terminal."""
        with self._console.capture() as capture:
            for line in lines:
                self._console.print(line, soft_wrap=True)
        shown = capture.get().removesuffix("\n")
        if (picture := (shown, self.size)) == self._drawn:
            return
        start = self._to_start()
        self._drawn, self._widths = picture, [cell_width(line.plain) for line in lines]
        self._write(start + shown.replace("\n", f"{_ERASE_REST_OF_LINE}\n") + _ERASE_BELOW)

    def say(self, text: str) -> None:
        """Write whole lines that stay, above the next picture."""
        self._write(self._to_start() + _ERASE_BELOW + text)
        self._drawn, self._widths = None, []

    def close(self) -> None:
        """Erase the lines, and show the cursor where they began."""
        self.say(_SHOW_CURSOR)

    def _to_start(self) -> str:
        """What moves the cursor from the end of the lines, where it always is, to their start."""
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
        except (OSError, ValueError):  # the terminal is gone; the run goes on
            self._gone = True


class Above(io.TextIOBase):
    """A stream whose lines appear above the picture, for what writes to stderr meanwhile."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Give whole lines to ``say``."""
        self._say, self._rest = say, ""

    def write(self, text: str) -> int:
        """Pass on the lines that are complete."""
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._say(whole + newline)
        return len(text)

    def finish(self) -> None:
        """Pass on what has no end yet."""
        if self._rest:
            self.write("\n")

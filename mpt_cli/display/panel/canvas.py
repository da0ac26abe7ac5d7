"""Canvas of lines that are redrawn in place, on the second screen of a terminal.

The second screen (``?1049``) has no history: when a terminal is resized, nothing of a drawing can move into the
history and come back from there, and the first screen is as it was once the canvas is closed.

Between two drawings the cursor rests on the first line, because a terminal moves the cursor along when it breaks long
lines, and keeps it in sight when it becomes shorter. Erasing from the cursor on removes the last drawing, also where
a terminal without a second screen draws on the first one. With the cursor behind the last line, as rich's Live has
it, nobody knows how many rows the lines take by now (measured with tmux 3.3).

A drawing replaces the last one in a single write, and an unchanged drawing is not written.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.text import Text

_SECOND_SCREEN, _FIRST_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_CUT_LINES, _WRAP_LINES = "\x1b[?7l", "\x1b[?7h"
_ERASE_REST_OF_LINE, _ERASE_BELOW = "\x1b[K", "\x1b[J"


class Canvas:
    """Canvas on the terminal of a console. Not thread-safe: the owner holds a lock."""

    def __init__(self, console: Console) -> None:
        """Create an empty canvas."""
        self._console = console
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
        """Show the second screen; hide the cursor, which would be seen jumping."""
        self._write(_SECOND_SCREEN + _HIDE_CURSOR)
        self._drawn = None

    def draw(self, lines: Sequence[Text]) -> None:
        """Replace the last lines by these; each is narrower than the terminal."""
        with self._console.capture() as capture:
            for line in lines:
                self._console.print(line, soft_wrap=True)
        shown = capture.get().removesuffix("\n")
        if (drawing := (shown, self.size)) == self._drawn:
            return
        self._drawn = drawing
        # A terminal that became narrower since its size was read cuts the lines: broken, they would be more rows.
        rows = shown.replace("\n", f"{_ERASE_REST_OF_LINE}\n")
        back = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        self._write(f"\r{_CUT_LINES}{rows}{_ERASE_BELOW}{_WRAP_LINES}{back}\r")

    def write_above(self, text: str) -> None:
        """Write whole lines on the first screen, where they stay."""
        self._write(f"\r{_ERASE_BELOW}{_FIRST_SCREEN}{text}{_SECOND_SCREEN}")
        self._drawn = None

    def close(self) -> None:
        """Erase the lines, and show the first screen and the cursor."""
        self._write(f"\r{_ERASE_BELOW}{_FIRST_SCREEN}{_SHOW_CURSOR}")

    def _write(self, text: str) -> None:
        if self._gone:
            return
        try:
            self._console.file.write(text)
            self._console.file.flush()
        except (OSError, ValueError):  # the terminal is gone; the run continues
            self._gone = True
        except RuntimeError:  # Ctrl-Z came while this thread was writing; what it wrote is drawn again
            self._drawn = None


class LinesAbove(io.TextIOBase):
    """Stream of whole lines for the screen that the panel hides, for other writers to stderr."""

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

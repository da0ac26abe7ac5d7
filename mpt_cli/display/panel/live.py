"""Live panel that a terminal shows during a run and that is erased at its end."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Self

from mpt_cli.display.panel.canvas import Canvas, LinesAbove
from mpt_cli.display.panel.layout import panel_lines
from mpt_cli.display.panel.rows import ASCII, UNICODE
from mpt_cli.display.progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console

    from mpt_cli.model.errors import Issue
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import Event

REFRESH_SECONDS = 0.125


class LiveDisplay:
    """Display that draws the panel in its own thread; ``emit`` only updates the progress."""

    def __init__(
        self,
        console: Console,
        *,
        cancel: CancelToken | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a display.

        Args:
            console: The console of standard error.
            cancel: The token of the run; the panel shows "stopping" once it is cancelled.
            clock: Monotonic clock in seconds.
        """
        self._lock, self._drawing, self._ended = threading.Lock(), threading.Lock(), threading.Event()
        self._progress = RunProgress(clock)
        self._cancel = cancel
        self._canvas = Canvas(console)
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._thread = threading.Thread(target=self._keep_drawing, name="panel", daemon=True)
        self._above = LinesAbove(self._write_above)
        self._redirection = contextlib.redirect_stderr(self._above)

    def __enter__(self) -> Self:
        """Draw the panel for the first time and redirect standard error above it."""
        self._canvas.open()
        self._draw()
        self._thread.start()
        self._redirection.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Erase the panel and show the cursor again."""
        self._redirection.__exit__(kind, error, trace)
        self._ended.set()
        self._thread.join()
        self._above.finish()
        self._canvas.close()

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Update the progress with an event; the next drawing shows it."""
        with self._lock:
            self._progress.feed(event, job)

    def has_shown(self, _warning: Issue, /, *, job: str | None = None) -> bool:
        """Return False: the panel is erased when the run ends."""
        return False

    def _keep_drawing(self) -> None:
        while not self._ended.wait(REFRESH_SECONDS):
            self._draw()

    def _draw(self) -> None:
        """Draw the panel at the current size of the terminal."""
        stopping = self._cancel is not None and self._cancel.cancelled
        with self._drawing:
            width, height = self._canvas.size
            with self._lock:
                lines = panel_lines(self._progress, width=width, height=height, glyphs=self._glyphs, stopping=stopping)
            self._canvas.draw(lines)

    def _write_above(self, text: str) -> None:
        with self._drawing:
            self._canvas.write_above(text)

"""Live panel that a terminal shows during a run and that is gone at its end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Self

from mpt_cli.display.panel.canvas import Canvas, LinesAbove
from mpt_cli.display.panel.layout import panel_lines
from mpt_cli.display.panel.rows import ASCII, UNICODE
from mpt_cli.display.progress import RunProgress
from mpt_cli.model.errors import ResourceError
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from rich.console import Console

    from mpt_cli.model.results import VideoResult
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import Event

REFRESH_SECONDS = 0.125
_CTRL_Z = getattr(signal, "SIGTSTP", None)  # Windows has none


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
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._drawing = threading.RLock()  # Ctrl-Z may come while this thread draws
        self._progress = RunProgress(clock)
        self._cancel = cancel
        self._canvas = Canvas(console)
        self._glyphs = ASCII if console.options.ascii_only else UNICODE
        self._thread = threading.Thread(target=self._keep_drawing, name="panel", daemon=True)
        self._above = LinesAbove(self._write_above)
        self._redirection = contextlib.redirect_stderr(self._above)
        self._pauses = False

    def __enter__(self) -> Self:
        """Draw the panel for the first time and redirect standard error to the screen that it hides."""
        self._canvas.open()
        if _CTRL_Z is not None and threading.current_thread() is threading.main_thread():
            self._pauses = signal.getsignal(_CTRL_Z) is signal.SIG_DFL
            self._handle_pause()
        self._draw()
        try:
            start_thread(self._thread)
        except ResourceError:
            self._canvas.close()
            raise
        self._redirection.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show the terminal as it was before the panel."""
        self._redirection.__exit__(kind, error, trace)
        if self._pauses and _CTRL_Z is not None:
            signal.signal(_CTRL_Z, signal.SIG_DFL)
        self._ended.set()
        self._thread.join()
        self._above.finish()
        self._canvas.close()

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Update the progress with an event; the next drawing shows it."""
        with self._lock:
            self._progress.feed(event, job)

    def unshown(self, result: VideoResult, *, job: str | None = None) -> VideoResult:
        """Return the whole result: the panel is gone when the run ends."""
        return result

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

    def _handle_pause(self) -> None:
        if self._pauses and _CTRL_Z is not None:
            signal.signal(_CTRL_Z, self._pause)

    def _pause(self, number: int, _frame: FrameType | None) -> None:
        """Leave the terminal to the shell for as long as the program is stopped by Ctrl-Z."""
        with self._drawing:
            self._canvas.close()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)  # returns once the program goes on
            self._handle_pause()
            self._canvas.open()

    def _write_above(self, text: str) -> None:
        with self._drawing:
            self._canvas.write_above(text)

"""LiveDisplay: the panel that a terminal shows while a run goes on, and that leaves no trace."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Self

from rich.live import Live

from mpt_cli.display.panel import panel_lines
from mpt_cli.display.progress import RunProgress
from mpt_cli.display.rows import ASCII, UNICODE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console, ConsoleOptions, RenderResult

    from mpt_cli.cancel import CancelToken
    from mpt_cli.errors import Issue
    from mpt_cli.events import Event

REFRESH_PER_SECOND = 8


class LiveDisplay:
    """Draws the panel from a thread of its own; ``emit`` only notes what happened."""

    def __init__(
        self,
        console: Console,
        *,
        cancel: CancelToken | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a display on the console of stderr; a cancelled ``cancel`` shows as "stopping"."""
        self._lock = threading.Lock()
        self._progress = RunProgress(clock)
        self._cancel = cancel
        self._live = Live(
            console=console,
            get_renderable=lambda: self,
            refresh_per_second=REFRESH_PER_SECOND,
            transient=True,
            redirect_stdout=False,  # stdout is the answer, and may be a pipe
            redirect_stderr=True,  # a stray warning appears above the panel and not inside it
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        """Draw the first picture."""
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Erase the panel and show the cursor again."""
        with contextlib.suppress(OSError):  # the terminal is gone
            self._live.stop()

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Take an event in; the next picture shows it."""
        with self._lock:
            self._progress.feed(event, job)

    def has_told(self, _warning: Issue, /, *, job: str | None = None) -> bool:
        """No: a panel is gone when the run ends."""
        return False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the panel for the size that the terminal has now."""
        size = console.size
        stopping = self._cancel is not None and self._cancel.cancelled
        with self._lock:
            lines = panel_lines(
                self._progress,
                width=min(options.max_width, size.width),
                height=size.height,
                glyphs=ASCII if options.ascii_only else UNICODE,
                stopping=stopping,
            )
        yield from lines

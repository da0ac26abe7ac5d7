"""Plain lines for logs and pipes, where no panel can be drawn."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Self, TextIO

from mpt_cli.display.event_lines import EventLines
from mpt_cli.model.formatting import escape, path_text
from mpt_cli.runtime import events

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mpt_cli.display.event_lines import Line
    from mpt_cli.model.results import VideoResult


def _local_now() -> datetime:
    return datetime.now().astimezone()


class PlainDisplay:
    """Writer of lines for events, each behind its time of day."""

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _local_now,
    ) -> None:
        """Create a display.

        Args:
            stream: Standard error.
            quiet: True to write only notices of level ``error``.
            clock: Monotonic clock in seconds.
            now: Clock of the times, in the zone of the user.
        """
        self._stream = stream
        self._quiet = quiet
        self._lock = threading.Lock()
        self._lines = EventLines(clock)
        self._now = now
        self._broken = False

    def __enter__(self) -> Self:
        """Start; writes nothing."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End; every line is already written."""

    def unshown(self, result: VideoResult, *, job: str | None = None) -> VideoResult:
        """Return the result without the warnings and skipped clips that lines have shown."""
        with self._lock:
            return result if self._quiet else self._lines.told(job).untold(result)

    def emit(self, event: events.Event, *, job: str | None = None) -> None:
        """Write the lines of an event; some events have none."""
        with self._lock:
            lines = self._lines.feed(event, job)
            if self._quiet:
                lines = [line for line in lines if isinstance(event, events.Notice) and line.level == "error"]
            self._write([text for line in lines for text in _texts(line)])

    def _write(self, texts: list[str]) -> None:
        if not texts or self._broken:
            return
        stamp = self._now().strftime("%Y-%m-%d %H:%M:%S")
        try:
            self._stream.write("".join(f"{stamp} {text}\n" for text in texts))
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone; the run continues
            self._broken = True


def _texts(line: Line) -> list[str]:
    """Return a line and its hint; a notice is worded as in the summary, which then leaves it out."""
    job = "" if line.job is None else f"{escape(line.job)}: "
    if line.number:
        name = "" if line.path is None else f"{escape(line.path.name)}: "
        text = f"{line.number} {job}{name}{line.coded}"
    elif isinstance(line.event, events.Notice):
        where = "" if line.path is None else f"{path_text(line.path)}: "
        text = f"{line.level}: {job}{where}{line.coded}"
    else:
        text = job + line.text
    return [text] if line.hint is None else [text, f"  hint: {escape(line.hint)}"]

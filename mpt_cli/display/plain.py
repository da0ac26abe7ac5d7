"""Plain lines for logs and pipes, where no panel can be drawn."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

from mpt_cli.display.progress import RunProgress
from mpt_cli.display.run_lines import Phase
from mpt_cli.model.formatting import counted, escape, percent_text, rounded_text, seconds_text, size_text
from mpt_cli.runtime import events

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mpt_cli.model.errors import Issue

_FIRST_INTERVAL = 5.0
_LONGEST_INTERVAL = 300.0


class PlainDisplay:
    """Writer of lines for start, end and failure of each clip, notices, and progress at growing intervals.

    Progress lines come after 5, 10, 20, 40 … seconds, then every five minutes.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """Create a display.

        Args:
            stream: Standard error.
            quiet: True to write only notices of level ``error``.
            clock: Monotonic clock in seconds.
        """
        self._stream = stream
        self._quiet = quiet
        self._lock = threading.Lock()
        self._progress = RunProgress(clock)
        self._next_at = _FIRST_INTERVAL
        self._broken = False
        self._shown: set[tuple[str | None, str, str]] = set()

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

    def has_shown(self, warning: Issue, /, *, job: str | None = None) -> bool:
        """Return True if a line has shown this warning; the summary then leaves it out."""
        return _key(events.warning_of(warning), job) in self._shown

    def emit(self, event: events.Event, *, job: str | None = None) -> None:
        """Write the lines of an event; some events have none."""
        with self._lock:
            clip = None
            if isinstance(event, events.ClipFinished | events.ClipFailed):
                clip = self._progress.clips.running.get((job, event.index))
            self._progress.feed(event, job)
            if self._quiet:
                lines = _notice(event, job) if isinstance(event, events.Notice) and event.level == "error" else []
            elif isinstance(event, events.Notice):
                self._shown.add(_key(event, job))
                lines = _notice(event, job)
            else:
                name = "" if clip is None else clip.name
                lines = [self._line(event, name, job), self._due_progress()]
            self._write([line for line in lines if line])

    def _write(self, lines: list[str]) -> None:
        if not lines or self._broken:
            return
        try:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone; the run continues
            self._broken = True

    def _line(self, event: events.Event, name: str, job: str | None) -> str:
        match event:
            case events.ClipStarted():
                started = self._progress.clips.running[job, event.index].name
                return (
                    f"{self._number(event.index, job)} {started}: {event.action}, {seconds_text(event.total_seconds)}"
                )
            case events.ClipFinished():
                peak = f", peak {size_text(event.peak_memory_bytes)}" if event.peak_memory_bytes else ""
                return f"{self._number(event.index, job)} {name}: done in {seconds_text(event.elapsed_seconds)}{peak}"
            case events.ClipFailed():
                return f"{self._number(event.index, job)} {name}: FAILED: {escape(event.message)} ({event.code})"
            case _:
                text = self._run_line(event)
                return f"{escape(job)}: {text}" if text and job is not None else text

    def _run_line(self, event: events.Event) -> str:
        match event:
            case events.RunStarted():
                return f"{event.command}: {counted(event.total_clips, 'clip')}"
            case events.ValidationFinished():
                unusable = f", {event.invalid} cannot be used" if event.invalid else ""
                return f"checked: {counted(event.valid, 'clip')} can be used{unusable}"
            case events.ConcatStarted():
                length = f" {seconds_text(event.total_seconds)}" if event.total_seconds else ""
                return f"joining{length}"
            case events.ConcatFinished():
                return f"joined and verified ({event.method})"
            case events.PicturesStarted():
                return f"creating the {' and the '.join(event.names)}"
            case events.RunFinished():
                return f"finished: {event.status} after {rounded_text(self._progress.elapsed_seconds)}"
            case _:
                return ""

    def _number(self, index: int, job: str | None) -> str:
        return f"[{index + 1}/{self._progress.clips_of(job)}]"

    def _due_progress(self) -> str:
        progress = self._progress
        elapsed = progress.elapsed_seconds
        if elapsed < self._next_at:
            return ""
        while self._next_at <= elapsed:
            self._next_at += min(self._next_at, _LONGEST_INTERVAL)
        overall = progress.overall()
        if overall.phase is Phase.DONE:
            return ""
        parts = [f"{progress.clips.ended_count} of {counted(progress.total_clips, 'clip')}"]
        if progress.clips.failed_count:
            parts.append(f"{progress.clips.failed_count} failed")
        if overall.share is not None:
            parts.append(percent_text(overall.share))
        if overall.time_left is not None:
            parts.append(f"{rounded_text(overall.time_left)} left")
        if progress.resources is not None:
            sample = progress.resources
            parts.append(f"memory {size_text(sample.memory_bytes)} of {size_text(sample.budget_bytes)}")
        return f"{overall.phase.verb}: {', '.join(parts)}"


def _key(notice: events.Notice, job: str | None) -> tuple[str | None, str, str]:
    return job, notice.code, notice.text()


def _notice(event: events.Notice, job: str | None) -> list[str]:
    """Return the lines of a notice, worded as in the summary, which then leaves them out."""
    where = "" if job is None else f"{escape(job)}: "
    line = f"{event.level}: {where}{event.text()} ({event.code})"
    return [line] if event.hint is None else [line, f"  hint: {escape(event.hint)}"]

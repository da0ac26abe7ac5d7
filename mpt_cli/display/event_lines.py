"""Lines about the events of a run, in parts, for plain output and for the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.display.progress import RunProgress
from mpt_cli.display.run_lines import Phase
from mpt_cli.model.formatting import counted, escape, path_text, percent_text, rounded_text, seconds_text, size_text
from mpt_cli.runtime import events
from mpt_cli.runtime.reported_issues import ReportedIssues

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FIRST_INTERVAL = 5.0
_LONGEST_INTERVAL = 300.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line about an event.

    Attributes:
        text: What happened, ready to be shown.
        level: ``info``, ``warning`` or ``error``.
        job: Name of the job in a batch, or None.
        number: Number of the clip and of all clips, such as ``[3/12]``; ``[3]`` for one task of many, or nothing.
        path: File that the line is about, or None.
        code: Issue code, or None.
        hint: Advice on what to do, or None.
        event: The event, or None for progress.
    """

    text: str
    level: str = "info"
    job: str | None = None
    number: str = ""
    path: Path | None = None
    code: str | None = None
    hint: str | None = None
    event: events.Event | None = None

    @property
    def coded(self) -> str:
        """Text with the issue code behind it."""
        return self.text if self.code is None else f"{self.text} ({self.code})"

    @property
    def located(self) -> str:
        """Number, path and text with the issue code: everything but level, job and hint."""
        where = "" if self.path is None else f"{path_text(self.path)}: "
        return f"{self.number} {where}{self.coded}" if self.number else where + self.coded


class EventLines:
    """Maker of lines for start, end and failure of each clip, notices, and progress at growing intervals.

    Progress lines come after 5, 10, 20, 40 … seconds, then every five minutes. Not thread-safe: the owner holds a lock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Create a maker of lines; ``clock`` is monotonic, in seconds."""
        self._progress = RunProgress(clock)
        self._next_at = _FIRST_INTERVAL
        self._paths: dict[tuple[str | None, int], Path] = {}
        """Paths of the running clips."""
        self._clock = clock
        self._starts: dict[str | None, float] = {}
        self._told: dict[str | None, ReportedIssues] = {}

    def told(self, job: str | None) -> ReportedIssues:
        """Return the issues that lines have told of a run."""
        return self._told.setdefault(job, ReportedIssues())

    def feed(self, event: events.Event, job: str | None) -> list[Line]:
        """Return the lines of an event; some events have none."""
        self._progress.feed(event, job)
        self.told(job).hear(event)
        line = self._clip_line(event, job) or self._run_line(event, job)
        progress = None if isinstance(event, events.Notice) else self._due_progress()
        return [line for line in (line, progress) if line is not None]

    def _clip_line(self, event: events.Event, job: str | None) -> Line | None:
        """Return the line of an event about a clip."""
        code = hint = None
        level = "info"
        match event:
            case events.ClipStarted():
                self._paths[job, event.index] = event.path
                text = f"{event.action}, {seconds_text(event.total_seconds)}"
            case events.ClipFinished():
                peak = f", peak {size_text(event.peak_memory_bytes)}" if event.peak_memory_bytes else ""
                text = f"done in {seconds_text(event.elapsed_seconds)}{peak}"
            case events.ClipFailed():
                text, level, code, hint = f"FAILED: {escape(event.message)}", "error", event.code, event.hint
            case _:
                return None
        path = self._paths.get((job, event.index))
        if not isinstance(event, events.ClipStarted):
            self._paths.pop((job, event.index), None)
        clips = self._progress.clips_of(job)
        total = f"/{clips}" if event.index < clips else ""  # one task of many does not know how many they are
        number = f"[{event.index + 1}{total}]"
        return Line(text, level, job, number, path, code, hint, event)

    def _run_line(self, event: events.Event, job: str | None) -> Line | None:
        """Return the line of an event about a run, or a notice."""
        if isinstance(event, events.Notice):
            text = escape(event.message)
            return Line(text, event.level, job, "", event.path, event.code, event.hint, event)
        if isinstance(event, events.RunStarted):
            self._starts[job] = self._clock()
        if isinstance(event, events.RunFinished):
            level = {"success": "info", "partial": "warning"}.get(event.status, "error")
            code = f" ({event.code})" if event.code else ""
            seconds = self._clock() - self._starts.pop(job, self._clock())
            return Line(f"finished: {event.status}{code} after {rounded_text(seconds)}", level, job, event=event)
        text = self._text(event)
        return Line(text, "info", job, event=event) if text else None

    def _text(self, event: events.Event) -> str:
        match event:
            case events.RunStarted():
                jobs = f"{counted(event.total_jobs, 'job')}, " if event.total_jobs is not None else ""
                return f"{event.command}: {jobs}{counted(event.total_clips, 'clip')}"
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
            case _:
                return ""

    def _due_progress(self) -> Line | None:
        progress = self._progress
        elapsed = progress.elapsed_seconds
        if elapsed < self._next_at:
            return None
        while self._next_at <= elapsed:
            self._next_at += min(self._next_at, _LONGEST_INTERVAL)
        overall = progress.overall()
        if overall.phase is Phase.DONE:
            return None
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
            if sample.free_disk_bytes is not None:
                parts.append(f"{size_text(sample.free_disk_bytes)} of disk free")
        return Line(f"{overall.phase.verb}: {', '.join(parts)}")

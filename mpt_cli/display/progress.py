"""RunProgress: what is known of a run from its events alone; the panel and the plain lines read it.

Holds running clips and the last ended ones, never all: ten thousand clips cost what ten do. Not
thread-safe; its owner holds a lock. Accepts any order of events and never raises for one.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli import events
from mpt_cli.display.state import ClipLine, ClipState, Overall, Phase
from mpt_cli.display.text import cell_width, escape

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_ENDED = 200
KEPT_NOTICES = 5

_MIN_ELAPSED_SECONDS = 5.0
_MIN_SHARE = 0.01


@dataclass(slots=True)
class _Run:
    clips: int
    phase: Phase = Phase.CHECKING
    join_started: float = 0.0
    join_total: float | None = None
    join_done: float = 0.0


def number(value: float | None) -> float:
    """Return the value, or 0 where it is missing, negative or not a number."""
    return float(value) if value is not None and math.isfinite(value) and value > 0 else 0.0


def time_left(done: float, total: float, elapsed: float) -> float | None:
    """Return the seconds left at the speed so far; None before that means anything."""
    if elapsed < _MIN_ELAPSED_SECONDS or min(done, total) <= 0 or done < total * _MIN_SHARE:
        return None
    return max(0.0, (total - done) * elapsed / done)


class RunProgress:
    """Counts and the visible clips of one run, or of the runs of a batch together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin with nothing known; ``clock`` returns seconds and never goes back."""
        self._clock = clock
        self._started_at: float | None = None
        self._work_started_at = 0.0
        self._runs: dict[str | None, _Run] = {}
        self._given_seconds = self._started_seconds = self._ended_seconds = self._quick_seconds = 0.0
        self._given_clips = self._started_clips = 0
        self.command = ""
        self.total_clips = 0
        self.finished_count = self.failed_count = self.invalid_count = self.warning_count = 0
        self.longest_name = 0
        self.running: dict[tuple[str | None, int], ClipLine] = {}
        self.finished: deque[ClipLine] = deque(maxlen=KEPT_ENDED)
        self.failed: deque[ClipLine] = deque(maxlen=KEPT_ENDED)
        self.notices: deque[events.Notice] = deque(maxlen=KEPT_NOTICES)
        self.info: events.Notice | None = None
        self.resources: events.ResourceSample | None = None

    @property
    def ended_count(self) -> int:
        """Clips that finished or failed."""
        return self.finished_count + self.failed_count

    @property
    def waiting_count(self) -> int:
        """Clips that have not started."""
        return max(0, self.total_clips - self._started_clips)

    @property
    def elapsed_seconds(self) -> float:
        """Time since the first run started."""
        return 0.0 if self._started_at is None else self._clock() - self._started_at

    def overall(self) -> Overall:
        """Return the phase and how far it is."""
        phase = min((run.phase for run in self._runs.values()), default=Phase.DONE)
        if self._started_at is None or phase is Phase.CHECKING:
            return Overall(Phase.CHECKING, None, None)
        if phase is Phase.ENCODING:
            return self._encoding()
        if phase is Phase.JOINING and len(self._runs) == 1:
            return self._joining(next(iter(self._runs.values())))
        return Overall(phase, 1.0 if phase is Phase.DONE else None, None)

    def feed(self, event: events.Event, job: str | None = None) -> None:
        """Take one event in; an unknown one changes nothing."""
        match event:
            case events.ClipProgress():
                self._clip_progress(event, job)
            case events.ResourceSample():
                self.resources = event
            case events.ClipStarted():
                self._clip_started(event, job)
            case events.ClipFinished() | events.ClipFailed():
                self._clip_ended(event, job)
            case events.Notice():
                self._notice(event)
            case _:
                self._run_event(event, job)

    def _run_event(self, event: events.Event, job: str | None) -> None:
        match event:
            case events.RunStarted():
                self._run_started(event, job)
            case events.RunFinished():
                self._runs.pop(job, None)
            case events.ValidationFinished():
                self._validated(event, self._run(job))
            case events.ConcatStarted():
                run = self._run(job)
                run.phase, run.join_started = Phase.JOINING, self._clock()
                run.join_total, run.join_done = number(event.total_seconds) or None, 0.0
            case events.ConcatProgress():
                run = self._run(job)
                run.join_done = number(event.done_seconds)
                # The last picture is written; what is left before the event of the end is the proof.
                if run.join_total and run.join_done >= run.join_total:
                    run.phase = Phase.VERIFYING
            case events.ConcatFinished():
                self._run(job).phase = Phase.VERIFYING

    def _run(self, job: str | None) -> _Run:
        return self._runs.setdefault(job, _Run(clips=0))

    def _run_started(self, event: events.RunStarted, job: str | None) -> None:
        if self._started_at is None:
            self._started_at = self._clock()
        self.command = event.command
        self._runs[job] = _Run(clips=event.total_clips)
        self.total_clips += event.total_clips
        if event.total_seconds is not None:
            self._given_seconds += number(event.total_seconds)
            self._given_clips += event.total_clips

    def _validated(self, event: events.ValidationFinished, run: _Run) -> None:
        run.phase = Phase.ENCODING
        self.invalid_count += event.invalid
        usable = min(run.clips, event.valid)
        self.total_clips += usable - run.clips
        run.clips = usable

    def _clip_started(self, event: events.ClipStarted, job: str | None) -> None:
        if not self._started_clips:
            self._work_started_at = self._clock()
        self._started_clips += 1
        self._started_seconds += number(event.total_seconds)
        self.total_clips = max(self.total_clips, self._started_clips)
        run = self._run(job)
        run.phase = max(run.phase, Phase.ENCODING)
        name = escape(event.path.name if job is None else f"{job}: {event.path.name}")
        self.longest_name = max(self.longest_name, cell_width(name))
        self.running[job, event.index] = ClipLine(event.index, name, event.action, number(event.total_seconds))

    def _clip_progress(self, event: events.ClipProgress, job: str | None) -> None:
        clip = self.running.get((job, event.index))
        if clip is not None:
            clip.done_seconds = min(number(event.done_seconds), clip.total_seconds)
            clip.speed, clip.memory_bytes = event.speed, event.memory_bytes

    def _clip_ended(self, event: events.ClipFinished | events.ClipFailed, job: str | None) -> None:
        clip = self.running.pop((job, event.index), None)
        if clip is None:
            clip = ClipLine(event.index, f"clip {event.index + 1}", "", 0.0)
        self._ended_seconds += clip.total_seconds
        if isinstance(event, events.ClipFailed):
            clip.state, clip.note = ClipState.FAILED, escape(f"{event.message} ({event.code})")
            self.failed_count += 1
            self.failed.append(clip)
            return
        clip.state, clip.done_seconds = ClipState.FINISHED, clip.total_seconds
        clip.elapsed_seconds, clip.memory_bytes = event.elapsed_seconds, event.peak_memory_bytes
        self._quick_seconds += clip.total_seconds if clip.action != "encode" else 0.0
        self.finished_count += 1
        self.finished.append(clip)

    def _notice(self, event: events.Notice) -> None:
        if event.level == "info":
            self.info = event
        else:
            self.warning_count += 1
            self.notices.append(event)

    def _encoding(self) -> Overall:
        running = sum(clip.done_seconds for clip in self.running.values())
        done, total = self._ended_seconds + running, self._expected_seconds()
        # Copied and reused clips end at once: they count as done, and say nothing about the speed.
        quick = self._quick_seconds if self._quick_seconds < done else 0.0
        left = time_left(done - quick, total - quick, self._clock() - self._work_started_at)
        return Overall(Phase.ENCODING, min(1.0, done / total) if total > 0 else None, left)

    def _joining(self, run: _Run) -> Overall:
        if not run.join_total:
            return Overall(Phase.JOINING, None, None)
        left = time_left(run.join_done, run.join_total, self._clock() - run.join_started)
        return Overall(Phase.JOINING, run.join_done / run.join_total, left)

    def _expected_seconds(self) -> float:
        """Seconds of all clips: as announced, and for the others the mean of those that started."""
        mean = self._started_seconds / self._started_clips if self._started_clips else 0.0
        unannounced = max(0, self.total_clips - self._given_clips)
        return max(self._given_seconds + mean * unannounced, self._started_seconds)

"""Progress of a run, computed from its events; read by the live panel and the plain lines.

Keeps the running clips and the last ended ones, never all: ten thousand clips need the memory of ten.
Not thread-safe: the owner holds a lock. Accepts events in any order and never raises.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mpt_cli.display.run_lines import ClipLine, ClipState, Overall, Phase, Rows
from mpt_cli.display.text import cell_width
from mpt_cli.model.formatting import escape
from mpt_cli.runtime import events

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_NOTICES = 5

_MIN_ELAPSED_SECONDS = 5.0
_MIN_SHARE = 0.01


@dataclass(slots=True)
class _Run:
    clips: int
    requested: int = 0
    """Clips of the request, unusable ones included: the total in ``[3/12]``."""
    phase: Phase = Phase.CHECKING
    line: ClipLine | None = None
    """Row of the job in a batch."""
    started: float = 0.0
    started_clips: int = 0
    given_seconds: float | None = None
    """Total length that validation reported, or None."""
    ended_seconds: float = 0.0
    quick_seconds: float = 0.0
    """Part of ``ended_seconds`` that was copied or reused."""
    running: dict[int, ClipLine] = field(default_factory=dict)
    join_started: float = 0.0
    join_total: float | None = None
    join_done: float = 0.0


def number(value: float | None) -> float:
    """Return the value, or 0 if it is missing, negative or not finite."""
    return float(value) if value is not None and math.isfinite(value) and value > 0 else 0.0


def time_left(done: float, total: float, elapsed: float) -> float | None:
    """Return the seconds left at the speed so far, or None while too little is done for an estimate."""
    if elapsed < _MIN_ELAPSED_SECONDS or min(done, total) <= 0 or done < total * _MIN_SHARE:
        return None
    return max(0.0, (total - done) * elapsed / done)


def _seconds_of(clip: ClipLine) -> float:
    """Return the seconds left for a clip at its own speed, or 0 if the speed is unknown."""
    return (clip.total_seconds - clip.done_seconds) / clip.speed if clip.speed and clip.speed > 0 else 0.0


class RunProgress:
    """Counts and visible clips of one run, or of all runs of a batch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with empty counts; ``clock`` is monotonic, in seconds."""
        self._clock = clock
        self._started_at: float | None = None
        self._work_started_at = 0.0
        self._runs: dict[str | None, _Run] = {}
        self._given_seconds = self._started_seconds = self._ended_seconds = self._quick_seconds = 0.0
        self._given_clips = self._started_clips = 0
        self.total_clips = 0
        self.invalid_count = self.warning_count = 0
        self.total_jobs: int | None = None
        self.longest_name = 0
        self.clips, self.jobs = Rows(), Rows()
        self.notices: deque[events.Notice] = deque(maxlen=KEPT_NOTICES)
        self.info: events.Notice | None = None
        self.resources: events.ResourceSample | None = None

    @property
    def waiting_count(self) -> int:
        """Count of clips that have not started."""
        return max(0, self.total_clips - self._started_clips)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the first run started."""
        return 0.0 if self._started_at is None else self._clock() - self._started_at

    def clips_of(self, job: str | None) -> int:
        """Return the number of clips in a run, or in all runs if this one is unknown."""
        run = self._runs.get(job)
        return run.requested if run is not None and run.requested else self.total_clips

    @property
    def rows(self) -> Rows:
        """Rows of the panel: clips, or the jobs of a batch."""
        return self.clips if self.total_jobs is None else self.jobs

    def overall(self) -> Overall:
        """Return the phase and its progress."""
        if self.total_jobs is not None and self.jobs.ended_count < self.total_jobs:
            return self._encoding() if self._started_clips else Overall(Phase.CHECKING, None, None)
        phase = min((run.phase for run in self._runs.values()), default=Phase.DONE)
        if self._started_at is None or phase is Phase.CHECKING:
            return Overall(Phase.CHECKING, None, None)
        if phase is Phase.ENCODING:
            return self._encoding()
        if phase is Phase.JOINING and len(self._runs) == 1:
            return self._joining(next(iter(self._runs.values())))
        return Overall(phase, 1.0 if phase is Phase.DONE else None, None)

    def feed(self, event: events.Event, job: str | None = None) -> None:
        """Update the progress with one event; ignore unknown ones."""
        match event:
            case events.ClipProgress():
                self._clip_progress(event, job)
            case events.ResourceSample():
                self.resources = event
            case events.ClipStarted():
                self._clip_started(event, job)
            case events.ClipFinished() | events.ClipFailed():
                self._clip_ended(event, job)
            case events.ClipsRestarted():
                self._clips_restarted(event, job)
            case events.Notice():
                self._notice(event)
            case _:
                self._run_event(event, job)

    def _run_event(self, event: events.Event, job: str | None) -> None:
        match event:
            case events.RunStarted():
                self._run_started(event, job)
            case events.RunFinished():
                self._run_finished(event, job)
            case events.ValidationFinished():
                self._validated(event, self._run(job))
            case events.ConcatStarted():
                run = self._run(job)
                run.phase, run.join_started = Phase.JOINING, self._clock()
                run.join_total, run.join_done = number(event.total_seconds) or None, 0.0
            case events.ConcatProgress():
                run = self._run(job)
                run.join_done = number(event.done_seconds)
                # The last frame is written; only the proof is left before the event of the end.
                if run.join_total and run.join_done >= run.join_total:
                    run.phase = Phase.VERIFYING
            case events.ConcatFinished():
                self._run(job).phase = Phase.DONE
            case events.PicturesStarted():
                self._run(job).phase = Phase.PICTURES

    def _run(self, job: str | None) -> _Run:
        return self._runs.setdefault(job, _Run(clips=0))

    def _run_started(self, event: events.RunStarted, job: str | None) -> None:
        if self._started_at is None:
            self._started_at = self._clock()
        if event.total_jobs is not None:
            self.total_jobs, self.total_clips = event.total_jobs, event.total_clips
            return
        run = self._runs[job] = _Run(event.total_clips, event.total_clips, started=self._clock())
        if self.total_jobs is not None:
            self._job_started(run, job)
            return
        self.total_clips += event.total_clips

    def _job_started(self, run: _Run, job: str | None) -> None:
        name = escape(job or "")
        self.longest_name = max(self.longest_name, cell_width(name))
        run.line = ClipLine(self.jobs.ended_count + len(self.jobs.running), name, "job", 0.0)
        self.jobs.start(job, run.line)

    def _run_finished(self, event: events.RunFinished, job: str | None) -> None:
        run = self._runs.pop(job, None)
        if run is None or run.line is None:
            return
        waiting = max(0, run.clips - run.started_clips)
        self.total_clips -= waiting
        if run.given_seconds is not None:
            self._given_seconds -= max(0.0, run.given_seconds - run.ended_seconds)
            self._given_clips -= waiting
        line, good = run.line, event.status in ("success", "partial")
        line.state = ClipState.FINISHED if good else ClipState.FAILED
        line.elapsed_seconds, line.memory_bytes = self._clock() - run.started, None
        line.note = f"{event.status} ({event.code})" if event.code else event.status
        self.jobs.end(job, line)

    def _update_job(self, job: str | None) -> None:
        """Update the row of a job with the progress, memory and speed of its clips."""
        run = self._runs.get(job)
        if run is None or run.line is None:
            return
        clips = list(run.running.values())
        run.line.done_seconds = run.ended_seconds + sum(clip.done_seconds for clip in clips)
        run.line.memory_bytes = sum(clip.memory_bytes or 0 for clip in clips) or None
        run.line.speed = sum(clip.speed or 0.0 for clip in clips) or None

    def _validated(self, event: events.ValidationFinished, run: _Run) -> None:
        run.phase = Phase.ENCODING
        self.invalid_count += event.invalid
        usable = min(run.clips, event.valid)
        self.total_clips += usable - run.clips
        run.clips = usable
        if event.total_seconds is not None:
            run.given_seconds = number(event.total_seconds)
            self._given_seconds += run.given_seconds
            self._given_clips += usable
        if run.line is not None:
            run.line.total_seconds = number(event.total_seconds)

    def _clip_started(self, event: events.ClipStarted, job: str | None) -> None:
        if not self._started_clips:
            self._work_started_at = self._clock()
        self._started_clips += 1
        self._started_seconds += number(event.total_seconds)
        self.total_clips = max(self.total_clips, self._started_clips)
        run = self._run(job)
        run.phase = max(run.phase, Phase.ENCODING)
        run.started_clips += 1
        name = escape(event.path.name if job is None else f"{job}: {event.path.name}")
        if self.total_jobs is None:
            self.longest_name = max(self.longest_name, cell_width(name))
        line = ClipLine(event.index, name, event.action, number(event.total_seconds))
        run.running[event.index] = line
        self.clips.start((job, event.index), line)

    def _clip_progress(self, event: events.ClipProgress, job: str | None) -> None:
        clip = self.clips.running.get((job, event.index))
        if clip is not None:
            clip.done_seconds = min(number(event.done_seconds), clip.total_seconds)
            clip.speed, clip.memory_bytes = event.speed, event.memory_bytes
            self._update_job(job)

    def _clip_ended(self, event: events.ClipFinished | events.ClipFailed, job: str | None) -> None:
        key = job, event.index
        clip = self.clips.running.get(key) or ClipLine(event.index, f"clip {event.index + 1}", "", 0.0)
        quick = clip.total_seconds if isinstance(event, events.ClipFinished) and clip.action != "encode" else 0.0
        self._ended_seconds += clip.total_seconds
        self._quick_seconds += quick
        if job in self._runs:
            self._runs[job].running.pop(event.index, None)
            self._runs[job].ended_seconds += clip.total_seconds
            self._runs[job].quick_seconds += quick
            self._update_job(job)
        if isinstance(event, events.ClipFailed):
            clip.state, clip.note = ClipState.FAILED, escape(f"{event.message} ({event.code})")
        else:
            clip.state, clip.done_seconds = ClipState.FINISHED, clip.total_seconds
            clip.elapsed_seconds, clip.memory_bytes = event.elapsed_seconds, event.peak_memory_bytes
        self.clips.end(key, clip)

    def _clips_restarted(self, event: events.ClipsRestarted, job: str | None) -> None:
        """Reset the counts of a run whose clips start again."""
        run = self._run(job)
        self._started_clips -= run.started_clips
        self._started_seconds -= run.ended_seconds
        self._ended_seconds -= run.ended_seconds
        self._quick_seconds -= run.quick_seconds
        run.started_clips, run.ended_seconds, run.quick_seconds = 0, 0.0, 0.0
        self.clips.restart(event.finished, event.failed)
        self._update_job(job)

    def _notice(self, event: events.Notice) -> None:
        if event.level == "info":
            self.info = event
        else:
            self.warning_count += 1
            self.notices.append(event)

    def _encoding(self) -> Overall:
        running = sum(clip.done_seconds for clip in self.clips.running.values())
        done, total = self._ended_seconds + running, self._expected_seconds()
        # Copied and reused clips end at once: they count as done, but not for the speed.
        quick = self._quick_seconds if self._quick_seconds < done else 0.0
        left = time_left(done - quick, total - quick, self._clock() - self._work_started_at)
        slowest = max(map(_seconds_of, self.clips.running.values()), default=0.0)
        left = None if left is None else max(left, slowest)
        return Overall(Phase.ENCODING, min(1.0, done / total) if total > 0 else None, left)

    def _joining(self, run: _Run) -> Overall:
        if not run.join_total:
            return Overall(Phase.JOINING, None, None)
        left = time_left(run.join_done, run.join_total, self._clock() - run.join_started)
        return Overall(Phase.JOINING, run.join_done / run.join_total, left)

    def _expected_seconds(self) -> float:
        """Return the seconds of all clips: as validated, or the mean of the started ones for jobs not yet validated."""
        mean = self._started_seconds / self._started_clips if self._started_clips else 0.0
        unchecked = max(0, self.total_clips - self._given_clips)
        return max(self._given_seconds + mean * unchecked, self._started_seconds)

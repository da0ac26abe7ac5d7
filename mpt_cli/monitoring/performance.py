"""Time that workflows take, and use of their slots.

Seconds are those of an injected monotonic clock. A value that was not measured is None, never 0.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from mpt_cli.model.health import CurrentMetrics
from mpt_cli.model.results import Milestone, PerformanceReport

THROUGHPUT_WINDOW_SECONDS = 60
REPORTS_KEPT = 1000

logger = logging.getLogger(__name__)

Clock = Callable[[], float]
Gauge = Callable[[], float | None]
"""Returns the current value of a percentage, or None where it is not measured."""


def _not_measured() -> None:
    return None


class Timer:
    """Stopwatch that runs from its creation; as a context manager it stops at the end of the block."""

    def __init__(self, name: str, *, clock: Clock = time.monotonic) -> None:
        """Start the timer."""
        self.name = name
        self._clock = clock
        self._started = clock()
        self._stopped: float | None = None

    @property
    def duration_seconds(self) -> float:
        """Time from start to stop, or to now while the timer runs."""
        return (self._clock() if self._stopped is None else self._stopped) - self._started

    def stop(self) -> float:
        """Stop and return the duration in seconds; a stopped timer keeps its first stop."""
        if self._stopped is None:
            self._stopped = self._clock()
        return self.duration_seconds

    def ensure_stopped(self) -> None:
        """Stop the timer if it runs, for ``finally``."""
        self.stop()

    def __enter__(self) -> Self:
        """Return the running timer."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop the timer."""
        self.ensure_stopped()


@dataclass(slots=True)
class _Workflow:
    """State of one workflow, guarded by the monitor's lock; times are clock readings."""

    started: float
    total_seconds: float | None
    ended: float | None = None
    progress: float = 0
    milestones: list[Milestone] = field(default_factory=list)
    busy_seconds: float = 0.0
    slot_seconds: float = 0.0
    phase: tuple[float, int] | None = None
    memory_peak_bytes: int | None = None

    def slot_seconds_until(self, now: float) -> float:
        """Return slots times seconds of the finished processing phases and the running one."""
        if self.phase is None:
            return self.slot_seconds
        started, slots = self.phase
        return self.slot_seconds + (now - started) * slots


class PerformanceMonitor:
    """Tracks workflows and reports on them, also after they ended (the last 1,000).

    ``processing_efficiency`` is the share of the slots' time in which clips were processed: the sum
    of the clips' busy seconds / (slots x seconds of the processing phases), 0 to 1. The score is
    :func:`performance_score` of it and of the realtime factor: seconds of reel reached
    (``total_seconds`` x progress) per second of the whole workflow.
    """

    def __init__(
        self,
        *,
        clock: Clock = time.monotonic,
        cpu_percent: Gauge = _not_measured,
        memory_percent: Gauge = _not_measured,
        gpu_percent: Gauge = _not_measured,
    ) -> None:
        """Create a monitor without workflows.

        Args:
            clock: Monotonic clock, in seconds.
            cpu_percent: Gauge of the load of all cores.
            memory_percent: Gauge of the memory in use.
            gpu_percent: Gauge of the load of the GPU.
        """
        self._clock = clock
        self._cpu_percent = cpu_percent
        self._memory_percent, self._gpu_percent = memory_percent, gpu_percent
        self._lock = threading.Lock()
        self._active: dict[str, _Workflow] = {}
        self._ended: OrderedDict[str, _Workflow] = OrderedDict()
        self._first_start: float | None = None
        self._clip_ends: deque[float] = deque()

    def start_workflow(self, workflow_id: str, *, clip_count: int, total_seconds: float | None = None) -> None:
        """Start to track a workflow.

        Args:
            workflow_id: Id of the workflow.
            clip_count: Number of clips.
            total_seconds: Duration of its reel, where known.
        """
        with self._lock:
            now = self._clock()
            self._ended.pop(workflow_id, None)
            self._active[workflow_id] = _Workflow(now, total_seconds)
            if self._first_start is None:
                self._first_start = now
        logger.debug("Workflow %s begins with %d clips", workflow_id, clip_count)

    def expect(self, workflow_id: str, *, total_seconds: float) -> None:
        """Set the duration of a workflow's reel, once it is known; ignored for one that is not active."""
        with self._lock:
            workflow = self._active.get(workflow_id)
            if workflow is not None:
                workflow.total_seconds = total_seconds

    def end_workflow(self, workflow_id: str) -> None:
        """Stop a workflow's clock and keep it for reports; an unknown workflow is ignored."""
        with self._lock:
            workflow = self._active.pop(workflow_id, None)
            if workflow is None:
                return
            workflow.ended = self._clock()
            self._ended[workflow_id] = workflow
            if len(self._ended) > REPORTS_KEPT:
                self._ended.popitem(last=False)

    def record_milestone(self, workflow_id: str, name: str, progress: float) -> None:
        """Record a step of a workflow; ignored for one that is not active.

        Args:
            workflow_id: Id of the workflow.
            name: Name of the step.
            progress: Progress that the step stands for, 0 to 1; progress never goes back.
        """
        with self._lock:
            workflow = self._active.get(workflow_id)
            if workflow is not None:
                workflow.progress = max(workflow.progress, min(1.0, progress))
                at_seconds = self._clock() - workflow.started
                workflow.milestones.append(Milestone(name, at_seconds, workflow.progress))

    @contextmanager
    def processing(self, workflow_id: str, *, slots: int) -> Iterator[None]:
        """Measure a processing phase in which ``slots`` clips can be processed at once.

        A second phase of a workflow adds to the first; ignored for a workflow that is not active.
        """
        with self._lock:
            workflow = self._active.get(workflow_id)
            if workflow is not None:
                workflow.phase = self._clock(), slots
        try:
            yield
        finally:
            if workflow is not None:
                with self._lock:
                    workflow.slot_seconds, workflow.phase = workflow.slot_seconds_until(self._clock()), None

    def record_clip(self, workflow_id: str, *, busy_seconds: float) -> None:
        """Record the end of a clip and the seconds of work on it, without the wait for a slot."""
        with self._lock:
            workflow = self._active.get(workflow_id)
            if workflow is not None:
                workflow.busy_seconds += busy_seconds
                self._clip_ends.append(self._clock())
                self._forget_old_clips()

    def start_timer(self, name: str) -> Timer:
        """Return a running timer."""
        return Timer(name, clock=self._clock)

    def get_current_metrics(self) -> CurrentMetrics:
        """Return the current load."""
        cpu, memory, gpu = self._cpu_percent(), self._memory_percent(), self._gpu_percent()
        with self._lock:
            return CurrentMetrics(len(self._active), cpu, memory, self._throughput(), gpu)

    def generate_performance_report(
        self, workflow_id: str, *, memory_peak_bytes: int | None = None
    ) -> PerformanceReport:
        """Return the cost of an active or ended workflow.

        Args:
            workflow_id: Id of the workflow.
            memory_peak_bytes: Peak to report; remembered for later reports that pass None.

        Returns:
            The report.

        Raises:
            KeyError: The workflow is unknown.
        """
        with self._lock:
            workflow = self._active.get(workflow_id) or self._ended[workflow_id]
            if memory_peak_bytes is not None:
                workflow.memory_peak_bytes = memory_peak_bytes
            return _report(workflow_id, workflow, self._clock() if workflow.ended is None else workflow.ended)

    def _throughput(self) -> float | None:
        """Return the clips that ended in the last minute, per minute; None before any time has passed."""
        now = self._clock()
        self._forget_old_clips()
        observed = 0.0 if self._first_start is None else min(THROUGHPUT_WINDOW_SECONDS, now - self._first_start)
        return 60 * len(self._clip_ends) / observed if observed > 0 else None

    def _forget_old_clips(self) -> None:
        oldest = self._clock() - THROUGHPUT_WINDOW_SECONDS
        while self._clip_ends and self._clip_ends[0] < oldest:
            self._clip_ends.popleft()


def performance_score(efficiency: float | None, realtime_factor: float | None) -> float | None:
    """Return a score from 0 to 100: the mean of slot use and of speed.

    Speed is ``r / (1 + r)`` of the realtime factor r: 0.5 at real time, towards 1 above it. So 75
    means no slot ever idle, at real time. Without an efficiency (nothing had to be processed) speed
    counts alone; without a realtime factor there is no score.
    """
    if realtime_factor is None:
        return None
    speed = realtime_factor / (1 + realtime_factor)
    return 100 * (speed if efficiency is None else (efficiency + speed) / 2)


def _report(workflow_id: str, workflow: _Workflow, now: float) -> PerformanceReport:
    wall_seconds = now - workflow.started
    slot_seconds = workflow.slot_seconds_until(now)
    efficiency = min(1.0, workflow.busy_seconds / slot_seconds) if slot_seconds > 0 else None
    realtime_factor = None
    if workflow.total_seconds is not None and wall_seconds > 0:
        realtime_factor = workflow.total_seconds * workflow.progress / wall_seconds
    return PerformanceReport(
        workflow_id=workflow_id,
        total_duration_seconds=wall_seconds,
        processing_efficiency=efficiency,
        memory_peak_bytes=workflow.memory_peak_bytes,
        performance_score=performance_score(efficiency, realtime_factor),
        milestones=tuple(workflow.milestones),
    )

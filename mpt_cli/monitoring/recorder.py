"""Recorder of the timeline of a run: the time span of each clip, and the use of memory and cores."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mpt_cli.model.run_record import ClipSpan, ResourcePoint, Timeline
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipStarted, ResourceSample

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.runtime.events import Emit, Event

MOST_POINTS = 600
"""Points of memory and cores that are kept of a run, however long it takes: 150 seconds as they are sampled."""


class Recorder:
    """Records events of one run from several threads; its clock starts when it is created."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most_points: int = MOST_POINTS) -> None:
        """Start the clock.

        Args:
            clock: Monotonic clock, in seconds.
            most_points: Largest number of points to keep; even.
        """
        self._clock, self._started = clock, clock()
        self._lock = threading.Lock()
        self._spans: dict[int, ClipSpan] = {}
        self._samples = _Samples(most_points)
        self._budget_bytes: int | None = None

    def hearing(self, emit: Emit) -> Emit:
        """Return an emit that passes each event to this recorder, and then to ``emit``."""

        def both(event: Event) -> object:
            self.note(event)
            return emit(event)

        return both

    def note(self, event: Event) -> None:
        """Record an event; a clip that starts again counts from its last start."""
        now = self._clock() - self._started
        with self._lock:
            if isinstance(event, ClipStarted):
                self._spans[event.index] = ClipSpan(event.index, now, None)
            elif isinstance(event, ClipFinished | ClipFailed) and (span := self._spans.get(event.index)):
                self._spans[event.index] = ClipSpan(event.index, span.started_seconds, now)
            elif isinstance(event, ResourceSample):
                self._budget_bytes = event.budget_bytes
                self._samples.add(ResourcePoint(now, event.memory_bytes, event.cpu_percent))

    def timeline(self) -> Timeline:
        """Return the timeline so far."""
        with self._lock:
            spans = sorted(self._spans.values(), key=lambda span: (span.started_seconds, span.index))
            return Timeline(tuple(spans), self._samples.points(), self._budget_bytes)


class _Samples:
    """Row of samples of bounded length: when it is full, each two become one, also of those to come."""

    def __init__(self, most: int) -> None:
        self._most, self._per_point = most, 1
        self._points: list[ResourcePoint] = []
        self._waiting: list[ResourcePoint] = []

    def add(self, sample: ResourcePoint) -> None:
        self._waiting.append(sample)
        if len(self._waiting) < self._per_point:
            return
        self._points.append(_merged(self._waiting))
        self._waiting.clear()
        if len(self._points) == self._most:
            self._points = [_merged(pair) for pair in zip(self._points[::2], self._points[1::2], strict=True)]
            self._per_point *= 2

    def points(self) -> tuple[ResourcePoint, ...]:
        rest = [_merged(self._waiting)] if self._waiting else []
        return (*self._points, *rest)


def _merged(samples: list[ResourcePoint] | tuple[ResourcePoint, ...]) -> ResourcePoint:
    cpu = sum(sample.cpu_percent for sample in samples) / len(samples)
    return ResourcePoint(samples[-1].at_seconds, max(sample.memory_bytes for sample in samples), cpu)

"""Seconds in which this process ran: a clock that stands still while we are stopped. Imports nothing of mpt.

Ctrl-Z, ``docker pause``, a debugger or a virtual machine that is put aside stop us for as long as they
like, mostly with our children. A limit of time counts none of that: nothing stood still.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_SECONDS = 0.5
"""Who wakes that much later than planned was stopped; a busy machine makes late by tenths."""


class RunningClock:
    """A monotonic clock without the pauses; several threads may read it, and notice the same pause."""

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        """Count by this clock, which may run on while we do not."""
        self._read, self._paused, self._lock = read, 0.0, threading.Lock()

    def __call__(self) -> float:
        """Return the time in seconds, from any start."""
        return self._read() - self._paused

    def woken(self, due: float) -> float:
        """Return the time, for a caller that planned to run again at ``due``.

        A caller that is late was stopped meanwhile: the clock is put back to ``due``.
        """
        with self._lock:
            late = self() - due
            if late > LATE_SECONDS:
                self._paused += late
            return self()


class ChildClocks:
    """The two clocks of one child: since its start, and since it last got on; ``None`` is no limit."""

    def __init__(self, total_seconds: float | None, stall_seconds: float | None, clock: RunningClock) -> None:
        """Start both."""
        self._clock, self._stall_seconds = clock, math.inf if stall_seconds is None else stall_seconds
        self.started = self._progress_at = self._looked_at = self._due = clock()
        self._end = math.inf if total_seconds is None else self.started + total_seconds

    @property
    def elapsed_seconds(self) -> float:
        """How long the child has been running."""
        return self._clock() - self.started

    @property
    def limit(self) -> float:
        """When the first of the limits is reached."""
        return min(self._end, self._progress_at + self._stall_seconds)

    def is_over(self, now: float) -> bool:
        """Return whether the total limit is reached."""
        return now >= self._end

    def progress(self) -> None:
        """Note that the child got on; any thread may."""
        self._progress_at = self._clock()

    def look(self) -> float:
        """Return the time; a pause since the last planned look is not in it.

        A thread may have noted progress after the pause and before this look: by a time that is ahead now.
        """
        now = self._clock.woken(self._due)
        self._progress_at = min(self._progress_at, now)
        return now

    def count(self, now: float, *, stopped: bool) -> None:
        """Count the time since the last call, unless the child was stopped: then it could not get on."""
        if stopped:
            self._end += now - self._looked_at
            self._progress_at = now
        self._looked_at = now

    def until(self, time_of_other: float, now: float) -> float:
        """Plan the next look, at this time or the next limit; return how many seconds are left."""
        self._due = min(self.limit, time_of_other)
        return self._due - now

"""Clocks that count only the seconds in which this process ran. Imports nothing of mpt.

Ctrl-Z, ``docker pause``, a debugger or a suspended virtual machine can stop this process for any time,
mostly together with its children. A time limit does not count such a pause, because no child hung.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LATE_SECONDS = 0.5
"""A thread that wakes this much later than planned was stopped; a busy machine delays by tenths."""


class RunningClock:
    """Monotonic clock without the pauses; several threads may read it, and notice the same pause."""

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        """Count by a monotonic clock, which may run on while this process is stopped."""
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
    """The two clocks of one child: since its start, and since its last progress."""

    def __init__(self, total_seconds: float | None, stall_seconds: float | None, clock: RunningClock) -> None:
        """Start both clocks; a limit of None is no limit."""
        self._clock, self._stall_seconds = clock, math.inf if stall_seconds is None else stall_seconds
        self.started = self._progress_at = self._looked_at = self._due = clock()
        self._end = math.inf if total_seconds is None else self.started + total_seconds

    @property
    def elapsed_seconds(self) -> float:
        """Running time of the child."""
        return self._clock() - self.started

    @property
    def limit(self) -> float:
        """Time at which the first of the limits is reached."""
        return min(self._end, self._progress_at + self._stall_seconds)

    def is_over(self, now: float) -> bool:
        """Return True if the total limit is reached."""
        return now >= self._end

    def progress(self) -> None:
        """Record progress of the child; any thread may call this."""
        self._progress_at = self._clock()

    def look(self) -> float:
        """Return the time, without a pause since the last planned look.

        A thread may have recorded progress after the pause and before this look: by a time that is ahead now.
        """
        now = self._clock.woken(self._due)
        self._progress_at = min(self._progress_at, now)
        return now

    def count(self, now: float, *, stopped: bool) -> None:
        """Count the time since the last call, unless the child was stopped and so could not progress."""
        if stopped:
            self._end += now - self._looked_at
            self._progress_at = now
        self._looked_at = now

    def until(self, time_of_other: float, now: float) -> float:
        """Plan the next look, at this time or the next limit; return the seconds that are left."""
        self._due = min(self.limit, time_of_other)
        return self._due - now

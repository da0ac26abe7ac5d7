"""Throttle: how often progress is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_INTERVAL_SECONDS = 0.5


class Throttle:
    """Lets a report pass at most twice a second; not safe for several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Let the first report pass; ``clock`` is in seconds and never negative."""
        self._clock, self._next = clock, 0.0

    def is_due(self) -> bool:
        """Return whether a report may pass now; the next one then waits."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + _INTERVAL_SECONDS
        return True

"""StepOrder: which clip, or part of one, is worked on next."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from statistics import median_low
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mpt_cli.planning.planned_clip import PlannedClip

_SPARE_SHARE = 0.8
"""Share of the time that is left in which steps that wait for memory must fit one after another: not all of it, because
their work is only estimated."""


class StepOrder:
    """Steps of a run: the longest first, and those that need much memory one after another where that costs no time.

    Without this, the peak of a run grows with the number of its clips: of 12 clips one is 4K, of 60 five are, and two
    of them side by side need 1.2 times the memory (540x960, draft, two jobs). Several threads take steps.
    """

    def __init__(self, steps: Sequence[PlannedClip], jobs: int, *, budget_bytes: float = math.inf) -> None:
        """Order steps.

        Args:
            steps: The steps, at least one.
            jobs: Number of steps in work at a time.
            budget_bytes: Memory for all steps in work: one that does not fit lets others pass.
        """
        self._jobs, self._lock = jobs, threading.Lock()
        self._rest = sorted(steps, key=lambda step: step.work, reverse=True)
        self._rest_work, self._taken_bytes = sum(step.work for step in steps), 0
        needs = [step.need_bytes for step in steps]
        self._budget_bytes = budget_bytes
        self._wanted_bytes = min(budget_bytes, max(needs) + (jobs - 1) * median_low(needs))

    def __len__(self) -> int:
        """Return the number of steps that nobody took."""
        return len(self._rest)

    @contextmanager
    def taken(self) -> Iterator[PlannedClip]:
        """Take the next step; its memory counts while the context is open."""
        with self._lock:
            step = self._rest.pop(self._next())
            self._rest_work -= step.work
            self._taken_bytes += step.need_bytes
        try:
            yield step
        finally:
            with self._lock:
                self._taken_bytes -= step.need_bytes

    def _next(self) -> int:
        """Return the index of the longest step that needs little beside those in work; else of what can wait least."""
        if not self._taken_bytes:
            return 0
        spare, passed, least = self._rest_work / self._jobs * _SPARE_SHARE, 0, None
        for index, step in enumerate(self._rest):
            together = self._taken_bytes + step.need_bytes
            if together <= self._wanted_bytes:
                return index
            if together <= self._budget_bytes and (least is None or step.need_bytes < self._rest[least].need_bytes):
                least = index
            passed += step.work
            if least is not None and passed > spare:
                return least
        return least or 0

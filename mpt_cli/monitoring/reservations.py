"""Reserved memory of clips in progress: predicted needs, corrected by measured peaks."""

from __future__ import annotations

import threading

_LEAST_RATIO, _MOST_RATIO = 0.5, 4.0
"""Bounds of the correction: a need counts for at least half and at most four times itself."""


class Reservations:
    """Sum of needs in bytes. The largest ratio of a peak to its predicted need corrects all later ones."""

    def __init__(self) -> None:
        """Start with nothing reserved and no correction."""
        self._lock = threading.Lock()
        self._reserved = 0
        self._ratio: float | None = None

    @property
    def total_bytes(self) -> int:
        """Sum of the reserved needs, corrected by measured peaks."""
        return self.corrected(self._reserved)

    def corrected(self, need_bytes: int) -> int:
        """Return a predicted need, corrected by the peaks measured so far."""
        return int(need_bytes * (1.0 if self._ratio is None else self._ratio))

    def add(self, need_bytes: int) -> None:
        """Reserve a predicted need."""
        with self._lock:
            self._reserved += need_bytes

    def remove(self, need_bytes: int) -> None:
        """Release a predicted need."""
        with self._lock:
            self._reserved = max(0, self._reserved - need_bytes)

    def learn_total(self, peak_bytes: int) -> None:
        """Update the correction with the measured memory of all that is reserved now."""
        self.learn(self._reserved, peak_bytes)

    def learn(self, need_bytes: int, peak_bytes: int) -> None:
        """Update the correction with the measured peak of a need."""
        if need_bytes <= 0 or peak_bytes <= 0:
            return
        ratio = min(_MOST_RATIO, max(_LEAST_RATIO, peak_bytes / need_bytes))
        with self._lock:
            self._ratio = ratio if self._ratio is None else max(self._ratio, ratio)

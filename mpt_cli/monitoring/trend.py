"""Trend of memory use over the last seconds."""

from __future__ import annotations

from collections import deque

WINDOW_SECONDS = 10.0
_LEAST_SAMPLES, _LEAST_SECONDS = 8, 1.5
"""Fewer samples, or a shorter time, show a start and not a trend."""


class Trend:
    """Line through the samples of the last ten seconds."""

    def __init__(self) -> None:
        """Start without samples."""
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at_seconds: float, value: int) -> None:
        """Add a sample and drop those older than the window."""
        self._samples.append((at_seconds, value))
        while self._samples[0][0] < at_seconds - WINDOW_SECONDS:
            self._samples.popleft()

    def slope(self) -> float:
        """Return the rise per second, by least squares; 0 where there are too few samples.

        A sawtooth of many small clips has a slope near 0, a leak has one as steep as it is.
        """
        if len(self._samples) < _LEAST_SAMPLES or self._samples[-1][0] - self._samples[0][0] < _LEAST_SECONDS:
            return 0.0
        count = len(self._samples)
        mean_time = sum(at for at, _ in self._samples) / count
        mean_value = sum(value for _, value in self._samples) / count
        spread = sum((at - mean_time) ** 2 for at, _ in self._samples)
        return sum((at - mean_time) * (value - mean_value) for at, value in self._samples) / spread

    def reaches(self, limit: int, within_seconds: float) -> bool:
        """Return True if the line, from the last sample on, meets a limit within this time."""
        slope = self.slope()
        return slope > 0 and (limit - self._samples[-1][1]) / slope <= within_seconds

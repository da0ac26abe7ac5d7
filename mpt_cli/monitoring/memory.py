"""MemoryManager: how much memory the run may use, how much it uses, and what still fits.

It measures the whole process tree, because the memory is in the ffmpeg children. It starts, stops
and deletes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mpt_cli.monitoring.system import PsutilReader, SystemReader, default_budget_bytes

if TYPE_CHECKING:
    from mpt_cli.config import MemoryConfig

SAMPLE_INTERVAL_SECONDS = 0.25
SYSTEM_MARGIN = 1.5
"""The machine must have this many times the required memory available."""
CLOSED_WORKFLOWS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One look at the process tree; ``cpu_percent`` (0 to 100) is the load of all cores."""

    tree_bytes: int
    budget_bytes: int
    cpu_percent: float


Listener = Callable[[MemorySample], object]
"""Receives each sample in the sampling thread; must not raise and must be quick."""


class MemoryManager:
    """Samples the process tree, keeps the peaks of workflows, and says what fits the budget.

    The budget is held as sampled: spikes between two samples can pass it.
    """

    def __init__(
        self,
        config: MemoryConfig,
        *,
        system: SystemReader | None = None,
        clock: Callable[[], float] = time.monotonic,
        interval_seconds: float = SAMPLE_INTERVAL_SECONDS,
    ) -> None:
        """Fix the budget: ``config.max``, else 80 % of the smaller of RAM and control group limit."""
        self._system = system or PsutilReader()
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._budget_bytes = config.max or default_budget_bytes(self._system)
        self._lock = threading.Lock()
        self._listeners: dict[object, Listener] = {}
        self._measured: tuple[float, int] | None = None
        self._cpu_percent: float | None = None
        self._open_peaks: dict[str, int] = {}
        self._closed_peaks: dict[str, int] = {}
        self._reserved_bytes = 0
        self._sampler: tuple[threading.Thread, threading.Event] | None = None

    # Sampling

    def initialize(self) -> None:
        """Start the sampling thread; nothing happens if it runs."""
        with self._lock:
            if self._sampler is None:
                stop = threading.Event()
                thread = threading.Thread(target=self._run, args=(stop,), name="mpt-memory", daemon=True)
                self._sampler = thread, stop
                thread.start()

    def close(self) -> None:
        """End the sampling thread, if it runs; afterwards no listener is called."""
        with self._lock:
            sampler, self._sampler = self._sampler, None
        if sampler is not None:
            thread, stop = sampler
            stop.set()
            thread.join()

    def __enter__(self) -> Self:
        """Start sampling."""
        self.initialize()
        return self

    def __exit__(self, *_exception: object) -> None:
        """End sampling."""
        self.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every sample; the function returned ends that."""
        key = object()

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        with self._lock:
            self._listeners[key] = listener
        return unsubscribe

    def sample(self) -> MemorySample:
        """Take one sample and give it to the listeners: what the sampling thread does each time."""
        tree_bytes, cpu_percent = self._measure(), self._system.cpu_percent()
        sample = MemorySample(tree_bytes, self._budget_bytes, cpu_percent)
        with self._lock:
            self._cpu_percent = cpu_percent
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            listener(sample)
        return sample

    def _run(self, stop: threading.Event) -> None:
        self._system.cpu_percent()  # the first answer in a thread covers no time
        while not stop.wait(self._interval_seconds):
            self.sample()

    def _measure(self) -> int:
        tree_bytes = self._system.tree_rss_bytes()
        with self._lock:
            self._measured = self._clock(), tree_bytes
            for workflow_id, peak in self._open_peaks.items():
                self._open_peaks[workflow_id] = max(peak, tree_bytes)
        return tree_bytes

    # What is used

    @property
    def budget_bytes(self) -> int:
        """What the whole process tree may use."""
        return self._budget_bytes

    @property
    def reserved_bytes(self) -> int:
        """Sum of the predicted needs that were admitted and not yet released."""
        with self._lock:
            return self._reserved_bytes

    def get_usage_bytes(self) -> int:
        """Memory of the process tree, measured at most one sampling interval ago."""
        measured = self._measured
        if measured is not None and self._clock() - measured[0] < self._interval_seconds:
            return measured[1]
        return self._measure()

    def get_usage_percentage(self) -> float:
        """Memory of the process tree in percent of the budget; can pass 100."""
        return 100 * self.get_usage_bytes() / self._budget_bytes

    def get_cpu_percentage(self) -> float | None:
        """Load of all cores at the last sample, 0 to 100; None before the first."""
        return self._cpu_percent

    # Workflows

    def initialize_for_workflow(self, workflow_id: str) -> None:
        """Keep the peak of a workflow from now on."""
        with self._lock:
            self._closed_peaks.pop(workflow_id, None)
            self._open_peaks.setdefault(workflow_id, 0)
        self._measure()

    def cleanup_workflow(self, workflow_id: str) -> None:
        """End a workflow; its peak can still be asked for. An unknown one is no error."""
        self._measure()
        with self._lock:
            peak = self._open_peaks.pop(workflow_id, None)
            if peak is not None:
                self._closed_peaks[workflow_id] = peak
                if len(self._closed_peaks) > CLOSED_WORKFLOWS_KEPT:
                    del self._closed_peaks[next(iter(self._closed_peaks))]

    def peak_bytes(self, workflow_id: str) -> int | None:
        """Largest measurement of the process tree while the workflow was open; None if unknown.

        Workflows that are open at the same time share the tree, so each sees the others too.
        """
        with self._lock:
            return self._open_peaks.get(workflow_id, self._closed_peaks.get(workflow_id))

    # Decisions

    def is_memory_available(self, required_mb: int = 500) -> bool:
        """Whether this many MiB are free both within the budget and, 1.5 times, in the machine."""
        required = required_mb * 2**20
        within_budget = self._budget_bytes - self.get_usage_bytes() > required
        return within_budget and self._system.available_bytes() > required * SYSTEM_MARGIN

    def wait_for_availability(
        self, timeout_seconds: float = 30, *, wait: Callable[[float], object] = time.sleep
    ) -> bool:
        """Wait until memory is available; the answer says whether it is.

        A true answer of ``wait`` ends the waiting, so that ``CancelToken.wait`` can be given.
        """
        deadline = self._clock() + timeout_seconds
        while not self.is_memory_available():
            left = deadline - self._clock()
            if left <= 0 or wait(min(left, self._interval_seconds)):
                return False
        return True

    def fits(self, need_bytes: int) -> bool:
        """Whether a predicted need fits the budget beside what is reserved or used.

        The larger of both counts: a clip that just began does not use yet what it reserved.
        """
        used = self.get_usage_bytes()
        with self._lock:
            return self._fits(need_bytes, used)

    def reserve(self, need_bytes: int, *, anyway: bool = False) -> bool:
        """Reserve a predicted need if it fits, or ``anyway``; whether it was reserved."""
        used = self.get_usage_bytes()
        with self._lock:
            admitted = anyway or self._fits(need_bytes, used)
            if admitted:
                self._reserved_bytes += need_bytes
        return admitted

    def release(self, need_bytes: int) -> None:
        """Give back what was reserved."""
        with self._lock:
            self._reserved_bytes = max(0, self._reserved_bytes - need_bytes)
            self._measured = None  # it still counts the clip that ended

    def _fits(self, need_bytes: int, used_bytes: int) -> bool:
        return max(used_bytes, self._reserved_bytes) + need_bytes <= self._budget_bytes

    def calculate_optimal_batch_size(self, clip_count: int, base_batch_size: int) -> int:
        """Return how many clips to keep in work at once: at least 1, at most ``clip_count``.

        By the free share of the budget: below 0.3 a third of the base (2 at least), below 0.5 half
        of it (3 at least), neither above the base; above 0.8 with more than 20 clips twice the base.
        """
        free_share = (self._budget_bytes - self.get_usage_bytes()) / self._budget_bytes
        size = base_batch_size
        if free_share < 0.3:
            size = min(size, max(2, size // 3))
        elif free_share < 0.5:
            size = min(size, max(3, size // 2))
        elif free_share > 0.8 and clip_count > 20:
            size *= 2
        return max(1, min(clip_count, size))

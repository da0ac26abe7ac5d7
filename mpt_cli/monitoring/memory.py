"""Memory budget, use and admission of runs.

The :class:`MemoryManager` measures the whole process tree, because the memory is in the ffmpeg children.
It starts and stops no work itself: the holder of resources registers a function that releases them.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from mpt_cli.model.errors import ResourceError
from mpt_cli.monitoring.admission import Admission, window_size
from mpt_cli.monitoring.reservations import Reservations
from mpt_cli.monitoring.system import PsutilReader, SystemReader, collect_garbage, default_budget_bytes
from mpt_cli.monitoring.trend import Trend
from mpt_cli.runtime.threads import Startable, start_thread

if TYPE_CHECKING:
    from mpt_cli.config.sections import MemoryConfig

SAMPLE_INTERVAL_SECONDS = 0.25
SYSTEM_MARGIN = 1.5
"""Factor by which the machine's available memory must exceed the required memory."""
SYSTEM_PRESSURE_PERCENT = 85
"""Share of the machine's memory in use above which the machine itself is short of it."""
TREND_SECONDS = 30
"""A rise that would reach the budget within this time is pressure; any other rise is none."""
CLOSED_WORKFLOWS_KEPT = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One measurement of the process tree; ``cpu_percent`` (0 to 100) is the load of all cores."""

    tree_bytes: int
    budget_bytes: int
    cpu_percent: float


Listener = Callable[[MemorySample], object]
"""Receives each sample in the sampling thread; must not raise and must be quick."""


@dataclass(slots=True)
class _Workflow:
    """Memory and resources of an open workflow; guarded by the manager's lock."""

    peak_bytes: int
    resources: set[int] = field(default_factory=set)


class MemoryManager:
    """Samples the process tree, keeps the peaks of workflows, and decides what fits the budget.

    The budget holds for the samples: spikes between two samples can pass it.
    """

    def __init__(
        self,
        config: MemoryConfig,
        *,
        system: SystemReader | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        interval_seconds: float = SAMPLE_INTERVAL_SECONDS,
        start: Callable[[Startable], object] = start_thread,
    ) -> None:
        """Set the budget: ``config.max``, else 80 % of the smaller of RAM and control group limit."""
        self._system = system or PsutilReader()
        self._clock, self._sleep = clock, sleep
        self._interval_seconds, self._start = interval_seconds, start
        self._threshold, self._cleanup_seconds = config.pressure_threshold, float(config.cleanup_interval)
        self._budget_bytes = config.max or default_budget_bytes(self._system)
        self._lock = threading.Lock()
        self._notifying = threading.RLock()  # held while listeners are called: none is called after it unsubscribed
        self._listeners: dict[object, Listener] = {}
        self._measured = -math.inf, 0
        self._counts_ended = False  # True if a clip has ended since the last measurement
        self._cpu_percent: float | None = None
        self._workflows: dict[str, _Workflow] = {}
        self._closed_peaks: dict[str, int] = {}
        self._reservations, self._trend = Reservations(), Trend()
        self._idle_bytes = 0
        self._caches: list[Callable[[], object]] = []
        self._release: Callable[[int], object] | None = None
        self._relieve: Callable[[], object] | None = None
        self._last_cleanup = clock()
        self._users = 0
        self._sampler: tuple[threading.Thread, threading.Event] | None = None

    # Sampling

    def initialize(self) -> None:
        """Start the sampling thread, or add a user to the running one; without room for a thread nothing is sampled."""
        with self._lock:
            self._users += 1
            if self._sampler is None:
                stop = threading.Event()
                thread = threading.Thread(target=self._run, args=(stop,), name="mpt-memory", daemon=True)
                with suppress(ResourceError):
                    self._start(thread)
                    self._sampler = thread, stop

    def close(self) -> None:
        """Stop the sampling thread with its last user; no listener is called afterwards."""
        with self._lock:
            self._users = max(0, self._users - 1)
            if self._users:
                return
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
        """Stop sampling."""
        self.close()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call a listener with every sample; return a function after which it is not called any more."""
        key = object()

        def unsubscribe() -> None:
            with self._notifying:
                self._listeners.pop(key, None)

        with self._notifying:
            self._listeners[key] = listener
        return unsubscribe

    @contextmanager
    def growth(self) -> Iterator[Callable[[], int]]:
        """Yield a function that returns the largest growth of the process tree since the start, in bytes."""
        start = most = self.get_usage_bytes()

        def update(sample: MemorySample) -> None:
            nonlocal most
            most = max(most, sample.tree_bytes)

        unsubscribe = self.subscribe(update)
        try:
            yield lambda: max(most, self.get_usage_bytes()) - start
        finally:
            unsubscribe()

    def sample(self) -> MemorySample:
        """Take one sample and pass it to the listeners, as the sampling thread does each time.

        Above the budget, the holder of resources is first asked to end one of them, and predictions are corrected.
        """
        tree_bytes, cpu_percent = self._measure(), self._system.cpu_percent()
        if tree_bytes > self._budget_bytes and self._relieve is not None:
            self._reservations.learn_total(tree_bytes - self._idle_bytes)
            self._relieve()
        sample = MemorySample(tree_bytes, self._budget_bytes, cpu_percent)
        self._cpu_percent = cpu_percent
        with self._notifying:
            for listener in tuple(self._listeners.values()):
                listener(sample)
        return sample

    def _run(self, stop: threading.Event) -> None:
        self._system.cpu_percent()  # the first answer in a thread covers no time
        while not stop.wait(self._interval_seconds):
            try:
                self.sample()
                if self.is_memory_pressure():
                    self.smart_cleanup()
            except OSError as error:  # no free handle, for one: the next look may succeed
                logger.warning("Memory could not be measured: %s", error)

    def _measure(self) -> int:
        was_idle = not self._reservations.total_bytes
        self._counts_ended = False
        tree_bytes = self._system.tree_rss_bytes()
        with self._lock:
            self._measured = self._clock(), tree_bytes
            self._trend.add(self._clock(), tree_bytes)
            if was_idle and not self._reservations.total_bytes:  # a clip that ended meanwhile is in the figure
                self._idle_bytes = tree_bytes
            for workflow in self._workflows.values():
                workflow.peak_bytes = max(workflow.peak_bytes, tree_bytes)
        return tree_bytes

    # What is used

    @property
    def budget_bytes(self) -> int:
        """Memory that the whole process tree may use."""
        return self._budget_bytes

    @property
    def idle_bytes(self) -> int:
        """Memory that the process tree used when no clip was in progress."""
        return self._idle_bytes

    @property
    def reserved_bytes(self) -> int:
        """Sum of the needs that were admitted and not yet released, corrected by measured peaks."""
        return self._reservations.total_bytes

    def get_usage_bytes(self) -> int:
        """Return the memory of the process tree, measured at most one sampling interval ago."""
        recent = self._recent_bytes()
        return self._measure() if recent is None or self._counts_ended else recent

    def _recent_bytes(self) -> int | None:
        """Return the last measurement, with the memory of clips that ended since; None if it is too old."""
        at, measured_bytes = self._measured
        return measured_bytes if self._clock() - at < self._interval_seconds else None

    def get_usage_percentage(self) -> float:
        """Return the memory of the process tree in percent of the budget; can pass 100."""
        return 100 * self.get_usage_bytes() / self._budget_bytes

    def get_cpu_percentage(self) -> float | None:
        """Return the load of all cores at the last sample, 0 to 100; None before the first."""
        return self._cpu_percent

    # Workflows

    def initialize_for_workflow(self, workflow_id: str) -> None:
        """Track the peak and the resources of a workflow from now on."""
        workflow = _Workflow(self.get_usage_bytes())
        with self._lock:
            self._closed_peaks.pop(workflow_id, None)
            self._workflows.setdefault(workflow_id, workflow)

    def cleanup_workflow(self, workflow_id: str) -> None:
        """Stop tracking a workflow; its peak is kept. An unknown workflow is ignored."""
        self.get_usage_bytes()
        with self._lock:
            workflow = self._workflows.pop(workflow_id, None)
            if workflow is not None:
                self._closed_peaks[workflow_id] = workflow.peak_bytes
                if len(self._closed_peaks) > CLOSED_WORKFLOWS_KEPT:
                    del self._closed_peaks[next(iter(self._closed_peaks))]

    def peak_bytes(self, workflow_id: str) -> int | None:
        """Return the largest measurement of the process tree while the workflow was open; None if unknown.

        Workflows that are open at the same time share the tree, so the peak of each includes the others.
        """
        with self._lock:
            workflow = self._workflows.get(workflow_id)
            return workflow.peak_bytes if workflow else self._closed_peaks.get(workflow_id)

    def allocate(self, workflow_id: str, resource_id: int) -> None:
        """Record that a workflow holds a resource; ignored for one that is not tracked."""
        with self._lock:
            if workflow_id in self._workflows:
                self._workflows[workflow_id].resources.add(resource_id)

    def free(self, workflow_id: str, resource_id: int) -> None:
        """Record that a workflow no longer holds a resource."""
        with self._lock:
            if workflow_id in self._workflows:
                self._workflows[workflow_id].resources.discard(resource_id)

    # Decisions

    def is_memory_available(self, required_mb: int = 500) -> bool:
        """Return True if this many MiB are free both within the budget and, 1.5 times, in the machine."""
        required = required_mb * 2**20
        within_budget = self._budget_bytes - self.get_usage_bytes() > required
        return within_budget and self._system.available_bytes() > required * SYSTEM_MARGIN

    def wait_for_availability(
        self, timeout_seconds: float = 30, *, required_mb: int = 500, wait: Callable[[float], object] = time.sleep
    ) -> bool:
        """Wait until this many MiB are available; return True if they are.

        True from ``wait`` ends the waiting, so that ``CancelToken.wait`` can be passed.
        """
        deadline = self._clock() + timeout_seconds
        while not self.is_memory_available(required_mb):
            left = deadline - self._clock()
            if left <= 0 or wait(min(left, self._interval_seconds)):
                return False
        return True

    def is_memory_pressure(self) -> bool:
        """Return True if memory is short: for the run, for the machine, or soon.

        Memory is short with the process tree above the threshold of the budget (0.8), the machine above 85 %,
        or a rise that meets the budget within 30 s.
        """
        if self.get_usage_bytes() > self._threshold * self._budget_bytes:
            return True
        used = 1 - self._system.available_bytes() / self._system.total_bytes()
        with self._lock:  # clips measure too, in threads of their own
            soon = self._trend.reaches(self._budget_bytes, TREND_SECONDS)
        return 100 * used > SYSTEM_PRESSURE_PERCENT or soon

    def fits(self, need_bytes: int) -> bool:
        """Return True if a predicted need fits the budget, and the machine, beside what is reserved or used.

        Nothing fits while the process tree is above the threshold of the budget. Where there is room even beside
        clips that have ended, no measurement is taken: one for each is much of what a short clip costs.
        """
        recent = self._recent_bytes()
        if recent is not None and self._admission(need_bytes).surely_fits(recent):
            return True
        usage = self.get_usage_bytes()  # which may change what is known of the idle tree
        return self._admission(need_bytes).fits(usage)

    def _admission(self, need_bytes: int) -> Admission:
        need, reserved = self._reservations.corrected(need_bytes), self._reservations.total_bytes
        budget, most = self._budget_bytes, self._threshold * self._budget_bytes
        return Admission(need, reserved, self._idle_bytes, budget, most, self._system.available_bytes())

    def reserve(self, need_bytes: int, *, anyway: bool = False) -> bool:
        """Reserve a predicted need if it fits, or ``anyway``; return True if it was reserved."""
        admitted = anyway or self.fits(need_bytes)
        if admitted:
            self._reservations.add(need_bytes)
        return admitted

    def release(self, need_bytes: int, *, peak_bytes: int | None = None) -> None:
        """Release a reserved need; later predictions are corrected by its measured peak, where there is one."""
        self._reservations.remove(need_bytes)
        if peak_bytes is not None:
            self._reservations.learn(need_bytes, peak_bytes)
        self._counts_ended = True

    def calculate_optimal_batch_size(self, clip_count: int, base_batch_size: int) -> int:
        """Return the number of clips to keep in progress at once; it depends on the free share of the budget."""
        free_share = (self._budget_bytes - self.get_usage_bytes()) / self._budget_bytes
        return window_size(free_share, clip_count, base_batch_size)

    # Cleaning

    def on_release(self, release: Callable[[int], object], relieve: Callable[[], object]) -> None:
        """Register the holder of resources.

        Args:
            release: Called with the id of each resource of a workflow that is cleaned up.
            relieve: Called above the budget, to end one of the resources.
        """
        self._release, self._relieve = release, relieve

    def register_cache(self, clear: Callable[[], object]) -> None:
        """Call ``clear`` when memory is cleaned, to empty a cache whose content can be had again."""
        self._caches.append(clear)

    def smart_cleanup(self, *, force: bool = False) -> int | None:
        """Collect garbage and empty caches, at most once in a cleanup interval unless ``force``.

        Returns the bytes that the process tree shrank by; None if it was too early. Frees nothing in
        ffmpeg. Pauses between collections: not for a thread that somebody waits for.
        """
        if not force and self._clock() - self._last_cleanup < self._cleanup_seconds:
            return None
        before = self._measure()
        for clear in self._caches:
            clear()
        collect_garbage(self._sleep)
        freed = before - self._measure()
        logger.debug("Memory cleanup freed %d bytes", freed)
        self._last_cleanup = self._clock()
        return freed

    def force_cleanup(self) -> None:
        """Clean now."""
        self.smart_cleanup(force=True)

    def emergency_cleanup(self, workflow_id: str) -> None:
        """Release all resources of a workflow, stop tracking it, and clean; other workflows are not touched."""
        logger.debug("Emergency cleanup triggered for workflow %s", workflow_id)  # each failed run has one
        with self._lock:
            workflow = self._workflows.get(workflow_id)
            held = sorted(workflow.resources) if workflow else []
        for resource_id in held:
            if self._release is not None:
                self._release(resource_id)
        self.cleanup_workflow(workflow_id)
        self.force_cleanup()

    def force_cleanup_all(self) -> None:
        """Release the resources of all workflows, and clean, for when this process itself is out of memory."""
        with self._lock:
            workflow_ids = list(self._workflows)
        for workflow_id in workflow_ids:
            self.emergency_cleanup(workflow_id)
        self.force_cleanup()

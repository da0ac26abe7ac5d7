"""Slots for clips in progress, given out in order of priority and then of request.

The pool counts slots and asks :class:`~mpt_cli.monitoring.memory.MemoryManager` if a clip fits. About
memory it decides only two things: one clip always runs, and which clip is preempted.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from bisect import insort
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.runtime.cancel import CancelToken

RECHECK_SECONDS = 0.25
"""Longest wait between two checks: memory comes free without a release in this pool too, and
Python handles a signal that arrives just before a wait begins only when that wait ends.
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """Request for a slot.

    Attributes:
        need_bytes: Predicted memory.
        workflow_id: Id of the workflow that holds the slot.
        priority: Rank before the order of requests, lowest first.
        alone: True to share the pool with no other work.
        preempt: Ends the work at once when memory must come free; None for work that cannot be ended.
        device: Device that the work uses beside cores and memory, or None.
        at_once: Number of works that the device takes at once.
    """

    need_bytes: int = 0
    workflow_id: str = ""
    priority: int = 0
    alone: bool = False
    preempt: Callable[[], object] | None = None
    device: str | None = None
    at_once: int = 1


@dataclass(order=True, slots=True)
class _Ticket:
    """A caller that waits for a slot."""

    priority: int
    number: int
    request: ResourceRequest = field(compare=False)
    # Woken from inside signal handlers: put() of this queue is reentrant, which neither a
    # Condition nor an Event is when the handler interrupts its own wait.
    wakes: SimpleQueue[None] = field(default_factory=SimpleQueue, compare=False)

    def wake(self) -> None:
        self.wakes.put(None)

    def pause(self, seconds: float) -> None:
        with suppress(Empty):
            self.wakes.get(timeout=seconds)


class ResourcePool:
    """Fixed number of slots, each given out with a reserved amount of memory.

    Nobody overtakes: while the first in the queue does not fit, those behind it wait, so that a
    large clip is never starved by small ones. With nothing in use the first is admitted even if
    its need exceeds the budget.
    """

    def __init__(
        self,
        slots: int,
        memory: MemoryManager,
        *,
        clock: Callable[[], float] = time.monotonic,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        """Create a pool.

        Args:
            slots: Number of slots, at least 1.
            memory: Admits needs.
            clock: Monotonic clock, in seconds.
            recheck_seconds: Longest wait between two checks.

        Raises:
            ValueError: ``slots`` is less than 1.
        """
        if slots < 1:
            raise ValueError(f"a pool needs at least 1 slot, not {slots}")
        self._slots = slots
        self._memory = memory
        self._clock = clock
        self._recheck_seconds = recheck_seconds
        self._lock = threading.Lock()
        self._queue: list[_Ticket] = []
        self._held: dict[int, ResourceRequest] = {}
        self._numbers = itertools.count(1)
        memory.on_release(self.release_resource, self.relieve)

    @property
    def slots(self) -> int:
        """Number of resources that can be in use at once."""
        return self._slots

    @property
    def in_use(self) -> int:
        """Number of resources in use."""
        return len(self._held)

    def acquire_resource(
        self,
        request: ResourceRequest | None = None,
        *,
        timeout_seconds: float | None = 30,
        cancel: CancelToken | None = None,
    ) -> int | None:
        """Wait for a slot in which the need fits.

        Args:
            request: The request; one without a need by default.
            timeout_seconds: Longest time to wait; None waits without end.
            cancel: Ends the waiting.

        Returns:
            Id of the resource; None after the timeout or the cancellation.
        """
        request = request or ResourceRequest()
        deadline = math.inf if timeout_seconds is None else self._clock() + timeout_seconds
        ticket = _Ticket(request.priority, next(self._numbers), request)
        with self._lock:
            insort(self._queue, ticket)
        try:
            with cancel.waking(ticket.wake) if cancel else nullcontext():
                return self._wait_for_turn(ticket, deadline, cancel)
        finally:
            with self._lock:
                self._queue.remove(ticket)
            self._wake_first()

    def release_resource(self, resource_id: int, *, peak_bytes: int | None = None) -> None:
        """Release a resource; an id that is not in use is logged and otherwise ignored.

        Args:
            resource_id: Id of the resource.
            peak_bytes: Measured peak of its memory, or None.
        """
        with self._lock:
            request = self._held.pop(resource_id, None)
        if request is None:
            logger.warning("Resource %s is not in use: nothing to release", resource_id)
            return
        self._memory.release(request.need_bytes, peak_bytes=peak_bytes)
        self._memory.free(request.workflow_id, resource_id)
        self._wake_first()

    @contextmanager
    def resource(
        self,
        request: ResourceRequest | None = None,
        *,
        timeout_seconds: float | None = 30,
        cancel: CancelToken | None = None,
    ) -> Iterator[int | None]:
        """Hold a resource while the context is open; None as in :meth:`acquire_resource`."""
        resource_id = self.acquire_resource(request, timeout_seconds=timeout_seconds, cancel=cancel)
        try:
            yield resource_id
        finally:
            if resource_id is not None and resource_id in self._held:
                self.release_resource(resource_id)

    def relieve(self) -> bool:
        """Preempt the work that was admitted last.

        Returns:
            True if some work could be preempted.
        """
        with self._lock:
            able = [(number, request.preempt) for number, request in self._held.items() if request.preempt is not None]
        if not able:
            return False
        number, preempt = max(able)
        logger.warning("Memory is over the budget: resource %d gives way", number)
        preempt()
        return True

    def cleanup_batch(self) -> None:
        """Let the first in the queue check memory again; called at the end of each clip."""
        self._wake_first()

    def _wait_for_turn(self, ticket: _Ticket, deadline: float, cancel: CancelToken | None) -> int | None:
        while not (cancel and cancel.cancelled):
            resource_id = self._admit(ticket)
            left_seconds = deadline - self._clock()
            if resource_id is not None or left_seconds <= 0:
                return resource_id
            ticket.pause(min(left_seconds, self._recheck_seconds))
        return None

    def _admit(self, ticket: _Ticket) -> int | None:
        request = ticket.request
        with self._lock:
            if self._queue[0] is not ticket or len(self._held) >= self._slots:
                return None
            if self._held and (request.alone or any(held.alone for held in self._held.values())):
                return None
            if request.device and sum(held.device == request.device for held in self._held.values()) >= request.at_once:
                return None
            if not self._memory.reserve(request.need_bytes, anyway=not self._held):
                return None
            resource_id = next(self._numbers)
            self._held[resource_id] = request
        self._memory.allocate(request.workflow_id, resource_id)
        return resource_id

    def _wake_first(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].wake()

"""ResourcePool: how many clips are worked on at once, in order of priority and then of asking.

It counts slots and asks :class:`~mpt_cli.monitoring.memory.MemoryManager` whether a clip fits; about
memory it decides nothing but that one clip always runs, and which one gives way.
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
"""Longest wait without looking again: memory comes free without a release in this pool too, and
Python handles a signal that arrives just before a wait begins only when that wait ends."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a pool.

    ``priority`` goes before the order of asking, lower first. ``alone`` shares the pool with nobody.
    ``give_way`` makes the work end at once when memory must come free; without it the work stays.
    ``device`` is what it works with beside cores and memory, which has room for ``at_once`` of its kind.
    """

    need_bytes: int = 0
    workflow_id: str = ""
    priority: int = 0
    alone: bool = False
    give_way: Callable[[], object] | None = None
    device: str | None = None
    at_once: int = 1


@dataclass(order=True, slots=True)
class _Ticket:
    """A caller that waits for its turn."""

    priority: int
    number: int
    wish: Wish = field(compare=False)
    # Woken from inside signal handlers: put() of this queue is reentrant, which neither a
    # Condition nor an Event is when the handler interrupts its own wait.
    wakes: SimpleQueue[None] = field(default_factory=SimpleQueue, compare=False)

    def wake(self) -> None:
        self.wakes.put(None)

    def pause(self, seconds: float) -> None:
        with suppress(Empty):
            self.wakes.get(timeout=seconds)


class ResourcePool:
    """A number of slots, each given out with a reserved need of memory.

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
        """Make a pool of ``slots`` (at least 1; ValueError otherwise)."""
        self._slots = _checked(slots)
        self._memory = memory
        self._clock = clock
        self._recheck_seconds = recheck_seconds
        self._lock = threading.Lock()
        self._queue: list[_Ticket] = []
        self._held: dict[int, Wish] = {}
        self._numbers = itertools.count(1)
        memory.on_give_back(self.release_resource, self.relieve)

    @property
    def slots(self) -> int:
        """How many resources can be in use at once."""
        return self._slots

    @property
    def in_use(self) -> int:
        """How many resources are in use."""
        return len(self._held)

    def acquire_resource(
        self, wish: Wish | None = None, *, timeout_seconds: float | None = 30, cancel: CancelToken | None = None
    ) -> int | None:
        """Wait for a slot in which the need fits; the id of the resource.

        None after ``timeout_seconds`` (None waits without end), and as soon as ``cancel`` is set.
        """
        wish = wish or Wish()
        deadline = math.inf if timeout_seconds is None else self._clock() + timeout_seconds
        ticket = _Ticket(wish.priority, next(self._numbers), wish)
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
        """Give a resource back, with the peak of memory that its use came to, where it is known.

        One that is not in use is logged and otherwise ignored.
        """
        with self._lock:
            wish = self._held.pop(resource_id, None)
        if wish is None:
            logger.warning("Resource %s is not in use: nothing to release", resource_id)
            return
        self._memory.release(wish.need_bytes, peak_bytes=peak_bytes)
        self._memory.free(wish.workflow_id, resource_id)
        self._wake_first()

    @contextmanager
    def resource(
        self, wish: Wish | None = None, *, timeout_seconds: float | None = 30, cancel: CancelToken | None = None
    ) -> Iterator[int | None]:
        """Hold a resource for the length of a ``with`` block; None as in :meth:`acquire_resource`."""
        resource_id = self.acquire_resource(wish, timeout_seconds=timeout_seconds, cancel=cancel)
        try:
            yield resource_id
        finally:
            if resource_id is not None and resource_id in self._held:
                self.release_resource(resource_id)

    def relieve(self) -> bool:
        """Make the work that was admitted last give way; whether there was one that can."""
        with self._lock:
            able = [(number, wish.give_way) for number, wish in self._held.items() if wish.give_way is not None]
        if not able:
            return False
        number, give_way = max(able)
        logger.warning("Memory is over the budget: resource %d gives way", number)
        give_way()
        return True

    def cleanup_batch(self) -> None:
        """Let the first in the queue ask for memory again; called as each clip ends."""
        self._wake_first()

    def resize(self, slots: int) -> None:
        """Change the number of slots (at least 1; ValueError otherwise).

        What is in use beyond a smaller number stays in use until it is released.
        """
        self._slots = _checked(slots)
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
        wish = ticket.wish
        with self._lock:
            if self._queue[0] is not ticket or len(self._held) >= self._slots:
                return None
            if self._held and (wish.alone or any(held.alone for held in self._held.values())):
                return None
            if wish.device and sum(held.device == wish.device for held in self._held.values()) >= wish.at_once:
                return None
            if not self._memory.reserve(wish.need_bytes, anyway=not self._held):
                return None
            resource_id = next(self._numbers)
            self._held[resource_id] = wish
        self._memory.allocate(wish.workflow_id, resource_id)
        return resource_id

    def _wake_first(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].wake()


def _checked(slots: int) -> int:
    if slots < 1:
        raise ValueError(f"a pool needs at least 1 slot, not {slots}")
    return slots

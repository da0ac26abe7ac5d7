"""ResourcePool: how many clips are worked on at once, first come, first served.

It counts slots and asks :class:`~mpt_cli.monitoring.memory.MemoryManager` whether a clip fits; about
memory it decides nothing but that one clip always runs.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections import deque
from contextlib import contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mpt_cli.cancel import CancelToken
    from mpt_cli.monitoring.memory import MemoryManager

RECHECK_SECONDS = 0.25
"""Longest wait without looking again: memory comes free without a release in this pool too, and
Python handles a signal that arrives just before a wait begins only when that wait ends."""

logger = logging.getLogger(__name__)


class _Ticket:
    """A caller that waits for its turn."""

    def __init__(self, need_bytes: int) -> None:
        self.need_bytes = need_bytes
        # Woken from inside signal handlers: put() of this queue is reentrant, which neither a
        # Condition nor an Event is when the handler interrupts its own wait.
        self._wakes: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        self._wakes.put(None)

    def pause(self, seconds: float) -> None:
        with suppress(Empty):
            self._wakes.get(timeout=seconds)


class ResourcePool:
    """A number of slots, given out in order of asking, each with a reserved need of memory.

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
        self._queue: deque[_Ticket] = deque()
        self._held: dict[int, int] = {}
        self._ids = itertools.count(1)

    @property
    def slots(self) -> int:
        """How many resources can be in use at once."""
        return self._slots

    @property
    def in_use(self) -> int:
        """How many resources are in use."""
        return len(self._held)

    def acquire_resource(
        self,
        *,
        timeout_seconds: float | None = 30,
        need_bytes: int = 0,
        cancel: CancelToken | None = None,
    ) -> int | None:
        """Wait for a slot in which ``need_bytes`` fit; the id of the resource.

        None after ``timeout_seconds`` (None waits without end), and as soon as ``cancel`` is set.
        """
        deadline = math.inf if timeout_seconds is None else self._clock() + timeout_seconds
        ticket = _Ticket(need_bytes)
        with self._lock:
            self._queue.append(ticket)
        try:
            with cancel.waking(ticket.wake) if cancel else nullcontext():
                return self._wait_for_turn(ticket, deadline, cancel)
        finally:
            with self._lock:
                self._queue.remove(ticket)
            self._wake_first()

    def release_resource(self, resource_id: int) -> None:
        """Give a resource back; one that is not in use is logged and otherwise ignored."""
        with self._lock:
            need_bytes = self._held.pop(resource_id, None)
        if need_bytes is None:
            logger.warning("Resource %s is not in use: nothing to release", resource_id)
            return
        self._memory.release(need_bytes)
        self._wake_first()

    @contextmanager
    def resource(
        self,
        *,
        timeout_seconds: float | None = 30,
        need_bytes: int = 0,
        cancel: CancelToken | None = None,
    ) -> Iterator[int | None]:
        """Hold a resource for the length of a ``with`` block; None as in :meth:`acquire_resource`."""
        resource_id = self.acquire_resource(timeout_seconds=timeout_seconds, need_bytes=need_bytes, cancel=cancel)
        try:
            yield resource_id
        finally:
            if resource_id is not None:
                self.release_resource(resource_id)

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
        with self._lock:
            if self._queue[0] is not ticket or len(self._held) >= self._slots:
                return None
            if not self._memory.reserve(ticket.need_bytes, anyway=not self._held):
                return None
            resource_id = next(self._ids)
            self._held[resource_id] = ticket.need_bytes
            return resource_id

    def _wake_first(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].wake()


def _checked(slots: int) -> int:
    if slots < 1:
        raise ValueError(f"a pool needs at least 1 slot, not {slots}")
    return slots

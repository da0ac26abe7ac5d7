"""Threads: their start, and a pool that goes on with fewer where the system has no room for another."""

from __future__ import annotations

import mmap
import threading
from concurrent.futures import Executor, Future
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from mpt_cli.model.errors import ResourceError
from mpt_cli.model.shortages import no_room

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
Result = TypeVar("Result")

_ROOM_BYTES = 32 << 20
"""A stack takes 8 MiB; the rest is for other threads that ask at the same time."""


class Startable(Protocol):
    """A thread, or a timer."""

    def start(self) -> None:
        """Begin to run."""


def has_room() -> bool:
    """Return True if the system has room for the stack of a thread and for its first objects.

    ``Thread.start`` waits for a sign of the thread. One that gets its stack and nothing more dies without a sign, and
    the wait lasts forever, as ``mpt health --deep`` showed under ``ulimit -v 800000`` (measured with Python 3.11).
    """
    try:
        mmap.mmap(-1, _ROOM_BYTES).close()
    except (OSError, MemoryError):
        return False
    return True


def start_thread(thread: Startable, *, has_room: Callable[[], bool] = has_room) -> None:
    """Start a thread.

    Args:
        thread: The thread.
        has_room: Returns True if the system has room for it; a test passes one that refuses.

    Raises:
        ResourceError: The system has no room for another thread.
    """
    if not has_room():
        raise no_room("thread")
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise no_room("thread") from error


class ThreadPool(Executor):
    """Executor that starts threads as they are needed, and does with fewer if the system refuses one.

    ``ThreadPoolExecutor`` raises RuntimeError then, after it has queued the call that nobody will wait for.
    """

    def __init__(self, most: int, name: str, *, start: Callable[[Startable], object] = start_thread) -> None:
        """Create a pool without a thread.

        Args:
            most: Largest number of threads.
            name: Prefix of the names of the threads.
            start: Starts a thread; a test passes one that refuses.
        """
        self._most, self._name, self._start = most, name, start
        self._lock, self._idle = threading.Lock(), threading.Semaphore(0)
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> Future[Result]:
        """Call a function in a thread, with the context variables of the caller.

        Raises:
            ResourceError: The system has no room for a single thread.
        """
        future: Future[Result] = Future()
        context = copy_context()

        def call() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    result = context.run(fn, *args, **kwargs)
                except BaseException as error:  # raised by ``result``
                    future.set_exception(error)
                else:
                    future.set_result(result)

        with self._lock:
            self._calls.put(call)
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
                self._add_thread()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads after the calls that were submitted.

        Args:
            wait: True to wait for the end.
            cancel_futures: Not supported; ``map`` cancels its own.
        """
        assert not cancel_futures
        with self._lock:
            for _ in self._threads:
                self._calls.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}_{len(self._threads)}")
        try:
            self._start(thread)
        except ResourceError:
            if not self._threads:
                self._calls.get_nowait()  # nobody else takes it
                raise
        else:
            self._threads.append(thread)

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                self._idle.release()
                call = self._calls.get()
            if call is None:
                return
            call()
            del call  # or its result lives until the next call

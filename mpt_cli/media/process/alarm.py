"""Alarm of the thread that attends a child process: rung by other threads and signal handlers, and by the child's end.

Linux tells the end of a process through a descriptor, so that no thread has to wait for it: a thread costs more than
all else that attending a short child takes. Imports nothing of mpt.
"""

from __future__ import annotations

import contextlib
import math
import os
import queue
import select
import sys
import threading
from typing import Protocol


class Alarm(Protocol):
    """Wait that others can end."""

    sees_end: bool
    """True if the end of the child rings too."""

    def ring(self) -> None:
        """End the wait, or the next one; safe in a signal handler."""

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, or for this time; return True if it sees that the child has ended."""

    def forget_child(self) -> None:
        """Do not ring for a child that has ended any more."""

    def close(self) -> None:
        """Free what it holds; ringing does nothing any more."""


def alarm_of(pid: int) -> Alarm:
    """Return the alarm of a child that was not reaped; one that does not see its end where the system cannot tell."""
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):  # an old kernel, a sandbox, or no handle left
            return _Polled(pid)
    return Queued()


class Queued:
    """Alarm that does not see the end of the child.

    Not an Event: its lock is held for a moment while waiting, and a signal handler that sets it in that moment waits
    forever. ``SimpleQueue.put`` is made for being called from handlers.
    """

    sees_end = False

    def __init__(self) -> None:
        """Create an alarm that nobody has rung."""
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """End the wait, or the next one."""
        self._rings.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, or for this time."""
        with contextlib.suppress(queue.Empty):
            self._rings.get(timeout=max(0.0, seconds))
        return False

    def forget_child(self) -> None:
        """Do nothing: it knows no child."""

    def close(self) -> None:
        """Do nothing: it holds nothing."""


if sys.platform == "linux":

    class _Polled:
        """Alarm that the end of the child rings."""

        sees_end = True

        def __init__(self, pid: int) -> None:
            """Open both descriptors; raises OSError where there are none."""
            # A ring that comes late must not write to what has got its number since. A handler that interrupts the
            # thread that holds the lock may take it too.
            self._lock = threading.RLock()
            self._child = os.pidfd_open(pid)
            try:
                self._rung = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            except OSError:
                os.close(self._child)
                raise
            self._is_open, self._poll = True, select.poll()
            for descriptor in (self._child, self._rung):
                self._poll.register(descriptor, select.POLLIN)

        def ring(self) -> None:
            """End the wait, or the next one."""
            with self._lock, contextlib.suppress(BlockingIOError):
                if self._is_open:
                    os.eventfd_write(self._rung, 1)

        def wait(self, seconds: float) -> bool:
            """Wait until it rings, the child ends, or for this time."""
            ready = {descriptor for descriptor, _ in self._poll.poll(math.ceil(max(0.0, seconds) * 1000))}
            if self._rung in ready:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._rung)
            return self._child in ready

        def forget_child(self) -> None:
            """Do not ring for a child that has ended any more."""
            with contextlib.suppress(KeyError):  # forgotten before
                self._poll.unregister(self._child)

        def close(self) -> None:
            """Close both descriptors."""
            with self._lock:
                if self._is_open:
                    self._is_open = False
                    os.close(self._child)
                    os.close(self._rung)

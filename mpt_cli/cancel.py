"""CancelToken: how a run is asked to stop, once gently and once for good.

A signal handler, a deadline or a caller sets it; loops and child processes look at it. It knows no
signal numbers' meaning beyond passing on which one it was.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mpt_cli.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class CancelToken:
    """A one-way switch with two stages: ``cancelled`` (stop cleanly) and ``forced`` (kill now)."""

    def __init__(self) -> None:
        """Make a token that is not cancelled."""
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._forced = threading.Event()
        self._wakers: dict[int, Callable[[], None]] = {}
        self._next_key = 0
        self.signal_number: int | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the run should stop."""
        return self._cancelled.is_set()

    @property
    def forced(self) -> bool:
        """Whether children should be killed without grace."""
        return self._forced.is_set()

    def cancel(self, signal_number: int | None = None) -> None:
        """Ask for a stop; a second call forces it. Wakes everything that registered."""
        # No lock around the flags: this runs inside signal handlers, where a lock that the
        # interrupted thread holds would never be released.
        if self._cancelled.is_set():
            self._forced.set()
        else:
            self.signal_number = signal_number
            self._cancelled.set()
        for wake in tuple(self._wakers.values()):
            wake()

    def raise_if_cancelled(self) -> None:
        """Raise :class:`~mpt_cli.errors.Cancelled` if a stop was asked for."""
        if self.cancelled:
            raise Cancelled

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep up to this long; return at once, and ``True``, when cancelled."""
        return self._cancelled.wait(timeout_seconds)

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake`` on every cancel while the returned context is open.

        ``wake`` runs inside the signal handler: it may set an event, nothing more.
        """
        with self._lock:
            key = self._next_key
            self._next_key += 1
            self._wakers[key] = wake
        try:
            if self.cancelled:
                wake()
            yield
        finally:
            with self._lock:
                self._wakers.pop(key, None)

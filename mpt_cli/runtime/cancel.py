"""Cancellation of a run, in two stages: cleanly, then at once.

A signal handler, a deadline or a caller cancels a :class:`CancelToken`; loops and child processes poll
it. Signal handlers interrupt the main thread anywhere, so :meth:`CancelToken.cancel` takes no lock that
the main thread could hold: flags are plain booleans, and waiters are woken through ``SimpleQueue``,
whose ``put`` may be called while another call of it was interrupted (``Event.set`` may not).
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class CancelToken:
    """One-way switch with two stages: ``cancelled`` (stop cleanly) and ``forced`` (kill now).

    A token with a parent is also cancelled by the parent, so that one clip can be stopped, or all.
    """

    def __init__(self, parent: CancelToken | None = None) -> None:
        """Create a token that is not cancelled.

        Args:
            parent: Token whose cancellation cancels this one too.
        """
        self._parent = parent
        self._cancelled = self._forced = self._expired = False
        self._wakers: dict[int, Callable[[], object]] = {}
        self._keys = count()
        self._signal_number: int | None = None

    @property
    def cancelled(self) -> bool:
        """True if the run should stop."""
        return self._cancelled or (self._parent is not None and self._parent.cancelled)

    @property
    def forced(self) -> bool:
        """True if child processes should be killed without grace."""
        return self._forced or (self._parent is not None and self._parent.forced)

    @property
    def expired(self) -> bool:
        """True if the run stops because its time is over."""
        return self._expired or (self._parent is not None and self._parent.expired)

    @property
    def signal_number(self) -> int | None:
        """Number of the signal that requested the stop, or None."""
        own = self._signal_number
        return self._parent.signal_number if own is None and self._parent is not None else own

    def cancel(self, signal_number: int | None = None) -> None:
        """Request a stop and call all registered wakers; a second call forces the stop.

        Args:
            signal_number: Number of the signal that requested the stop, or None.
        """
        if self._cancelled:
            self._forced = True
        else:
            self._signal_number = signal_number
            self._cancelled = True
        for wake in tuple(self._wakers.values()):
            wake()

    def force(self) -> None:
        """Request a stop without grace, for a child process that holds what others need."""
        self.cancel()
        self.cancel()

    def expire(self) -> None:
        """Request a stop because the time is over; a token that is cancelled already is not changed."""
        if not self.cancelled:
            self._expired = True
            self.cancel()

    def raise_if_cancelled(self) -> None:
        """Raise an error if a stop was requested.

        Raises:
            Cancelled: The token is cancelled.
        """
        if self.cancelled:
            raise Cancelled

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until the timeout or the cancellation, whichever comes first.

        Args:
            timeout_seconds: Longest time to sleep.

        Returns:
            True if the token is cancelled.
        """
        woken: SimpleQueue[None] = SimpleQueue()
        with self.waking(lambda: woken.put(None)):
            try:
                woken.get(timeout=max(0.0, timeout_seconds))
            except Empty:
                return self.cancelled
        return self.cancelled

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call ``wake`` on every cancel while the context is open, and at once if it came before.

        Args:
            wake: Function without arguments. It runs inside the signal handler: it may put into a
                ``SimpleQueue`` or write to a descriptor that does not block, nothing more.
        """
        key = next(self._keys)
        self._wakers[key] = wake
        with self._parent.waking(wake) if self._parent is not None else nullcontext():
            try:
                if self._cancelled:
                    wake()
                yield
            finally:
                self._wakers.pop(key, None)

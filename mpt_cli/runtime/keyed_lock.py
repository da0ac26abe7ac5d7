"""A lock for each key: one thread does a piece of work, and the others find it done."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.runtime.cancel import CancelToken

_POLL_SECONDS = 0.1


class KeyedLocks:
    """Locks by key. A lock exists only while a thread holds it or waits for it."""

    def __init__(self) -> None:
        """Create an empty set of locks."""
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, key: str | None, cancel: CancelToken) -> Iterator[None]:
        """Hold the lock of a key while the context is open.

        Args:
            key: Key of the lock; None opens the context without a lock.
            cancel: Once cancelled, the context opens without the lock, because the work is to end.
        """
        if key is None:
            yield
            return
        with self._guard:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        acquired = False
        try:
            while not (acquired := lock.acquire(timeout=_POLL_SECONDS)) and not cancel.cancelled:
                pass
            yield
        finally:
            if acquired:
                lock.release()
            with self._guard:
                lock, users = self._locks[key]
                if users > 1:
                    self._locks[key] = lock, users - 1
                else:
                    del self._locks[key]

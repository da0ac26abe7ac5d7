"""Turns: work that is the same is done by one thread at a time, so that the others find it done."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.runtime.cancel import CancelToken

_LOOK_SECONDS = 0.1


class Turns:
    """A lock for each key that somebody works on or waits for; none is kept for others."""

    def __init__(self) -> None:
        """Start without any."""
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def turn(self, key: str | None, cancel: CancelToken) -> Iterator[None]:
        """Hold the turn for a key while the context is open, or at least until ``cancel``; None needs none.

        Once cancelled the context opens without a turn: what is to end must not wait.
        """
        if key is None:
            yield
            return
        with self._guard:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        had = False
        try:
            while not (had := lock.acquire(timeout=_LOOK_SECONDS)) and not cancel.cancelled:
                pass
            yield
        finally:
            if had:
                lock.release()
            with self._guard:
                lock, users = self._locks[key]
                if users > 1:
                    self._locks[key] = lock, users - 1
                else:
                    del self._locks[key]

"""Warnings that a command gives once, however many jobs it has."""

from __future__ import annotations

import threading


class Once:
    """Record of the warnings that were given; several threads may ask."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock, self._given = threading.Lock(), set[str]()

    def is_first(self, key: str) -> bool:
        """Return True the first time that this key is asked about."""
        with self._lock:
            first = key not in self._given
            self._given.add(key)
        return first

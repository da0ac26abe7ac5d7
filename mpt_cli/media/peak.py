"""The most memory that a child process held, from what the system says of it. Imports nothing of mpt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from resource import struct_rusage


class PeakMemory:
    """The larger of the samples and, where it is the child's own, the exact figure at its end.

    exec keeps the peak of the process that called it (measured on Linux, with fork, vfork and
    posix_spawn alike), so that the exact figure of a child is never below the peak of its parent.
    Only a higher one is its own.
    """

    def __init__(self) -> None:
        """Note our own peak; to be made when the child has been started."""
        self._inherited = _bytes(resource.getrusage(resource.RUSAGE_SELF)) if sys.platform != "win32" else 0
        self._largest = 0

    def sample(self, pid: int, rss_bytes: int) -> None:
        """Take the resident size of a child, or of its tree, that still runs."""
        self._largest = max(self._largest, rss_bytes, _high_water_bytes(pid))

    def reaped(self, usage: struct_rusage) -> None:
        """Take what the system reports at the end of a child."""
        if _bytes(usage) > self._inherited:
            self._largest = max(self._largest, _bytes(usage))

    @property
    def bytes(self) -> int | None:
        """The peak, ``None`` when the child was too quick for a sample and smaller than we are."""
        return self._largest or None


def _bytes(usage: struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _high_water_bytes(pid: int) -> int:
    """Return the peak that Linux keeps for a process while it runs, else 0."""
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return 0
    return int((status.partition(b"VmHWM:")[2].split() or [b"0"])[0]) * 1024

"""Memory and state of processes and their descendants, from ``/proc`` on Linux. Imports nothing of mpt.

psutil answers the same questions, and is used on other systems; it takes five times as long for a
table of processes (2.5 ms for 65 of them, measured), which was noticeable at four looks a second.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resource import struct_rusage


if sys.platform != "win32":
    import resource


_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_SIZE, _RESIDENT, _PARENT = 0, 1, 1
"""Indices of fields in ``statm``, and in ``stat`` after the command's closing bracket."""


_MOST_BYTES = 1 << 16
"""Size of a list of 8,000 children."""


def rss_of_tree(pid: int, *, descendants: bool = True) -> int:
    """Return the resident memory of a process and its descendants, in bytes; 0 where there is none.

    Pages that processes share count once for each, so this errs on the safe side. A child that is
    just being started (``vfork``) has its parent's memory for a moment, down to the page, and is not
    counted.
    """
    if sys.platform != "linux":
        return _rss_by_psutil(pid, descendants=descendants)
    own = _read(pid, "statm").split()
    if not own:
        return 0
    others = [_read(child, "statm").split() for child in (descendants_of(pid) if descendants else ())]
    pages = [fields[_RESIDENT] for fields in others if fields and fields[_SIZE] != own[_SIZE]]
    return sum(map(int, [own[_RESIDENT], *pages])) * _PAGE_BYTES


def is_stopped(pid: int) -> bool:
    """Return True if a process was stopped by a signal or a debugger."""
    if sys.platform != "linux":
        return _is_stopped_by_psutil(pid)
    return _read(pid, "stat").rpartition(b")")[2].split()[:1] in ([b"T"], [b"t"])


def _is_stopped_by_psutil(pid: int) -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
    return False


def _rss_by_psutil(pid: int, *, descendants: bool) -> int:
    import psutil

    rss = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in (root, *(root.children(recursive=True) if descendants else ())):
            with contextlib.suppress(psutil.Error):
                rss += process.memory_info().rss
    return rss


def descendants_of(pid: int) -> list[int]:
    """Return the descendants of a process.

    Linux lists the children of each thread, which takes 0.7 ms for mpt at work, whatever else runs (measured). A
    kernel without those lists is asked for the table of all processes: 3 ms for 115 of them.
    """
    if not _lists_children():
        return descendants_in_table(pid)
    found = _children(pid)
    for child in found:  # grows as it goes
        found += _children(child)
    return found


@cache
def _lists_children() -> bool:
    """Return True if the kernel lists the children of a thread."""
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").exists()


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - no objects for names that are only numbers
    except OSError:
        return []
    return [int(child) for thread in threads for child in _read(pid, f"task/{thread}/children").split()]


def descendants_in_table(pid: int) -> list[int]:
    """Return the descendants of a process, from one look at the table of all processes."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):  # noqa: PTH208 - no objects for names that are only numbers
        if name.isdigit() and (fields := _read(int(name), "stat").rpartition(b")")[2].split()):
            children[int(fields[_PARENT])].append(int(name))
    found = list(children[pid])
    for child in found:  # grows as it goes
        found += children[child]
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        descriptor = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _MOST_BYTES)
    except OSError:  # it ended in between
        return b""
    finally:
        os.close(descriptor)


class PeakMemory:
    """Peak memory of a child: the larger of the samples and, where it is its own, the exact figure at its end.

    exec keeps the peak of the process that called it (measured on Linux, with fork, vfork and
    posix_spawn alike), so that the exact figure of a child is never below the peak of its parent.
    Only a higher one is its own.
    """

    def __init__(self) -> None:
        """Record our own peak; to be created when the child has been started."""
        self._inherited = _bytes(resource.getrusage(resource.RUSAGE_SELF)) if sys.platform != "win32" else 0
        self._largest = 0

    def sample(self, pid: int, rss_bytes: int) -> None:
        """Add the resident size of a running child, or of its tree."""
        self._largest = max(self._largest, rss_bytes, _high_water_bytes(pid))

    def reaped(self, usage: struct_rusage) -> None:
        """Add the figure that the system reports at the end of a child."""
        if _bytes(usage) > self._inherited:
            self._largest = max(self._largest, _bytes(usage))

    @property
    def bytes(self) -> int | None:
        """Peak in bytes; None when the child was too quick for a sample and smaller than we are."""
        return self._largest or None


def _bytes(usage: struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _high_water_bytes(pid: int) -> int:
    """Return the peak that Linux keeps for a process while it runs, else 0."""
    status = _read(pid, "status") if sys.platform == "linux" else b""
    return int((status.partition(b"VmHWM:")[2].split() or [b"0"])[0]) * 1024

"""Measurements of the machine and the process tree: the seam between decisions and psutil."""

from __future__ import annotations

import gc
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psutil

from mpt_cli.media.process.memory import rss_of_tree
from mpt_cli.monitoring.cgroup import cpu_quota, memory_limit_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_COLLECTIONS, _PAUSE_SECONDS = 3, 0.1
BUDGET_SHARE = 0.8
"""Share of the memory that the machine or its control group allows, where no budget is configured."""


class SystemReader(Protocol):
    """Measurements that decisions rest on; sizes in bytes. Called from several threads."""

    def total_bytes(self) -> int:
        """Return the memory of the machine."""
        ...

    def available_bytes(self) -> int:
        """Return the memory that the machine can give without swapping."""
        ...

    def tree_rss_bytes(self) -> int:
        """Return the resident memory of this process and all its descendants."""
        ...

    def cpu_percent(self) -> float:
        """Return the load of all cores together since the last call, 0 to 100; the first call has no past."""
        ...

    def limit_bytes(self) -> int | None:
        """Return the memory limit of this process beside the machine's size; None without a limit."""
        ...


class PsutilReader:
    """:class:`SystemReader` that measures with psutil."""

    def __init__(self, *, root: Path = Path("/")) -> None:
        """Read limits below ``root``, which stands for the file system's root."""
        self._root = root

    def total_bytes(self) -> int:
        """Return the memory of the machine."""
        return _memory("total", "SC_PHYS_PAGES")

    def available_bytes(self) -> int:
        """Return the memory that the machine can give without swapping."""
        return _memory("available", "SC_AVPHYS_PAGES")

    def tree_rss_bytes(self) -> int:
        """Return the resident memory of this process and all its descendants."""
        return rss_of_tree(os.getpid())

    def cpu_percent(self) -> float:
        """Return the load of all cores together since the last call of this thread, 0 to 100."""
        try:
            return float(psutil.cpu_percent(interval=None))
        except OSError:  # /proc is not mounted
            return 0.0

    def limit_bytes(self) -> int | None:
        """Return the smallest memory limit of the control groups; None without one."""
        return memory_limit_bytes(self._root)


def collect_garbage(sleep: Callable[[float], object]) -> None:
    """Collect garbage three times: what one collection frees may hold more, and threads get a turn in between."""
    for number in range(_COLLECTIONS):
        gc.collect()
        if number < _COLLECTIONS - 1:
            sleep(_PAUSE_SECONDS)


def default_budget_bytes(system: SystemReader) -> int:
    """Return 80 % of the smaller of the machine's memory and its limit."""
    total_bytes = system.total_bytes()
    return max(1, int(BUDGET_SHARE * min(total_bytes, system.limit_bytes() or total_bytes)))


def usable_cores(root: Path = Path("/")) -> int:
    """Return the cores that this process may use: its affinity, cut by the quota of its control groups."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = cpu_quota(root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def _memory(name: str, pages: str) -> int:
    """Return a figure of the machine's memory in bytes, from the C library if /proc is not mounted."""
    try:
        return int(getattr(psutil.virtual_memory(), name))
    except OSError:
        return os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE")

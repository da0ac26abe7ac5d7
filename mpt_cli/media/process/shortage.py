"""Shortages of the system as libav and child processes meet them; imports ``model`` and ``runtime`` only.

A damaged file can make libav ask for more memory than there is, or report that it has to wait. So these errors
are a shortage only where the system really refuses: under a limit of address space, or if no thread starts.
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import ResourceError
from mpt_cli.model.shortages import file_too_large, no_room, out_of_memory, shortage_of, shortage_told
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform != "win32":
    import resource

_OF_MEMORY = frozenset(-getattr(signal, name, 0) for name in ("SIGABRT", "SIGBUS", "SIGSEGV", "SIGTRAP"))
"""Exit statuses of programs that do not check whether they got the memory they asked for; x265 is one."""
_FEW_PROCESSES = 1024
"""An encoder starts three threads for each core; with more room than this a clip does not lack it."""
_GROUP_LIMITS = ("sys/fs/cgroup/pids.max", "sys/fs/cgroup/pids/pids.max")
"""Limits of a container by control groups of versions 2 and 1."""
_TOO_LARGE = -getattr(signal, "SIGXFSZ", 0)


def is_address_space_limited() -> bool:
    """Return True if this process, and so its children, may use only a part of the address space."""
    return sys.platform != "win32" and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def are_few_processes_allowed(root: Path = Path("/")) -> bool:
    """Return True if the user, or the control group at the root, may have only few processes and threads."""
    if sys.platform == "win32":
        return False
    limits = [resource.getrlimit(resource.RLIMIT_NPROC)[0]]
    for name in _GROUP_LIMITS:
        with suppress(OSError, ValueError):  # no such group, or "max"
            limits.append(int((root / name).read_text(encoding="ascii")))
    return any(0 <= limit < _FEW_PROCESSES for limit in limits)


def can_start_thread() -> bool:
    """Return True if the system has room for one more thread now."""
    thread = threading.Thread(target=lambda: None, name="trial")
    try:
        start_thread(thread)
    except ResourceError:
        return False
    thread.join()
    return True


def libav_shortage(
    error: BaseException,
    *,
    limited: Callable[[], bool] = is_address_space_limited,
    has_room: Callable[[], bool] = can_start_thread,
) -> ResourceError | None:
    """Return the error of mpt for a shortage that libav met; None for what is wrong with a file.

    Args:
        error: The exception of PyAV, or of Python.
        limited: Returns True if the address space is limited.
        has_room: Returns True if a thread can be started.
    """
    number = getattr(error, "errno", None)
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return out_of_memory() if limited() else None
    if number == errno.EAGAIN:
        return None if has_room() else no_room("thread")
    return shortage_of(error)


def refuse_shortage(error: BaseException) -> None:
    """Raise ResourceError if an error that damage usually causes is a shortage."""
    if (shortage := libav_shortage(error)) is not None:
        raise shortage from error


def child_shortage(
    returncode: int,
    said: str,
    *,
    limited: Callable[[], bool] = is_address_space_limited,
    crowded: Callable[[], bool] = are_few_processes_allowed,
) -> ResourceError | None:
    """Return the shortage that a child met, or None.

    Args:
        returncode: Its exit status; minus the signal's number for a signal.
        said: Its messages.
        limited: Returns True if its address space is limited.
        crowded: Returns True if few processes and threads are allowed.
    """
    if returncode == 0:
        return None
    if returncode == _TOO_LARGE:
        return file_too_large()
    is_limited, is_crowded = limited(), crowded()
    if (shortage := shortage_told(said, limited=is_limited, crowded=is_crowded)) is not None:
        return shortage
    return no_room("process or thread") if returncode in _OF_MEMORY and (is_limited or is_crowded) else None

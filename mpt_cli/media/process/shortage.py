"""Shortages of the system as libav and child processes meet them; imports ``model`` and ``runtime`` only.

A damaged file can make libav ask for more memory than there is, or report that it has to wait. So these errors
are a shortage only where the system really refuses: under a limit of address space, or if no thread starts.
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, ResourceError
from mpt_cli.model.shortages import (
    disk_full,
    file_too_large,
    no_files,
    no_room,
    out_of_memory,
    shortage_of,
    shortage_told,
)
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform != "win32":
    import resource

_OF_MEMORY = frozenset(-getattr(signal, name, 0) for name in ("SIGABRT", "SIGBUS", "SIGSEGV", "SIGTRAP"))
"""Exit statuses of programs that do not check whether they got the memory they asked for; x265 is one."""
_TOO_LARGE = -getattr(signal, "SIGXFSZ", 0)


def is_address_space_limited() -> bool:
    """Return True if this process, and so its children, may use only a part of the address space."""
    return sys.platform != "win32" and resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


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


def child_shortage(returncode: int, said: str, *, limited: bool | None = None) -> ResourceError | None:
    """Return the shortage that a child met, or None.

    Args:
        returncode: Its exit status; minus the signal's number for a signal.
        said: Its messages.
        limited: True if its address space is limited; None to ask the system.
    """
    limited = is_address_space_limited() if limited is None else limited
    if returncode == 0:
        return None
    if returncode == _TOO_LARGE or "File too large" in said:
        return file_too_large()
    code = shortage_told(said, limited=limited)
    if code is IssueCode.DISK_FULL:
        return disk_full()
    if code is IssueCode.MEMORY_EXHAUSTED:
        if "Too many open files" in said:
            return no_files()
        return no_room("process or thread") if shortage_told(said, limited=False) else out_of_memory()
    return out_of_memory() if limited and returncode in _OF_MEMORY else None

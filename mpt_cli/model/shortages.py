"""Shortages: errors by which the system says that it has no room for more bytes, memory, threads or files.

They are no fault of a clip, of a setting or of mpt, so each ends a run as a :class:`ResourceError`.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DISK_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Error numbers for no space, and for an exhausted quota; the latter is missing on some systems, and varies."""
NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})
"""Error numbers for too many open files, of the process or of the system."""
NO_MEMORY = frozenset({errno.ENOMEM, errno.EAGAIN})
"""Error numbers for no memory, and for no further process or thread."""
_WORDS_UNDER_A_LIMIT = (
    *("cannot allocate memory", "memoryerror", "failed to map segment", "bad_alloc", "malloc of size"),
    *("failed to allocate", "out of memory", "unable to allocate"),
)
"""Words, in small letters, that a damaged file can cause too; a shortage only where the address space is limited."""
_WORDS_IN_A_CROWD = ("generic error in an external library", "could not open encoder")
"""Words for an encoder that gives no reason, as x264 where no thread starts; a shortage only where few may."""


def shortage_of(error: BaseException, path: Path | None = None) -> ResourceError | None:
    """Return the error of mpt for a shortage; None for any other exception.

    Args:
        error: What was raised.
        path: Path to report for a write that failed.
    """
    if isinstance(error, ResourceError):
        return error
    number = error.errno if isinstance(error, OSError) else None
    if number in DISK_FULL:
        return disk_full(path)
    if number == errno.EFBIG:
        return file_too_large(path)
    if number in NO_FILES:
        return no_files()
    if number in NO_MEMORY:
        return no_room(_PROCESS)
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and _is_told(str(error))):
        return out_of_memory()
    return None


def shortage_told(text: str, *, limited: bool, crowded: bool) -> ResourceError | None:
    """Return the error for a shortage that a program reports in its messages, or None.

    Args:
        text: Messages of a program that failed.
        limited: True if the address space of the program is limited.
        crowded: True if few processes and threads are allowed.
    """
    for words, error in _WORDS.items():
        if words in text:
            return error()
    if limited and _is_told(text):
        return out_of_memory()
    told = any(words in text.lower() for words in _WORDS_IN_A_CROWD)
    return no_room(_PROCESS) if told and (limited or crowded) else None


def disk_full(path: Path | None = None) -> ResourceError:
    """Return the error for a disk, or a quota, that is full at a path."""
    message = "the disk is full" if path is None else "cannot be written: the disk is full"
    return ResourceError(
        IssueCode.DISK_FULL, message, path=path, hint="free some space, or set paths.temp to another disk"
    )


def file_too_large(path: Path | None = None) -> ResourceError:
    """Return the error for a file that grew beyond what its file system or a limit of the process takes."""
    message = f"{'a' if path is None else 'cannot be written: the'} file would be larger than is allowed here"
    hint = "choose another disk (FAT32 takes less than 4 GiB in a file), or raise ulimit -f"
    return ResourceError(IssueCode.DISK_FULL, message, path=path, hint=hint)


def no_files() -> ResourceError:
    """Return the error for a file or pipe that cannot be opened because too many are."""
    message = "the system lets mpt open no further file or pipe"
    return ResourceError(IssueCode.MEMORY_EXHAUSTED, message, hint="raise ulimit -n, or try --jobs 1")


def no_room(what: str) -> ResourceError:
    """Return the error for a process or a thread that cannot be started."""
    message = f"the system has no room for another {what}"
    hint = "allow more processes (ulimit -u, --pids-limit) or memory (ulimit -v), or try --jobs 1"
    return ResourceError(IssueCode.MEMORY_EXHAUSTED, message, hint=hint)


def out_of_memory() -> ResourceError:
    """Return the error for memory that mpt itself asked for in vain."""
    hint = "allow more memory (ulimit -v), or try --jobs 1"
    return ResourceError(IssueCode.MEMORY_EXHAUSTED, "mpt itself ran out of memory", hint=hint)


_PROCESS = "process or thread"
_WORDS: Mapping[str, Callable[[], ResourceError]] = {
    "No space left on device": disk_full,
    "Disk quota exceeded": disk_full,
    "File too large": file_too_large,
    "Resource temporarily unavailable": partial(no_room, _PROCESS),
    "can't start new thread": partial(no_room, _PROCESS),
    "Too many open files": no_files,
}
"""Words of the system and of Python in the messages of a child, and the error that they stand for."""


def _is_told(text: str) -> bool:
    return any(words in text.lower() for words in _WORDS_UNDER_A_LIMIT)

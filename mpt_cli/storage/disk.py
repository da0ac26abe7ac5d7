"""Disks: free space, and what a failed write means."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, MptError, OutputError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns errors of the file system into those of mpt."""
    try:
        yield
    except OSError as error:
        raise unworkable(error, path, doing="written") from error


def unworkable(failure: OSError, path: Path, *, doing: str = "used") -> MptError:
    """What a path is that the system does not take; ``path`` where it does not say which."""
    if isinstance(failure.filename, (str, bytes)):
        path = Path(os.fsdecode(failure.filename))
    if failure.errno in DISK_FULL:
        return disk_full(path)
    message = f"cannot be {doing} ({failure.strerror or failure})"
    return OutputError(IssueCode.OUTPUT_NOT_WRITABLE, message, path=path)


def disk_full(path: Path) -> ResourceError:
    """The error of a disk, or of a share of one, that is full at this path."""
    return ResourceError(IssueCode.DISK_FULL, "cannot be written: the disk is full", path=path, hint="free some space")


def free_bytes(path: Path) -> int:
    """Free space of the file system that a path, which need not exist, will lie on."""
    return shutil.disk_usage(_existing(path)).free


def free_bytes_if_known(path: Path) -> int | None:
    """Return the free bytes of the disk that holds a path, or None where the system does not tell."""
    try:
        return free_bytes(path)
    except OSError:
        return None


def disk_of(path: Path) -> int:
    """A number that is the same for paths on one file system; they need not exist."""
    return _existing(path).stat().st_dev


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    folder = path.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
"""No space, or none of one's share; shares have no number of their own everywhere, and another one on each system."""

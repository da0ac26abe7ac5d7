"""Free disk space, and the errors of mpt for failed writes."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, MptError, OutputError
from mpt_cli.model.shortages import shortage_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert an OSError raised in the context to an error of mpt."""
    try:
        yield
    except OSError as error:
        raise unworkable(error, path, doing="written") from error


def unworkable(failure: OSError, path: Path | None = None, *, doing: str = "used") -> MptError:
    """Return the error of mpt for an OSError.

    Args:
        failure: The error of the system.
        path: Path to report where the error names none, or None.
        doing: Participle for the message.

    Returns:
        A ResourceError for a shortage, such as a full disk, else an OutputError.
    """
    if isinstance(failure.filename, (str, bytes)):
        path = Path(os.fsdecode(failure.filename))
    if (shortage := shortage_of(failure, path)) is not None:
        return shortage
    message = f"cannot be {doing} ({failure.strerror or failure})"
    return OutputError(IssueCode.OUTPUT_NOT_WRITABLE, message, path=path)


def free_bytes(path: Path) -> int:
    """Return the free bytes of the file system that a path, which need not exist, will lie on."""
    return shutil.disk_usage(_existing(path)).free


def free_bytes_if_known(path: Path) -> int | None:
    """Return the free bytes of the disk that holds a path, or None where the system does not report them."""
    try:
        return free_bytes(path)
    except OSError:
        return None


def disk_of(path: Path) -> int:
    """Return a number that is equal for paths on one file system; the paths need not exist."""
    return _existing(path).stat().st_dev


def _existing(path: Path) -> Path:
    """Return the path, or its nearest existing parent folder."""
    folder = path.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder

"""File operations that every room shares: resolving links, and writing a file in one step."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mpt_cli.storage import locks
from mpt_cli.storage.renames import give_name

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.storage.renames import Replaces


UNFINISHED = ".mpt-unfinished-"
_ABANDONED_SECONDS = 3600


def real_path(path: Path) -> Path:
    """Return a path with its links resolved; if they cannot be, the absolute path."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, or no name at all: who opens it will say so
        return path.absolute()


def sweep_unfinished(folder: Path, *, age_seconds: float = _ABANDONED_SECONDS) -> None:
    """Remove files that killed runs left in a folder unfinished.

    Args:
        folder: The folder.
        age_seconds: Age from which a file is removed of which nothing tells whether its process has ended, as
            on another machine.
    """
    with suppress(OSError):
        for rest in folder.iterdir():
            if locks.is_unfinished(rest, UNFINISHED):
                with suppress(OSError), locks.owner(rest, UNFINISHED) as owner:
                    is_old = time.time() - rest.lstat().st_mtime >= age_seconds
                    if owner.has_left(is_old=is_old):
                        rest.unlink()


def require_writable(folder: Path) -> None:
    """Check that a file could be written into a folder, which is created if needed.

    The file that is written for it is removed; of a killed process :func:`sweep_unfinished` removes it.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locks.unfinished(folder, UNFINISHED, _create) as mark:
        try:
            mark.write_bytes(b"mpt")
        finally:
            mark.unlink(missing_ok=True)


def write_in_one_step(path: Path, data: bytes, *, lasting: bool = False, replaces: Replaces = True) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part.

    The folder is created if needed. Until it is complete the file has a hidden name beside the path; a
    killed run leaves it behind, and :func:`sweep_unfinished` removes it.

    Args:
        path: Path of the file.
        data: Content of the file.
        lasting: True to flush the bytes to the disk before they get the name.
        replaces: Tells what may be replaced, see :func:`~mpt_cli.storage.renames.give_name`.

    Raises:
        NameTakenError: A file that must not be replaced has the name.
        OSError: The file could not be written; nothing is left behind.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    with locks.unfinished(path.parent, UNFINISHED, _create) as beside:
        try:
            with beside.open("wb") as file:
                file.write(data)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            give_name(beside, path, replaces=replaces)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def _create(path: Path) -> None:
    path.touch(exist_ok=False)

"""File operations that every room shares: resolving links, and writing a file in one step."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from mpt_cli.storage.renames import give_name

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.storage.renames import Replaces


UNFINISHED = ".mpt-unfinished-"
_IS_UNFINISHED = re.compile(rf"{re.escape(UNFINISHED)}[0-9a-f]{{32}}")
_ABANDONED_SECONDS = 3600


def real_path(path: Path) -> Path:
    """Return a path with its links resolved; if they cannot be, the absolute path."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, or no name at all: who opens it will say so
        return path.absolute()


def sweep_unfinished(folder: Path) -> None:
    """Remove files that killed runs left in a folder unfinished; files younger than an hour may be in use."""
    with suppress(OSError):
        for rest in folder.iterdir():
            with suppress(OSError):
                if _IS_UNFINISHED.fullmatch(rest.name) and time.time() - rest.lstat().st_mtime > _ABANDONED_SECONDS:
                    rest.unlink()


def write_in_one_step(
    path: Path, data: bytes, *, unfinished: str = UNFINISHED, lasting: bool = False, replaces: Replaces = True
) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part.

    The folder is created if needed. Until it is complete the file has a hidden name beside the path; a
    killed run leaves it behind, and :func:`sweep_unfinished` removes those of the default name.

    Args:
        path: Path of the file.
        data: Content of the file.
        unfinished: Beginning of the hidden name.
        lasting: True to flush the bytes to the disk before they get the name.
        replaces: Tells what may be replaced, see :func:`~mpt_cli.storage.renames.give_name`.

    Raises:
        NameTakenError: A file that must not be replaced has the name.
        OSError: The file could not be written; nothing is left behind.
    """
    beside = path.with_name(f"{unfinished}{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        give_name(beside, path, replaces=replaces)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)

"""What every room does alike with files: a path without its links, a file that is written in one step.

Imports nothing of mpt.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path


UNFINISHED = ".mpt-unfinished-"
_IS_UNFINISHED = re.compile(rf"{re.escape(UNFINISHED)}[0-9a-f]{{32}}")
_ABANDONED_SECONDS = 3600


def real_path(path: Path) -> Path:
    """The path without links, as far as it can be followed."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, or no name at all: who opens it will say so
        return path.absolute()


def sweep_unfinished(folder: Path) -> None:
    """Remove what runs left in a folder that were killed as they wrote in one step; a younger one may go on."""
    with suppress(OSError):
        for rest in folder.iterdir():
            with suppress(OSError):
                if _IS_UNFINISHED.fullmatch(rest.name) and time.time() - rest.lstat().st_mtime > _ABANDONED_SECONDS:
                    rest.unlink()


def write_in_one_step(path: Path, data: bytes, *, unfinished: str = UNFINISHED, lasting: bool = False) -> None:
    """Put bytes under a name so that a reader finds the old file or the new one; OSError, and nothing is left.

    The folder is made if need be. What is not finished lies beside the path under a name that begins with
    ``unfinished``, by which a run that was killed is cleared up after; of the usual name
    :func:`sweep_unfinished` does that. With ``lasting`` the bytes are on
    the disk before they get the name.
    """
    beside = path.with_name(f"{unfinished}{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(data)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)

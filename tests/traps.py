"""What may stand in place of a small file, and must neither be waited for nor be read to its end."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SPARSE_BYTES = 3_000_000_000
"""Size of a file that takes no room on the disk, and three gigabytes of memory where it is read."""


def _gigabytes(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE_BYTES)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's name may be only a hundred bytes long
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


_EVERYWHERE: dict[str, Callable[[Path], object]] = {"gigabytes": _gigabytes, "folder": Path.mkdir}
TRAPS: dict[str, Callable[[Path], object]] = (
    _EVERYWHERE
    if sys.platform == "win32"
    else _EVERYWHERE
    | {
        "pipe": os.mkfifo,
        "link to an endless device": lambda path: path.symlink_to("/dev/zero"),
        "socket": _socket,
    }
)

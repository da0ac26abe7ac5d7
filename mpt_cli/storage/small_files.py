"""Small files that mpt wrote earlier: the one door through which state is read back.

Anybody who may write into a folder can have put anything there under a name of mpt's: a pipe that never
answers, a device that never ends, gigabytes.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_PLAIN = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # a pipe opens when somebody writes into it
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # a link could lead anywhere


def read_small(path: Path, most_bytes: int) -> bytes:
    """Return the content of a small regular file.

    Args:
        path: Path of the file; a link is refused.
        most_bytes: Size that the file may have.

    Raises:
        OSError: The file cannot be read, is larger, or is something else than a regular file.
    """
    with _opened(path, _NO_FOLLOW) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        content = file.read(size_bytes + 1) if size_bytes <= most_bytes else b""
    if max(size_bytes, len(content)) > most_bytes:
        raise OSError(errno.EINVAL, f"larger than {most_bytes} bytes", str(path))
    return content


def read_beginning(path: Path, size_bytes: int) -> bytes:
    """Return the first bytes of a regular file, or of one that a link leads to.

    Raises:
        OSError: The file cannot be read, or is something else than a regular file.
    """
    with _opened(path, 0) as file:
        return file.read(size_bytes)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[BinaryIO]:
    descriptor = os.open(path, _PLAIN | flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)

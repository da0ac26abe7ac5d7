"""KnownFiles: what is known of a file from the last time, so that it need not be read again.

A file is taken for the same while device, inode, size and both its times in nanoseconds are. Its
content is then known by a hash, and what the probe found in it stands beside that.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path


_CHUNK_BYTES = 1 << 20
_SETTLED_SECONDS = 2.0
"""A file that changed within this time may change again without its times showing it."""
_TIMES = slice(3, None)
"""Where the times are in an identity."""


def file_of(path: Path) -> tuple[int, ...]:
    """What tells a published file from all others: inode, size, and its time in nanoseconds.

    Not its device, which has another number after a restart, and not the time of its last change of
    name, owner or rights.
    """
    status = path.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_still(path: Path, file: tuple[int, ...]) -> bool:
    """Whether a name has the file that was given it; some drives know it there by another inode."""
    try:
        return file_of(path)[1:] == file[1:]
    except OSError:
        return False


def content_hash(path: Path) -> str:
    """BLAKE2b of a file's bytes, 256 bits in hexadecimal."""
    return digest_of(path, hashlib.blake2b(digest_size=32))


def digest_of(path: Path, found: hashlib._Hash | hashlib.blake2b, *, alive: Callable[[], object] = lambda: None) -> str:
    """The hash of a file's bytes in hexadecimal; ``alive`` is called for each MiB, and may raise."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            alive()
            found.update(chunk)
    return found.hexdigest()


def is_settled(identity: tuple[int, ...], now_seconds: float) -> bool:
    """Whether a file of this identity cannot have changed again without its times showing it."""
    return now_seconds - max(identity[_TIMES], default=0) / 1e9 > _SETTLED_SECONDS


def identity_of(status: os.stat_result) -> tuple[int, ...]:
    """What is the same for as long as a file is: device, inode, size, and both its times in nanoseconds."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

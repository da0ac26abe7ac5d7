"""Identity of files, so that an unchanged file need not be read again.

A file counts as unchanged while device, inode, size and both its times in nanoseconds are. Its
content is identified by a hash.
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
"""A file that changed within this time may change again without a change of its times."""
_TIMES = slice(3, None)
"""Indices of the times in an identity."""


def file_of(path: Path) -> tuple[int, ...]:
    """Return the identity of a published file: inode, size, and modification time in nanoseconds.

    The device is left out because its number changes after a restart, and the change time because a new
    name, owner or mode changes it.
    """
    status = path.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def is_still(path: Path, file: tuple[int, ...]) -> bool:
    """Return True if a path holds the file of this identity; the inode is ignored, because some drives change it."""
    try:
        return file_of(path)[1:] == file[1:]
    except OSError:
        return False


def content_hash(path: Path, *, alive: Callable[[], object] = lambda: None) -> str:
    """Return the BLAKE2b hash of a file's bytes, 256 bits in hexadecimal; ``alive`` as in :func:`digest_of`."""
    return digest_of(path, hashlib.blake2b(digest_size=32), alive=alive)


def digest_of(
    path: Path, digest: hashlib._Hash | hashlib.blake2b, *, alive: Callable[[], object] = lambda: None
) -> str:
    """Return the hash of a file's bytes in hexadecimal.

    Args:
        path: Path of the file.
        digest: Hash to update.
        alive: Called for each MiB; may raise to stop.

    Returns:
        The hash.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            alive()
            digest.update(chunk)
    return digest.hexdigest()


def is_settled(identity: tuple[int, ...], now_seconds: float) -> bool:
    """Return True if a file of this identity can no longer change without a change of its times."""
    return now_seconds - max(identity[_TIMES], default=0) / 1e9 > _SETTLED_SECONDS


def identity_of(status: os.stat_result) -> tuple[int, ...]:
    """Return the identity of an unchanged file: device, inode, size, and both its times in nanoseconds."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns

"""A lock on a file that the system releases when its process ends, however it ends.

The file says which machine its holder runs on: another one's lock, on a network drive, may look free.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import stat
import sys
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PAUSE_SECONDS = 0.02
_UNSIGNED_SECONDS = 3600
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # a link could lead to a file of the user's
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe opens when somebody writes into it
_SIGNATURE_BYTES = 1024

if sys.platform == "win32":  # pragma: no cover - the counterpart
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
"""How a system says that another has the lock; Windows by the last."""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL if sys.platform == "win32" else errno.ENOSYS}
"""How a file system says that it has none."""

logger = logging.getLogger(__name__)


@contextmanager
def held(
    path: Path, *, create: bool = True, patience_seconds: float = 0.0, lock: Callable[[int], None] = _lock
) -> Iterator[bool]:
    """Whether the lock was got; it is held, and its file exists, while the context is open.

    Without ``create`` a lock that is not there raises FileNotFoundError. ``patience_seconds`` outwait
    a holder that only looks whether the lock is anybody's, as who clears up after dead runs does.

    Some network drives know no locks. There who works goes on as if the lock was got, with a warning: two
    runs for one output at a time are rare, and each proves what it publishes, but a run that asks for a
    lock would never be let in. Who clears up, without ``create``, does not get it: the run whose lock it is
    may live. ``lock`` is the seam for such a drive; it raises what the system says.
    """
    flags = os.O_RDWR | _NO_FOLLOW | _NO_WAIT | (os.O_CREAT if create else 0)
    deadline = time.monotonic() + patience_seconds
    while (descriptor := _acquire(path, flags, lock)) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            with suppress(OSError):
                path.unlink()
            os.close(descriptor)


def is_of_this_machine(path: Path) -> bool:
    """Whether a lock file was written by this machine: under its name, or since it was started.

    Containers of one machine have names of their own and one start in common. One that nobody has
    signed for an hour is of a run that ended just before it would have: it is anybody's. Whoever may write
    into the folder can have put anything there under such a name, so nothing but a file is read, and that
    not through a link and only as far as a signature goes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return False
            lines = os.read(descriptor, _SIGNATURE_BYTES).decode(errors="replace").splitlines()
        finally:
            os.close(descriptor)
    except OSError:
        return False
    if not lines:
        return time.time() - status.st_mtime > _UNSIGNED_SECONDS
    return any(line and line == ours for line, ours in zip(lines, _machine(), strict=False))


@cache
def _machine() -> tuple[str, str]:
    """Name of this machine, and what tells its present run from others; empty where there is none."""
    boot = ""
    with suppress(OSError):
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    return platform.node(), boot


def _acquire(path: Path, flags: int, lock: Callable[[int], None]) -> int | None:
    """Descriptor of the locked file, or None where another process holds it.

    Whoever releases the lock removes its file first, so a descriptor that was locked after that
    may be of a file without a name: then the name is tried again.
    """
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            lock(descriptor)
        except OSError as error:
            if error.errno in _NO_LOCKS and flags & os.O_CREAT:
                logger.warning("%s: another run beside this one would not be noticed (%s)", path.parent, error)
                _sign(descriptor)
                return descriptor
            os.close(descriptor)
            if error.errno in _HELD | _NO_LOCKS:
                return None
            raise
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                _sign(descriptor)
                return descriptor
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Say in a locked file whose it is; on a full disk it stays empty, and is nobody's."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, "".join(f"{line}\n" for line in _machine()).encode())

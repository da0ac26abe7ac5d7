"""File locks that the system releases when their process ends, however it ends.

The file names the machine of its holder: the lock of another machine, on a network drive, may look free.
What a process leaves unfinished is told by a lock too: on the file or folder itself, which has a mark of
the machine in its name.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import platform
import re
import secrets
import stat
import sys
import time
from contextlib import contextmanager, suppress
from enum import Enum, auto
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
_MACHINE_BYTES, _PROCESS_BYTES, _RANDOM_BYTES = 4, 4, 8
_OWNED = re.compile(
    rf"([0-9a-f]{{{2 * _MACHINE_BYTES}}})([0-9a-f]{{{2 * _PROCESS_BYTES}}})[0-9a-f]{{{2 * _RANDOM_BYTES}}}"
)
"""End of the name of an unfinished file or folder: marks of the machine and of the process, and random digits."""

if sys.platform == "win32":  # pragma: no cover - the counterpart
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
"""Errors by which a system reports that another process has the lock; Windows uses the last."""
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL if sys.platform == "win32" else errno.ENOSYS}
"""Errors by which a file system reports that it has no locks."""

logger = logging.getLogger(__name__)


class Owner(Enum):
    """What is known of the process that left something unfinished."""

    ALIVE = auto()
    DEAD = auto()
    UNKNOWN = auto()
    """It is of another machine, or the file system has no locks."""

    def has_left(self, *, is_old: bool) -> bool:
        """Return True if what it left may be removed; ``is_old`` decides where nothing else tells."""
        return self is Owner.DEAD or (self is Owner.UNKNOWN and is_old)


@contextmanager
def held(
    path: Path,
    *,
    create: bool = True,
    patience_seconds: float = 0.0,
    stays: Callable[[], bool] = lambda: False,
    lock: Callable[[int], None] = _lock,
) -> Iterator[bool]:
    """Try to lock a file, and hold the lock while the context is open; the file exists as long.

    Some network drives have no locks. There a run goes on as if it had the lock, with a warning: two
    runs for one output at a time are rare, and each verifies what it publishes, but a run that insisted on a
    lock could never start. A cleaner, which passes ``create=False``, does not get the lock: the run that it
    belongs to may be alive.

    Args:
        path: Path of the lock file.
        create: True to create the lock file.
        patience_seconds: Time to wait for a holder that only checks for dead runs, as a cleaner does.
        stays: Called at the end; returns True if the file must stay, free for a later cleaner, because
            something that it belongs to could not be removed.
        lock: Locks a descriptor; a test can pass one that raises what a network drive raises.

    Yields:
        True if the lock was acquired.

    Raises:
        FileNotFoundError: The lock file does not exist and ``create`` is False.
        OSError: The lock file cannot be created, or is no regular file.
    """
    flags = os.O_RDWR | _NO_FOLLOW | _NO_WAIT | (os.O_CREAT if create else 0)
    deadline = time.monotonic() + patience_seconds
    while (descriptor := _acquire(path, flags, lock)) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            if not stays():
                with suppress(OSError):
                    path.unlink()
            os.close(descriptor)


@contextmanager
def unfinished(
    folder: Path, prefix: str, create: Callable[[Path], object], *, lock: Callable[[int], None] = _lock
) -> Iterator[Path]:
    """Create a file or folder under a name that nobody else uses, and hold its lock while the context is open.

    When its process is killed, :func:`owner` tells. It may get another name meanwhile.

    Args:
        folder: Folder to create it in.
        prefix: Beginning of its name.
        create: Creates it; fails if it exists.
        lock: Locks a descriptor; a test can pass one that raises what a network drive raises.

    Yields:
        Its path.

    Raises:
        OSError: It cannot be created.
    """
    while True:
        path = unfinished_path(folder, prefix)
        create(path)
        if sys.platform == "win32":  # pragma: no cover - an open file cannot be renamed there: its age must do
            yield path
            return
        try:
            descriptor = _own(path, lock)
        except BaseException:
            _discard(path)
            raise
        if descriptor is not None:  # else a cleaner was quicker
            break
    try:
        yield path
    finally:
        os.close(descriptor)


def unfinished_path(folder: Path, prefix: str) -> Path:
    """Return an unused name of this process for something unfinished."""
    return folder / f"{prefix}{_machine_mark()}{_process_mark(os.getpid())}{secrets.token_hex(_RANDOM_BYTES)}"


def is_unfinished(path: Path, prefix: str) -> bool:
    """Return True if a name is one that :func:`unfinished_path` returns."""
    return path.name.startswith(prefix) and _OWNED.fullmatch(path.name, len(prefix)) is not None


@contextmanager
def owner(path: Path, prefix: str, *, lock: Callable[[int], None] = _lock) -> Iterator[Owner]:
    """Yield what is known of the process that left a file or folder unfinished; hold its lock if that has ended.

    What this process left counts as alive: another thread may be at it, and NFS grants a lock twice to one process.
    """
    found, descriptor, state = _OWNED.fullmatch(path.name, len(prefix)), None, Owner.UNKNOWN
    if found and found[1] == _machine_mark() and sys.platform != "win32":
        if found[2] == _process_mark(os.getpid()):
            state = Owner.ALIVE
        else:
            with suppress(OSError):
                descriptor, state = _asked(path, lock)
    try:
        yield state
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(path: Path, *, lock: Callable[[int], None] = _lock) -> bool:
    """Return True if another process holds a lock; create, sign and remove nothing, for a dry run.

    The lock is taken for a moment, as a cleaner takes it: who wants it has the patience for that.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | _NO_FOLLOW | _NO_WAIT)
    except OSError:
        return False
    try:
        lock(descriptor)
    except OSError as error:
        return error.errno in _HELD
    finally:
        os.close(descriptor)
    return False


def is_of_this_machine(path: Path) -> bool:
    """Return True if a lock file was written by this machine: under its name, or since it was started.

    Containers of one machine have names of their own but share its start. A lock that nobody has signed
    for an hour belongs to a run that ended just before signing: it is free for all. Anybody who may write
    into the folder can have put anything there under such a name, so only a regular file is read, not
    through a link and only to the length of a signature.
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
    """Return the name of this machine and the id of its present boot; an unknown part is empty."""
    boot = ""
    with suppress(OSError):
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    return platform.node(), boot


@cache
def _machine_mark() -> str:
    """Return hexadecimal digits for this machine since its start; containers of one machine have the same."""
    name, boot = _machine()
    return hashlib.sha256((boot or name).encode()).hexdigest()[: 2 * _MACHINE_BYTES]


@cache
def _process_mark(process_id: int) -> str:
    """Return random hexadecimal digits that stay the same for a process; a fork has others."""
    del process_id
    return secrets.token_hex(_PROCESS_BYTES)


def _own(path: Path, lock: Callable[[int], None]) -> int | None:
    """Return the descriptor of a file or folder that this process created, locked where the file system can.

    None if a cleaner was quicker: it has the lock, or has removed the name.
    """
    try:
        descriptor, state = _asked(path, lock)
    except FileNotFoundError:
        return None
    if state is Owner.ALIVE:
        os.close(descriptor)
        return None
    return descriptor


def _asked(path: Path, lock: Callable[[int], None]) -> tuple[int, Owner]:
    """Return the descriptor of an unfinished file or folder, and DEAD if that got its lock.

    Raises:
        OSError: The file is gone or cannot be opened.
    """
    is_folder = stat.S_ISDIR(path.lstat().st_mode)
    descriptor = os.open(path, (os.O_RDONLY if is_folder else os.O_RDWR) | _NO_FOLLOW | _NO_WAIT)
    try:
        lock(descriptor)
        is_own = os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError as error:  # an NFS has locks only for what is open for writing, so not for folders
        return descriptor, Owner.ALIVE if error.errno in {*_HELD, errno.ENOENT} else Owner.UNKNOWN
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, Owner.DEAD if is_own else Owner.ALIVE


def _discard(path: Path) -> None:
    """Remove an empty file or folder."""
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        path.rmdir()


def _acquire(path: Path, flags: int, lock: Callable[[int], None]) -> int | None:
    """Return the descriptor of the locked file, or None where another process holds the lock.

    A holder removes the file before it releases the lock, so a descriptor that was locked after that
    may be of a file without a name: then the name is tried again.
    """
    while True:
        descriptor = os.open(path, flags, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a regular file", str(path))
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
    """Write the name of this machine into a locked file; on a full disk the file stays empty, and is nobody's."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, "".join(f"{line}\n" for line in _machine()).encode())

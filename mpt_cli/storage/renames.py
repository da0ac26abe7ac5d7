"""Names of finished files: given in one step, and never over a file that must stay.

A look before a rename is not enough: another program may put a file there between the two.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Replaces = bool | Callable[[Path], bool]
    """True where any file may be replaced, False where none may; else returns True for a file that may be."""
    Link = Callable[[Path, Path], object]
    FlaggedRename = Callable[[Path, Path, int], object]

logger = logging.getLogger(__name__)

_NO_REPLACE, _EXCHANGE = 1, 2
"""Flags of Linux' renameat2."""
_AT_FDCWD = -100
_NOT_LINKED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL}
"""Errors of a file system, or of a confinement, that has no hard links; FAT uses the first, AppArmor the second."""
_NO_FLAG = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
"""Errors of a file system without such a flag, as NFS, and of a system without the call; seccomp uses the last."""
_MOST_LOOKS = 5
"""How often a name is tried that other programs give and take away meanwhile."""


class NameTakenError(FileExistsError):
    """A file that must not be replaced has the name."""


class GiveName(Protocol):
    """Rename of a finished file, see :func:`give_name`."""

    def __call__(self, source: Path, target: Path, *, replaces: Replaces) -> object:
        """Rename ``source`` to ``target``."""
        ...


def _flagged_rename(source: Path, target: Path, flag: int) -> None:
    """Rename with a flag of renameat2.

    Raises:
        OSError: The rename failed; ``ENOSYS`` where the system has no such call.
    """
    call = _renameat2()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), str(source))
    failure = call(os.fsencode(source), os.fsencode(target), flag)
    if failure:
        raise OSError(failure, os.strerror(failure), str(source), None, str(target))


def give_name(
    source: Path,
    target: Path,
    *,
    replaces: Replaces,
    link: Link = os.link,
    flagged_rename: FlaggedRename = _flagged_rename,
) -> None:
    """Rename a file in one step; what must not be replaced stays, whenever it was put there.

    Where the file system has neither hard links nor a rename with a flag, as some network drives, a look
    comes right before the rename: a file that appears between these two is replaced.

    Args:
        source: The file, in the folder of the target.
        target: The name to give it.
        replaces: Tells what may be replaced. A function is asked about the file at the target, and about
            the same file again when it lies at ``source`` for a moment.
        link: Creates a hard link; a test can pass one that a file system without links has.
        flagged_rename: Renames with a flag of renameat2; a test can pass one that fails.

    Raises:
        NameTakenError: A file that must not be replaced has the name; ``source`` is untouched.
        OSError: The file cannot be renamed.
    """
    if replaces is True:
        source.replace(target)
        return
    for _ in range(_MOST_LOOKS):
        with suppress(FileExistsError):
            _take_unused(source, target, link, flagged_rename)
            return
        if replaces and replaces(target):
            with suppress(FileNotFoundError):  # the file at the target was taken away: its name may be free
                _replace(source, target, replaces, flagged_rename)
                return
        elif os.path.lexists(target):
            break
    raise _taken(target)


def _take_unused(source: Path, target: Path, link: Link, flagged_rename: FlaggedRename) -> None:
    """Rename a file to a name that nothing has; raise FileExistsError if something has it."""
    if sys.platform == "win32":  # pragma: no cover - the counterpart
        source.rename(target)  # replaces nothing there
        return
    try:
        link(source, target)
    except FileExistsError:
        if not _is_one_file(source, target):  # a network drive may fail a link that it has created
            raise
    except OSError as error:
        if error.errno not in _NOT_LINKED:
            raise
        _rename_to_unused(source, target, flagged_rename)
        return
    with suppress(OSError):
        source.unlink()


def _rename_to_unused(source: Path, target: Path, flagged_rename: FlaggedRename) -> None:
    try:
        flagged_rename(source, target, _NO_REPLACE)
    except OSError as error:
        if error.errno not in _NO_FLAG:
            raise
        logger.info("%s: a file that appears there in this moment would be replaced (%s)", target, error.strerror)
        if os.path.lexists(target):
            raise _taken(target) from error
        source.rename(target)


def _replace(source: Path, target: Path, replaces: Callable[[Path], bool], flagged_rename: FlaggedRename) -> None:
    """Replace a file that may be; raise NameTakenError if another one has taken its place.

    The two files exchange their names first, so that the old one can be judged where nobody writes to it.
    """
    ours = source.lstat()
    try:
        flagged_rename(source, target, _EXCHANGE)
    except OSError as error:
        if error.errno not in _NO_FLAG:
            raise
        if not replaces(target):  # looked at once more, as late as can be
            raise _taken(target) from error
        source.replace(target)
        return
    is_replaced = False
    try:
        is_replaced = replaces(source)
    finally:
        if not is_replaced:
            flagged_rename(source, target, _EXCHANGE)
            if not os.path.samestat(source.lstat(), ours):  # replaced once more meanwhile: the later file stays
                flagged_rename(source, target, _EXCHANGE)
    if not is_replaced:
        raise _taken(target)
    with suppress(OSError):
        source.unlink()


def _taken(target: Path) -> NameTakenError:
    return NameTakenError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _is_one_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


@cache
def _renameat2() -> Callable[[bytes, bytes, int], int] | None:
    """Return a function that calls renameat2 and returns its error number, or None where there is no such call."""
    if sys.platform != "linux":
        return None
    import ctypes  # takes 20 ms, and is needed for few renames

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # an old C library
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)

    def rename(source: bytes, target: bytes, flag: int) -> int:
        return ctypes.get_errno() if call(_AT_FDCWD, source, _AT_FDCWD, target, flag) else 0

    return rename

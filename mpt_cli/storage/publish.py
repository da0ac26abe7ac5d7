"""Publication of a finished file in one step: claim the name, write under a hidden one, rename."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, OutputError
from mpt_cli.storage.disk import writing
from mpt_cli.storage.output_lock import output_lock
from mpt_cli.storage.renames import NameTakenError, give_name
from mpt_cli.storage.temp_files import PREFIX, short_name, sweep_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mpt_cli.storage.renames import GiveName, Replaces


if sys.platform == "darwin":  # pragma: no cover - the counterpart
    import fcntl


logger = logging.getLogger(__name__)

_BUSY_SECONDS = (0.1, 0.4, 1.0)
"""Pauses before a busy target is tried again: players and virus scanners let go soon, or not at all."""
_LONGEST_NAME, _SHORT_STEM = 240, 60
"""In bytes, and in characters of at most four bytes each: a name has 255 bytes in most file systems."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed name, which no other run may write to, and the hidden path beside it to write the file to."""

    target: Path
    hidden: Path
    overwrite: bool
    rename: GiveName
    sleep: Callable[[float], object]

    def publish(
        self, before: Callable[[], object] = lambda: None, *, is_ours: Callable[[Path], bool] | None = None
    ) -> None:
        """Give the file its name.

        Args:
            before: Called last before the rename; an exception from it prevents the publication.
            is_ours: Returns True if the file at a path is one that mpt published under the name of the
                target; then only such a file is replaced.

        Raises:
            OutputError: ``output_exists`` when the target has appeared meanwhile and may not be replaced;
                ``output_busy`` when the system refuses to replace it: then the finished file stays
                beside it under a visible name.
        """
        with writing(self.target):
            _flush(self.hidden)
            if not self.overwrite:
                refuse_existing(self.target)
            before()
            try:
                self._rename(self.overwrite if is_ours is None else is_ours)
            except NameTakenError as error:
                raise existing(self.target) if is_ours is None else changed(self.target) from error
        _flush_names(self.target.parent)

    def _rename(self, replaces: Replaces) -> None:
        """Rename the file; try again while another program has the target open."""
        for seconds in _BUSY_SECONDS:
            with suppress(PermissionError):
                self.rename(self.hidden, self.target, replaces=replaces)
                return
            self.sleep(seconds)
        try:
            self.rename(self.hidden, self.target, replaces=replaces)
        except PermissionError as error:
            raise OutputError(
                IssueCode.OUTPUT_BUSY,
                "cannot be replaced: another program has it open",
                path=self.target,
                hint=f"close it; the finished reel is at {_keep_beside(self.hidden, self.target)}",
            ) from error


@contextmanager
def claimed(
    target: Path,
    *,
    overwrite: bool,
    rename: GiveName = give_name,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Claim]:
    """Claim a name while the context is open, and remove a file that was not published at its end.

    Errors raised within the context are passed on unchanged, because much of a run only reads.

    Args:
        target: Path of the output.
        overwrite: True to replace an existing file.
        rename: Renames a file; a test can pass one that refuses.
        sleep: Waits before the next attempt to rename.

    Yields:
        The claim.

    Raises:
        OutputError: ``locked`` when another run is writing the same output.
    """
    hidden = target.parent / f"{PREFIX}{short_name(target.name)}{target.suffix}"
    with ExitStack() as stack:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            sweep_once(target.parent.absolute(), os.getpid())
            # What could not be removed is swept by a later run.
            stack.enter_context(output_lock(target, stays=lambda: os.path.lexists(hidden)))
            hidden.unlink(missing_ok=True)  # what lies there could be a link to another file
        stack.callback(_discard, hidden)
        yield Claim(target, hidden, overwrite, rename, sleep)


def publish(
    target: Path,
    data: bytes,
    *,
    overwrite: bool,
    before: Callable[[Path], object] = lambda _hidden: None,
    is_ours: Callable[[Path], bool] | None = None,
) -> None:
    """Write a small file as a claimed output is written.

    Args:
        target: Path of the output.
        data: Content of the file.
        overwrite: True to replace an existing file.
        before: Called last before the rename, with the path of the written file.
        is_ours: Tells what alone may be replaced, see :meth:`Claim.publish`.
    """
    with claimed(target.absolute(), overwrite=overwrite) as claim:
        with writing(target):
            claim.hidden.write_bytes(data)
        claim.publish(lambda: before(claim.hidden), is_ours=is_ours)


def _discard(path: Path) -> None:
    """Remove a file if it exists; a failure must not hide the error that led here."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def refuse_existing(target: Path) -> None:
    """Raise OutputError if the name is taken, even by a link to nothing."""
    if os.path.lexists(target):
        raise existing(target)


def existing(target: Path) -> OutputError:
    """Return the error for an output that is there already."""
    return OutputError(IssueCode.OUTPUT_EXISTS, "already exists", path=target, hint="add --overwrite to replace it")


def changed(target: Path) -> OutputError:
    """Return the error for an output that mpt did not put there, where only its own may be replaced."""
    message, hint = "was changed by another program during the run", "add --overwrite to replace it"
    return OutputError(IssueCode.OUTPUT_EXISTS, message, path=target, hint=hint)


def _keep_beside(hidden: Path, target: Path) -> Path:
    """Rename a finished file to an unused visible name beside its target, and return that."""
    stem = target.stem if len(os.fsencode(target.name)) < _LONGEST_NAME else target.stem[:_SHORT_STEM]
    for number in count(1):
        kept = target.with_name(f"{stem}.finished{f'-{number}' if number > 1 else ''}{target.suffix}")
        with suppress(NameTakenError):
            give_name(hidden, kept, replaces=False)
            break
    return kept


def _flush(path: Path, flags: int = os.O_RDWR) -> None:
    """Flush a file that is open for writing, or the names in a folder, to the disk."""
    descriptor = os.open(path, flags)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Flush a descriptor, on macOS through the drive's cache too: after fsync a drive keeps there what it likes."""
    if sys.platform == "darwin":  # pragma: no cover - the counterpart
        with suppress(OSError):  # not every file system can
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def _flush_names(folder: Path) -> None:
    """Flush a new name to the disk; if that fails the file still has its name until a loss of power."""
    if sys.platform == "win32":
        return  # folders cannot be opened there
    try:
        _flush(folder, os.O_RDONLY)
    except OSError as error:
        logger.warning("%s: the new name may not outlast a loss of power (%s)", folder, error)

"""The lock of an output, so that no two runs write the same file."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, OutputError
from mpt_cli.storage import locks
from mpt_cli.storage.temp_files import LOCK_EXTENSION, PREFIX, short_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SWEEP_SECONDS = 1.0
"""Longest wait for the lock of a dead run, which another run that cleans up may hold for a moment."""


@contextmanager
def output_lock(target: Path, *, stays: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock of an output while the context is open.

    Args:
        target: Path of the output.
        stays: Returns True at the end if the file of the lock must stay, for a later run to sweep what it protects.

    Raises:
        OutputError: ``locked`` when another run is writing the same output.
    """
    with locks.held(_lock_of(target), patience_seconds=_SWEEP_SECONDS, stays=stays) as got:
        if not got:
            raise _locked(target)
        yield


def refuse_locked(target: Path) -> None:
    """Raise OutputError if another run is writing the same output; change nothing."""
    if locks.is_held(_lock_of(target)):
        raise _locked(target)


def _lock_of(target: Path) -> Path:
    return target.parent / f"{PREFIX}{short_name(target.name)}{LOCK_EXTENSION}"


def _locked(target: Path) -> OutputError:
    message, hint = "is being written by another run", "wait for that run, or choose another output"
    return OutputError(IssueCode.LOCKED, message, path=target, hint=hint)

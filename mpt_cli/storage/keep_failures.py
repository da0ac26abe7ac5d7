"""Failures to keep what later runs use: finished clips, and records of runs.

No run fails because of them, but each that meets one reports it: the next night depends on what was kept.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from pathlib import Path

NO_HOME = "no home folder is known (HOME is not set, and the user has no account)"

_LOSSES = {
    IssueCode.CACHE_UNAVAILABLE: (
        "the next run will not find the clips that this one finished",
        "set cache.dir to a folder that can be written, or give --no-cache",
    ),
    IssueCode.STATE_UNAVAILABLE: (
        "the next --if-changed will not know this reel, or mpt report not this run",
        "set paths.state to a folder that can be written",
    ),
}
"""Consequence and advice for each folder."""


class KeepFailures:
    """Record of failures, for all runs of a process; several threads may note and ask."""

    def __init__(self, *standing: Issue) -> None:
        """Start without failures; ``standing`` are warnings that hold for every run."""
        self._lock, self._count = threading.Lock(), 0
        self._standing = standing
        self._noted: dict[IssueCode, tuple[int, Issue]] = {}

    @property
    def mark(self) -> int:
        """Number of failures so far, for :meth:`since`."""
        return self._count

    def note(self, code: IssueCode, folder: Path, error: OSError) -> None:
        """Note a failed write.

        Args:
            code: ``cache_unavailable`` or ``state_unavailable``.
            folder: The whole cache, or the folder of all records.
            error: The error of the system.
        """
        loss, hint = _LOSSES[code]
        issue = Issue(code, f"cannot be written ({error.strerror or error}): {loss}", folder, hint)
        with self._lock:
            self._count += 1
            self._noted[code] = self._count, issue

    def since(self, mark: int) -> tuple[Issue, ...]:
        """Return the standing warnings, and the last failure of each folder that was noted after a mark."""
        with self._lock:
            return (*self._standing, *(issue for count, issue in self._noted.values() if count > mark))


def homeless(*, cache: bool, state: bool) -> tuple[Issue, ...]:
    """Return the one warning for folders that a user without a home folder does not have.

    Args:
        cache: True if the cache is missing.
        state: True if the records of runs are missing.
    """
    if cache and state:
        message, hint = "neither finished clips nor records of runs are kept", "set HOME, or cache.dir and paths.state"
    elif cache or state:
        message = "finished clips are not kept" if cache else "records of runs are not kept"
        hint = f"set HOME, or {'cache.dir' if cache else 'paths.state'}"
    else:
        return ()
    code = IssueCode.STATE_UNAVAILABLE if state else IssueCode.CACHE_UNAVAILABLE
    lost = ": the next --if-changed will not know this reel" if state else ""
    return (Issue(code, f"{NO_HOME}, so {message}{lost}", hint=hint),)

"""Side files of a command: ``--junit``, ``--metrics-file``, ``--manifest``."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Issue, IssueCode, UsageError
from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES
from mpt_cli.storage.atomic_write import real_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mpt_cli.cli.options import Given
    from mpt_cli.model.results import CommandEnd

_NAMES = {"junit": "--junit", "metrics_file": "--metrics-file", "manifest": "--manifest"}
_OTHERS = {"log_file": "--log-file", "contact_sheet": "--contact-sheet", "poster": "--poster"}
"""Options of the other files that a command writes."""
_BEGINNING_BYTES = 1 << 16
"""Bytes of an earlier metrics file that are read: what a later run keeps of it stands before the metrics of jobs."""


class SideFiles:
    """Side files, checked before any work and written once when the command has ended, also after an error.

    As a log does, they replace those of the last run without ``--overwrite``. They replace nothing else,
    so they cannot be an input, an output or another file of the user.
    """

    def __init__(self, given: Given) -> None:
        """Take the named files; a dry run checks them too, but writes none."""
        named = {name: given.get(name) for name in _NAMES}
        self._others: dict[str, Path | None] = {option: given.get(name) for name, option in _OTHERS.items()}
        self._paths: dict[str, Path] = {name: path for name, path in named.items() if path}
        self._writes = not given.get("dry_run")

    def __bool__(self) -> bool:
        """Return True if there is a file to write."""
        return self._writes and bool(self._paths)

    def check(self) -> None:
        """Check that all files can be written; after an error none will be.

        Raises:
            UsageError: A file cannot or must not be written.
        """
        wanted, self._paths = self._paths, {}
        seen = {real_path(path): option for option, path in self._others.items() if path is not None}
        for name, path in wanted.items():
            option = _NAMES[name]
            if (other := seen.setdefault(real_path(path), option)) != option:
                raise UsageError(f"is named by {other} and by {option}", path=path, hint="give each a file of its own")
            self._refuse(name, option, path)
        self._paths = wanted

    def write(self, facts: CommandEnd) -> Iterator[Issue]:
        """Write the files; yield a warning for each that cannot be written."""
        from mpt_cli.cli.marked_files import write_whole
        from mpt_cli.storage.renames import NameTakenError

        for name, path in self._paths.items():
            try:
                text = _renderer(name, path)(facts)
                if text is None:
                    continue
                write_whole(path, text, _mark(name))
            except (OSError, ValueError, MemoryError) as error:  # the reel is published: nothing may take its answer
                taken = isinstance(error, NameTakenError)
                why = "another file has this name now" if taken else getattr(error, "strerror", None) or error
                message = f"cannot be written for {_NAMES[name]} ({why})"
                yield Issue(IssueCode.OUTPUT_NOT_WRITABLE, message, path, "the run itself is not affected")

    def _refuse(self, name: str, option: str, path: Path) -> None:
        from mpt_cli.cli.marked_files import is_replaceable

        if path.suffix.lower() in MEDIA_SUFFIXES:
            raise UsageError(f"is named by {option}, but is a video file", path=path, hint="choose another extension")
        try:
            free = is_replaceable(path, _mark(name))
            folder = next(above for above in path.resolve().parents if os.path.lexists(above))
        except (OSError, ValueError, RuntimeError) as error:  # a link to itself
            why = getattr(error, "strerror", None) or error
            raise UsageError(f"cannot be written for {option} ({why})", path=path) from error
        if not free:
            hint = "name a file of its own: only one that mpt wrote there before is replaced"
            raise UsageError(f"is named by {option}, but what is there was not written by mpt", path=path, hint=hint)
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise UsageError(
                f"cannot be written for {option}: nothing can be created in {folder}",
                path=path,
                hint="choose another folder",
            )


def _renderer(name: str, path: Path) -> Callable[[CommandEnd], str | None]:
    """Return the function that renders the text of a file."""
    from mpt_cli.reporting import junit, manifest, prometheus

    if name == "metrics_file":
        return lambda facts: prometheus.metrics(
            facts, run=path.stem, succeeded_before=prometheus.last_success(_beginning(path), facts.command)
        )
    return junit.junit if name == "junit" else manifest.manifest


def _beginning(path: Path) -> str:
    """Return the beginning of the file that an earlier run wrote, or an empty string."""
    from mpt_cli.storage.small_files import read_beginning

    with suppress(OSError):  # whatever else is there is not replaced
        return read_beginning(path, _BEGINNING_BYTES).decode(errors="replace")
    return ""


def _mark(name: str) -> str:
    """Return the mark at the beginning of files of this kind."""
    from mpt_cli.reporting import junit, manifest, prometheus

    return {"junit": junit.MARK, "metrics_file": prometheus.MARK, "manifest": manifest.MARK}[name]

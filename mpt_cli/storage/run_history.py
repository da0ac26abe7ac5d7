"""Results of earlier runs, kept for later reports."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from mpt_cli.storage.bounded_folder import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

RESULTS_KEPT = 1000
LAST = "last"
_SPARE = 50
_REPORT = r"[0-9]{8}T[0-9]{12}-.+\.json"
_PART_OF_ID = re.compile(r"[0-9a-f]{4,32}")

logger = logging.getLogger(__name__)


class RecordedRun(Protocol):
    """Id and start, which every result has."""

    @property
    def workflow_id(self) -> str:
        """Id of the run."""
        ...

    @property
    def started_at(self) -> datetime:
        """Start of the run, in UTC."""
        ...


Run = TypeVar("Run", bound=RecordedRun)


class History(Generic[Run]):
    """Folder of results of one kind; several processes may share it."""

    def __init__(
        self,
        folder: Path,
        kind: type[Run],
        *,
        keep: int = RESULTS_KEPT,
        on_failure: Callable[[OSError], object] = lambda _error: None,
    ) -> None:
        """Use a folder, which is created with the first result.

        Args:
            folder: Folder of the results.
            kind: Class of the results.
            keep: Number of results to keep at least.
            on_failure: Receives the error of a result that could not be kept.
        """
        self._records = Records(folder, _REPORT)
        self._kind, self._keep, self._on_failure = kind, keep, on_failure

    def add(self, entry: Run) -> None:
        """Keep a result. A folder that cannot be written causes a warning, no error.

        Args:
            entry: Result of a run.
        """
        name = f"{entry.started_at:%Y%m%dT%H%M%S%f}-{entry.workflow_id}.json"
        values = _adapter(self._kind).dump_python(entry, mode="json")
        text = json.dumps(values)  # a name need not be UTF-8: ASCII holds it
        try:
            self._records.write(name, text.encode("ascii"))
        except OSError as error:
            logger.warning("The report of workflow %s was not kept: %s", entry.workflow_id, error)
            self._on_failure(error)
            return
        self._records.keep_newest(self._keep, spare=_SPARE, age=lambda path: path.name)

    def require_writable(self) -> Path:
        """Check that a result could be kept; return the folder.

        Raises:
            OSError: The folder cannot be written.
        """
        return self._records.require_writable()

    def find(self, which: str) -> Run | None:
        """Return the newest run that matches an id.

        Args:
            which: Beginning of a workflow id (4 to 32 hexadecimal digits), or ``last`` for the newest run of all.

        Returns:
            The run; None if no run matches, or none that can be read.
        """
        if which != LAST and not _PART_OF_ID.fullmatch(which):
            return None
        part = "-" if which == LAST else f"-{which}"
        return next(self._read(path for path in self._reports()[::-1] if part in path.name), None)

    def newest(self, *, naming: Collection[str] = (), without: Collection[str] = ()) -> Iterator[Run]:
        """Yield the runs that can be read, newest first; each is read only when it is its turn.

        Args:
            naming: Texts, such as names of files; runs whose records hold none of them are left out.
            without: Whole ids of runs to leave out unread.
        """
        words = [json.dumps(text)[1:-1].encode("ascii") for text in naming]
        return self._read((path for path in self._reports()[::-1] if _id_of(path) not in without), words)

    def ids(self, most: int) -> list[str]:
        """Return the newest workflow ids, newest first.

        Args:
            most: Largest number of ids.

        Returns:
            The first eight digits of each id.
        """
        newest = self._reports()[::-1][:most]
        return [_id_of(path)[:8] for path in newest]

    def sweep(self) -> None:
        """Remove what killed runs left unfinished."""
        self._records.sweep()

    def _read(self, paths: Iterable[Path], words: Collection[bytes] = ()) -> Iterator[Run]:
        """Yield the runs in these files, without those that cannot be read or hold none of the words."""
        for path in paths:
            run = self._load(path, words)
            if run is not None:
                yield run

    def _load(self, path: Path, words: Collection[bytes]) -> Run | None:
        with suppress(OSError, ValueError, RecursionError):
            data = self._records.read(path.name)
            if not words or any(word in data for word in words):
                run: Run = _adapter(self._kind).validate_python(json.loads(data))
                return run
        return None

    def _reports(self) -> list[Path]:
        """Return the files that are named as reports, oldest first."""
        return sorted(self._records.paths())


def _id_of(path: Path) -> str:
    return path.stem.rpartition("-")[2]


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)

"""Results of earlier runs, kept for later reports."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from mpt_cli.model.run_record import HistoryEntry
from mpt_cli.storage.atomic_write import sweep_unfinished, write_in_one_step
from mpt_cli.storage.store import listed

if TYPE_CHECKING:
    from pathlib import Path

RESULTS_KEPT = 1000
LAST = "last"
_SPARE = 50
"""Number of reports above the limit that may stay, so that not every run must look for the oldest."""
_MOST_BYTES = 64 << 20
_REPORT = re.compile(r"[0-9]{8}T[0-9]{12}-.+\.json", re.DOTALL)
_PART_OF_ID = re.compile(r"[0-9a-f]{4,32}")

logger = logging.getLogger(__name__)


class History:
    """Folder of results; several processes may share it."""

    def __init__(self, folder: Path, *, keep: int = RESULTS_KEPT) -> None:
        """Use a folder, which is created with the first result.

        Args:
            folder: Folder of the results.
            keep: Number of results to keep at least.
        """
        self._folder, self._keep = folder, keep

    def add(self, entry: HistoryEntry) -> None:
        """Keep a result. A folder that cannot be written causes a warning in the log, no error.

        Args:
            entry: Result of a run.
        """
        name = f"{entry.started_at:%Y%m%dT%H%M%S%f}-{entry.result.workflow_id}.json"
        text = json.dumps(_entries().dump_python(entry, mode="json"))  # a name need not be UTF-8: ASCII holds it
        try:
            write_in_one_step(self._folder / name, text.encode("ascii"))
        except OSError as error:
            logger.warning("The report of workflow %s was not kept: %s", entry.result.workflow_id, error)
            return
        self._drop_oldest()

    def find(self, which: str) -> HistoryEntry | None:
        """Return the newest run that matches an id.

        Args:
            which: Beginning of a workflow id (4 to 32 hexadecimal digits), or ``last`` for the newest run of all.

        Returns:
            The run; None if no run matches, or none that can be read.
        """
        if which != LAST and not _PART_OF_ID.fullmatch(which):
            return None
        part = "-" if which == LAST else f"-{which}"
        for path in (path for path in self._reports()[::-1] if part in path.name):
            with suppress(OSError, ValueError, RecursionError):
                if not path.is_file() or path.stat().st_size > _MOST_BYTES:
                    continue
                return _entries().validate_python(json.loads(path.read_bytes()))
        return None

    def ids(self, most: int) -> list[str]:
        """Return the newest workflow ids, newest first.

        Args:
            most: Largest number of ids.

        Returns:
            The first eight digits of each id.
        """
        newest = self._reports()[::-1][:most]
        return [path.stem.rpartition("-")[2][:8] for path in newest]

    def _reports(self) -> list[Path]:
        """Return the files that are named as reports, oldest first; the folder may hold other files of a user."""
        return sorted(path for path in listed(self._folder) if _REPORT.fullmatch(path.name))

    def _drop_oldest(self) -> None:
        """Remove the oldest reports; failures are ignored, because the new result is kept already."""
        sweep_unfinished(self._folder)
        reports = self._reports()
        if len(reports) > self._keep + _SPARE:
            for report in reports[: -self._keep]:
                with suppress(OSError):
                    report.unlink()


@cache
def _entries() -> TypeAdapter[HistoryEntry]:
    return TypeAdapter(HistoryEntry)

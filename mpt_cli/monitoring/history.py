"""History: results of earlier runs, kept so that they can be reported on later."""

from __future__ import annotations

import json
import logging
import re
import time
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from mpt_cli.filesystem import write_in_one_step
from mpt_cli.results import HistoryEntry

if TYPE_CHECKING:
    from pathlib import Path

RESULTS_KEPT = 1000
LAST = "last"
_SPARE = 50
"""How many more may lie there, so that not every run must look for the oldest."""
_ABANDONED_SECONDS = 3600
_MOST_BYTES = 64 << 20
_PART_OF_ID = re.compile(r"[0-9a-f]{4,32}")

logger = logging.getLogger(__name__)


class History:
    """A folder of results; several processes may share it."""

    def __init__(self, folder: Path, *, keep: int = RESULTS_KEPT) -> None:
        """Keep at least this many results below the folder, which is made when the first one comes."""
        self._folder, self._keep = folder, keep

    def add(self, entry: HistoryEntry) -> None:
        """Keep a result; a folder that cannot be written is no error."""
        name = f"{entry.started_at:%Y%m%dT%H%M%S%f}-{entry.result.workflow_id}.json"
        text = json.dumps(_entries().dump_python(entry, mode="json"))  # a name need not be UTF-8: ASCII holds it
        try:
            write_in_one_step(self._folder / name, text.encode("ascii"))
        except OSError as error:
            logger.warning("The report of workflow %s was not kept: %s", entry.result.workflow_id, error)
            return
        self._drop_oldest()

    def find(self, which: str) -> HistoryEntry | None:
        """The run with this workflow id, or the newest whose id begins so; ``last`` is the newest of all.

        None where there is none, or none that can be read.
        """
        if which != LAST and not _PART_OF_ID.fullmatch(which):
            return None
        pattern = "*.json" if which == LAST else f"*-{which}*.json"
        for path in sorted(self._folder.glob(pattern), reverse=True):
            with suppress(OSError, ValueError, RecursionError):
                if not path.is_file() or path.stat().st_size > _MOST_BYTES:
                    continue
                return _entries().validate_python(json.loads(path.read_bytes()))
        return None

    def ids(self, most: int) -> list[str]:
        """The first digits of the newest workflow ids, newest first."""
        names = sorted((path.stem for path in self._folder.glob("*.json")), reverse=True)
        return [name.rpartition("-")[2][:8] for name in names[:most]]

    def _drop_oldest(self) -> None:
        names = sorted(path.name for path in self._folder.glob("*.json"))
        for rest in self._folder.glob(".*"):  # of runs that were killed as they wrote
            with suppress(OSError):
                if time.time() - rest.stat().st_mtime > _ABANDONED_SECONDS:
                    rest.unlink()
        if len(names) > self._keep + _SPARE:
            for name in names[: -self._keep]:
                (self._folder / name).unlink(missing_ok=True)


@cache
def _entries() -> TypeAdapter[HistoryEntry]:
    return TypeAdapter(HistoryEntry)

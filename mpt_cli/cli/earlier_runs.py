"""Earlier runs and batches: a list of them, and the run of an id or of an output."""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING

from mpt_cli.cli.answer import exit_code_of_run
from mpt_cli.model.run_record import ListedRun
from mpt_cli.storage.atomic_write import real_path
from mpt_cli.storage.run_history import LAST

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.run_record import BatchEntry, HistoryEntry
    from mpt_cli.storage.run_history import History


class EarlierRuns:
    """Records of single runs, among them the jobs of batches, and of batches as a whole."""

    def __init__(self, runs: History[HistoryEntry], batches: History[BatchEntry]) -> None:
        """Read these folders of records."""
        self._runs, self._batches = runs, batches

    def listed(self, most: int) -> list[ListedRun]:
        """Return runs and batches, newest first; the jobs of a batch that is listed are left out."""
        batches = list(islice(self._batches.newest(), most))
        jobs = {job.workflow_id for batch in batches for job in batch.jobs}
        lines = heapq.merge(
            map(_line_of_run, self._runs.newest(without=jobs)),
            map(_line_of_batch, batches),
            key=lambda line: line.started_at,
            reverse=True,
        )
        return list(islice(lines, most))

    def find(self, which: str) -> HistoryEntry | BatchEntry | None:
        """Return the newest run or batch whose id begins so; for ``last`` the run that began last."""
        return self._runs.find(which) or (None if which == LAST else self._batches.find(which))

    def last_batch(self) -> BatchEntry | None:
        """Return the batch that began last, or None."""
        return self._batches.find(LAST)

    def of_output(self, path: Path) -> tuple[HistoryEntry, ListedRun | None] | None:
        """Return the last run that made an output, and the newest later one that was to make it and did not.

        If no recorded run made it, the newest one that was to make it is returned alone; None if there is none.
        """
        wanted, later, idle = real_path(path), None, None
        for run in self._runs.newest(naming={path.name, wanted.name}):
            output = run.wanted_path
            if output is None or real_path(output) != wanted:
                continue
            if run.result.unchanged:
                idle = idle or run
            elif run.result.output is not None:
                return run, None if later is None else _line_of_run(later)
            else:
                later = later or run
        found = later or idle
        return None if found is None else (found, None)

    def known(self) -> list[str]:
        """Return the first eight digits of the ids of all runs and batches, newest runs first."""
        return [*self._runs.ids(_ALL), *self._batches.ids(_ALL)]


_ALL = 10_000


def _line_of_run(run: HistoryEntry) -> ListedRun:
    result = run.result
    return ListedRun(
        run.workflow_id,
        run.command,
        run.started_at,
        result.status,
        exit_code_of_run(result),
        result.code,
        result.unchanged,
        result.metrics.total_duration_seconds if result.metrics else None,
        run.wanted_path,
    )


def _line_of_batch(batch: BatchEntry) -> ListedRun:
    return ListedRun(
        batch.workflow_id,
        "batch",
        batch.started_at,
        batch.status,
        batch.exit_code,
        batch.errors[0].code if batch.errors else None,
        unchanged=False,
        elapsed_seconds=batch.elapsed_seconds,
        output_path=None,
        jobs=batch.jobs,
    )

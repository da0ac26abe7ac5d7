"""Record of a batch as a whole, for ``mpt report``: its jobs in brief, and when each began."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mpt_cli.model.run_record import BatchEntry, JobRecord
from mpt_cli.reporting.summaries import count_clips
from mpt_cli.runtime.events import RunStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import JobEnd, RunStatus
    from mpt_cli.runtime.events import Event, RunContext


class BatchRecorder:
    """Notes when each job of a batch begins; jobs begin in several threads."""

    def __init__(
        self,
        workflow_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start the clock.

        Args:
            workflow_id: Id of the batch as a whole.
            clock: Monotonic clock, in seconds.
            now: Returns the time of day in UTC.
        """
        self._workflow_id, self._clock = workflow_id, clock
        self._started, self._started_at = clock(), now()
        self._starts: dict[str, float] = {}

    def hearing(self, context: RunContext) -> RunContext:
        """Return the context of a job with an emit that notes the start of the job, and passes each event on."""

        def both(event: Event) -> object:
            if isinstance(event, RunStarted):
                self._starts[event.workflow_id] = self._clock() - self._started
            return context.emit(event)

        return replace(context, emit=both)

    def entry(
        self,
        outputs: Sequence[Path | None],
        ends: Sequence[JobEnd],
        *,
        status: RunStatus,
        exit_code: int,
        errors: Sequence[Issue] = (),
    ) -> BatchEntry:
        """Return the record of the batch, which ends now.

        Args:
            outputs: Path of the reel of each job, or None where it is not known.
            ends: End of each job.
            status: Status of the command.
            exit_code: Exit code of the command.
            errors: Issues that ended the batch as a whole.
        """
        return BatchEntry(
            self._workflow_id,
            self._started_at,
            self._clock() - self._started,
            status,
            int(exit_code),
            tuple(self._job(output, end) for output, end in zip(outputs, ends, strict=True)),
            tuple(errors),
            next((end.result.ffmpeg for end in ends if end.result.ffmpeg), None),
        )

    def _job(self, output: Path | None, end: JobEnd) -> JobRecord:
        result, metrics = end.result, end.result.metrics
        return JobRecord(
            end.name,
            result.workflow_id,
            result.status,
            end.exit_code,
            None if output is None else output.absolute(),
            result.output,
            result.unchanged,
            result.code,
            self._starts.get(result.workflow_id),
            metrics.total_duration_seconds if metrics else None,
            metrics.memory_peak_bytes if metrics else None,
            count_clips(result.clips),
            result.errors,
            result.warnings,
        )

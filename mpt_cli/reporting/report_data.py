"""``data`` of ``mpt report``: of a run, of a batch as a whole, and of the list of both. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.results import RunStatus
from mpt_cli.reporting.envelope import absolute_of, issue_dict, output_dict, seconds_of, video_data
from mpt_cli.reporting.summaries import added

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from mpt_cli.model.run_record import BatchEntry, HistoryEntry, JobRecord, ListedRun, RunSetup, Timeline
    from mpt_cli.reporting.documents.history import (
        BatchReportData,
        BatchTotals,
        ClipCounts,
        JobReportData,
        ListedRunData,
        ReportData,
        RunListData,
        SetupData,
        TimelineData,
    )
    from mpt_cli.reporting.documents.runs import JobCounts


def report_data(entry: HistoryEntry, html: Path | None = None, *, later: ListedRun | None = None) -> ReportData:
    """Return the data of one run.

    Args:
        entry: The run.
        html: The page that was written, or None.
        later: A later run that was to make the same output and did not, or None.
    """
    result = entry.result
    return {
        "command": entry.command,
        "status": result.status,
        "started_at": moment(entry.started_at),
        "output_path": absolute_of(entry.wanted_path),
        "later_run": None if later is None else _line(later),
        "html": absolute_of(html),
        **video_data(result),
        "setup": None if entry.setup is None else _setup(entry.setup),
        "timeline": None if entry.timeline is None else _timeline(entry.timeline),
        "errors": [issue_dict(issue) for issue in result.errors],
        "warnings": [issue_dict(issue) for issue in result.warnings],
    }


def list_data(lines: Sequence[ListedRun]) -> RunListData:
    """Return the data of the list of runs."""
    return {"runs": [_line(line) for line in lines]}


def batch_report_data(batch: BatchEntry, html: Path | None = None) -> BatchReportData:
    """Return the data of a batch as a whole, and the written page."""
    return {
        "command": "batch",
        "workflow_id": batch.workflow_id,
        "status": batch.status,
        "exit_code": batch.exit_code,
        "started_at": moment(batch.started_at),
        "elapsed_seconds": seconds_of(batch.elapsed_seconds),
        "html": absolute_of(html),
        "jobs": [_job(job) for job in batch.jobs],
        "summary": batch_totals(batch),
        "errors": [issue_dict(issue) for issue in batch.errors],
    }


def batch_totals(batch: BatchEntry) -> BatchTotals:
    """Return the totals of a batch."""
    jobs = batch.jobs
    outputs = [job.output for job in jobs if job.output is not None]
    peaks = [job.memory_peak_bytes for job in jobs if job.memory_peak_bytes is not None]
    return {
        **_counts(jobs),
        "clips": _clips(clip_totals(jobs)),
        "errors": len(batch.errors) + sum(len(job.errors) for job in jobs),
        "warnings": sum(len(job.warnings) for job in jobs),
        "output_bytes": sum(output.size_bytes for output in outputs),
        "output_seconds": seconds_of(sum(output.duration for output in outputs)),
        "job_seconds": seconds_of(sum(job.elapsed_seconds or 0 for job in jobs)),
        "memory_peak_bytes": max(peaks, default=None),
    }


def clip_totals(jobs: Iterable[JobRecord]) -> dict[str, int]:
    """Return the number of clips by outcome, without those of jobs whose output was up to date."""
    return added(job.clips for job in jobs if not job.unchanged)


def job_counts(statuses: Sequence[RunStatus], *, reused_clips: int, unchanged: int) -> JobCounts:
    """Return the number of jobs by status."""
    count = Counter(statuses)
    return {
        "total": len(statuses),
        "succeeded": count[RunStatus.SUCCESS],
        "partial": count[RunStatus.PARTIAL],
        "failed": count[RunStatus.ERROR] + count[RunStatus.CANCELLED],
        "skipped": count[RunStatus.SKIPPED],
        "reused_clips": reused_clips,
        "unchanged": unchanged,
    }


def moment(when: datetime) -> str:
    """Return a time of day in UTC, to the second."""
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _counts(jobs: Sequence[JobRecord]) -> JobCounts:
    return job_counts(
        [job.status for job in jobs],
        reused_clips=sum(job.clips.get(Action.REUSE, 0) for job in jobs),
        unchanged=sum(job.unchanged for job in jobs),
    )


def _line(line: ListedRun) -> ListedRunData:
    return {
        "workflow_id": line.workflow_id,
        "command": line.command,
        "started_at": moment(line.started_at),
        "status": line.status,
        "exit_code": line.exit_code,
        "code": None if line.code is None else line.code.value,
        "unchanged": line.unchanged,
        "elapsed_seconds": seconds_of(line.elapsed_seconds),
        "output": absolute_of(line.output_path),
        "jobs": None if line.jobs is None else _counts(line.jobs),
    }


def _job(job: JobRecord) -> JobReportData:
    return {
        "name": job.name,
        "workflow_id": job.workflow_id,
        "status": job.status,
        "exit_code": job.exit_code,
        "code": None if job.code is None else job.code.value,
        "output_path": absolute_of(job.output_path),
        "output": None if job.output is None else output_dict(job.output),
        "unchanged": job.unchanged,
        "started_seconds": seconds_of(job.started_seconds),
        "elapsed_seconds": seconds_of(job.elapsed_seconds),
        "memory_peak_bytes": job.memory_peak_bytes,
        "clips": _clips(job.clips),
        "errors": [issue_dict(issue) for issue in job.errors],
        "warnings": [issue_dict(issue) for issue in job.warnings],
    }


def _clips(counts: Mapping[str, int]) -> ClipCounts:
    return {
        "encode": counts.get("encode", 0),
        "copy": counts.get("copy", 0),
        "reuse": counts.get("reuse", 0),
        "failed": counts.get("failed", 0),
        "skipped": counts.get("skipped", 0),
        "not_run": counts.get("not_run", 0),
    }


def _setup(setup: RunSetup) -> SetupData:
    return {
        "mpt": setup.mpt,
        "encoder": setup.encoder,
        "threads": setup.threads,
        "jobs": setup.jobs,
        "settings": dict(setup.settings),
    }


def _timeline(timeline: Timeline) -> TimelineData:
    return {
        "budget_bytes": timeline.budget_bytes,
        "clips": [
            {
                "index": span.index,
                "started_seconds": seconds_of(span.started_seconds),
                "ended_seconds": seconds_of(span.ended_seconds),
            }
            for span in timeline.clips
        ],
        "samples": [
            {
                "at_seconds": seconds_of(point.at_seconds),
                "memory_bytes": point.memory_bytes,
                "cpu_percent": round(point.cpu_percent, 1),
            }
            for point in timeline.samples
        ],
    }

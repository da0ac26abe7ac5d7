"""Report of a batch as a whole as one HTML page: totals, issues, a time line of the jobs, and a table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.formatting import counted, exact_seconds_text, seconds_text, size_text
from mpt_cli.model.results import RunStatus
from mpt_cli.reporting import charts
from mpt_cli.reporting.markup import element, facts, name, section, text
from mpt_cli.reporting.page_parts import document, header, issue_section, table
from mpt_cli.reporting.report_data import batch_totals, clip_totals
from mpt_cli.reporting.summaries import fates_in, job_fates, selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.run_record import BatchEntry, JobRecord

MOST_ROWS = 1000
"""Greatest number of rows: jobs that did not succeed, then the first ones."""
_TIMELINE_NOTE = (
    "When each job ran, in seconds from the start of the batch. All jobs are checked before the first one runs."
)
_HEADS = (
    ("number", "#"),
    ("who", "job"),
    ("what", "how it ended"),
    ("what", "clips"),
    ("figure", "length"),
    ("figure", "file"),
    ("figure", "time"),
    ("figure", "peak memory"),
)


def batch_page(batch: BatchEntry) -> str:
    """Return the page."""
    errors = [(issue, "") for issue in batch.errors]
    errors += [(issue, job.name) for job in batch.jobs for issue in job.errors]
    warnings = [(issue, job.name) for job in batch.jobs for issue in job.warnings]
    body = "".join(
        (
            _head(batch),
            issue_section(errors, warnings),
            section(
                "Timeline",
                charts.jobs_gantt(batch.jobs, batch.elapsed_seconds),
                note=_TIMELINE_NOTE,
            ),
            section("Jobs", _table(batch.jobs), note=_rows_note(batch.jobs), kind="clips"),
            section("How it was made", facts(_making(batch), kind="plain"), kind="making"),
        )
    )
    return document(f"batch {batch.started_at:%Y-%m-%d %H:%M}", body)


def _head(batch: BatchEntry) -> str:
    return header(
        "batch",
        batch.started_at,
        text(f"Batch of {counted(len(batch.jobs), 'job')}"),
        _verdict(batch),
        facts(_tiles(batch), kind="tiles"),
    )


def _verdict(batch: BatchEntry) -> tuple[str, str]:
    good = sum(job.status is RunStatus.SUCCESS for job in batch.jobs)
    if batch.status is RunStatus.SUCCESS:
        return "good", "every job succeeded"
    if batch.status is RunStatus.CANCELLED:
        return "fair", f"stopped; {good} of {len(batch.jobs)} succeeded"
    if batch.errors:
        return "bad", "refused as a whole; no job was started"
    return (
        ("fair", f"{good} of {len(batch.jobs)} succeeded")
        if batch.status is RunStatus.PARTIAL
        else ("bad", "no job succeeded")
    )


def _tiles(batch: BatchEntry) -> list[tuple[str, object]]:
    totals, jobs = batch_totals(batch), batch.jobs
    reels = counted(sum(job.output is not None for job in jobs), "reel")
    return [
        ("jobs", job_fates(job.status for job in jobs) or "none"),
        ("clips", ", ".join(fates_in(clip_totals(jobs))) or "none"),
        ("output", f"{reels}, {exact_seconds_text(totals['output_seconds'])}, {size_text(totals['output_bytes'])}"),
        ("time", seconds_text(batch.elapsed_seconds)),
        ("time of all jobs, added up", seconds_text(totals["job_seconds"])),
        ("peak memory", size_text(totals["memory_peak_bytes"])),
    ]


def _making(batch: BatchEntry) -> list[tuple[str, object]]:
    return [
        ("batch", batch.workflow_id),
        ("exit code", batch.exit_code),
        ("ffmpeg", batch.ffmpeg or "not asked"),
    ]


def _rows_note(jobs: Sequence[JobRecord]) -> str:
    if len(jobs) <= MOST_ROWS:
        return "mpt report ID has the clips of a job."
    return (
        f"{MOST_ROWS} of {counted(len(jobs), 'job')} are listed: those that did not succeed, then the first ones."
        " mpt report --json lists all; mpt report ID has the clips of a job."
    )


def _table(jobs: Sequence[JobRecord]) -> str:
    if not jobs:
        return ""
    chosen = selection(list(enumerate(jobs, 1)), MOST_ROWS, rank=lambda one: one[1].status is RunStatus.SUCCESS)
    rows = "".join(_row(number, job) for number, job in chosen)
    return table(_HEADS, rows, kind="jobs")


def _row(number: int, job: JobRecord) -> str:
    output = job.output
    figures = (
        ("length", exact_seconds_text(output.duration if output else None)),
        ("file", size_text(output.size_bytes if output else None)),
        ("time", seconds_text(job.elapsed_seconds)),
        ("peak", size_text(job.memory_peak_bytes)),
    )
    cells = "".join(f'<td class="figure" data-of="{label}">{text(value)}</td>' for label, value in figures)
    clips = "" if job.unchanged else "".join(f"<span>{text(fate)}</span>" for fate in fates_in(job.clips))
    return (
        f'<tr class="{charts.job_kind(job)[0]}"><td class="number">{number}</td>'
        f'<td class="who">{name(job.name)}{name(job.output_path or "", kind="path")}</td>'
        f'<td class="what">{_end(job)}</td><td class="fates">{clips}</td>{cells}</tr>'
    )


def _end(job: JobRecord) -> str:
    kind, words = charts.job_kind(job)
    badge = element("span", text(words), class_=f"badge {kind}")
    code = element("code", text(job.code)) if job.code is not None else ""
    began = job.started_seconds is not None
    run = element("span", text(f"mpt report {job.workflow_id[:8]}"), class_="why") if began else ""
    return f"{badge}{code}{run}"

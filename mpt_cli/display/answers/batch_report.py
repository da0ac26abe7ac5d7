"""Answer of ``mpt report`` for a batch as a whole: totals, and one row per job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.batch import STATUS_STYLES
from mpt_cli.display.answers.report import show_page
from mpt_cli.display.answers.summary import say, show_issues, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.formatting import MISSING, counted, escape, exact_seconds_text, seconds_text, size_text, tenths_text
from mpt_cli.reporting.report_data import batch_totals, clip_totals
from mpt_cli.reporting.summaries import fates_in, job_fates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from mpt_cli.model.run_record import BatchEntry, JobRecord

_COLUMNS = (
    Column("#", right=True),
    Column("job", least=12, middle=True),
    Column("run", drop=4),
    Column("status"),
    Column("clips", least=12, drop=3),
    Column("length", right=True),
    Column("size", right=True, drop=2),
    Column("time", right=True),
    Column("memory", right=True, drop=5),
    Column("output", least=12, middle=True, drop=1),
)


def show_batch_report(out: Console, batch: BatchEntry, html: Path | None = None) -> None:
    """Write the time and the totals of a batch, its jobs, and the issues of each."""
    say(out, Text(escape(f"batch {batch.workflow_id}: {batch.status}"), "bold"))
    for label, value in _facts(batch):
        say(out, Text.assemble((f"  {label:<13}", "dim"), value))
    if batch.jobs:
        say(out, Text())
        rows = [_cells(number, job) for number, job in enumerate(batch.jobs, 1)]
        for line in table_lines(_COLUMNS, rows, table_width(out)):
            say(out, line)
    for job in batch.jobs:
        show_issues(out, job.warnings, level="warning", job=job.name)
    for job in batch.jobs:
        show_issues(out, job.errors, job=job.name)
    show_issues(out, batch.errors)
    show_page(out, html)


def _facts(batch: BatchEntry) -> Iterator[tuple[str, str]]:
    totals = batch_totals(batch)
    yield "started", f"{batch.started_at:%Y-%m-%d %H:%M:%S} UTC"
    yield "time", f"{seconds_text(batch.elapsed_seconds)}; {seconds_text(totals['job_seconds'])} for all jobs, added up"
    if batch.jobs:
        yield "jobs", f"{len(batch.jobs)}: {job_fates(job.status for job in batch.jobs)}"
        yield "clips", ", ".join(fates_in(clip_totals(batch.jobs))) or MISSING
        size, length = size_text(totals["output_bytes"]), exact_seconds_text(totals["output_seconds"])
        reels = counted(sum(job.output is not None for job in batch.jobs), "reel")
        yield "output", f"{reels}, {length}, {size}"
    yield "peak memory", size_text(totals["memory_peak_bytes"])
    yield "issues", f"{counted(totals['errors'], 'error')}, {counted(totals['warnings'], 'warning')}"


def _cells(number: int, job: JobRecord) -> list[Cell]:
    output, fates = job.output, ", ".join(fates_in(job.clips))
    return [
        Cell(str(number), "dim"),
        Cell(escape(job.name)),
        Cell(job.workflow_id[:8] if job.started_seconds is not None else MISSING, "dim"),
        Cell(str(job.status), STATUS_STYLES[job.status]),
        Cell("up to date" if job.unchanged else fates or (str(job.code) if job.code else MISSING), "dim"),
        Cell(tenths_text(output.duration if output else None)),
        Cell(size_text(output.size_bytes if output else None), "dim"),
        Cell(seconds_text(job.elapsed_seconds), "dim"),
        Cell(size_text(job.memory_peak_bytes), "dim"),
        Cell(escape(job.output_path.name) if job.output_path else MISSING, "" if output else "dim"),
    ]

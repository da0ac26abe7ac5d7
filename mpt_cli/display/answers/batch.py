"""Answer of ``mpt batch``: one row per job for people, the complete results for programs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.dry_run import dry_run_data, show_plan
from mpt_cli.display.answers.summary import say, show_issue, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.choices import Action
from mpt_cli.model.formatting import MISSING, counted, escape, seconds_text, tenths_text
from mpt_cli.model.results import ClipStatus, JobEnd, RunStatus
from mpt_cli.reporting.envelope import issue_dict, video_data
from mpt_cli.reporting.report_data import job_counts
from mpt_cli.reporting.summaries import fates_of, job_fates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.model.errors import Issue
    from mpt_cli.reporting.documents.runs import BatchData, JobData, JobPlanData, JobResultData

STATUS_STYLES = {
    RunStatus.SUCCESS: "green",
    RunStatus.PARTIAL: "yellow",
    RunStatus.ERROR: "red",
    RunStatus.CANCELLED: "yellow",
    RunStatus.SKIPPED: "dim",
}
_COLUMNS = (
    Column("#", right=True),
    Column("job", least=12, middle=True),
    Column("status"),
    Column("clips", least=12, drop=1),
    Column("length", right=True),
    Column("time", right=True, drop=2),
    Column("output", least=12, middle=True, drop=3),
)


def reused_clips(ends: Sequence[JobEnd]) -> int:
    """Return the number of clips that were reused from the cache, over all jobs."""
    return sum(
        clip.status is ClipStatus.PROCESSED and clip.action is Action.REUSE for end in ends for clip in end.result.clips
    )


def issues_of(ends: Sequence[JobEnd], *, warnings: bool = False) -> list[Issue]:
    """Return the errors or warnings of all jobs, with the name of the job before each message."""
    found = ((end, end.result.warnings if warnings else end.result.errors) for end in ends)
    return [replace(issue, message=f"{end.name}: {issue.message}") for end, issues in found for issue in issues]


def batch_data(workflow_id: str, ends: Sequence[JobEnd]) -> BatchData:
    """Return ``data`` of ``mpt batch``; the id is that of the batch as a whole."""
    return {
        "workflow_id": workflow_id,
        "jobs": [_job(end) for end in ends],
        "summary": job_counts(
            [end.result.status for end in ends],
            reused_clips=reused_clips(ends),
            unchanged=sum(end.result.unchanged for end in ends),
        ),
    }


def _job(end: JobEnd) -> JobResultData | JobPlanData:
    result = end.result
    job: JobData = {
        "name": end.name,
        "status": result.status,
        "exit_code": end.exit_code,
        "errors": [issue_dict(issue) for issue in result.errors],
        "warnings": [issue_dict(issue) for issue in result.warnings],
    }
    if result.plan is None:
        return {**job, **video_data(result)}
    return {**job, **dry_run_data(result, result.plan)}


def show_batch(out: Console, err: Console, ends: Sequence[JobEnd], *, commands: bool) -> None:
    """Write the plans, or one row per job and the totals, to ``out``, and the issues to ``err``."""
    for end in ends:
        if end.result.plan is not None:
            say(out, Text(escape(end.name), "bold"))
            show_plan(out, end.result.plan, commands=commands, left_out=end.result.left_out)
            say(out, Text())
    if any(end.result.plan is not None for end in ends):
        planned = sum(end.result.plan is not None and end.result.code is None for end in ends)
        say(out, Text(f"{planned} of {counted(len(ends), 'job')} planned"))
    else:
        _show_ends(out, ends)
    for level in ("warning", "error"):
        for issue, names in _jobs_by_issue(ends, level).items():
            more = f" and {counted(len(names) - 1, 'more job')}" if len(names) > 1 else ""
            show_issue(err, issue, level=level, job=names[0] + more)


def _jobs_by_issue(ends: Sequence[JobEnd], level: str) -> dict[Issue, list[str]]:
    """Return the names of the jobs that have each issue: hundreds of jobs can have the same one."""
    found: dict[Issue, list[str]] = {}
    for end in ends:
        for issue in end.result.warnings if level == "warning" else end.result.errors:
            found.setdefault(issue, []).append(end.name)
    return found


def _show_ends(out: Console, ends: Sequence[JobEnd]) -> None:
    numbered = groupby(enumerate(ends, 1), key=lambda each: each[1].result.status is RunStatus.SKIPPED)
    rows = [row for skipped, group in numbered for row in _rows(list(group), skipped=skipped)]
    for line in table_lines(_COLUMNS, rows, table_width(out)):
        say(out, line)
    say(out, Text())
    say(out, Text(_totals(ends)), words=True)


def _rows(jobs: Sequence[tuple[int, JobEnd]], *, skipped: bool) -> list[list[Cell]]:
    """Return the rows of jobs that follow each other: one for all that did not begin."""
    if not skipped or len(jobs) == 1:
        return [_cells(number, end) for number, end in jobs]
    (first, end), (last, _) = jobs[0], jobs[-1]
    return [[Cell(f"{first}-{last}", "dim"), Cell(counted(len(jobs), "job")), *_cells(first, end)[2:]]]


def _cells(number: int, end: JobEnd) -> list[Cell]:
    result, style = end.result, STATUS_STYLES[end.result.status]
    seconds, fates = (
        result.metrics.total_duration_seconds if result.metrics else None,
        ", ".join(fates_of(result.clips)),
    )
    return [
        Cell(str(number), "dim"),
        Cell(escape(end.name)),
        Cell(str(result.status), style),
        Cell("up to date" if result.unchanged else fates or (str(result.code) if result.code else MISSING), "dim"),
        Cell(tenths_text(result.output.duration if result.output else None)),
        Cell(seconds_text(seconds), "dim"),
        Cell(escape(result.output.path.name) if result.output else MISSING),
    ]


def _totals(ends: Sequence[JobEnd]) -> str:
    fates = job_fates(end.result.status for end in ends)
    made = fates_of([clip for end in ends if not end.result.unchanged for clip in end.result.clips])
    return f"{counted(len(ends), 'job')}: {fates}" + (f"\nclips: {', '.join(made)}" if made else "")

"""Answer of ``mpt report``: an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.summary import say, show_clips, show_issues
from mpt_cli.model.formatting import (
    MISSING,
    escape,
    exact_seconds_text,
    path_text,
    percent_text,
    seconds_text,
    size_text,
)
from mpt_cli.reporting.envelope import issue_dict, setup_dict, timeline_dict, video_data

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mpt_cli.model.results import PerformanceReport
    from mpt_cli.model.run_record import HistoryEntry
    from mpt_cli.reporting.documents.runs import ReportData


def report_data(entry: HistoryEntry, html: Path | None = None) -> ReportData:
    """Return ``data`` of ``mpt report``: the data of the run, its time and setup, and the written page."""
    result = entry.result
    return {
        "command": entry.command,
        "status": result.status,
        "started_at": entry.started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "html": None if html is None else str(html.absolute()),
        **video_data(result),
        "setup": None if entry.setup is None else setup_dict(entry.setup),
        "timeline": None if entry.timeline is None else timeline_dict(entry.timeline),
        "errors": [issue_dict(issue) for issue in result.errors],
        "warnings": [issue_dict(issue) for issue in result.warnings],
    }


def show_report(out: Console, entry: HistoryEntry, html: Path | None = None) -> None:
    """Write the time, output, costs, steps and clips of a run."""
    result = entry.result
    say(out, Text(escape(f"{entry.command} {result.workflow_id}: {result.status}"), "bold"))
    for label, value in _facts(entry):
        say(out, Text.assemble((f"  {label:<13}", "dim"), value))
    if result.metrics is not None and result.metrics.milestones:
        say(out, Text())
        for step in result.metrics.milestones:
            say(out, Text(f"  {seconds_text(step.at_seconds):>8}  {step.name}"))
    if result.clips:
        say(out, Text())
        show_clips(out, result)
    show_issues(out, result.warnings, level="warning")
    show_issues(out, result.errors)
    if html is not None:
        say(out, Text())
        say(out, Text(f"the same as a page: {escape(str(html))}"))


def _facts(entry: HistoryEntry) -> list[tuple[str, str]]:
    result = entry.result
    output = result.output
    facts = [("started", f"{entry.started_at:%Y-%m-%d %H:%M:%S} UTC")]
    if output is not None:
        facts.append(("output", f"{path_text(output.path)}, {exact_seconds_text(output.duration)}"))
    return facts + (_costs(result.metrics) if result.metrics is not None else [])


def _costs(metrics: PerformanceReport) -> list[tuple[str, str]]:
    efficiency, score = metrics.processing_efficiency, metrics.performance_score
    return [
        ("time", seconds_text(metrics.total_duration_seconds)),
        ("peak memory", size_text(metrics.memory_peak_bytes)),
        ("efficiency", MISSING if efficiency is None else f"{percent_text(efficiency)} of the slots' time was used"),
        ("score", MISSING if score is None else f"{score:.0f} of 100"),
    ]

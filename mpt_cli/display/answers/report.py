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

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mpt_cli.model.results import PerformanceReport
    from mpt_cli.model.run_record import HistoryEntry, ListedRun


def show_report(out: Console, entry: HistoryEntry, html: Path | None = None, *, later: ListedRun | None = None) -> None:
    """Write the time, output, costs, steps and clips of a run.

    ``later`` is a later run that was to make the same output and did not.
    """
    result = entry.result
    say(out, Text(escape(f"{entry.command} {result.workflow_id}: {result.status}"), "bold"))
    if later is not None:
        when = f"{later.started_at:%Y-%m-%d %H:%M:%S} UTC"
        line = f"  a later run did not make this output ({later.status}, {when}): mpt report {later.workflow_id[:8]}"
        say(out, Text(line, "yellow"), words=True)
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
    show_page(out, html)


def show_page(out: Console, html: Path | None) -> None:
    """Write the path of the page that was written, if any."""
    if html is not None:
        say(out, Text())
        say(out, Text(f"the same as a page: {escape(str(html))}"))


def _facts(entry: HistoryEntry) -> list[tuple[str, str]]:
    result = entry.result
    output = result.output
    facts = [("started", f"{entry.started_at:%Y-%m-%d %H:%M:%S} UTC")]
    if output is not None:
        done = "up to date, nothing was done" if result.unchanged else exact_seconds_text(output.duration)
        facts.append(("output", f"{path_text(output.path)}, {done}"))
    elif entry.output_path is not None:
        facts.append(("output", f"{path_text(entry.output_path)}, not made"))
    return facts + (_costs(result.metrics) if result.metrics is not None else [])


def _costs(metrics: PerformanceReport) -> list[tuple[str, str]]:
    efficiency, score = metrics.processing_efficiency, metrics.performance_score
    return [
        ("time", seconds_text(metrics.total_duration_seconds)),
        ("peak memory", size_text(metrics.memory_peak_bytes)),
        ("efficiency", MISSING if efficiency is None else f"{percent_text(efficiency)} of the slots' time was used"),
        ("score", MISSING if score is None else f"{score:.0f} of 100"),
    ]

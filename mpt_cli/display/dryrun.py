"""The plan of ``--dry-run``: for programs as data, for people as a plan to read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.envelope import JsonObject, seconds_of, video_data
from mpt_cli.display.summary import brief_reasons, say, table_width
from mpt_cli.display.table import Cell, Column, table_lines
from mpt_cli.display.text import counted, escape, exact_seconds_text, rate_text, rounded_text, seconds_text, size_text

if TYPE_CHECKING:
    from rich.console import Console

    from mpt_cli.results import PlannedStep, PlanReport, VideoResult

_COLUMNS = (
    Column("#", right=True),
    Column("clip", least=12, middle=True),
    Column("action"),
    Column("reason", least=8, drop=2),
    Column("start", right=True, drop=1),
    Column("length", right=True),
    Column("memory", right=True, drop=3),
)


def plan_data(plan: PlanReport) -> JsonObject:
    """``data.plan``: each clip's action, reasons and exact ffmpeg command, and what the run will need."""
    return {
        "output": str(plan.output),
        "container": str(plan.container),
        "width": plan.dimensions.width,
        "height": plan.dimensions.height,
        "fps": str(plan.frame_rate),
        "frames": plan.frames,
        "duration_seconds": seconds_of(plan.duration),
        "encoder": plan.encoder,
        "jobs": plan.jobs,
        "threads": plan.threads,
        "seed": plan.seed,
        "predicted_memory_bytes": plan.predicted_memory_bytes,
        "predicted_temporary_bytes": plan.predicted_temporary_bytes,
        "predicted_output_bytes": plan.predicted_output_bytes,
        "predicted_seconds": seconds_of(plan.predicted_seconds),
        "clips": [_step(step) for step in plan.steps],
    }


def result_data(result: VideoResult) -> JsonObject:
    """The ``data`` of a run, or of a dry run, which has the plan in place of output and metrics."""
    data = video_data(result)
    if result.plan is None:
        return data
    return {key: value for key, value in data.items() if key not in ("output", "metrics")} | {
        "plan": plan_data(result.plan)
    }


def _step(step: PlannedStep) -> JsonObject:
    return {
        "index": step.index,
        "path": str(step.path.absolute()),
        "action": str(step.action),
        "reasons": list(step.reasons),
        "start_seconds": seconds_of(step.start),
        "duration_seconds": seconds_of(step.duration),
        "frames": step.frames,
        "predicted_memory_bytes": step.predicted_memory_bytes,
        "argv": list(step.argv),
    }


def show_plan(out: Console, plan: PlanReport, *, commands: bool) -> None:
    """Write the plan to ``out``; with ``commands`` also each clip's ffmpeg command, ready for a shell."""
    say(out, Text(f"would write {escape(plan.output.name)}", "bold"))
    facts = (
        ("path", escape(str(plan.output))),
        ("length", f"{exact_seconds_text(plan.duration)}, {counted(plan.frames, 'frame')}"),
        ("picture", f"{plan.dimensions} at {rate_text(plan.frame_rate)} fps"),
        ("encoder", escape(plan.encoder)),
        ("at once", f"{counted(plan.jobs, 'clip')}, {counted(plan.threads, 'thread')} each"),
        ("memory", f"about {size_text(plan.predicted_memory_bytes)}"),
        ("disk", f"at most about {size_text(plan.predicted_temporary_bytes)} for a while, "
                 f"{size_text(plan.predicted_output_bytes)} for the reel"),
        ("time", f"roughly {rounded_text(plan.predicted_seconds)}"),
    )  # fmt: skip
    for label, value in facts:
        say(out, Text.assemble((f"  {label:<9}", "dim"), value))
    say(out, Text())
    for line in table_lines(_COLUMNS, [_cells(step) for step in plan.steps], table_width(out)):
        say(out, line)
    say(out, Text())
    if not commands:
        say(out, Text("nothing was written; -v shows the ffmpeg commands, --json everything", "dim"))
        return
    for step in plan.steps:
        say(out, Text(escape(shlex.join(step.argv)) if step.argv else "(no command)", "dim"))


def _cells(step: PlannedStep) -> list[Cell]:
    return [
        Cell(str(step.index + 1), "dim"),
        Cell(escape(step.path.name)),
        Cell(str(step.action)),
        Cell(escape(brief_reasons(step.reasons)), "dim"),
        Cell(seconds_text(step.start)),
        Cell(seconds_text(step.duration)),
        Cell(size_text(step.predicted_memory_bytes), "dim"),
    ]

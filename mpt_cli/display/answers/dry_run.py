"""Answer of ``--dry-run``: the plan as text for people, as ``data`` for programs."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.summary import brief_reasons, say, show_left_out, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.choices import Action, DynamicRange
from mpt_cli.model.formatting import (
    counted,
    escape,
    exact_seconds_text,
    path_text,
    rate_text,
    rounded_text,
    size_text,
    tenths_text,
)
from mpt_cli.reporting.envelope import seconds_of, video_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.model.left_out import LeftOut
    from mpt_cli.model.plan_report import PlannedStep, PlanReport
    from mpt_cli.model.results import (
        VideoResult,
    )
    from mpt_cli.reporting.documents.runs import DryRunData, PlanData, ResultData, StepData

_COLUMNS = (
    Column("#", right=True),
    Column("clip", least=12, middle=True),
    Column("action"),
    Column("reason", least=8, drop=2),
    Column("start", right=True, drop=1),
    Column("length", right=True),
    Column("memory", right=True, drop=3),
)


def plan_data(plan: PlanReport) -> PlanData:
    """Return ``data.plan``: action, reasons and ffmpeg command of each clip, and the predicted needs of the run."""
    return {
        "output": str(plan.output),
        "container": plan.container,
        "width": plan.dimensions.width,
        "height": plan.dimensions.height,
        "fps": str(plan.frame_rate),
        "frames": plan.frames,
        "duration_seconds": seconds_of(plan.duration),
        "dynamic_range": plan.dynamic_range,
        "encoder": plan.encoder,
        "audio": {
            "codec": plan.audio.codec,
            "sample_rate": plan.audio.sample_rate,
            "channels": len(plan.audio.channels),
            "layout": plan.audio.layout,
            "bitrate": plan.audio.bitrate,
            "reasons": list(plan.audio_reasons),
        },
        "jobs": plan.jobs,
        "threads": plan.threads,
        "seed": plan.seed,
        "predicted_memory_bytes": plan.predicted.memory_peak_bytes,
        "predicted_temporary_bytes": plan.predicted.temporary_bytes,
        "predicted_output_bytes": plan.predicted.output_bytes,
        "predicted_seconds": seconds_of(plan.predicted.total_duration_seconds),
        "clips": [_step(step) for step in plan.steps],
    }


def result_data(result: VideoResult) -> ResultData | DryRunData:
    """Return ``data`` of a run; a dry run has the plan in place of output and metrics."""
    return video_data(result) if result.plan is None else dry_run_data(result, result.plan)


def dry_run_data(result: VideoResult, plan: PlanReport) -> DryRunData:
    """Return ``data`` of a dry run."""
    data = video_data(result)
    return {
        "workflow_id": data["workflow_id"],
        "seed": data["seed"],
        "unchanged": data["unchanged"],
        "clips": data["clips"],
        "concatenation": data["concatenation"],
        "left_out": data["left_out"],
        "plan": plan_data(plan),
    }


def _step(step: PlannedStep) -> StepData:
    return {
        "index": step.index,
        "path": str(step.path.absolute()),
        "action": step.action,
        "reasons": list(step.reasons),
        "start_seconds": seconds_of(step.start),
        "duration_seconds": seconds_of(step.duration),
        "frames": step.frames,
        "predicted_memory_bytes": step.predicted_memory_bytes,
        "argv": list(step.argv),
        "commands": [list(command) for command in step.commands],
        "segments": list(step.segments),
        "encoded_frames": step.encoded_frames,
    }


def show_plan(
    out: Console, plan: PlanReport, *, commands: bool, left_out: Sequence[LeftOut] = (), tasks: bool = False
) -> None:
    """Write the plan to ``out``; with ``commands`` also the ffmpeg command of each clip, quoted for a shell.

    Args:
        out: Standard output.
        plan: The plan.
        commands: True to write the commands.
        left_out: What the folders of the clips hold beside them.
        tasks: True if the steps were written as tasks.
    """
    say(out, Text(f"would write {escape(plan.output.name)}", "bold"))
    predicted = plan.predicted
    facts = (
        ("path", path_text(plan.output)),
        ("length", f"{exact_seconds_text(plan.duration)}, {counted(plan.frames, 'frame')}"),
        ("video", f"{plan.dimensions} at {rate_text(plan.frame_rate)} fps{_light(plan)}"),
        ("audio", "; ".join((str(plan.audio), *plan.audio_reasons))),
        ("clips", _intentions(plan)),
        *_encoding(plan),
        ("memory", f"about {size_text(predicted.memory_peak_bytes)}, mpt itself with it"),
        ("disk", f"about {size_text(predicted.output_bytes)} for the reel, "
                 f"{size_text(predicted.temporary_bytes)} beside it until it is written"),
        ("time", f"roughly {rounded_text(max(1.0, predicted.total_duration_seconds))} on an idle machine"),
    )  # fmt: skip
    for label, value in facts:
        say(out, Text.assemble((f"  {label:<9}", "dim"), value))
    say(out, Text())
    for line in table_lines(_COLUMNS, [_cells(step) for step in plan.steps], table_width(out)):
        say(out, line)
    show_left_out(out, left_out)
    say(out, Text())
    if not commands:
        written = "only tasks were" if tasks else "nothing was"
        say(out, Text(f"{written} written; -v shows the ffmpeg commands, --json everything", "dim"))
        return
    steps = [command for step in plan.steps for command in (step.commands or (step.argv,))]
    commands_to_run = [shlex.join(command) for command in steps if command]  # a reused clip needs none
    for command in commands_to_run or ["no clip needs an ffmpeg command"]:
        say(out, Text(escape(command), "dim"))


def _light(plan: PlanReport) -> str:
    return "" if plan.dynamic_range is DynamicRange.SDR else f", {plan.dynamic_range}"


def _intentions(plan: PlanReport) -> str:
    """Return the number of clips per action."""
    planned = Counter(step.action for step in plan.steps)
    return ", ".join(f"{planned[action]} to {action}" for action in Action if planned[action])


def _encoding(plan: PlanReport) -> list[tuple[str, str]]:
    """Return the facts about encoding, or none if no clip is encoded."""
    if not any(step.encoded_frames and step.action is not Action.REUSE for step in plan.steps):
        return []
    each = "each with " if plan.jobs > 1 else "with "
    return [
        ("encoder", escape(plan.encoder)),
        ("at once", f"{counted(plan.jobs, 'clip')}, {each}{counted(plan.threads, 'encoder thread')}"),
    ]


def _cells(step: PlannedStep) -> list[Cell]:
    return [
        Cell(str(step.index + 1), "dim"),
        Cell(escape(step.path.name)),
        Cell(str(step.action)),
        Cell(escape(brief_reasons(step.reasons)), "dim"),
        Cell(tenths_text(step.start)),
        Cell(tenths_text(step.duration)),
        Cell(size_text(step.predicted_memory_bytes or None), "dim"),
    ]

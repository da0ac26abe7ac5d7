"""The report of a plan: what a dry run prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mpt_cli.model.choices import DynamicRange, Tracks
from mpt_cli.model.formatting import counted
from mpt_cli.model.plan_report import PlannedStep, PlanReport, Prediction
from mpt_cli.model.samples import dynamic_range_of
from mpt_cli.model.timing import average_rate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mpt_cli.planning.plan import Plan


def prediction(plan: Plan) -> Prediction:
    """Return what a plan predicts that its run costs."""
    return Prediction(plan.memory_bytes, plan.temporary_bytes, plan.output_bytes, plan.predicted_seconds)


def plan_line(plan: Plan) -> str:
    """Return what a plan does, in one line that ends with its encoder."""
    actions = Counter(clip.action.value for clip in plan.clips)
    work = ", ".join(f"{count} to {action}" for action, count in actions.items())
    light = dynamic_range_of(plan.form.color)
    hdr = "" if light is DynamicRange.SDR else f" {light}"
    shape = f"{plan.form.dimensions}{hdr} at {plan.form.frame_rate} fps"
    return f"{work}, {counted(plan.jobs, 'clip')} at a time; {shape} with {plan.form.encoder.encoder}"


def plan_report(plan: Plan, output: Path, commands: Mapping[int, tuple[tuple[str, ...], ...]]) -> PlanReport:
    """Return the report of a plan for this output; ``commands`` are the ffmpeg commands of each clip by its index."""
    steps, frames = [], 0
    for clip in plan.clips:
        steps.append(
            PlannedStep(
                index=clip.index,
                path=clip.clip.path,
                action=clip.action,
                reasons=clip.reasons,
                start=frames / plan.form.frame_rate,
                duration=clip.segment.frames / plan.form.frame_rate,
                frames=clip.segment.pictures,
                predicted_memory_bytes=clip.need_bytes,
                argv=commands[clip.index][0] if not clip.parts else (),
                commands=tuple(filter(None, commands[clip.index])) if clip.parts else (),
                segments=tuple(part.segment.frames for part in clip.parts if part.tracks is not Tracks.AUDIO),
                encoded_frames=clip.encoded_frames,
            )
        )
        frames += clip.segment.frames
    return PlanReport(
        output=output,
        container=plan.form.container,
        dimensions=plan.form.dimensions,
        frame_rate=average_rate(plan.pictures, plan.duration) if plan.form.is_variable else plan.form.frame_rate,
        frames=plan.pictures,
        duration=plan.duration,
        dynamic_range=dynamic_range_of(plan.form.color),
        encoder=" ".join((plan.form.encoder.encoder, *plan.form.encoder.options)),
        audio=plan.form.audio,
        audio_reasons=plan.audio_reasons,
        jobs=plan.jobs,
        threads=plan.form.encoder.threads,
        predicted=prediction(plan),
        seed=plan.seed,
        steps=tuple(steps),
    )

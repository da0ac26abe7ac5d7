"""Tasks of a plan: its steps that nobody has finished, each as a task for any machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.task import TASK_SCHEMA, Task, TaskLimits
from mpt_cli.model.version import __version__
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.storage.store import RECIPE_VERSION

if TYPE_CHECKING:
    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.planning.plan import Plan


def tasks_of(plan: Plan, config: ProcessingConfig, build: str) -> list[Task]:
    """Return a task for each step that is to be encoded and has a cache key, those with the most work first.

    Args:
        plan: The plan; steps that are in the cache, or equal to an earlier step, are planned for reuse.
        config: The limits of time.
        build: Build string of ffmpeg.
    """
    limits = TaskLimits(config.clip_timeout, config.stall_timeout)
    steps = [step for step in plan.steps if step.action is Action.ENCODE and step.key and step.content]
    steps.sort(key=lambda step: step.work, reverse=True)
    return [
        Task(
            schema=TASK_SCHEMA,
            mpt=__version__,
            ffmpeg=build,
            recipe=RECIPE_VERSION,
            key=step.key or "",
            index=step.index,
            clip=replace(step.clip, path=Path(step.clip.path).absolute()),
            content=step.content or "",
            media=step.media,
            segment=step.segment,
            form=plan.form,
            key_form=plan.light_form,
            limits=limits,
            need_bytes=step.need_bytes,
            work=step.work,
            tracks=step.tracks,
            like_source=step.like_source,
            splice=None if step.splice is None else step.splice.absolute,
        )
        for step in steps
    ]


def step_of(task: Task) -> PlannedClip:
    """Return the step that a task was made of."""
    return PlannedClip(
        task.index,
        task.clip,
        task.media,
        task.segment,
        Action.ENCODE,
        ("a task",),
        need_bytes=task.need_bytes,
        work=task.work,
        key=task.key,
        content=task.content,
        tracks=task.tracks,
        like_source=task.like_source,
        splice=task.splice,
    )

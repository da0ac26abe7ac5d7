"""Tasks: a step comes back from a task, and from its JSON, as it was planned."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from fractions import Fraction
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mpt_cli.config.sections import ProcessingConfig
from mpt_cli.model.choices import Action, Tracks
from mpt_cli.model.clips import Segment, VideoClip
from mpt_cli.model.splice import Neighbour, Splice
from mpt_cli.model.task import Task
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.planning.tasks import step_of, tasks_of
from tests.builders import media_of, plan_of

NOT_TOLD = {"action", "reasons", "recipe", "parts", "copied_from"}
"""Fields of a step that no step to encode needs from its task."""


def full_step() -> PlannedClip:
    """A step with a value of its own in each field that a task must tell."""
    side = Neighbour(Path("/clips/before.mp4"), 1, None, Fraction(7, 3), (Fraction(1), Fraction(2)), "c0")
    return PlannedClip(
        3,
        VideoClip(Path("/clips/a.mp4"), Fraction(1, 3), Fraction(7, 2), mute=True),
        media_of(),
        Segment(3, 250, 100, 90),
        Action.ENCODE,
        ("why",),
        need_bytes=5,
        work=7,
        key="ab" * 32,
        content="cd" * 32,
        tracks=Tracks.FRAMES,
        like_source=True,
        splice=Splice(side, None, Fraction(1, 7), 1, 2, 48_000, Fraction(1, 9), Fraction(4)),
    )


def test_step_comes_back_from_the_json_of_its_task() -> None:
    step = full_step()
    told = [field for field in fields(PlannedClip) if field.name not in NOT_TOLD]
    same = [field.name for field in told if field.default is not MISSING and getattr(step, field.name) == field.default]
    assert same == [], "give these a value in full_step, so that a task that forgets them is seen"
    plan = replace(plan_of(media_of(), 0), clips=(step,))
    config = ProcessingConfig(clip_timeout=Fraction(31, 2), stall_timeout=Fraction(7))
    (task,) = tasks_of(plan, config, "n9")
    adapter = TypeAdapter(Task)
    back = adapter.validate_json(adapter.dump_json(task))
    assert back == task
    assert replace(step_of(back), reasons=step.reasons) == step
    assert (back.form, back.key_form) == (plan.form, plan.light_form)
    assert (back.limits.clip_timeout, back.limits.stall_timeout) == (Fraction(31, 2), Fraction(7))


@pytest.mark.parametrize("other", [{"action": Action.REUSE}, {"action": Action.COPY}, {"key": None}, {"content": None}])
def test_only_steps_to_encode_with_a_key_become_tasks(other: dict[str, object]) -> None:
    first = full_step()
    light, second = replace(first, work=1, key="ef" * 32), replace(first, **other)  # type: ignore[arg-type]
    plan = replace(plan_of(media_of(), 0), clips=(light, second, first))
    assert [task.work for task in tasks_of(plan, ProcessingConfig(), "n9")] == [7, 1]

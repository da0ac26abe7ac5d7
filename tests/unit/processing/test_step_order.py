"""StepOrder: the longest first, and what needs much memory one after another where that costs no time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Segment, VideoClip
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.processing.step_order import StepOrder
from tests.builders import media_of

pytestmark = pytest.mark.fast


def step(index: int, *, work: int, need: int) -> PlannedClip:
    clip = VideoClip(Path(f"{index}.mp4"))
    return PlannedClip(index, clip, media_of(), Segment(index, 0, 30), Action.ENCODE, (), need, work)


def pairs_of(order: StepOrder) -> list[tuple[int, int]]:
    """Need of each step when it is taken, and of the one beside it: of two in work, the one that began first ends."""
    pairs, beside = list[tuple[int, int]](), 0
    with ExitStack() as stack:
        while len(order):
            following = ExitStack()
            need = following.enter_context(order.taken()).need_bytes
            pairs.append((need, beside))
            stack.close()
            stack.push(following)
            beside = need
    return pairs


def test_steps_of_one_size_come_longest_first() -> None:
    order = StepOrder([step(number, work=work, need=5) for number, work in enumerate((3, 9, 1, 7))], 2)
    taken = list[int]()
    while len(order):
        with order.taken() as each:
            taken.append(each.work)
    assert taken == [9, 7, 3, 1]


def test_large_steps_come_first_and_one_after_another() -> None:
    steps = [step(number, work=20, need=300) for number in range(5)]
    steps += [step(number, work=10, need=100) for number in range(5, 60)]
    pairs = pairs_of(StepOrder(steps, 2))
    assert len(pairs) == 60
    assert max(need + beside for need, beside in pairs) == 400
    assert [need for need, _ in pairs[:10]].count(300) == 5


def test_large_steps_run_side_by_side_where_one_after_another_would_take_longer() -> None:
    steps = [step(number, work=20, need=300) for number in range(10)]
    steps += [step(number, work=1, need=100) for number in range(10, 30)]
    assert pairs_of(StepOrder(steps, 2))[:3] == [(300, 0), (300, 300), (300, 300)]


def test_a_budget_lets_small_steps_run_beside_a_large_one() -> None:
    steps = [step(0, work=20, need=300), step(1, work=19, need=250)]
    steps += [step(number, work=10, need=200) for number in range(2, 8)]
    steps += [step(number, work=9, need=100) for number in range(8, 20)]
    assert pairs_of(StepOrder(steps, 2, budget_bytes=400))[:3] == [(300, 0), (100, 300), (250, 100)]


def test_a_step_above_the_budget_is_taken_where_nothing_else_is_in_work() -> None:
    order = StepOrder([step(0, work=1, need=900), step(1, work=1, need=900)], 2, budget_bytes=10)
    with order.taken() as first, order.taken() as second:
        assert {first.index, second.index} == {0, 1}
    assert len(order) == 0

"""When memory is short: now, or soon, by series of samples that will meet the budget or only look like it."""

from __future__ import annotations

import itertools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.trend import WINDOW_SECONDS, Trend
from tests.fakes import MIB, FakeClock, FakeReader
from tests.unit.monitoring.test_memory import manager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUDGET = 1000 * MIB
STEP = 0.25


def trend_of(*values: int, step: float = 1.0) -> Trend:
    trend = Trend()
    for place, value in enumerate(values):
        trend.add(place * step, value)
    return trend


@pytest.mark.parametrize("slope", [-300, 0, 7, 1000])
def test_the_slope_of_a_straight_line_is_exact(slope: int) -> None:
    assert trend_of(*(5000 + slope * n for n in range(10))).slope() == pytest.approx(slope)


@pytest.mark.parametrize(("count", "step"), [(1, 1.0), (7, 1.0), (8, 0.2)])
def test_too_little_was_seen_to_tell(count: int, step: float) -> None:
    trend = trend_of(*(1000 * n for n in range(count)), step=step)
    assert trend.slope() == 0
    assert not trend.reaches(0, 1e9)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    seconds = int(WINDOW_SECONDS)
    risen = [1000 * n for n in range(20)]
    level = [risen[-1]] * (seconds + 1)
    assert trend_of(*risen, *level[:-2]).slope() > 0
    assert trend_of(*risen, *level).slope() == pytest.approx(0)


def test_the_line_goes_on_from_the_last_sample() -> None:
    rising = trend_of(*range(0, 1000, 100))  # 100 a second, now 900
    assert rising.reaches(1900, 10)
    assert not rising.reaches(1901, 10)
    assert rising.reaches(500, 0)


# --- what the manager makes of it


@pytest.mark.anchor("T066", "T072")
@pytest.mark.parametrize(("threshold", "most"), [(None, 800), (0.5, 500), (1.0, 1000)])
def test_above_the_configured_share_of_the_budget_memory_is_short(threshold: float | None, most: int) -> None:
    named: dict[str, Any] = {} if threshold is None else {"pressure_threshold": threshold}
    reader = FakeReader(tree=most)
    memory = MemoryManager(MemoryConfig(max=1000, **named), system=reader, interval_seconds=0)
    assert not memory.is_memory_pressure()
    reader.tree = most + 1
    assert memory.is_memory_pressure()


@pytest.mark.anchor("T073")
@pytest.mark.parametrize(
    ("tree", "available", "short"), [(100, 1500, False), (100, 1499, True), (801, 9000, True), (801, 1499, True)]
)
def test_the_run_and_the_machine_can_each_be_short(tree: int, available: int, *, short: bool) -> None:
    reader = FakeReader(total=10_000 * MIB, available=available * MIB, tree=tree * MIB)
    assert manager(reader).is_memory_pressure() is short


def steady(_second: float) -> float:
    return 700


def sawtooth(second: float) -> float:
    """Clips of two seconds, each of which grows to 300 MiB and is gone."""
    return 450 + 150 * (second % 2)


def leak(second: float) -> float:
    return 300 + 20 * second


def slow_leak(second: float) -> float:
    return 300 + 2 * second


def falling(second: float) -> float:
    return 780 - 20 * second


def verdicts(usage_mib: Callable[[float], float], *, seconds: int = 20) -> Iterator[bool]:
    """Whether memory is short, after every sample."""
    reader, clock = FakeReader(), FakeClock()
    memory = MemoryManager(MemoryConfig(max=BUDGET), system=reader, clock=clock, interval_seconds=STEP)
    for look in range(int(seconds / STEP)):
        reader.tree = round(usage_mib(look * STEP) * MIB)
        memory.sample()
        yield memory.is_memory_pressure()
        clock.advance(STEP)


@pytest.mark.anchor("T074")
@pytest.mark.parametrize("usage", [steady, sawtooth, slow_leak, falling])
def test_memory_that_will_not_meet_the_budget_soon_is_not_short(usage: Callable[[float], float]) -> None:
    short = list(verdicts(usage, seconds=60))
    assert not any(short[int(WINDOW_SECONDS / STEP) :])  # sooner a first clip can look like a leak


@pytest.mark.anchor("T074")
def test_a_leak_is_seen_before_the_threshold_and_half_a_minute_before_the_budget() -> None:
    short = list(verdicts(leak))
    first = short.index(True) * STEP
    assert leak(first) < 800
    assert (1000 - leak(first)) / 20 <= 30 < (1000 - leak(first - STEP)) / 20
    assert all(short[int(first / STEP) :])


def test_samples_of_other_threads_do_not_disturb_the_look_at_the_trend() -> None:
    ticks = itertools.count()
    memory = MemoryManager(
        MemoryConfig(max=BUDGET), system=FakeReader(), clock=lambda: next(ticks) / 100, interval_seconds=0
    )
    for _ in range(500):
        memory.sample()
    over, interval = threading.Event(), sys.getswitchinterval()

    def measure() -> None:
        while not over.is_set():
            memory.get_usage_bytes()

    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(2) as executor:
            measuring = executor.submit(measure)
            try:
                looks = [memory.is_memory_pressure() for _ in range(300)]
            finally:
                over.set()
            measuring.result(10)
    finally:
        sys.setswitchinterval(interval)
    assert not any(looks)

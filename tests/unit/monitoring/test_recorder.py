"""The recorder: when clips were worked on, and a row of samples that stays short and loses no peak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.run_record import ClipSpan, ResourcePoint, Timeline
from mpt_cli.monitoring.recorder import Recorder
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipStarted, ResourceSample, RunStarted
from tests.fakes import FakeClock, ListEmit

if TYPE_CHECKING:
    from mpt_cli.runtime.events import Event


def started(index: int) -> ClipStarted:
    return ClipStarted(index, Path("a.mp4"), "encode", 1.0)


def test_what_is_heard_is_passed_on_and_kept(clock: FakeClock, emit: ListEmit) -> None:
    recorder = Recorder(clock=clock)
    heard = recorder.hearing(emit)
    events: list[Event] = [RunStarted("process", "w", 3), started(1), started(0)]
    events += [ClipFinished(1, 1.0, None), ResourceSample(50, 100, 40.0, None), ClipFailed(0, "clip_failed", "no")]
    for event in (*events, started(2)):
        clock.advance(1)
        heard(event)
    assert emit.events == [*events, started(2)]
    assert recorder.timeline() == Timeline(
        (ClipSpan(1, 2, 4), ClipSpan(0, 3, 6), ClipSpan(2, 7, None)), (ResourcePoint(5, 50, 40.0),), 100
    )


def test_a_clip_that_starts_again_was_worked_on_from_then(clock: FakeClock) -> None:
    recorder = Recorder(clock=clock)
    for event in (started(0), ClipFinished(0, 1.0, None), started(0), ClipFinished(0, 1.0, None)):
        clock.advance(1)
        recorder.note(event)
    assert recorder.timeline().clips == (ClipSpan(0, 3, 4),)


def test_a_run_without_events_has_an_empty_timeline(clock: FakeClock) -> None:
    recorder = Recorder(clock=clock)
    recorder.note(ClipFinished(5, 1.0, None))
    assert recorder.timeline() == Timeline()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=300), st.sampled_from([2, 4, 10]))
def test_samples_stay_few_in_order_and_keep_the_peak(memory: list[int], most: int) -> None:
    clock = FakeClock(0.0)
    recorder = Recorder(clock=clock, most_points=most)
    for used in memory:
        clock.advance(0.25)
        recorder.note(ResourceSample(used, 1000, 50.0, None))
    points = recorder.timeline().samples
    assert 1 <= len(points) <= most
    assert max(point.memory_bytes for point in points) == max(memory)
    assert [point.at_seconds for point in points] == sorted({point.at_seconds for point in points})
    assert points[-1].at_seconds == clock.now
    assert {point.cpu_percent for point in points} == {50.0}
    if len(memory) < most:
        assert [point.memory_bytes for point in points] == memory

"""PerformanceMonitor: timers, milestones, throughput and the report's formulas; what a GPU says."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.health import CurrentMetrics
from mpt_cli.model.results import Milestone, PerformanceReport
from mpt_cli.monitoring.performance import REPORTS_KEPT, PerformanceMonitor, performance_score

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes import FakeClock


@pytest.fixture
def monitor(clock: FakeClock) -> PerformanceMonitor:
    return PerformanceMonitor(clock=clock)


def test_a_timer_runs_until_it_is_stopped(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    timer = monitor.start_timer("concatenation")
    clock.advance(2)
    assert (timer.name, timer.duration_seconds) == ("concatenation", 2)
    clock.advance(1)
    assert timer.stop() == 3
    clock.advance(10)
    timer.ensure_stopped()
    assert timer.stop() == timer.duration_seconds == 3


def test_a_timer_stops_at_the_end_of_its_block(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    with monitor.start_timer("join") as timer:
        clock.advance(4)
    clock.advance(4)
    assert timer.duration_seconds == 4


@pytest.mark.anchor("T086")
def test_milestones_keep_their_time_and_never_go_back(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=2, total_seconds=10)
    for name, progress in (("validated", 0.1), ("processed", 0.8), ("late", 0.5), ("published", 1.5)):
        clock.advance(1)
        monitor.record_milestone("w", name, progress)
    monitor.record_milestone("unknown", "validated", 0.1)
    assert monitor.generate_performance_report("w").milestones == (
        Milestone("validated", 1, 0.1),
        Milestone("processed", 2, 0.8),
        Milestone("late", 3, 0.8),
        Milestone("published", 4, 1.0),
    )


@pytest.mark.anchor("T090", "T085")
def test_the_report_of_a_run(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=3, total_seconds=40)
    clock.advance(4)
    with monitor.processing("w", slots=2):
        for busy_seconds in (6, 4, 5):
            monitor.record_clip("w", busy_seconds=busy_seconds)
        clock.advance(10)
    clock.advance(6)
    monitor.record_milestone("w", "published", 1)
    # 15 of 2 x 10 slot seconds; a reel of 40 s in 20 s is twice real time: 2 / (1 + 2)
    assert monitor.generate_performance_report("w", memory_peak_bytes=77) == PerformanceReport(
        workflow_id="w",
        total_duration_seconds=20,
        processing_efficiency=0.75,
        memory_peak_bytes=77,
        performance_score=100 * (0.75 + 2 / 3) / 2,
        milestones=(Milestone("published", 20, 1),),
    )


def test_phases_add_up_and_one_that_runs_counts_so_far(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=2)
    with monitor.processing("w", slots=4):
        clock.advance(1)
    clock.advance(100)
    with monitor.processing("w", slots=1):
        clock.advance(6)
        monitor.record_clip("w", busy_seconds=5)
        assert monitor.generate_performance_report("w").processing_efficiency == 0.5
        monitor.record_clip("w", busy_seconds=500)
    assert monitor.generate_performance_report("w").processing_efficiency == 1.0


def test_a_phase_that_fails_is_measured(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=1)

    def fail() -> None:
        with monitor.processing("w", slots=1):
            monitor.record_clip("w", busy_seconds=1)
            clock.advance(2)
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    clock.advance(50)
    assert monitor.generate_performance_report("w").processing_efficiency == 0.5


def test_a_run_that_stopped_half_way_is_scored_by_what_it_reached(
    monitor: PerformanceMonitor, clock: FakeClock
) -> None:
    monitor.start_workflow("w", clip_count=1, total_seconds=20)
    monitor.record_milestone("w", "half", 0.5)
    clock.advance(10)
    assert monitor.generate_performance_report("w").performance_score == 50


def test_what_was_not_measured_is_none(monitor: PerformanceMonitor) -> None:
    monitor.start_workflow("w", clip_count=1, total_seconds=20)
    report = monitor.generate_performance_report("w")
    assert (report.processing_efficiency, report.memory_peak_bytes, report.performance_score) == (None, None, None)
    assert monitor.get_current_metrics() == CurrentMetrics(1, None, None, None, None)


@pytest.mark.parametrize(
    ("efficiency", "realtime_factor", "score"),
    [(1, 1, 75), (0.5, 1, 50), (0, 0, 0), (None, 1, 50), (None, 3, 75), (1, None, None), (None, None, None)],
)
def test_the_score(efficiency: float | None, realtime_factor: float | None, score: float | None) -> None:
    assert performance_score(efficiency, realtime_factor) == score


def test_an_ended_workflow_keeps_its_report(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=1, total_seconds=5)
    clock.advance(5)
    monitor.record_milestone("w", "published", 1)
    monitor.generate_performance_report("w", memory_peak_bytes=9)
    monitor.end_workflow("w")
    clock.advance(50)
    monitor.end_workflow("w")
    monitor.record_milestone("w", "too late", 1)
    monitor.record_clip("w", busy_seconds=1)
    with monitor.processing("w", slots=3):
        clock.advance(1)
    report = monitor.generate_performance_report("w")
    assert (report.total_duration_seconds, report.memory_peak_bytes, report.performance_score) == (5, 9, 50)
    assert [milestone.name for milestone in report.milestones] == ["published"]
    assert report.processing_efficiency is None


def test_the_history_is_bounded_and_the_unknown_is_a_key_error(monitor: PerformanceMonitor) -> None:
    for number in range(REPORTS_KEPT + 1):
        monitor.start_workflow(str(number), clip_count=1)
        monitor.end_workflow(str(number))
    assert monitor.generate_performance_report("1").workflow_id == "1"
    with pytest.raises(KeyError):
        monitor.generate_performance_report("0")


@pytest.mark.anchor("T084")
def test_an_id_that_is_used_again_begins_anew(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=1)
    monitor.end_workflow("w")
    clock.advance(9)
    monitor.start_workflow("w", clip_count=1)
    clock.advance(2)
    assert monitor.generate_performance_report("w").total_duration_seconds == 2


@pytest.mark.anchor("T088")
def test_the_throughput_is_that_of_the_last_minute(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=4)
    clock.advance(30)
    assert monitor.get_current_metrics().throughput_clips_per_minute == 0
    for _ in range(3):
        monitor.record_clip("w", busy_seconds=1)
    assert monitor.get_current_metrics().throughput_clips_per_minute == 6
    clock.advance(45)
    monitor.record_clip("w", busy_seconds=1)
    assert monitor.get_current_metrics().throughput_clips_per_minute == 4
    clock.advance(30)
    assert monitor.get_current_metrics().throughput_clips_per_minute == 1


@pytest.mark.anchor("T089")
def test_the_metrics_show_what_the_gauges_say_now(clock: FakeClock) -> None:
    readings = iter([10.0, 20.0])
    monitor = PerformanceMonitor(clock=clock, cpu_percent=lambda: next(readings), memory_percent=lambda: 30.0)
    monitor.start_workflow("a", clip_count=1)
    monitor.start_workflow("b", clip_count=1)
    assert monitor.get_current_metrics() == CurrentMetrics(2, 10, 30, None)
    monitor.end_workflow("a")
    assert monitor.get_current_metrics() == CurrentMetrics(1, 20, 30, None)


@pytest.mark.anchor("T085")
def test_clips_that_end_at_once_are_all_counted(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=400)
    with monitor.processing("w", slots=8):
        with ThreadPoolExecutor(8) as executor:
            list(executor.map(lambda _: monitor.record_clip("w", busy_seconds=0.125), range(400)))
        clock.advance(10)
    assert monitor.generate_performance_report("w").processing_efficiency == 50 / 80


@pytest.mark.anchor("T084")
def test_a_workflow_is_followed_from_its_start(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    with pytest.raises(KeyError):
        monitor.generate_performance_report("w")
    clock.advance(100)
    monitor.start_workflow("w", clip_count=3)
    assert monitor.get_current_metrics().active_workflows == 1
    assert monitor.generate_performance_report("w") == PerformanceReport("w", 0, None, None, None, ())
    clock.advance(7)
    monitor.start_workflow("other", clip_count=1)
    assert [monitor.generate_performance_report(name).total_duration_seconds for name in ("w", "other")] == [7, 0]


@pytest.mark.anchor("T087")
def test_a_timeline_that_several_threads_write_stays_in_order(monitor: PerformanceMonitor, clock: FakeClock) -> None:
    monitor.start_workflow("w", clip_count=1)
    monitor.start_workflow("other", clip_count=1)

    def reach(number: int) -> None:
        clock.advance(0.25)
        monitor.record_milestone("w", str(number), number / 200)

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(reach, range(200)))
    timeline = monitor.generate_performance_report("w").milestones
    assert sorted(int(step.name) for step in timeline) == list(range(200))
    assert all(a.at_seconds <= b.at_seconds and a.progress <= b.progress for a, b in pairwise(timeline))
    assert timeline[-1].progress == 199 / 200
    assert monitor.generate_performance_report("other").milestones == ()


@pytest.mark.anchor("T091")
def test_efficiency_and_score_of_a_timeline_that_was_computed_by_hand(
    monitor: PerformanceMonitor, clock: FakeClock
) -> None:
    """Two slots. Seconds 0 to 2 validation, 2 to 12 processing, 12 to 15 the join.

    slot one: clip a from 2 to 8, clip c from 8 to 12; slot two: clip b from 2 to 7, then nothing.
    Busy 6 + 4 + 5 = 15 of 2 x 10: 0.75. A reel of 30 s in 15 s is r = 2, speed 2 / 3, so the score
    is 100 x (3/4 + 2/3) / 2 = 100 x 17/24.
    """
    monitor.start_workflow("w", clip_count=3)
    clock.advance(2)
    monitor.record_milestone("w", "validated", 0.05)
    monitor.expect("w", total_seconds=30)
    monitor.expect("unknown", total_seconds=1)
    with monitor.processing("w", slots=2):
        for wait, busy in ((5, 5), (1, 6), (4, 4)):
            clock.advance(wait)
            monitor.record_clip("w", busy_seconds=busy)
        assert monitor.get_current_metrics().throughput_clips_per_minute == 60 * 3 / 12
    monitor.record_milestone("w", "processed", 0.9)
    # So far 27 of 30 s of reel in 12 s: r = 9/4, speed 9/13.
    assert monitor.generate_performance_report("w").performance_score == pytest.approx(100 * (3 / 4 + 9 / 13) / 2)
    clock.advance(3)
    monitor.record_milestone("w", "published", 1)
    monitor.end_workflow("w")
    clock.advance(99)
    report = monitor.generate_performance_report("w")
    assert (report.total_duration_seconds, report.processing_efficiency) == (15, 0.75)
    assert report.performance_score == pytest.approx(100 * 17 / 24)
    assert [(step.name, step.at_seconds) for step in report.milestones] == [
        ("validated", 2),
        ("processed", 12),
        ("published", 15),
    ]


STAND_IN_NVML = """
class NVMLError(Exception): pass
class Rates:
    def __init__(self, gpu): self.gpu = gpu
loads = {loads!r}
closed = False
def nvmlInit():
    if loads is None: raise NVMLError("no driver")
def nvmlShutdown():
    global closed
    closed = True
def nvmlDeviceGetCount(): return len(loads)
def nvmlDeviceGetHandleByIndex(index): return index
def nvmlDeviceGetUtilizationRates(handle):
    if loads[handle] is None: raise NVMLError("not supported")
    return Rates(loads[handle])
"""
ASK = """
import json
from mpt_cli.monitoring.gpu import gpu_percent
load = gpu_percent()
import pynvml
print(json.dumps([load, pynvml.closed]))
"""


@pytest.mark.parametrize(
    ("loads", "answer"),
    [([12, 87, 40], [87.0, True]), ([], [None, True]), ([5, None], [None, True]), (None, [None, False])],
    ids=["the busiest", "none there", "one that does not say", "no driver"],
)
@pytest.mark.heavy
def test_the_load_is_that_of_the_busiest_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loads: list[int | None] | None, answer: list[object]
) -> None:
    (tmp_path / "pynvml.py").write_text(STAND_IN_NVML.format(loads=loads))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == answer


@pytest.mark.heavy
def test_without_the_library_there_is_no_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pynvml.py").write_text("raise ImportError('not installed')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ask = "from mpt_cli.monitoring.gpu import gpu_percent; assert gpu_percent() is None; print('none')"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, timeout=60)
    assert done.stdout.split() == [b"none"]

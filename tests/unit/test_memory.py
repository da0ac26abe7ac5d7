"""MemoryManager, the limits of control groups, and what psutil measures."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mpt_cli.cancel import CancelToken
from mpt_cli.config import MemoryConfig
from mpt_cli.media.process import tree_rss_bytes
from mpt_cli.monitoring.cgroup import memory_limit_bytes
from mpt_cli.monitoring.memory import CLOSED_WORKFLOWS_KEPT, MemoryManager, MemorySample
from mpt_cli.monitoring.system import PsutilReader

if TYPE_CHECKING:
    from pathlib import Path

MIB = 2**20


@dataclass
class FakeReader:
    total: int = 10_000 * MIB
    available: int = 10_000 * MIB
    tree: int = 100 * MIB
    limit: int | None = None
    measurements: int = 0

    def total_bytes(self) -> int:
        return self.total

    def available_bytes(self) -> int:
        return self.available

    def tree_rss_bytes(self) -> int:
        self.measurements += 1
        return self.tree

    def cpu_percent(self) -> float:
        return 50.0

    def limit_bytes(self) -> int | None:
        return self.limit


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False


def manager(reader: FakeReader, *, budget_mib: int = 1000, clock: FakeClock | None = None) -> MemoryManager:
    """One that measures anew for every question, unless it is given a clock."""
    config = MemoryConfig(max=budget_mib * MIB)
    if clock is None:
        return MemoryManager(config, system=reader, interval_seconds=0)
    return MemoryManager(config, system=reader, clock=clock)


@pytest.mark.parametrize(
    ("configured", "total", "limit", "budget"),
    [(None, 1000, None, 800), (None, 1000, 500, 400), (None, 1000, 2000, 800), (5000, 1000, 500, 5000)],
)
def test_the_budget(configured: int | None, total: int, limit: int | None, budget: int) -> None:
    reader = FakeReader(total=total, limit=limit)
    assert MemoryManager(MemoryConfig(max=configured), system=reader).budget_bytes == budget


V2 = "30 20 0:26 / {mount} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
V1 = "35 31 0:32 {top} {mount} rw,relatime - cgroup cgroup rw,memory\n"


@pytest.mark.parametrize(
    ("groups", "mounts", "files", "limit"),
    [
        ("0::/a/b\n", V2.format(mount="/cg"), {"cg/a/b/memory.max": "900\n"}, 900),
        ("0::/a/b\n", V2.format(mount="/cg"), {"cg/a/b/memory.max": "900", "cg/a/memory.max": "700"}, 700),
        ("0::/a/b\n", V2.format(mount="/cg"), {"cg/a/b/memory.max": "900", "cg/a/b/memory.high": "600"}, 600),
        ("0::/a/b\n", V2.format(mount="/cg"), {"cg/a/b/memory.max": "max\n"}, None),
        ("0::/../other\n", V2.format(mount="/cg"), {"cg/memory.max": "500", "other/memory.max": "1"}, 500),
        ("0::/\n", V2.format(mount=r"/c\040g"), {"c g/memory.max": "400"}, 400),
        (
            "4:cpu,memory:/docker/x\n0::/\n",
            V1.format(top="/docker/x", mount="/m"),
            {"m/memory.limit_in_bytes": "300"},
            300,
        ),
        ("4:memory:/docker/x\n", V1.format(top="/", mount="/m"), {"m/docker/memory.limit_in_bytes": "200"}, 200),
        ("4:memory:/hidden\n", V1.format(top="/docker/x", mount="/m"), {"m/memory.limit_in_bytes": "100"}, 100),
        ("4:memory:/\n", V1.format(top="/", mount="/m"), {"m/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("1:cpu:/a\n", V2.format(mount="/cg") + "31 20 0:28 / / rw - tmpfs tmpfs rw\nodd\n", {}, None),
    ],
)
def test_limits_of_control_groups(
    tmp_path: Path, groups: str, mounts: str, files: dict[str, str], limit: int | None
) -> None:
    for name, text in {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_limit_bytes(tmp_path) == limit
    assert PsutilReader(root=tmp_path).limit_bytes() == limit


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert memory_limit_bytes(tmp_path) is None


def test_the_tree_includes_grandchildren_and_forgives_the_dead() -> None:
    reader = PsutilReader()
    grandchild = f"import sys; b = bytearray({64 * MIB}); print(len(b), flush=True); sys.stdin.read()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    before = reader.tree_rss_bytes()
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        alone = tree_rss_bytes(process.pid, descendants=False)
        assert 0 < alone < tree_rss_bytes(process.pid) - 60 * MIB
        assert reader.tree_rss_bytes() >= before + 60 * MIB
    assert tree_rss_bytes(process.pid) == 0


def test_the_machine_is_measured() -> None:
    reader = PsutilReader()
    assert 0 < reader.available_bytes() <= reader.total_bytes()
    assert 0 <= reader.cpu_percent() <= 100


def test_the_thread_samples_until_it_is_closed() -> None:
    reader, sampled = FakeReader(), threading.Event()
    samples: list[MemorySample] = []
    memory = MemoryManager(MemoryConfig(max=1000 * MIB), system=reader, interval_seconds=0.001)
    assert memory.get_cpu_percentage() is None

    def listen(sample: MemorySample) -> None:
        samples.append(sample)
        if len(samples) >= 3:
            sampled.set()

    memory.subscribe(listen)
    with memory:
        memory.initialize()
        assert sampled.wait(10)
    taken = len(samples)
    memory.close()
    assert "mpt-memory" not in {thread.name for thread in threading.enumerate()}
    assert len(samples) == taken
    assert samples[0] == MemorySample(100 * MIB, 1000 * MIB, 50.0)
    assert memory.get_cpu_percentage() == 50.0


def test_unsubscribing_ends_the_samples_of_that_listener_only() -> None:
    memory = manager(FakeReader())
    ended: list[MemorySample] = []
    kept: list[MemorySample] = []
    unsubscribe = memory.subscribe(ended.append)
    memory.subscribe(kept.append)
    memory.sample()
    unsubscribe()
    unsubscribe()
    memory.sample()
    assert (len(ended), len(kept)) == (1, 2)


def test_peaks_are_kept_for_each_workflow() -> None:
    reader = FakeReader(tree=300)
    memory = manager(reader)
    memory.initialize_for_workflow("first")
    assert memory.peak_bytes("first") == 300
    reader.tree = 900
    memory.sample()
    reader.tree = 500
    memory.initialize_for_workflow("second")
    memory.initialize_for_workflow("first")
    memory.cleanup_workflow("first")
    reader.tree = 700
    memory.cleanup_workflow("second")
    memory.cleanup_workflow("unknown")
    reader.tree = 5000
    memory.sample()
    assert [memory.peak_bytes(name) for name in ("first", "second", "unknown")] == [900, 700, None]


def test_the_oldest_ended_workflows_are_forgotten() -> None:
    memory = manager(FakeReader())
    for number in range(CLOSED_WORKFLOWS_KEPT + 1):
        memory.initialize_for_workflow(str(number))
        memory.cleanup_workflow(str(number))
    assert memory.peak_bytes("0") is None
    assert memory.peak_bytes("1") is not None


def test_a_measurement_serves_for_one_interval() -> None:
    reader, clock = FakeReader(tree=250 * MIB), FakeClock()
    memory = manager(reader, clock=clock)
    assert memory.get_usage_percentage() == 25
    reader.tree = 500 * MIB
    clock.now += 0.2
    assert memory.get_usage_percentage() == 25
    clock.now += 0.05
    assert memory.get_usage_percentage() == 50
    assert reader.measurements == 2


@pytest.mark.parametrize(
    ("tree", "available", "expected"),
    [(499, 751, True), (500, 751, False), (499, 750, False), (0, 10_000, True), (2000, 10_000, False)],
)
def test_memory_is_available(tree: int, available: int, *, expected: bool) -> None:
    assert manager(FakeReader(tree=tree * MIB, available=available * MIB)).is_memory_available() is expected


def test_the_required_memory_can_be_named() -> None:
    memory = manager(FakeReader(tree=900 * MIB))
    assert not memory.is_memory_available()
    assert memory.is_memory_available(required_mb=99)


def test_waiting_ends_when_memory_is_available() -> None:
    reader, clock = FakeReader(tree=900 * MIB), FakeClock()
    memory = manager(reader, clock=clock)

    def wait(seconds: float) -> bool:
        if clock.now > 110:
            reader.tree = 0
        return clock.wait(seconds)

    assert memory.wait_for_availability(wait=wait)
    assert 110 < clock.now < 111


def test_waiting_ends_in_time_or_by_cancel() -> None:
    clock = FakeClock()
    memory = manager(FakeReader(tree=900 * MIB), clock=clock)
    assert not memory.wait_for_availability(wait=clock.wait)
    assert clock.now == 130
    token = CancelToken()
    token.cancel()
    assert not memory.wait_for_availability(wait=token.wait)
    assert clock.now == 130


def test_reservations_stand_on_what_is_used_anyway_and_nothing_is_counted_twice() -> None:
    reader = FakeReader(tree=200 * MIB)
    memory = manager(reader)
    memory.sample()  # nothing is reserved: this is what the program itself needs
    assert memory.reserve(600 * MIB)
    assert memory.fits(200 * MIB)
    assert not memory.fits(200 * MIB + 1)
    assert not memory.reserve(201 * MIB)
    assert memory.reserved_bytes == 600 * MIB
    reader.tree = 900 * MIB  # more than was reserved
    assert memory.fits(100 * MIB)
    assert not memory.fits(101 * MIB)
    assert memory.reserve(5000 * MIB, anyway=True)
    memory.release(5600 * MIB)
    memory.release(1)
    assert memory.reserved_bytes == 0


def test_after_a_release_the_tree_is_measured_anew() -> None:
    reader, clock = FakeReader(tree=900 * MIB), FakeClock()
    memory = manager(reader, clock=clock)
    assert not memory.fits(500 * MIB)
    reader.tree = 100 * MIB
    memory.release(0)
    assert memory.fits(500 * MIB)


@pytest.mark.parametrize(
    ("used", "clips", "base", "expected"),
    [
        (750, 30, 12, 4),  # below 0.3: a third
        (750, 30, 4, 2),
        (750, 30, 1, 1),  # never above the base
        (600, 30, 12, 6),  # below 0.5: half
        (600, 30, 4, 3),
        (600, 30, 2, 2),
        (500, 30, 8, 8),  # between
        (100, 30, 8, 16),  # above 0.8 with many clips: twice
        (100, 30, 20, 30),
        (100, 20, 8, 8),
        (500, 3, 8, 3),  # never above the clips
        (1500, 30, 8, 2),
        (100, 0, 8, 1),
    ],
)
def test_the_batch_size(used: int, clips: int, base: int, expected: int) -> None:
    assert manager(FakeReader(tree=used * MIB)).calculate_optimal_batch_size(clips, base) == expected

"""MemoryManager, the limits of control groups, and what psutil measures."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from pydantic import ValidationError

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.media.process import memory
from mpt_cli.media.process.memory import rss_of_tree
from mpt_cli.model.shortages import no_room
from mpt_cli.monitoring.cgroup import memory_limit_bytes
from mpt_cli.monitoring.memory import MemoryManager, MemorySample
from mpt_cli.monitoring.system import PsutilReader
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import MIB, PATIENCE, Counted, FakeClock, FakeReader

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.runtime.threads import Startable


def manager(reader: FakeReader, *, budget_mib: int = 1000, clock: FakeClock | None = None) -> MemoryManager:
    """One that measures anew for every question, unless it is given a clock."""
    config = MemoryConfig(max=budget_mib * MIB)
    if clock is None:
        return MemoryManager(config, system=reader, interval_seconds=0)
    return MemoryManager(config, system=reader, clock=clock)


@pytest.mark.anchor("T066")
@pytest.mark.parametrize(
    ("configured", "total", "limit", "budget"),
    [(None, 1000, None, 800), (None, 1000, 500, 400), (None, 1000, 2000, 800), (5000, 1000, 500, 5000)],
)
def test_the_budget(configured: int | None, total: int, limit: int | None, budget: int) -> None:
    reader = FakeReader(total=total, limit=limit)
    assert MemoryManager(MemoryConfig(max=configured), system=reader).budget_bytes == budget


@pytest.mark.anchor("T066")
@pytest.mark.parametrize(
    "wrong", [{"max": 0}, {"max": "lots"}, {"pressure_threshold": 0}, {"pressure_threshold": 1.01}, {"most": 1}]
)
def test_a_configuration_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MemoryConfig(**wrong)


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


@pytest.mark.heavy
def test_the_tree_includes_grandchildren_and_forgives_the_dead() -> None:
    reader = PsutilReader()
    grandchild = f"import sys; b = bytearray({64 * MIB}); print(len(b), flush=True); sys.stdin.read()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    before = reader.tree_rss_bytes()
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        alone = rss_of_tree(process.pid, descendants=False)
        assert 0 < alone < rss_of_tree(process.pid) - 60 * MIB
        assert reader.tree_rss_bytes() >= before + 60 * MIB
    assert rss_of_tree(process.pid) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.heavy
def test_lists_of_children_name_the_same_processes_as_the_table() -> None:
    grandchild = "import sys; print(flush=True); sys.stdin.read()"
    start = f"lambda: subprocess.run([sys.executable, '-c', {grandchild!r}])"  # in a thread that is not the first
    child = f"import subprocess, sys, threading; threading.Thread(target={start}).start()"
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = memory.descendants_of(os.getpid())
        assert sorted(found) == sorted(memory.descendants_in_table(os.getpid()))
        assert {process.pid, *(each.pid for each in psutil.Process(process.pid).children())} <= set(found)
        assert len(memory.descendants_of(process.pid)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="holds a child between vfork and exec")
@pytest.mark.heavy
def test_a_child_that_is_being_started_does_not_count_the_memory_of_its_parent_again(tmp_path: Path) -> None:
    door = tmp_path / "door"
    os.mkfifo(door)
    parent = (
        f"import os, sys; b = b'x' * {64 * MIB}; print(flush=True); "
        f"actions = [(os.POSIX_SPAWN_OPEN, 0, {str(door)!r}, os.O_RDONLY, 0)]; "
        "os.waitpid(os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {}, file_actions=actions), 0)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end = time.monotonic() + PATIENCE
        while not (children := psutil.Process(process.pid).children()) and time.monotonic() < end:
            time.sleep(0.001)
        assert children[0].memory_info().rss > 64 * MIB  # it stands at the door
        total, alone = rss_of_tree(process.pid), rss_of_tree(process.pid, descendants=False)
        door.write_bytes(b"")
    assert process.returncode == 0
    assert alone > 64 * MIB
    assert total - alone < MIB  # the kernel counts single pages late


def test_the_machine_is_measured() -> None:
    reader = PsutilReader()
    assert 0 < reader.available_bytes() <= reader.total_bytes()
    assert 0 <= reader.cpu_percent() <= 100


@pytest.mark.anchor("T065")
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


@pytest.mark.anchor("T065")
def test_manager_without_room_for_a_thread_does_not_sample() -> None:
    reader = FakeReader()

    def refuse(_thread: Startable) -> None:
        raise no_room("thread")

    with MemoryManager(MemoryConfig(), system=reader, start=refuse) as memory:
        assert "mpt-memory" not in {thread.name for thread in threading.enumerate()}
        assert memory.get_usage_bytes() == reader.tree_rss_bytes()


def test_the_thread_serves_its_last_user_and_can_be_started_again() -> None:
    memory, sampled = MemoryManager(MemoryConfig(max=1000), system=FakeReader(), interval_seconds=0.001), Counted()
    memory.subscribe(sampled)
    memory.close()  # nobody has started it
    for _ in range(2):
        memory.initialize()
        memory.initialize()
        memory.close()
        assert sampled.more()
        memory.close()
        memory.close()
        assert sampled.ended()


def test_a_look_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(FakeReader):
        def tree_rss_bytes(self) -> int:
            self.measurements += 1
            if self.measurements == 2:
                raise OSError(24, "Too many open files")
            return self.tree

    reader, sampled = Failing(), Counted()
    memory = MemoryManager(MemoryConfig(max=1000 * MIB), system=reader, interval_seconds=0.001)
    memory.subscribe(sampled)
    with memory:
        assert sampled.more(4)
    assert caplog.messages == ["Memory could not be measured: [Errno 24] Too many open files"]


def test_who_has_unsubscribed_is_not_called_any_more() -> None:
    memory, inside, go = manager(FakeReader()), threading.Event(), threading.Event()
    order: list[str] = []

    def slow(_sample: MemorySample) -> None:
        inside.set()
        assert go.wait(PATIENCE)

    memory.subscribe(slow)
    unsubscribe = memory.subscribe(lambda _sample: order.append("called"))

    def leave() -> None:
        unsubscribe()
        order.append("left")

    with ThreadPoolExecutor(2) as executor:
        sampling = executor.submit(memory.sample)
        assert inside.wait(PATIENCE)
        leaving = executor.submit(leave)
        wait([leaving], 0.1)  # time enough to leave, if nothing kept it
        go.set()
        sampling.result(PATIENCE)
        leaving.result(PATIENCE)
    assert order == ["called", "left"]


def test_memory_is_relieved_before_anybody_hears_of_it_and_only_above_the_budget() -> None:
    reader = FakeReader(tree=1000 * MIB)
    memory, order = manager(reader), list[str]()
    memory.sample()  # nobody can give way: no error
    memory.on_release(lambda _resource: None, lambda: order.append("relieved"))
    memory.subscribe(lambda _sample: order.append("told"))
    memory.sample()
    reader.tree += 1
    memory.sample()
    assert order == ["told", "relieved", "told"]


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


def test_a_measurement_serves_for_one_interval() -> None:
    reader, clock = FakeReader(tree=250 * MIB), FakeClock(100.0)
    memory = manager(reader, clock=clock)
    assert memory.get_usage_percentage() == 25
    reader.tree = 500 * MIB
    clock.now += 0.2
    assert memory.get_usage_percentage() == 25
    clock.now += 0.05
    assert memory.get_usage_percentage() == 50
    assert reader.measurements == 2


@pytest.mark.anchor("T069", "T070", "T071")
@pytest.mark.parametrize(
    ("tree", "available", "expected"),
    [(499, 751, True), (500, 751, False), (499, 750, False), (0, 10_000, True), (2000, 10_000, False)],
)
def test_memory_is_available(tree: int, available: int, *, expected: bool) -> None:
    assert manager(FakeReader(tree=tree * MIB, available=available * MIB)).is_memory_available() is expected


@pytest.mark.anchor("T069")
def test_the_required_memory_can_be_named() -> None:
    memory = manager(FakeReader(tree=900 * MIB))
    assert not memory.is_memory_available()
    assert memory.is_memory_available(required_mb=99)


def test_waiting_ends_when_memory_is_available() -> None:
    reader, clock = FakeReader(tree=900 * MIB), FakeClock(100.0)
    memory = manager(reader, clock=clock)

    def wait(seconds: float) -> bool:
        if clock.now > 110:
            reader.tree = 0
        return clock.wait(seconds)

    assert memory.wait_for_availability(wait=wait)
    assert 110 < clock.now < 111


def test_waiting_ends_in_time_or_by_cancel() -> None:
    clock = FakeClock(100.0)
    memory = manager(FakeReader(tree=900 * MIB), clock=clock)
    assert not memory.wait_for_availability(wait=clock.wait)
    assert clock.now == 130
    token = CancelToken()
    token.cancel()
    assert not memory.wait_for_availability(wait=token.wait)
    assert clock.now == 130


@pytest.mark.anchor("T081")
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


@pytest.mark.anchor("T082", "T083")
def test_the_batch_grows_and_shrinks_with_the_memory_that_is_free() -> None:
    reader = FakeReader()
    memory = manager(reader)
    sizes = []
    for used in range(0, 1001, 50):
        reader.tree = used * MIB
        sizes.append(memory.calculate_optimal_batch_size(100, 12))
    assert sizes == [24] * 4 + [12] * 7 + [6] * 4 + [4] * 6
    reader.tree = 0
    assert memory.calculate_optimal_batch_size(100, 12) == 24  # it was asked anew each time


def test_nothing_is_admitted_above_the_threshold() -> None:
    reader = FakeReader(tree=790 * MIB)
    memory = manager(reader)
    assert memory.fits(10 * MIB)
    reader.tree = 810 * MIB
    memory = manager(reader)
    assert not memory.fits(10 * MIB)
    assert memory.reserve(10 * MIB, anyway=True)


def test_need_must_be_free_in_the_machine_beside_what_was_promised() -> None:
    memory = manager(FakeReader(tree=100 * MIB, available=250 * MIB))
    assert memory.reserve(200 * MIB)
    assert memory.fits(50 * MIB)
    assert not memory.fits(60 * MIB)


def test_work_that_gives_way_teaches_that_predictions_were_too_small() -> None:
    reader, gave_way = FakeReader(), list[int]()
    memory = manager(reader)
    memory.on_release(lambda number: None, lambda: gave_way.append(1))
    memory.sample()
    assert memory.reserve(400 * MIB)
    reader.tree = 1001 * MIB
    memory.sample()
    assert gave_way == [1]
    memory.release(400 * MIB)
    reader.tree = 0
    memory.sample()
    assert memory.fits(443 * MIB)
    assert not memory.fits(445 * MIB)  # of which each is now expected to take 2.25 times as much

"""MemoryManager: what workflows hold and give back, and what cleaning does when."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.monitoring.memory import CLOSED_WORKFLOWS_KEPT, MemoryManager
from mpt_cli.monitoring.pool import ResourcePool, ResourceRequest
from tests.fakes import MIB, PATIENCE, AnnouncingToken, Counted, FakeReader
from tests.unit.monitoring.test_memory import manager

if TYPE_CHECKING:
    from tests.fakes import FakeClock

NEED = 100 * MIB


class Cache:
    """Keeps something that can be had again; what the tree uses falls when it is emptied."""

    def __init__(self, reader: FakeReader | None = None, size: int = 0) -> None:
        self._reader, self._size = reader, size
        self.cleared = 0
        self.emptied = threading.Event()

    def clear(self) -> None:
        self.cleared += 1
        if self._reader:
            self._reader.tree -= self._size
        self.emptied.set()


def patient(reader: FakeReader, clock: FakeClock, *, interval_seconds: float = 0) -> MemoryManager:
    """A manager whose pauses take no time."""
    config = MemoryConfig(max=1000 * MIB)
    return MemoryManager(config, system=reader, clock=clock, sleep=clock.sleep, interval_seconds=interval_seconds)


# --- cleaning


class Knot:
    """Refers to itself, so that only a collection can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.anchor("T075")
def test_cleaning_collects_what_only_refers_to_itself(clock: FakeClock) -> None:
    memory = patient(FakeReader(), clock)
    gc.disable()  # or it might be collected by chance
    try:
        kept, gone = Knot(), weakref.ref(Knot())
        assert gone() is not None
        memory.force_cleanup()
        assert gone() is None
        assert kept.itself is kept
    finally:
        gc.enable()
    kept.__dict__.clear()


@pytest.mark.anchor("T075")
def test_cleaning_empties_every_cache_and_says_what_that_freed(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mpt_cli.monitoring.memory")
    reader = FakeReader(tree=500 * MIB)
    memory, caches = patient(reader, clock), (Cache(reader, 30 * MIB), Cache(reader, 12 * MIB))
    for cache in caches:
        memory.register_cache(cache.clear)
    assert memory.smart_cleanup(force=True) == 42 * MIB
    assert [cache.cleared for cache in caches] == [1, 1]
    assert caplog.messages == [f"Memory cleanup freed {42 * MIB} bytes"]
    assert clock.slept == [0.1, 0.1]  # between three collections


@pytest.mark.anchor("T076")
def test_cleaning_is_due_once_an_interval_unless_it_is_forced(clock: FakeClock) -> None:
    memory, cache = patient(FakeReader(), clock), Cache()
    memory.register_cache(cache.clear)
    clock.advance(29.9)
    assert memory.smart_cleanup() is None
    clock.advance(0.1)
    assert memory.smart_cleanup() == 0
    clock.advance(29.9)
    assert memory.smart_cleanup() is None
    assert memory.smart_cleanup(force=True) == 0
    clock.advance(29.9)  # a forced one counts too
    assert memory.smart_cleanup() is None
    assert cache.cleared == 2


@pytest.mark.anchor("T076")
def test_the_interval_is_the_configured_one(clock: FakeClock) -> None:
    config = MemoryConfig(max=1000, cleanup_interval="2")  # type: ignore[arg-type]  # the validators read text
    memory = MemoryManager(config, system=FakeReader(tree=1), clock=clock, sleep=clock.sleep)
    clock.advance(1.9)
    assert memory.smart_cleanup() is None
    clock.advance(0.1)
    assert memory.smart_cleanup() == 0


@pytest.mark.anchor("T077")
def test_where_memory_is_short_the_sampling_thread_cleans_at_most_once_an_interval(clock: FakeClock) -> None:
    reader, cache, sampled = FakeReader(tree=100 * MIB), Cache(), Counted()
    memory = patient(reader, clock, interval_seconds=0.001)
    memory.register_cache(cache.clear)
    memory.subscribe(sampled)
    clock.advance(31)
    with memory:
        assert sampled.more(3)
        assert cache.cleared == 0  # nothing is short
        reader.tree = 900 * MIB
        assert cache.emptied.wait(PATIENCE)
        assert sampled.anew(5)  # by the thread that cleans, which has ended that
        assert cache.cleared == 1
        cache.emptied.clear()
        clock.advance(31)
        assert cache.emptied.wait(PATIENCE)
    assert cache.cleared == 2


# --- workflows


@pytest.mark.anchor("T067")
def test_a_workflow_begins_with_what_is_used_then(clock: FakeClock) -> None:
    reader = FakeReader(tree=300)
    memory = patient(reader, clock)
    memory.sample()
    reader.tree = 200  # not seen by any sample
    memory.initialize_for_workflow("w")
    assert memory.peak_bytes("w") == 200
    assert memory.peak_bytes("another") is None


@pytest.mark.anchor("T067")
def test_a_workflow_that_comes_again_has_a_new_peak(clock: FakeClock) -> None:
    reader = FakeReader(tree=900)
    memory = patient(reader, clock)
    memory.initialize_for_workflow("w")
    memory.cleanup_workflow("w")
    reader.tree = 100
    memory.initialize_for_workflow("w")
    assert memory.peak_bytes("w") == 100


@pytest.mark.anchor("T067")
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


def test_growth_is_the_most_that_was_seen() -> None:
    reader = FakeReader(tree=300)
    memory = manager(reader)
    with memory.growth() as growth:
        assert growth() == 0
        for reader.tree in (900, 400):
            memory.sample()
        assert growth() == 600
        reader.tree = 1000  # and what is there when it is asked counts without a sample
        assert growth() == 700
        reader.tree = 100
        assert growth() == 600
    reader.tree = 5000
    memory.sample()
    with memory.growth() as shrunk:
        reader.tree = 100
        assert shrunk() == 0


@pytest.mark.anchor("T068", "T079")
def test_only_what_is_still_held_is_given_back_and_each_thing_once(clock: FakeClock) -> None:
    memory, given = patient(FakeReader(), clock), list[int]()
    memory.on_release(given.append, lambda: None)
    for workflow_id in ("mine", "others"):
        memory.initialize_for_workflow(workflow_id)
    for resource_id in (3, 1, 2):
        memory.allocate("mine", resource_id)
    memory.allocate("others", 4)
    memory.allocate("unknown", 5)
    memory.free("mine", 2)
    memory.free("mine", 4)  # which is another's
    memory.free("unknown", 5)
    memory.emergency_cleanup("mine")
    assert given == [1, 3]
    memory.emergency_cleanup("mine")
    memory.emergency_cleanup("unknown")
    assert given == [1, 3]
    memory.emergency_cleanup("others")
    assert given == [1, 3, 4]


# --- emergencies


class Shared:
    """A pool that two workflows use, each with a clip in work."""

    def __init__(self, clock: FakeClock, *, slots: int = 2) -> None:
        self.memory = patient(FakeReader(), clock)
        self.pool = ResourcePool(slots, self.memory, recheck_seconds=3600)
        self.memory.sample()
        for workflow_id in ("mine", "others"):
            self.memory.initialize_for_workflow(workflow_id)
        self.mine, self.others = self.take("mine"), self.take("others")

    def take(self, workflow_id: str) -> int:
        resource_id = self.pool.acquire_resource(ResourceRequest(NEED, workflow_id), timeout_seconds=0)
        assert resource_id is not None
        return resource_id

    @property
    def held(self) -> tuple[int, int]:
        """Slots in use, and clips' needs that are reserved."""
        return self.pool.in_use, self.memory.reserved_bytes // NEED


@pytest.mark.anchor("T078", "T079", "T080")
def test_an_emergency_frees_what_its_workflow_holds_and_nothing_of_others(clock: FakeClock) -> None:
    shared = Shared(clock)
    assert shared.held == (2, 2)
    shared.memory.emergency_cleanup("mine")
    assert shared.held == (1, 1)
    assert shared.pool.acquire_resource(ResourceRequest(NEED, "mine"), timeout_seconds=0) is not None
    shared.pool.release_resource(shared.others)  # still held, so it can be given back
    assert shared.held == (1, 1)


@pytest.mark.anchor("T080")
def test_a_slot_that_an_emergency_frees_goes_to_the_first_that_waits(clock: FakeClock) -> None:
    shared = Shared(clock)
    with ThreadPoolExecutor(1) as executor:
        token = AnnouncingToken()
        waiting = executor.submit(
            shared.pool.acquire_resource, ResourceRequest(NEED, "others"), timeout_seconds=2 * PATIENCE, cancel=token
        )
        assert token.queued.wait(PATIENCE)
        shared.memory.emergency_cleanup("mine")
        assert waiting.result(PATIENCE) is not None
    assert shared.held == (2, 2)


@pytest.mark.anchor("T080")
def test_work_that_ends_after_the_emergency_gives_nothing_back_twice(clock: FakeClock) -> None:
    shared = Shared(clock, slots=3)
    with shared.pool.resource(ResourceRequest(NEED, "mine")):
        assert shared.held == (3, 3)
        shared.memory.emergency_cleanup("mine")
        shared.take("others")
        assert shared.held == (2, 2)
    assert shared.held == (2, 2)


@pytest.mark.anchor("T078")
def test_an_emergency_cleans_at_once_and_leaves_the_peak(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    shared, cache = Shared(clock), Cache()
    shared.memory.register_cache(cache.clear)
    caplog.clear()
    shared.memory.emergency_cleanup("mine")
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    assert cache.cleared == 1
    assert shared.memory.peak_bytes("mine") == 100 * MIB
    shared.memory.allocate("mine", shared.others)  # it is over: nothing is followed any more
    shared.memory.emergency_cleanup("mine")
    assert shared.held == (1, 1)


@pytest.mark.anchor("T078")
@pytest.mark.heavy
def test_an_emergency_without_a_pool_still_cleans() -> None:
    memory, cache = manager(FakeReader()), Cache()
    memory.register_cache(cache.clear)
    memory.initialize_for_workflow("w")
    memory.allocate("w", 1)
    memory.emergency_cleanup("w")
    assert cache.cleared == 1


def test_when_this_process_is_out_of_memory_all_is_given_back(clock: FakeClock) -> None:
    shared, cache = Shared(clock), Cache()
    shared.memory.register_cache(cache.clear)
    shared.memory.force_cleanup_all()
    assert shared.held == (0, 0)
    assert cache.cleared == 3
    shared.memory.force_cleanup_all()
    assert cache.cleared == 4

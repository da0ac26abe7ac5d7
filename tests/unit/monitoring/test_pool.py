"""ResourcePool: slots, order, memory and every way in which waiting ends.

Most pools here look again by themselves only after an hour, and callers wait for longer than the
tests do, so whatever ends a wait is a wake-up.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.pool import ResourcePool, ResourceRequest
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import PATIENCE, AnnouncingToken, FakeReader

if TYPE_CHECKING:
    from collections.abc import Iterator

BUDGET = 1000


def idle() -> FakeReader:
    return FakeReader(total=10_000, available=10_000, tree=0)


def memory_of(reader: FakeReader) -> MemoryManager:
    return MemoryManager(MemoryConfig(max=BUDGET), system=reader, interval_seconds=0)


def pool_of(slots: int, *, reader: FakeReader | None = None) -> ResourcePool:
    return ResourcePool(slots, memory_of(reader or idle()), recheck_seconds=3600)


def taken(pool: ResourcePool, *, need_bytes: int = 0) -> int:
    """A resource that must be free now."""
    resource_id = pool.acquire_resource(ResourceRequest(need_bytes), timeout_seconds=0)
    assert resource_id is not None
    return resource_id


class Waiters:
    """Callers in threads of their own, each in the queue before the next."""

    def __init__(self, executor: ThreadPoolExecutor, pool: ResourcePool) -> None:
        self._executor = executor
        self._pool = pool

    def add(
        self, *, need_bytes: int = 0, token: AnnouncingToken | None = None, timeout_seconds: float = 2 * PATIENCE
    ) -> Future[int | None]:
        token = token or AnnouncingToken()
        future = self._executor.submit(
            self._pool.acquire_resource, ResourceRequest(need_bytes), timeout_seconds=timeout_seconds, cancel=token
        )
        assert token.queued.wait(PATIENCE)
        return future


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(9) as executor:
        yield executor


@pytest.mark.anchor("T040")
def test_as_many_run_at_once_as_there_are_slots_and_never_more(executor: ThreadPoolExecutor) -> None:
    pool, lock, together = pool_of(3), threading.Lock(), threading.Barrier(3)
    running, most = 0, 0

    def work() -> None:
        nonlocal running, most
        with pool.resource(ResourceRequest(300)) as resource_id:
            assert resource_id is not None
            with lock:
                running += 1
                most = max(most, running)
            together.wait(PATIENCE)
            with lock:
                running -= 1

    for future in [executor.submit(work) for _ in range(9)]:
        future.result(PATIENCE)
    assert most == 3
    assert pool.in_use == 0


@pytest.mark.anchor("T040")
def test_a_need_that_does_not_fit_waits_for_a_release(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(4)
    first, second = taken(pool, need_bytes=600), taken(pool, need_bytes=400)
    assert pool.acquire_resource(ResourceRequest(1), timeout_seconds=0) is None
    waiter = Waiters(executor, pool).add(need_bytes=600)
    pool.release_resource(second)
    assert not waiter.done()
    pool.release_resource(first)
    assert waiter.result(PATIENCE) not in {None, first, second}
    assert pool.in_use == 1


def test_the_measured_tree_counts_as_the_reservations_do() -> None:
    reader = idle()
    pool = pool_of(4, reader=reader)
    taken(pool, need_bytes=100)
    reader.tree = 800
    assert pool.acquire_resource(ResourceRequest(201), timeout_seconds=0) is None
    taken(pool, need_bytes=200)


@pytest.mark.anchor("T040")
def test_one_always_runs() -> None:
    reader = idle()
    reader.tree = 5 * BUDGET
    pool = pool_of(4, reader=reader)
    giant = taken(pool, need_bytes=10 * BUDGET)
    assert pool.acquire_resource(timeout_seconds=0) is None
    pool.release_resource(giant)
    taken(pool, need_bytes=10 * BUDGET)


@pytest.mark.anchor("T040")
def test_first_come_first_served(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(1)
    resource_id = taken(pool)
    waiters = Waiters(executor, pool)
    queue = [waiters.add() for _ in range(5)]
    for position, waiter in enumerate(queue):
        pool.release_resource(resource_id)
        admitted = waiter.result(PATIENCE)
        assert admitted is not None
        assert [later.done() for later in queue[position + 1 :]] == [False] * (4 - position)
        resource_id = admitted


def test_small_needs_do_not_overtake_a_large_one(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(4)
    running = taken(pool, need_bytes=600)
    large = Waiters(executor, pool).add(need_bytes=900)
    assert pool.acquire_resource(ResourceRequest(10), timeout_seconds=0) is None
    pool.release_resource(running)
    assert large.result(PATIENCE) is not None
    taken(pool, need_bytes=10)


def test_a_timeout_gives_none_and_the_next_its_turn(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(2)
    taken(pool, need_bytes=600)
    waiters = Waiters(executor, pool)
    large = waiters.add(need_bytes=900, timeout_seconds=0.05)
    small = waiters.add(need_bytes=400)
    assert large.result(PATIENCE) is None
    assert small.result(PATIENCE) is not None


@pytest.mark.anchor("T040")
def test_cancelling_wakes_a_waiter(executor: ThreadPoolExecutor) -> None:
    pool, token = pool_of(1), AnnouncingToken()
    resource_id = taken(pool)
    waiters = Waiters(executor, pool)
    cancelled, patient = waiters.add(token=token), waiters.add()
    token.cancel()
    assert cancelled.result(PATIENCE) is None
    pool.release_resource(resource_id)
    assert patient.result(PATIENCE) is not None


def test_a_cancelled_caller_gets_nothing_even_if_a_slot_is_free() -> None:
    token = CancelToken()
    token.cancel()
    pool = pool_of(1)
    with pool.resource(cancel=token) as resource_id:
        assert resource_id is None
    assert pool.in_use == 0


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this system has no user signals")
def test_a_signal_handler_wakes_the_waiting_main_thread(executor: ThreadPoolExecutor) -> None:
    # A signal that arrives just before the wait is handled after it: such a pool must look again.
    pool, token = ResourcePool(1, memory_of(idle())), AnnouncingToken()
    taken(pool)
    previous = signal.signal(signal.SIGUSR1, lambda number, _frame: token.cancel(number))

    def send_when_queued() -> None:
        assert token.queued.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGUSR1)

    try:
        sender = executor.submit(send_when_queued)
        assert pool.acquire_resource(timeout_seconds=None, cancel=token) is None
        sender.result(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert token.signal_number == signal.SIGUSR1


def test_the_end_of_a_clip_lets_the_first_ask_again(executor: ThreadPoolExecutor) -> None:
    reader = idle()
    pool = pool_of(2, reader=reader)
    taken(pool)
    reader.tree = BUDGET
    waiter = Waiters(executor, pool).add(need_bytes=500)
    reader.tree = 100
    pool.cleanup_batch()
    assert waiter.result(PATIENCE) is not None


def test_memory_that_comes_free_elsewhere_is_seen_without_a_wake_up(executor: ThreadPoolExecutor) -> None:
    reader = idle()
    reader.tree = BUDGET
    pool = ResourcePool(2, memory_of(reader), recheck_seconds=0.001)
    taken(pool)
    waiter = Waiters(executor, pool).add(need_bytes=500)
    reader.tree = 100
    assert waiter.result(PATIENCE) is not None


@pytest.mark.anchor("T040")
def test_a_resource_is_released_when_the_work_fails() -> None:
    memory = memory_of(idle())
    pool = ResourcePool(1, memory)
    during = []

    def fail() -> None:
        with pool.resource(ResourceRequest(700), timeout_seconds=None):
            during.append((pool.in_use, memory.reserved_bytes))
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    assert during == [(1, 700)]
    assert (pool.in_use, memory.reserved_bytes) == (0, 0)


def test_releasing_twice_is_logged_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    pool = pool_of(2)
    first = taken(pool)
    taken(pool)
    pool.release_resource(first)
    assert not caplog.records
    pool.release_resource(first)
    pool.release_resource(4711)
    assert pool.in_use == 1
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@pytest.mark.parametrize("slots", [0, -1])
def test_a_pool_has_at_least_one_slot(slots: int) -> None:
    with pytest.raises(ValueError, match="at least 1 slot"):
        pool_of(slots)


# --- giving way


def giving_way(pool: ResourcePool, told: list[str], name: str, *, alone: bool = False) -> int:
    """A resource whose work notes when it is told to end."""
    request = ResourceRequest(alone=alone, preempt=lambda: told.append(name))
    resource_id = pool.acquire_resource(request, timeout_seconds=0)
    assert resource_id is not None
    return resource_id


def test_the_work_that_began_last_gives_way_again_and_again_until_it_has_ended() -> None:
    pool, told = pool_of(4), list[str]()
    first, last = giving_way(pool, told, "first"), giving_way(pool, told, "last")
    taken(pool)  # a join, which cannot be put back
    assert [pool.relieve() for _ in range(3)] == [True] * 3
    assert told == ["last"] * 3  # one is enough, however often memory is measured meanwhile
    pool.release_resource(last)
    assert pool.relieve()
    assert told[3:] == ["first"]
    pool.release_resource(first)
    assert not pool.relieve()
    assert told[4:] == []


def test_above_the_budget_one_sample_makes_one_give_way() -> None:
    reader, told = idle(), list[str]()
    memory = memory_of(reader)
    pool = ResourcePool(4, memory, recheck_seconds=3600)
    giving_way(pool, told, "first")
    giving_way(pool, told, "last")
    reader.tree = BUDGET
    memory.sample()
    assert told == []
    reader.tree = BUDGET + 1
    memory.sample()
    assert told == ["last"]


def test_giving_way_may_release_at_once() -> None:
    pool, held = pool_of(2), list[int]()
    resource_id = pool.acquire_resource(
        ResourceRequest(preempt=lambda: pool.release_resource(held[0])), timeout_seconds=0
    )
    assert resource_id is not None
    held.append(resource_id)
    assert pool.relieve()
    assert pool.in_use == 0


def test_who_wants_to_be_alone_waits_for_all_others_and_all_others_wait_for_it(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(4)
    first, second = taken(pool), taken(pool)
    queued, alone_token = Waiters(executor, pool), AnnouncingToken()
    alone = executor.submit(
        pool.acquire_resource, ResourceRequest(alone=True), timeout_seconds=2 * PATIENCE, cancel=alone_token
    )
    assert alone_token.queued.wait(PATIENCE)
    later = queued.add()
    pool.release_resource(first)
    assert not alone.done()
    pool.release_resource(second)
    resource_id = alone.result(PATIENCE)
    assert resource_id is not None
    assert not later.done()
    assert pool.in_use == 1
    pool.release_resource(resource_id)
    assert later.result(PATIENCE) is not None


@pytest.mark.anchor("T040")
def test_earlier_jobs_go_first_whoever_asked_first(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(1)
    resource_id = taken(pool)

    def queued(priority: int) -> Future[int | None]:
        token = AnnouncingToken()
        future = executor.submit(
            pool.acquire_resource, ResourceRequest(priority=priority), timeout_seconds=2 * PATIENCE, cancel=token
        )
        assert token.queued.wait(PATIENCE)
        return future

    later, earlier = queued(2), queued(1)
    pool.release_resource(resource_id)
    admitted = earlier.result(PATIENCE)
    assert admitted is not None
    assert not later.done()
    pool.release_resource(admitted)
    assert later.result(PATIENCE) is not None


# --- devices


CARD = ResourceRequest(device="cuda", at_once=2)


def queued(executor: ThreadPoolExecutor, pool: ResourcePool, request: ResourceRequest) -> Future[int | None]:
    """A caller that waits, in the queue before the next."""
    token = AnnouncingToken()
    future = executor.submit(pool.acquire_resource, request, timeout_seconds=2 * PATIENCE, cancel=token)
    assert token.queued.wait(PATIENCE)
    return future


def test_a_device_takes_no_more_at_once_than_it_has_room_for_whoever_asks() -> None:
    pool = pool_of(8)
    held = [pool.acquire_resource(ResourceRequest(workflow_id=name, device="cuda", at_once=2)) for name in ("a", "b")]
    assert pool.acquire_resource(CARD, timeout_seconds=0) is None
    assert pool.acquire_resource(timeout_seconds=0) is not None  # what needs no device goes on
    assert pool.acquire_resource(ResourceRequest(device="vaapi"), timeout_seconds=0) is not None
    assert held[0] is not None
    pool.release_resource(held[0])
    assert pool.acquire_resource(CARD, timeout_seconds=0) is not None


def test_runs_that_share_a_device_and_the_cores_all_come_to_their_end(executor: ThreadPoolExecutor) -> None:
    pool, lock = pool_of(4), threading.Lock()
    inside: Counter[str | None] = Counter()
    most: Counter[str | None] = Counter()

    def work(number: int) -> bool:
        request = ResourceRequest(10, f"run {number % 3}", number % 3, device="cuda" if number % 2 else None, at_once=2)
        with pool.resource(request, timeout_seconds=PATIENCE) as resource_id:
            with lock:
                inside[request.device] += 1
                most[request.device] = max(most[request.device], inside[request.device])
            with lock:
                inside[request.device] -= 1
            return resource_id is not None

    futures = [executor.submit(work, number) for number in range(90)]
    assert all(future.result(PATIENCE) for future in futures)
    assert most["cuda"] <= 2
    assert pool.in_use == 0


def test_who_waits_for_a_device_is_not_overtaken_and_holds_nobody_for_ever(executor: ThreadPoolExecutor) -> None:
    pool = pool_of(8)
    first, second = pool.acquire_resource(CARD), pool.acquire_resource(CARD)
    waiting = queued(executor, pool, CARD)
    behind = queued(executor, pool, ResourceRequest())
    assert pool.acquire_resource(timeout_seconds=0) is None
    assert [waiting.done(), behind.done()] == [False, False]
    assert first is not None
    pool.release_resource(first)
    assert waiting.result(PATIENCE) is not None
    assert behind.result(PATIENCE) is not None
    assert second is not None


def test_who_gives_up_on_a_device_lets_those_behind_go_on(executor: ThreadPoolExecutor) -> None:
    pool, token = pool_of(8), AnnouncingToken()
    for _ in range(2):
        assert pool.acquire_resource(CARD) is not None
    waiting = executor.submit(pool.acquire_resource, CARD, timeout_seconds=2 * PATIENCE, cancel=token)
    assert token.queued.wait(PATIENCE)
    behind = queued(executor, pool, ResourceRequest())
    token.cancel()
    assert waiting.result(PATIENCE) is None
    assert behind.result(PATIENCE) is not None

"""bounded_map: how many items are out at once, which begin, and what becomes of the rest when it ends early."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING

import pytest

from mpt_cli.runtime.bounded_map import bounded_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20
mapped = partial(bounded_map, should_stop=lambda: False, on_error=lambda: None, thread_name="test")


def test_every_item_gives_its_result_once() -> None:
    results = mapped(lambda number: number * number, range(200), workers=4, max_pending=9)
    assert sorted(results) == [number * number for number in range(200)]


def test_nothing_is_no_work() -> None:
    assert list(mapped(lambda _: pytest.fail("there was nothing to do"), [], workers=1, max_pending=1)) == []


def test_items_begin_in_order_on_named_threads() -> None:
    begun: list[tuple[int, str]] = []

    def work(number: int) -> None:
        begun.append((number, threading.current_thread().name))

    list(mapped(work, range(20), workers=1, max_pending=5))
    assert begun == [(number, "test_0") for number in range(20)]


@pytest.mark.parametrize(("workers", "max_pending", "most"), [(2, 5, 2), (4, 2, 2), (1, 1, 1)])
def test_at_most_so_many_run_at_once(workers: int, max_pending: int, most: int) -> None:
    lock, meet = threading.Lock(), threading.Barrier(most)
    running, peak = set[int](), 0

    def work(number: int) -> None:
        nonlocal peak
        with lock:
            running.add(number)
            peak = max(peak, len(running))
        if number < most:
            meet.wait(PATIENCE)  # they do run at once
        with lock:
            running.remove(number)

    list(mapped(work, range(40), workers=workers, max_pending=max_pending))
    assert peak == most


def test_no_more_than_the_window_is_taken_from_a_long_source() -> None:
    taken = list[int]()

    def source() -> Iterator[int]:
        for number in range(5000):
            taken.append(number)
            yield number

    over = threading.Event()
    results = bounded_map(
        lambda number: number,
        source(),
        workers=2,
        max_pending=6,
        should_stop=over.is_set,
        on_error=lambda: None,
        thread_name="test",
    )
    for found, _ in enumerate(results, 1):
        assert len(taken) <= found + 6
        if found == 50:
            over.set()
    assert found == len(taken) <= 56


def test_none_begins_once_it_is_over_but_what_runs_is_waited_for() -> None:
    over = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            over.set()
        return number

    results = mapped(work, range(100), workers=1, max_pending=2, should_stop=over.is_set)
    found = sorted(results)
    assert found == begun
    assert found in ([0, 1, 2, 3], [0, 1, 2, 3, 4])


def _fail(number: int) -> None:
    raise OSError(f"number {number} is broken")


@pytest.mark.parametrize("end", ["in the work", "in the caller"])
def test_an_exception_stops_the_rest_and_waits_for_it(end: str) -> None:
    stopped, ended = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0 and end == "in the work":
            _fail(number)
        if number == 1:
            assert stopped.wait(PATIENCE)  # only ``on_error`` ends it
            ended.set()

    def use(results: Iterator[None], then: Callable[[int], None]) -> None:
        for _ in results:
            then(0)

    results = mapped(work, range(1000), workers=2, max_pending=2, on_error=stopped.set)
    with pytest.raises(OSError, match="broken"):
        use(results, _fail)
    results.close()  # type: ignore[attr-defined]  # a generator: what the caller's exception does to it
    assert stopped.is_set()
    assert ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test_")]


def test_threads_have_the_context_of_their_caller() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    token = variable.set("mine")
    assert list(mapped(lambda _: variable.get(), range(3), workers=2, max_pending=2)) == ["mine"] * 3
    variable.reset(token)

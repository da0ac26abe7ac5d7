"""in_window: how many items are out at once, which begin, and what becomes of the rest when it ends early."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from mpt_cli.runtime.bounded_map import in_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20
windowed = partial(in_window, is_over=lambda: False, stop=lambda: None, name="test")


def test_every_item_gives_its_result_once() -> None:
    results = windowed(range(200), lambda number: number * number, threads=4, size=9)
    assert sorted(results) == [number * number for number in range(200)]


def test_nothing_is_no_work() -> None:
    assert list(windowed([], lambda _: pytest.fail("there was nothing to do"), threads=1, size=1)) == []


def test_items_begin_in_order_on_named_threads() -> None:
    begun: list[tuple[int, str]] = []

    def work(number: int) -> None:
        begun.append((number, threading.current_thread().name))

    list(windowed(range(20), work, threads=1, size=5))
    assert begun == [(number, "test_0") for number in range(20)]


@pytest.mark.parametrize(("threads", "size", "most"), [(2, 5, 2), (4, 2, 2), (1, 1, 1)])
def test_at_most_so_many_run_at_once(threads: int, size: int, most: int) -> None:
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

    list(windowed(range(40), work, threads=threads, size=size))
    assert peak == most


def test_no_more_than_the_window_is_taken_from_a_long_source() -> None:
    taken = list[int]()

    def source() -> Iterator[int]:
        for number in range(5000):
            taken.append(number)
            yield number

    over = threading.Event()
    results = in_window(
        source(), lambda number: number, threads=2, size=6, is_over=over.is_set, stop=lambda: None, name="test"
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

    results = in_window(range(100), work, threads=1, size=2, is_over=over.is_set, stop=lambda: None, name="test")
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
            assert stopped.wait(PATIENCE)  # only ``stop`` ends it
            ended.set()

    def use(results: Iterator[None], then: Callable[[int], None]) -> None:
        for _ in results:
            then(0)

    results = in_window(range(1000), work, threads=2, size=2, is_over=lambda: False, stop=stopped.set, name="test")
    with pytest.raises(OSError, match="broken"):
        use(results, _fail)
    results.close()  # type: ignore[attr-defined]  # a generator: what the caller's exception does to it
    assert stopped.is_set()
    assert ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test_")]

"""KeyedLocks: equal work is done by one thread at a time, other work goes on, and a stop waits for nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.keyed_lock import KeyedLocks

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_equal_work_is_done_once_and_found_by_the_others(threads: ThreadPoolExecutor) -> None:
    locks, done, made = KeyedLocks(), set[str](), list[str]()

    def work(key: str) -> None:
        with locks.hold(key, CancelToken()):
            if key not in done:
                made.append(key)
                threading.Event().wait(0.01)  # room for another one to come in between
                done.add(key)

    list(threads.map(work, ["a", "b"] * 20))
    assert sorted(made) == ["a", "b"]


def test_other_work_need_not_wait(threads: ThreadPoolExecutor) -> None:
    locks, meet = KeyedLocks(), threading.Barrier(4)

    def work(key: str | None) -> None:
        with locks.hold(key, CancelToken()):
            meet.wait(PATIENCE)  # only passes when all are inside at once

    list(threads.map(work, ["a", "b", None, None]))


@pytest.mark.heavy
def test_a_stop_ends_the_waiting(threads: ThreadPoolExecutor) -> None:
    locks, cancel, entered = KeyedLocks(), CancelToken(), threading.Event()

    def wait() -> None:
        with locks.hold("a", cancel):
            entered.set()

    with locks.hold("a", CancelToken()):
        waiting = threads.submit(wait)
        assert not entered.wait(0.3)
        cancel.cancel()
        waiting.result(PATIENCE)
        # The one that was let in without a lock must not have released this one's.
        late = threads.submit(_enter, locks, late_one := threading.Event())
        assert not late_one.wait(0.3)
    late.result(PATIENCE)
    assert late_one.is_set()


def _enter(locks: KeyedLocks, entered: threading.Event) -> None:
    with locks.hold("a", CancelToken()):
        entered.set()


def test_a_lock_is_released_when_the_work_fails() -> None:
    locks = KeyedLocks()
    for _ in range(2):
        with pytest.raises(OSError, match="broken"), locks.hold("a", CancelToken()):
            raise OSError("broken")


def test_no_lock_is_kept_for_what_nobody_works_on() -> None:
    locks = KeyedLocks()
    for number in range(1000):
        with locks.hold(str(number), CancelToken()):
            assert len(vars(locks)["_locks"]) == 1
    assert not vars(locks)["_locks"]

"""Turns: equal work is done by one thread at a time, other work goes on, and a stop waits for nobody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.keyed_lock import Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 20


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_equal_work_is_done_once_and_found_by_the_others(threads: ThreadPoolExecutor) -> None:
    turns, done, made = Turns(), set[str](), list[str]()

    def work(key: str) -> None:
        with turns.turn(key, CancelToken()):
            if key not in done:
                made.append(key)
                threading.Event().wait(0.01)  # room for another one to come in between
                done.add(key)

    list(threads.map(work, ["a", "b"] * 20))
    assert sorted(made) == ["a", "b"]


def test_other_work_need_not_wait(threads: ThreadPoolExecutor) -> None:
    turns, meet = Turns(), threading.Barrier(4)

    def work(key: str | None) -> None:
        with turns.turn(key, CancelToken()):
            meet.wait(PATIENCE)  # only passes when all are inside at once

    list(threads.map(work, ["a", "b", None, None]))


def test_a_stop_ends_the_waiting(threads: ThreadPoolExecutor) -> None:
    turns, cancel, entered = Turns(), CancelToken(), threading.Event()

    def wait() -> None:
        with turns.turn("a", cancel):
            entered.set()

    with turns.turn("a", CancelToken()):
        waiting = threads.submit(wait)
        assert not entered.wait(0.3)
        cancel.cancel()
        waiting.result(PATIENCE)
        # The one that was let in without a turn must not have given this one's away.
        late = threads.submit(_enter, turns, late_one := threading.Event())
        assert not late_one.wait(0.3)
    late.result(PATIENCE)
    assert late_one.is_set()


def _enter(turns: Turns, entered: threading.Event) -> None:
    with turns.turn("a", CancelToken()):
        entered.set()


def test_a_turn_is_given_on_when_the_work_fails() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(OSError, match="broken"), turns.turn("a", CancelToken()):
            raise OSError("broken")


def test_no_lock_is_kept_for_what_nobody_works_on() -> None:
    turns = Turns()
    for number in range(1000):
        with turns.turn(str(number), CancelToken()):
            assert len(vars(turns)["_locks"]) == 1
    assert not vars(turns)["_locks"]

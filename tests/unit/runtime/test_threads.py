"""ThreadPool: what it does with the threads that the system gives it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.errors import ExitCode, ResourceError
from mpt_cli.model.shortages import no_room
from mpt_cli.runtime.threads import ThreadPool, has_room, start_thread

if TYPE_CHECKING:
    from mpt_cli.runtime.threads import Startable

PATIENCE = 20


class Stingy:
    """A system with room for so many threads."""

    def __init__(self, room: int) -> None:
        self.left = room

    def __call__(self, thread: Startable) -> None:
        if not self.left:
            raise no_room("thread")
        self.left -= 1
        thread.start()


class Refused:
    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_refused_thread_is_a_shortage() -> None:
    with pytest.raises(ResourceError) as caught:
        start_thread(Refused())
    assert caught.value.exit_code is ExitCode.RESOURCES


def test_thread_without_room_for_its_first_objects_is_not_started() -> None:
    thread = threading.Thread(target=lambda: None)
    with pytest.raises(ResourceError):
        start_thread(thread, has_room=lambda: False)
    assert thread.ident is None
    assert has_room()


def test_pool_goes_on_with_the_threads_that_it_gets() -> None:
    names: list[str] = []

    def work(number: int) -> int:
        names.append(threading.current_thread().name)
        return number * number

    with ThreadPool(4, "test", start=Stingy(1)) as threads:
        assert list(threads.map(work, range(50))) == [number * number for number in range(50)]
    assert set(names) == {"test_0"}


def test_pool_without_a_thread_refuses_the_call_and_keeps_none() -> None:
    system = Stingy(0)
    with ThreadPool(4, "test", start=system) as threads:
        with pytest.raises(ResourceError):
            threads.submit(pytest.fail, "nobody waits for this call")
        system.left = 1
        assert threads.submit(lambda: "later").result(PATIENCE) == "later"


def test_pool_starts_threads_only_as_they_are_needed() -> None:
    meet, system = threading.Barrier(3), Stingy(10)
    with ThreadPool(3, "test", start=system) as threads:
        for _ in range(5):  # one after the other
            threads.submit(lambda: None).result(PATIENCE)
        waiting = [threads.submit(meet.wait, PATIENCE) for _ in range(3)]
        assert sorted(future.result(PATIENCE) for future in waiting) == [0, 1, 2]
    assert system.left == 7


def test_exception_of_a_call_reaches_who_waits_for_it() -> None:
    def work(number: int) -> int:
        return 1 // number

    with ThreadPool(2, "test") as threads:
        future = threads.submit(work, 0)
        assert threads.submit(work, 1).result(PATIENCE) == 1
        with pytest.raises(ZeroDivisionError):
            future.result(PATIENCE)

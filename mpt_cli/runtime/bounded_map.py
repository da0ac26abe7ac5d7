"""A sliding window of work over threads: ten thousand items cost no more than ten."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_SIGNAL_SECONDS = 0.25
"""How long the calling thread waits at most before signals are looked at again."""


def in_window(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    threads: int,
    size: int,
    is_over: Callable[[], bool],
    stop: Callable[[], object],
    name: str,
) -> Iterator[Result]:
    """The results of ``work`` as they come, with at most ``size`` items handed out and not ended.

    Items begin in order, on threads that are called ``name``; none begins once ``is_over``. ``stop``
    is called when an exception ends the iteration, for the threads are waited for.
    """
    waiting, running = iter(items), set[Future[Result]]()
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name) as executor:
        try:
            while True:
                while len(running) < size and not is_over():
                    try:
                        item = next(waiting)
                    except StopIteration:
                        break
                    running.add(executor.submit(work, item))
                if not running:
                    return
                done, running = wait(running, timeout=_SIGNAL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:  # Ctrl-C where nobody handles signals: the executor would wait for all work
            stop()
            raise

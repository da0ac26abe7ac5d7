"""A bounded concurrent map: ten thousand items cost no more memory than ten."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, TypeVar

from mpt_cli.runtime.threads import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_SIGNAL_SECONDS = 0.25
"""Longest wait of the calling thread before Python can handle signals again."""


def bounded_map(
    fn: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    max_pending: int,
    should_stop: Callable[[], bool],
    on_error: Callable[[], object],
    thread_name: str,
) -> Iterator[Result]:
    """Yield the results of ``fn`` as they come, with a bounded number of items in progress.

    Args:
        fn: Function of one item, called in a worker thread with the context variables of the caller.
        items: Items, consumed lazily and started in order.
        workers: Largest number of threads; the system may have room for fewer.
        max_pending: Largest number of items submitted and not yet finished.
        should_stop: No further item starts once it returns True; running items are finished.
        on_error: Called when an exception ends the iteration, because the threads are waited for.
        thread_name: Prefix of the threads' names.

    Yields:
        Results in the order in which the items finish.

    Raises:
        ResourceError: The system has no room for a single thread.
    """
    waiting, running = iter(items), set[Future[Result]]()
    with ThreadPool(workers, thread_name) as executor:
        try:
            while True:
                while len(running) < max_pending and not should_stop():
                    try:
                        item = next(waiting)
                    except StopIteration:
                        break
                    running.add(executor.submit(fn, item))
                if not running:
                    return
                done, running = wait(running, timeout=_SIGNAL_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:  # Ctrl-C where nobody handles signals: the executor would wait for all work
            on_error()
            raise

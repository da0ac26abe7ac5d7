"""Deadlines: when the time of a run or a batch is over, everything stops as it does for a signal.

Finished segments stay in the cache, so that the next run goes on there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.model.errors import Cancelled, DeadlineReached, MptError
from mpt_cli.model.results import RunStatus, VideoResult
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from mpt_cli.config.sections import Config
    from mpt_cli.runtime.events import RunContext


class Timer(Protocol):
    """Calls back when its time is over, unless it was cancelled before."""

    def start(self) -> None:
        """Start the clock."""

    def cancel(self) -> None:
        """Call no more."""

    def join(self) -> None:
        """Wait until its thread has ended."""


StartTimer = Callable[[float, Callable[[], None]], Timer]
"""Creates a timer from seconds and a callback, as ``threading.Timer`` does."""


@contextmanager
def limited(
    contexts: Sequence[RunContext], seconds: Fraction | None, *, timer: StartTimer = threading.Timer
) -> Iterator[list[RunContext]]:
    """Return the contexts of runs that stop together when their time is over.

    Args:
        contexts: Those of runs that end at the same time; a deadline that holds for one already stays the only one.
        seconds: The time from now on; None is no limit.
        timer: Starts the clock.
    """
    if seconds is None or any(context.has_deadline for context in contexts):
        yield list(contexts)
        return
    stoppable = [replace(context, cancel=CancelToken(context.cancel), has_deadline=True) for context in contexts]

    def expire() -> None:
        for context in stoppable:
            context.cancel.expire()

    waiting = timer(float(seconds), expire)
    start_thread(waiting)
    try:
        yield stoppable
    finally:
        waiting.cancel()
        waiting.join()


def ended_by_clock(error: MptError, cancel: CancelToken) -> bool:
    """Return whether an error is a stop that came from the clock alone."""
    return isinstance(error, Cancelled) and cancel.expired and cancel.signal_number is None


def reached(config: Config, *, finished: int, total: int) -> DeadlineReached:
    """Return the error of a run whose time is over.

    Args:
        config: The configuration of the run.
        finished: Number of clips that the next run finds finished.
        total: Number of clips of the request.
    """
    message = f"{_limit(config)} is over: {finished} of {total} clip{'s' if total != 1 else ''} finished"
    hint = "run it again: it goes on with what is finished"
    if not config.cache.enabled:
        hint = "give it more time: with --no-cache the next run begins anew"
    elif not finished:
        hint = "give it more time: no clip was finished, with which the next run could go on"
    return DeadlineReached(message, hint=hint)


def with_reasons(results: Sequence[VideoResult], contexts: Sequence[RunContext], config: Config) -> list[VideoResult]:
    """Return the results of a batch; those of jobs that did not begin because the time was over say so."""
    late = DeadlineReached(f"{_limit(config)} was over before it began", hint="run the batch again: it goes on there")
    return [
        replace(result, code=late.code, errors=(late.issue,))
        if result.status is RunStatus.SKIPPED and context.cancel.expired
        else result
        for result, context in zip(results, contexts, strict=True)
    ]


def _limit(config: Config) -> str:
    seconds = config.processing.deadline
    return "the deadline" if seconds is None else f"the deadline of {float(seconds):g} s"

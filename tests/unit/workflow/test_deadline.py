"""The deadline: a clock stops a run or a batch, says so, and leaves no thread."""

from __future__ import annotations

import signal
import threading
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import CacheConfig, Config, MemoryConfig, ProcessingConfig
from mpt_cli.model.errors import Cancelled, ExitCode, InputError, IssueCode
from mpt_cli.model.results import RunStatus, VideoResult
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import RunContext
from mpt_cli.workflow import deadline
from mpt_cli.workflow.lifecycle import Lifecycle
from tests.builders import bad, good, plan_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.workflow.run_state import RunState


CONFIG = Config(processing=ProcessingConfig(deadline=Fraction(90)))


class Clock:
    """A timer whose time is over when the test says so."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds, self.call, self.steps = seconds, call, list[str]()
        CLOCKS.append(self)

    def start(self) -> None:
        self.steps.append("start")

    def cancel(self) -> None:
        self.steps.append("cancel")

    def join(self) -> None:
        self.steps.append("join")


CLOCKS: list[Clock] = []


def lifecycle() -> Lifecycle:
    """One that measures nothing but the test's own process."""
    return Lifecycle(PerformanceMonitor(), MemoryManager(MemoryConfig()), nullcontext())


def late(run: RunState) -> RunState:
    """The run, whose time is over."""
    token = CancelToken(run.context.cancel)
    token.expire()
    run.context = replace(run.context, cancel=token)
    run.config = CONFIG
    return run


def test_a_token_that_expires_stops_like_any_other() -> None:
    token = CancelToken()
    woken: list[str] = []
    with token.waking(lambda: woken.append("now")):
        token.expire()
    assert (token.cancelled, token.expired, token.forced, token.signal_number) == (True, True, False, None)
    assert woken == ["now"]
    assert CancelToken(token).expired
    token.expire()
    assert not token.forced, "a deadline never kills"


def test_a_token_that_is_stopped_does_not_expire() -> None:
    parent = CancelToken()
    token = CancelToken(parent)
    parent.cancel(signal.SIGTERM)
    token.expire()
    assert (token.cancelled, token.expired, token.signal_number) == (True, False, signal.SIGTERM)


def test_a_signal_is_known_below_and_does_not_leave_upwards() -> None:
    parent = CancelToken()
    token = CancelToken(parent)
    token.expire()
    assert (parent.cancelled, parent.expired) == (False, False)


def test_the_clock_stops_every_run_and_is_gone_in_the_end() -> None:
    CLOCKS.clear()
    contexts = [RunContext("a"), RunContext("b")]
    with deadline.limited(contexts, Fraction(5, 2), timer=Clock) as stoppable:
        (clock,) = CLOCKS
        assert (clock.seconds, clock.steps) == (2.5, ["start"])
        assert [context.workflow_id for context in stoppable] == ["a", "b"]
        clock.call()
        assert [context.cancel.expired for context in stoppable] == [True, True]
    assert clock.steps == ["start", "cancel", "join"]
    assert not any(context.cancel.cancelled for context in contexts)


def test_a_real_clock_leaves_no_thread() -> None:
    before = threading.active_count()
    with deadline.limited([RunContext("a")], Fraction(3600)) as (context,):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with deadline.limited([RunContext("a")], Fraction(1, 1000)) as (context,):
        assert context.cancel.wait(20)
        assert context.cancel.expired
    assert threading.active_count() == before


def test_without_a_limit_nothing_is_changed() -> None:
    contexts = [RunContext("a")]
    with deadline.limited(contexts, None, timer=Clock) as same:
        assert same == contexts
        assert same[0].cancel is contexts[0].cancel


def test_the_end_says_how_far_it_came_and_what_to_do() -> None:
    error = deadline.reached(CONFIG, finished=1, total=4)
    assert (error.code, error.exit_code) == (IssueCode.DEADLINE_REACHED, ExitCode.FAILED)
    assert error.issue.message == "the deadline of 90 s is over: 1 of 4 clips finished"
    assert error.issue.hint == "run it again: it goes on with what is finished"


def test_run_that_is_late_ends_by_its_deadline(info: MediaInfo) -> None:
    run = late(run_of(info, 0, 1, 2, processed=(good(0), bad(1, IssueCode.CANCELLED))))
    with lifecycle().of_request(run, recorded=False):
        run.context.cancel.raise_if_cancelled()
    result = run.result()
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.DEADLINE_REACHED)
    assert "1 of 4 clips" in result.errors[-1].message


def test_clips_of_earlier_runs_are_finished_before_it_is_their_turn(info: MediaInfo) -> None:
    run = run_of(info, 0, 1)
    plan = plan_of(info, 0, 1, 2)
    known = tuple(replace(clip, reasons=("finished before",)) for clip in plan.clips[:2])
    run.plan = replace(plan, clips=(*known, plan.clips[2]))
    assert run.finished_clips() == {0, 1}


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (CONFIG, "no clip was finished"),
        (CONFIG.model_copy(update={"cache": CacheConfig(enabled=False)}), "--no-cache"),
    ],
)
def test_where_the_next_run_cannot_go_on_more_time_is_asked_for(config: Config, hint: str) -> None:
    assert hint in (deadline.reached(config, finished=0, total=2).issue.hint or "")


def test_what_ended_otherwise_is_not_the_deadline() -> None:
    expired, open_, signalled = CancelToken(), CancelToken(), CancelToken()
    expired.expire()
    signalled.cancel(signal.SIGINT)
    assert deadline.ended_by_clock(Cancelled(), expired)
    assert not deadline.ended_by_clock(InputError(IssueCode.VALIDATION_FAILED, "no"), expired)
    assert not deadline.ended_by_clock(Cancelled(), open_)
    assert not deadline.ended_by_clock(Cancelled(), signalled)


def test_a_signal_that_comes_while_it_stops_decides() -> None:
    session = CancelToken()
    token = CancelToken(session)
    token.expire()
    session.cancel(signal.SIGTERM)
    assert not deadline.ended_by_clock(Cancelled(), token)


def test_jobs_that_did_not_begin_say_why() -> None:
    contexts = [RunContext(name) for name in "abc"]
    contexts[1].cancel.expire()
    contexts[2].cancel.expire()
    results = [
        VideoResult("a", RunStatus.SKIPPED),
        VideoResult("b", RunStatus.SKIPPED),
        VideoResult("c", RunStatus.SUCCESS),
    ]
    told = deadline.with_reasons(results, contexts, CONFIG)
    assert [result.code for result in told] == [None, IssueCode.DEADLINE_REACHED, None]
    assert told[1].errors[0].message == "the deadline of 90 s was over before it began"
    assert told[2] is results[2]

"""Time in which we or a child were stopped counts for no limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.sandbox_child import Signs
from mpt_cli.media.process.running_clock import ChildClocks, RunningClock
from mpt_cli.model.errors import ProbeError

if TYPE_CHECKING:
    from tests.fakes import FakeClock

TICK, PAUSE = 0.25, 3600.0
STALL_SECONDS = 3.0
RUNNER = f"""
import sys
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.media.process.run import Limits, run
child = "import os, signal; signal.signal(signal.SIGUSR1, lambda *_: os._exit(7)); print(os.getpid(), flush=True)"
child += "; [signal.pause() for _ in iter(int, 1)]"
outcome = run(
    [sys.executable, "-c", child],
    cancel=CancelToken(),
    limits=Limits(stall_seconds={STALL_SECONDS}),
    on_line=lambda line: print(line, flush=True) or True,
)
print(outcome.ended, outcome.returncode)
"""


def watched(clocks: ChildClocks, clock: FakeClock, seconds: float, *, stopped: bool = False) -> float:
    """Let time pass in which the child is looked at; return the time."""
    now = clocks.look()
    for _ in range(round(seconds / TICK)):
        clocks.until(now + TICK, now)
        clock.advance(TICK)
        now = clocks.look()
        clocks.count(now, stopped=stopped)
    return now


def test_pause_is_noticed_once_by_several_who_wake(clock: FakeClock) -> None:
    running = RunningClock(clock)
    due = running() + TICK
    clock.advance(PAUSE)
    assert [running.woken(due), running.woken(due)] == [due, due]
    clock.advance(1)
    assert running() == due + 1


def test_small_delay_is_time_that_passed(clock: FakeClock) -> None:
    running = RunningClock(clock)
    start = running()
    clock.advance(0.6)
    assert running.woken(start + TICK) == start + 0.6


@pytest.mark.parametrize(("total", "stall"), [(3.0, None), (None, 3.0), (3.0, 3.0)])
def test_pause_longer_than_a_limit_reaches_none(clock: FakeClock, total: float | None, stall: float | None) -> None:
    clocks = ChildClocks(total, stall, RunningClock(clock))
    now = watched(clocks, clock, 2)
    clocks.until(now + TICK, now)
    clock.advance(PAUSE)
    assert clocks.look() < clocks.limit
    assert watched(clocks, clock, 2) >= clocks.limit


def test_progress_read_before_a_pause_is_noticed_gives_no_more_time(clock: FakeClock) -> None:
    clocks = ChildClocks(None, 3.0, RunningClock(clock))
    now = clocks.look()
    clocks.until(now + TICK, now)
    clock.advance(PAUSE)
    clocks.progress()  # by the thread that empties the pipe, which woke first
    assert watched(clocks, clock, 2.75) < clocks.limit
    assert watched(clocks, clock, 0.5) >= clocks.limit


def test_time_of_stopped_child_counts_for_no_limit(clock: FakeClock) -> None:
    clocks = ChildClocks(5.0, 3.0, RunningClock(clock))
    watched(clocks, clock, 2)
    assert watched(clocks, clock, 60, stopped=True) < clocks.limit
    now = watched(clocks, clock, 2)
    assert now < clocks.limit
    now = watched(clocks, clock, 1)
    assert now >= clocks.limit
    assert clocks.is_over(now)


def test_reading_may_be_paused_but_not_take_too_long(clock: FakeClock) -> None:
    signs = Signs(BytesIO(), 10, clock=clock)
    clock.advance(PAUSE)
    signs()
    for _ in range(8):
        clock.advance(1)
        signs()
    clock.advance(1)
    with pytest.raises(ProbeError):
        signs()


@pytest.mark.core(1)
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("who", ["we", "child", "both"])
@pytest.mark.heavy
def test_child_outlives_a_stop_longer_than_its_limit(who: str) -> None:
    with subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        child = int(runner.stdout.readline())
        stopped = {"we": [runner.pid], "child": [child], "both": [runner.pid, child]}[who]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STALL_SECONDS + 1)  # what is tested, and no wait for it
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        os.kill(child, signal.SIGUSR1)
        assert runner.stdout.read().split() == ["exited", "7"]

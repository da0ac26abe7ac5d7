"""Alarm of the thread that attends a child, and children that are attended where the system does not tell their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.process.alarm import Queued, alarm_of
from mpt_cli.media.process.run import Ended, Limits, run
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.media.process.alarm import Alarm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors of processes")


@pytest.mark.parametrize("create", [alarm_of, lambda _pid: Queued()])
def test_ring_ends_the_next_wait_and_only_that(create: Callable[[int], Alarm]) -> None:
    alarm = create(os.getpid())
    alarm.ring()
    assert not alarm.wait(PATIENCE)
    began = time.monotonic()
    assert not alarm.wait(0.05)
    assert time.monotonic() - began >= 0.05
    alarm.close()
    alarm.close()


@pytest.mark.parametrize("create", [alarm_of, lambda _pid: Queued()])
def test_ring_of_another_thread_ends_a_wait(create: Callable[[int], Alarm]) -> None:
    alarm = create(os.getpid())
    thread = threading.Thread(target=alarm.ring)
    began = time.monotonic()
    thread.start()
    assert not alarm.wait(PATIENCE)
    assert time.monotonic() - began < PATIENCE / 2
    thread.join()
    alarm.close()


def test_signal_handler_may_ring_while_the_alarm_waits_or_closes() -> None:
    alarm, rung = alarm_of(os.getpid()), list[int]()

    def handle(number: int, _frame: object) -> None:
        rung.append(number)
        alarm.ring()

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        while len(rung) < 50:
            alarm.wait(PATIENCE)
        alarm.close()
        count = len(rung)
        while len(rung) < count + 20:
            signal.pause()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.heavy
def test_end_of_the_child_rings_until_it_is_forgotten() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        alarm = alarm_of(child.pid)
        assert alarm.sees_end
        assert not alarm.wait(0)
        assert child.stdin is not None
        child.stdin.close()
        assert alarm.wait(PATIENCE)
        child.wait()
        assert alarm.wait(PATIENCE)
        alarm.forget_child()
        alarm.forget_child()
        assert not alarm.wait(0)
        alarm.close()


def test_late_ring_does_not_write_to_what_got_the_number_of_a_closed_alarm() -> None:
    alarm = alarm_of(os.getpid())
    alarm.close()
    descriptors = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(8)]
    alarm.ring()
    for descriptor in descriptors:
        with pytest.raises(BlockingIOError):
            os.eventfd_read(descriptor)
        os.close(descriptor)


@pytest.mark.heavy
def test_alarm_without_a_descriptor_of_the_process_does_not_see_its_end() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert not alarm_of(child.pid).sees_end  # the number is nobody's: as an old kernel, it gives no descriptor


@pytest.mark.heavy
def test_child_whose_end_the_alarm_does_not_see_is_attended() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = run([sys.executable, "-c", code], cancel=CancelToken(), alarm=lambda _pid: Queued())
    assert (done.ended, done.returncode, done.stdout_tail, done.stderr_tail) == (Ended.EXITED, 3, "out\n", "err\n")
    late = run(["sleep", "3600"], cancel=CancelToken(), limits=Limits(0.2), alarm=lambda _pid: Queued())
    assert (late.ended, late.returncode) == (Ended.TIMED_OUT, -signal.SIGINT)
    cancel = CancelToken()
    threading.Timer(0.2, cancel.force).start()
    killed = run(["sleep", "3600"], cancel=cancel, alarm=lambda _pid: Queued())
    assert (killed.ended, killed.returncode, killed.killed_by_system) == (Ended.CANCELLED, -signal.SIGKILL, False)

"""Child processes: start, output, time limits and stop. The only ``import subprocess``.

:func:`run` takes a list of arguments (never a shell) and returns a value for each end. Threads empty both pipes; the
caller's thread looks at two clocks and at the cancel token. No child and no descendant in its process group outlives
the call. Imports ``model`` and ``runtime`` only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.media.process import memory, pipes
from mpt_cli.media.process.alarm import alarm_of
from mpt_cli.media.process.memory import PeakMemory
from mpt_cli.media.process.running_clock import ChildClocks, RunningClock
from mpt_cli.media.process.spawn import (
    child_environment,
    death_signal,
    find_program,
    looks_executable,
    not_executable,
    signal_group,
    spawner_of,
    start_error,
)
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from resource import struct_rusage
    from typing import IO

    from mpt_cli.media.process.alarm import Alarm
    from mpt_cli.runtime.cancel import CancelToken


_SAMPLE_SECONDS = 0.25
_FIRST_SAMPLE_SECONDS = 0.05
_KILL_SECONDS = 5.0  # a killed process can hang in the kernel, on a dead network drive for example
_JOIN_SECONDS = 5 * pipes.TICK_SECONDS
_INTERRUPT_SHARE, _TERMINATE_SHARE = 2 / 3, 1 / 3  # of the grace
_OOM_SCORE = b"500"
_SIGKILL = 9  # by number: Windows has no such name
running_clock = RunningClock()  # of all limits: who watches a child notices pauses for everybody


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of one child in seconds, in all and since its last progress; None is no limit.

    The grace is the time from SIGINT to SIGKILL. Time in which we or the child are stopped, as by Ctrl-Z or
    ``docker pause``, does not count.
    """

    total_seconds: float | None = None
    stall_seconds: float | None = None
    grace_seconds: float = 1.5

    def after(self, seconds: float) -> Limits:
        """Return the limits that are left when some seconds of the total have passed."""
        return (
            self if self.total_seconds is None else replace(self, total_seconds=max(0.0, self.total_seconds - seconds))
        )


NO_LIMITS = Limits()


class Ended(StrEnum):
    """Reasons for the end of a child."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a child process.

    Attributes:
        returncode: Exit status; minus the signal's number for a child that a signal ended.
        stderr_tail: Last 32 kB of stderr; of lines overwritten with a carriage return only the last state.
        stdout_tail: The same of stdout; empty when ``on_line`` took the lines.
        elapsed_seconds: Time until the child ended or had to be stopped, without the grace.
        peak_memory_bytes, cpu_seconds: Measured use; None where it was not measured.
        killed_by_system: True for a SIGKILL that was not ours.
    """

    ended: Ended
    returncode: int
    stderr_tail: str
    stdout_tail: str
    elapsed_seconds: float
    peak_memory_bytes: int | None
    cpu_seconds: float | None
    killed_by_system: bool


def run(
    argv: Sequence[str],
    *,
    cancel: CancelToken,
    limits: Limits = NO_LIMITS,
    on_line: Callable[[str], bool] | None = None,
    feed: Iterable[bytes] | None = None,
    on_memory: Callable[[int], None] | None = None,
    descendants: bool = True,
    cwd: Path | None = None,
    clock: RunningClock = running_clock,
    alarm: Callable[[int], Alarm] = alarm_of,
) -> Outcome:
    """Run a program to its end, or stop it: SIGINT, grace, SIGTERM, grace, SIGKILL.

    Nothing is started with a token that is cancelled already. An exception of a callback is raised
    here once the child is gone.

    Args:
        argv: The program and its arguments.
        cancel: Stops the child.
        limits: Time limits.
        on_line: Gets each line of stdout, in a thread, and returns True if the line shows progress,
            which resets the stall clock. Without it every output does.
        feed: Chunks to write to stdin from a thread; each counts as progress.
        on_memory: Gets the resident bytes, about four times a second, in this thread.
        descendants: True to add the memory of the child's descendants.
        cwd: Folder to run in.
        clock: Clock of the limits.
        alarm: Returns the alarm of a child by its number.

    Raises:
        DependencyError: The program is missing or cannot be executed.
        ResourceError: The system has no room for another process or thread.
    """
    if cancel.cancelled:
        return Outcome(Ended.CANCELLED, -signal.SIGINT, "", "", 0.0, None, None, killed_by_system=False)
    popen = _start(argv, cwd, feeding=feed is not None)
    child = _Child(popen, cancel, limits, clock, alarm(popen.pid), descendants=descendants)
    with cancel.waking(child.wake):
        try:
            child.attend(on_line, feed)
            ended, elapsed_seconds = child.watch(on_memory), child.clocks.elapsed_seconds
            if ended is not Ended.EXITED:
                child.stop()
        finally:
            child.close()
    return child.outcome(ended, argv[0], elapsed_seconds)


class _Child:
    """A running child and its threads; all but ``wake`` is called by the thread that is in ``run``."""

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        cancel: CancelToken,
        limits: Limits,
        clock: RunningClock,
        alarm: Alarm,
        *,
        descendants: bool,
    ) -> None:
        self._popen, self._cancel, self._alarm, self._descendants = popen, cancel, alarm, descendants
        self._clock, self._grace_seconds = clock, limits.grace_seconds
        self.clocks = ChildClocks(limits.total_seconds, limits.stall_seconds, clock)
        self._peak = PeakMemory()
        self._cpu_seconds: float | None = None
        self._exited = self._killed = False
        self._over = False  # signals the threads to leave their pipes
        self._drains = 0
        self._error: BaseException | None = None
        self._lock = threading.Lock()  # between sending a signal and reaping: a reaped pid is another's
        self._threads: list[threading.Thread] = []
        self._feeding: Iterable[bytes] | None = None
        self._stdout, self._stderr = pipes.Tail(), pipes.Tail()

    def wake(self) -> None:
        """Wake the thread in ``run``; safe in a signal handler."""
        self._alarm.ring()

    def attend(self, on_line: Callable[[str], bool] | None, feed: Iterable[bytes] | None) -> None:
        """Start the threads that empty the pipes, write to stdin and, where the alarm cannot, wait for the end."""
        if not self._alarm.sees_end:
            self._thread(self._wait)
        self._feeding = feed
        stdin, stdout, stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr
        assert stdout is not None and stderr is not None  # noqa: PT018
        sinks = {stdout: self._stdout.add if on_line is None else pipes.Lines(on_line).add, stderr: self._stderr.add}
        apart = sys.platform == "win32"  # where nothing waits for two pipes
        groups = [dict([item]) for item in sinks.items()] if apart else [sinks]
        self._drains = len(groups)
        for group in groups:
            self._thread(self._drain, group)
        if stdin is not None and feed is not None:
            self._thread(self._feed, stdin, feed)

    def watch(self, on_memory: Callable[[int], None] | None) -> Ended:
        """Return once the child has exited or must be stopped (also when a callback raised)."""
        sample_at = self.clocks.started + _FIRST_SAMPLE_SECONDS
        while not self._exited:
            now = self.clocks.look()
            if self._cancel.cancelled or self._error is not None:
                return Ended.CANCELLED
            if now >= min(self.clocks.limit, sample_at):
                self.clocks.count(now, stopped=memory.is_stopped(self._popen.pid))
            if now >= self.clocks.limit:
                return Ended.TIMED_OUT if self.clocks.is_over(now) else Ended.STALLED
            if now >= sample_at:
                self._sample(on_memory)
                sample_at = now + _SAMPLE_SECONDS
            self._pause(self.clocks.until(sample_at, now))
        return Ended.EXITED

    def stop(self) -> None:
        """Send SIGINT, SIGTERM, SIGKILL in turn; SIGKILL at once when the token is forced, also during a grace."""
        for number, share in ((signal.SIGINT, _INTERRUPT_SHARE), (signal.SIGTERM, _TERMINATE_SHARE)):
            if self._cancel.forced or self._exited:
                break
            self._signal(number)
            self._until(lambda: self._exited or self._cancel.forced, self._grace_seconds * share)
        if not self._exited:
            self._kill()

    def close(self) -> None:
        """Leave no process and, if callbacks let them end, no thread and no open pipe."""
        if not self._exited:
            self._kill()
        # The group is gone, so the pipes end now, unless a descendant left the group with them.
        self._until(lambda: not self._drains or self._cancel.forced, self._grace_seconds)
        self._over = True
        if isinstance(self._feeding, pipes.Requests):
            self._feeding.close()  # its thread waits for more
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
        self._alarm.close()

    def outcome(self, ended: Ended, program: str, elapsed_seconds: float) -> Outcome:
        """Return the outcome, or raise the exception of a callback."""
        if self._error is not None:
            raise self._error
        code = self._popen.returncode if self._exited else -_SIGKILL
        stderr = self._stderr.text()
        if code in (126, 127) and stderr.startswith("setpriv: "):
            raise not_executable(program)
        return Outcome(
            ended=ended,
            returncode=code,
            stderr_tail=stderr,
            stdout_tail=self._stdout.text(),
            elapsed_seconds=elapsed_seconds,
            peak_memory_bytes=self._peak.bytes,
            cpu_seconds=self._cpu_seconds,
            killed_by_system=code == -_SIGKILL and not self._killed,
        )

    def _thread(self, work: Callable[..., None], *args: object, **options: object) -> None:
        def body() -> None:
            try:
                work(*args, **options)
            except BaseException as error:  # raised by ``run``
                self._fail(error)
            finally:
                self.wake()

        thread = threading.Thread(target=body, name=f"{work.__name__}-{self._popen.pid}", daemon=True)
        start_thread(thread)
        self._threads.append(thread)

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
        self.wake()

    def _pause(self, seconds: float) -> None:
        if self._alarm.wait(seconds):
            if not self._exited:
                self._wait()
            self._alarm.forget_child()

    def _until(self, done: Callable[[], bool], seconds: float) -> None:
        end = self._clock() + seconds
        while not done() and self._clock() < end:
            self._pause(end - self._clock())

    def _kill(self) -> None:
        self._killed = True
        self._signal(_SIGKILL)
        if not self._threads and not self._alarm.sees_end:  # not even the first could be started
            self._wait()
        self._until(lambda: self._exited, _KILL_SECONDS)

    def _signal(self, number: int) -> None:
        with self._lock:
            if not self._exited:
                signal_group(self._popen, number)

    def _wait(self) -> None:
        if sys.platform == "win32":  # pragma: no cover - the counterpart
            self._popen.wait()
            self._exited = True
            return
        pid = self._popen.pid
        if not hasattr(os, "waitid"):  # pragma: no cover - macOS before Python 3.13
            self._reap(*os.wait4(pid, 0)[1:])
            return
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # SIGCHLD is ignored: the system has reaped it and reports nothing
            self._popen.returncode, self._exited = 0, True
            return
        with self._lock:
            signal_group(self._popen, _SIGKILL)  # while the zombie still holds the group's number
            self._reap(*os.wait4(pid, 0)[1:])

    def _reap(self, status: int, usage: struct_rusage) -> None:
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._cpu_seconds = usage.ru_utime + usage.ru_stime
        self._peak.reaped(usage)
        self._exited = True

    def _drain(self, sinks: dict[IO[bytes], Callable[[bytes], bool]]) -> None:
        with contextlib.ExitStack() as stack, self._draining():
            for pipe in sinks:
                stack.enter_context(pipe)
            for pipe, chunk in pipes.read(sinks, over=self._is_over):
                try:
                    shows_progress = sinks[pipe](chunk)
                except BaseException as error:  # raised by ``run``; the pipe is emptied all the same
                    self._fail(error)
                    sinks[pipe], shows_progress = bool, False
                if shows_progress and pipe is self._popen.stdout:
                    self.clocks.progress()

    @contextlib.contextmanager
    def _draining(self) -> Iterator[None]:
        try:
            yield
        finally:
            with self._lock:
                self._drains -= 1

    def _feed(self, pipe: IO[bytes], chunks: Iterable[bytes]) -> None:
        with pipe:
            for chunk in chunks:
                if not pipes.write(pipe, chunk, over=self._is_over):
                    return
                self.clocks.progress()

    def _is_over(self) -> bool:
        return self._over

    def _sample(self, on_memory: Callable[[int], None] | None) -> None:
        rss = memory.rss_of_tree(self._popen.pid, descendants=self._descendants and on_memory is not None)
        self._peak.sample(self._popen.pid, rss)
        if on_memory and rss and not self._exited:
            on_memory(rss)


def _start(argv: Sequence[str], cwd: Path | None, *, feeding: bool) -> subprocess.Popen[bytes]:
    program = find_program(argv[0], cwd)
    # setpriv hands what the system cannot execute to a shell, so it only gets what looks executable.
    command = [*(death_signal() if looks_executable(program) else ()), program, *argv[1:]]
    environment = child_environment()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE if feeding else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    try:
        popen = spawner_of(os.getpid()).call(start, discard=_discard)
    except OSError as error:
        raise start_error(error, argv[0]) from error
    if sys.platform == "linux":
        with contextlib.suppress(OSError), Path(f"/proc/{popen.pid}/oom_score_adj").open("wb", 0) as file:
            file.write(_OOM_SCORE)  # else the system chooses as it likes
    return popen


def _discard(popen: subprocess.Popen[bytes]) -> None:
    with popen:
        signal_group(popen, _SIGKILL)

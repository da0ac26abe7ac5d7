"""Stopped, unread or started without streams: mpt ends cleanly, says so, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from mpt_cli.cli.entry import run
from mpt_cli.cli.stop_signals import STOP_SIGNALS, NotedSignals, StopSignals
from mpt_cli.display.base import console
from tests.cli.conftest import (
    LIMIT_SECONDS,
    PROGRAM,
    SMALL,
    Done,
    check_envelope,
    everything_in,
    fake_ffmpeg,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import Popen

    from pytest_console_scripts import ScriptRunner

    from tests.media import MediaFolder

SLOW = ("--size", "1280x720", "--fps", "60", "--encoder-preset", "placebo")
"""Options with which a clip of ten seconds needs minutes."""


HANGS_SECONDS = 15
"""Less than ffmpeg may take for an answer."""


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """A clip that :data:`SLOW` makes last."""
    return media.make(seconds=10.0)


def await_event(process: Popen[bytes], kind: str) -> dict[str, Any]:
    """Read the events of a run until the first one of this type."""
    assert process.stdout is not None
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        if event.get("type") == kind:
            return event
    raise AssertionError(f"no {kind}")


def await_handler(process: Popen[bytes], number: signal.Signals) -> None:
    """Wait until a process handles a signal by itself."""
    until = time.monotonic() + LIMIT_SECONDS
    while not handles(process.pid, number):
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.001)


def handles(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
    return bool(int(caught, 16) >> (number - 1) & 1)


def ended(process: Popen[bytes]) -> Done:
    """How it ended, with what was not read yet."""
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    return Done(process.returncode, out.decode(), err.decode())


def children_of(process: Popen[bytes]) -> list[psutil.Process]:
    """What it has started and what that has started."""
    children: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return children


def await_child(process: Popen[bytes]) -> list[psutil.Process]:
    """The children, as soon as there is one."""
    until = time.monotonic() + LIMIT_SECONDS
    while not (children := children_of(process)):
        assert time.monotonic() < until
        assert process.poll() is None
    return children


# --- stopped ------------------------------------------------------------------------------------


@pytest.mark.anchor("T050")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.core(1)
def test_a_stopped_run_leaves_no_output_no_temporary_file_and_no_child(
    clip: Path, here: Path, number: signal.Signals
) -> None:
    (here / "reel.mp4").write_text("from last week")
    (here / "notes.txt").write_text("dear")
    before = everything_in(here)
    with start("process", clip, clip, "-o", "reel.mp4", "-y", *SLOW, "--jsonl") as process:
        await_event(process, "clip-started")
        children = await_child(process)
        assert list(here.glob(".mpt-*"))
        process.send_signal(number)
        done = ended(process)
    assert done.code == (130 if number is signal.SIGINT else 143)
    *events, document = [json.loads(line) for line in done.out.splitlines()]
    check_envelope(document, done.code)
    assert (document["status"], document["errors"][-1]["code"]) == ("cancelled", "cancelled")
    assert (events[-1]["type"], events[-1]["status"]) == ("run-finished", "cancelled")
    assert document["data"]["output"] is None
    assert len(document["data"]["clips"]) == 2
    assert not [child for child in children if child.is_running()]
    assert everything_in(here) == before
    assert "Traceback" not in done.err


def test_a_closed_terminal_is_no_end_where_hang_ups_are_ignored(media: MediaFolder, here: Path) -> None:
    clip = media.make(seconds=1.0)
    arguments = [*PROGRAM, "process", str(clip), "-o", "reel.mp4", *SMALL, "--jsonl"]
    with subprocess.Popen(["nohup", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        await_event(process, "run-started")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=LIMIT_SECONDS)
    assert (process.returncode, (here / "reel.mp4").exists()) == (0, True)


def test_a_stopped_run_still_reports_to_people(clip: Path, here: Path) -> None:
    with start("process", clip, "-o", "reel.mp4", *SLOW) as process:
        await_child(process)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert done.out.startswith("stopped, no reel was made")
    assert "error: stopped (cancelled)" in done.err
    assert not list(here.iterdir())


def test_a_stopped_run_is_still_one_document(clip: Path) -> None:
    with start("process", clip, "-o", "reel.mp4", *SLOW, "--json") as process:
        await_child(process)
        process.send_signal(signal.SIGTERM)
        done = ended(process)
    assert (done.code, done.document["status"], done.codes) == (143, "cancelled", ["cancelled"])


def test_the_second_signal_kills_at_once(clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
    for name in INT TERM; do trap "echo $name >> {log}" $name; done
    echo ready >> {log}
    while :; do sleep 0.1; done"""
    log = here / "signals"
    fake_ffmpeg(here, body.format(log=shlex.quote(str(log))), monkeypatch)

    def await_line(line: str) -> None:
        until = time.monotonic() + LIMIT_SECONDS
        while not log.is_file() or line not in log.read_text().split():
            assert time.monotonic() < until
            time.sleep(0.01)

    with start("process", clip, "-o", "reel.mp4", "--json") as process:
        await_line("ready")
        process.send_signal(signal.SIGINT)
        await_line("INT")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.codes) == (130, ["cancelled"])
    assert log.read_text().split() == ["ready", "INT"]
    assert not list(here.glob(".mpt-*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["validate", "process"])
def test_waiting_for_paths_on_stdin_can_be_stopped(number: signal.Signals, command: str) -> None:
    output = ("-o", "reel.mp4") if command == "process" else ()
    with start(command, "-", *output, "--json", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"a.mp4\n")
        process.stdin.flush()
        await_empty(process.stdin.fileno())
        process.send_signal(number)
        # Not communicate, which would close stdin and so end the waiting.
        assert process.wait(LIMIT_SECONDS) == 128 + number
        done = ended(process)
    assert (done.document["status"], done.codes) == ("cancelled", ["cancelled"])


def test_a_signal_interrupts_the_reading_of_stdin(script_runner: ScriptRunner) -> None:
    class Impatient(io.BytesIO):
        """A stdin during whose reading SIGTERM comes."""

        def read(self, _size: int | None = None, /) -> bytes:
            signal.raise_signal(signal.SIGTERM)
            return b"a.mp4\n"

    done = script_runner.run(["mpt", "validate", "-", "--json"], stdin=io.TextIOWrapper(Impatient()))
    assert Done(done.returncode, done.stdout, done.stderr).codes == ["cancelled"]
    assert done.returncode == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN  # the answer is given


def await_empty(pipe: int) -> None:
    """Wait until the other end has read all that was written."""
    until = time.monotonic() + LIMIT_SECONDS
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_stopped_validation_finishes_its_events(clip: Path, here: Path) -> None:
    for number in range(500):
        (here / f"{number}.mp4").symlink_to(clip)
    with start("validate", ".", "--deep", "--jsonl") as process:
        await_event(process, "run-started")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    *events, document = [json.loads(line) for line in done.out.splitlines()]
    check_envelope(document, 130)
    assert [(event["type"], event.get("status")) for event in events] == [("run-finished", "cancelled")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.core(1)
def test_stop_during_the_imports_is_one_document(number: signal.Signals) -> None:
    """The first 0.3 s, from the line on in which mpt hears signals."""
    with start("validate", "-", "--json", stdin=subprocess.PIPE) as process:
        await_handler(process, signal.SIGTERM)
        process.send_signal(number)
        process.wait(LIMIT_SECONDS)  # not communicate, which would close stdin
        done = ended(process)
    assert (done.code, done.document["status"], done.codes) == (
        130 if number is signal.SIGINT else 143,
        "cancelled",
        ["cancelled"],
    )
    assert done.err == ""


LATE = """
import atexit, signal, sys
from mpt_cli.__main__ import main
atexit.register(signal.raise_signal, {number:d})
sys.argv = ["mpt", {arguments}]
main()
"""
"""mpt, to which a signal comes when it has answered and is about to end."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("arguments", ['"cache", "--json"', '"--version"'])
def test_stop_after_the_answer_changes_nothing(number: signal.Signals, arguments: str) -> None:
    code = LATE.format(number=number, arguments=arguments)
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False, timeout=LIMIT_SECONDS)
    assert (done.returncode, done.stderr) == (0, b"")
    if "json" in arguments:
        check_envelope(json.loads(done.stdout), 0)


def test_third_signal_ends_a_start_that_hangs() -> None:
    noted = NotedSignals()
    for _ in range(2):
        noted(signal.SIGUSR1, None)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert (noted.take(), noted.take()) == ([signal.SIGUSR1] * 2, [])


def test_stop_that_reaches_another_thread_ends_a_wait_of_the_main_thread() -> None:
    """As one that comes between the last step of the main thread and its wait."""
    heard, main = SimpleQueue[int](), threading.get_native_id()

    def raise_here() -> None:
        state = Path(f"/proc/self/task/{main}/stat")
        until = time.monotonic() + LIMIT_SECONDS
        while ") S " not in state.read_text():
            assert time.monotonic() < until
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with StopSignals(lambda number, _frame: heard.put(number)):
        other = threading.Thread(target=raise_here)
        other.start()
        assert heard.get(timeout=LIMIT_SECONDS) == signal.SIGTERM
        other.join()


def test_handlers_of_a_host_program_come_back_after_a_command() -> None:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    heard = list[int]()
    with StopSignals(lambda number, _frame: heard.append(number)):
        signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    assert {number: signal.getsignal(number) for number in STOP_SIGNALS} == before


HANGS = """#!/bin/sh
echo "$*" >> "{asked}"
case "$*" in *{question}*) exec sleep 600;; -version) echo "ffmpeg version 9.9-fake"; exit 0;; esac
exit 1
"""


@pytest.fixture
def hanging(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Use an ffmpeg that hangs at a question; gives the file of all questions."""

    def use(question: str) -> Path:
        asked, script = here / "asked", here / "hangs"
        script.write_text(HANGS.format(question=question, asked=asked))
        script.chmod(0o755)
        monkeypatch.setenv("MPT_FFMPEG__BINARY", str(script))
        return asked

    return use


@pytest.mark.parametrize(
    ("question", "command"),
    [
        ("-version", "process {clip} -o reel.mp4"),
        ("-encoders", "process {clip} -o reel.mp4"),
        ("-version", "batch jobs.toml"),
        ("-version", "health"),
        ("-encoders", "health --deep"),
        ("libx264", "health"),
        ("-version", "process {clip} -o reel.mp4 --encoder h264_nvenc"),
        ("-version", "concat {clip} {clip} -o reel.mp4 -n"),
    ],
)
def test_stop_is_heard_while_ffmpeg_hangs_at_a_question(
    question: str, command: str, media: MediaFolder, here: Path, hanging: Callable[[str], Path]
) -> None:
    clip, asked = media.make(seconds=0.4), hanging(question)
    (here / "jobs.toml").write_text(f'[[job]]\noutput = "a.mp4"\nclips = ["{clip}"]\n')
    with start(*command.format(clip=clip).split(), "--json") as process:
        until = time.monotonic() + LIMIT_SECONDS
        while not (asked.is_file() and question in asked.read_text()):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.01)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.document["status"], done.codes) == (130, "cancelled", ["cancelled"])
    assert time.monotonic() - started < HANGS_SECONDS


def test_ffmpeg_that_fails_is_asked_once_for_a_whole_batch(
    media: MediaFolder, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, asked = media.make(seconds=0.4), here / "asked"
    script = here / "fails"
    script.write_text(f'#!/bin/sh\necho "$*" >> "{asked}"\nexit 1\n')
    script.chmod(0o755)
    monkeypatch.setenv("MPT_FFMPEG__BINARY", str(script))
    jobs = "".join(f'[[job]]\noutput = "{number}.mp4"\nclips = ["{clip}"]\n' for number in range(6))
    (here / "jobs.toml").write_text(jobs)
    with start("batch", "jobs.toml", "--json") as process:
        done = ended(process)
    assert (done.code, done.codes) == (5, ["dependency_missing"] * 6)
    assert asked.read_text() == "-version\n"


def test_an_interrupt_before_the_command_has_begun_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(list[str]):
        """A command line during whose first reading the user presses Ctrl-C."""

        reads = 0

        def __iter__(self) -> Iterator[str]:
            self.reads += 1
            if self.reads == 1:
                raise KeyboardInterrupt
            return super().__iter__()

    code = run(Interrupted(["validate", "--json"]))
    done = Done(code, *capsys.readouterr())
    assert (done.code, done.document["status"], done.codes) == (130, "cancelled", ["cancelled"])


# --- unread -------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_ends_the_run_quietly(clip: Path, here: Path) -> None:
    with start("process", clip, "-o", "reel.mp4", *SLOW, "--jsonl") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["type"] == "run-started"
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        assert process.wait(LIMIT_SECONDS) == 130
    assert err == b""
    assert not list(here.iterdir())


def unread(*arguments: str | Path, both: bool = False) -> tuple[int, bytes]:
    """Exit code and stderr of a run whose stdout (or both streams) nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    errors = writing if both else subprocess.PIPE
    with start(*arguments, stdout=writing, stderr=errors) as process:
        os.close(writing)
        _, err = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, err or b""


@pytest.mark.parametrize("arguments", ["", "--help", "--version", "process --help", "completions bash"])
def test_help_that_nobody_reads_ends_quietly(arguments: str) -> None:
    assert unread(*arguments.split()) == (0, b"")


@pytest.mark.parametrize("option", ["-v", "--json", "--color=always"])
def test_an_answer_that_nobody_reads_changes_nothing_else(clip: Path, here: Path, option: str) -> None:
    code, err = unread("process", clip, "-o", "reel.mp4", *SMALL, option, "--max-clip-duration", "0.1")
    assert code == 0
    assert (here / "reel.mp4").is_file()
    assert b"finished: success" in err
    assert b"Error" not in err
    assert b"Traceback" not in err


def test_errors_are_still_said_when_nobody_reads_the_answer(clip: Path) -> None:
    code, err = unread("validate", clip, "no*.mp4")
    assert code == 3
    assert b"'no*.mp4' matches no file (no_match)" in err


def test_nobody_reads_anything(clip: Path, here: Path) -> None:
    assert unread("process", clip, "-o", "reel.mp4", *SMALL, "--max-clip-duration", "0.1", both=True) == (0, b"")
    assert (here / "reel.mp4").is_file()
    assert unread("process", "missing.mp4", "-o", "b.mp4", both=True) == (3, b"")


def test_a_console_goes_quiet_when_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        out = console(stream)
        for _ in range(2):
            out.print("unread")
        assert out.quiet


def test_a_thread_that_is_not_the_main_one_can_run_a_command(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor() as executor:
        code = executor.submit(run, ["validate", str(clip), "--json"]).result(LIMIT_SECONDS)
    assert Done(code, *capsys.readouterr()).data["summary"]["valid"] == 1


# --- without streams ----------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(clip: Path, here: Path, closed: str) -> None:
    options = shlex.join(["process", str(clip), "-o", "reel.mp4", *SMALL, "--max-clip-duration", "0.1"])
    command = f"exec {shlex.join(PROGRAM)} {options} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=LIMIT_SECONDS)
    assert done.returncode == 0
    assert b"Error" not in done.stderr
    assert [path.name for path in here.iterdir()] == ["reel.mp4"]


def test_paths_from_a_closed_stdin_are_no_match() -> None:
    command = f"exec {shlex.join(PROGRAM)} validate - --json <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=LIMIT_SECONDS, text=True)
    assert Done(done.returncode, done.stdout, done.stderr).codes == ["no_match"]


def test_a_run_on_a_pipe_shows_lines_and_no_panel(clip: Path) -> None:
    with start("process", clip, "-o", "reel.mp4", *SMALL, "--max-clip-duration", "0.1") as process:
        done = ended(process)
    assert "\x1b" not in done.out + done.err
    times, lines = zip(*((line[:20], line[20:]) for line in done.err.splitlines()), strict=True)
    assert (lines[0], lines[-1].split(" after ")[0]) == ("process: 1 clip", "finished: success")
    assert [datetime.strptime(time, "%Y-%m-%d %H:%M:%S ").year for time in times]

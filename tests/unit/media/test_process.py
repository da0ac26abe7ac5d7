"""Real children with short limits. A limit of 60 s here is a bound for a test that fails, never a proof."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.process import pipes
from mpt_cli.media.process.run import Ended, Limits, Outcome, _discard, run
from mpt_cli.media.process.spawn import Spawner, child_python, death_signal, looks_executable, spawner_of, start_error
from mpt_cli.model.errors import DependencyError, ExitCode, ResourceError
from mpt_cli.runtime.cancel import CancelToken
from tests.conftest import living_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHILDREN = Path(__file__).parents[2] / "children"
ROOT = Path(__file__).parents[3]
LONG = 60.0
MEBIBYTE = 1024 * 1024

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals, process groups and /proc"),
    pytest.mark.heavy,
]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="Linux")


def child(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(CHILDREN / f"{name}.py"), *arguments]


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def assert_gone(pid: int) -> None:
    """Wait until it has ended; one that is not ours to reap may stay a zombie as long as its parent likes."""
    ended = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    deadline = time.monotonic() + LONG
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() not in ended:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def assert_group_gone(pid: int) -> None:
    assert not psutil.pid_exists(pid)
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


class Heard:
    """Keeps the lines; calls ``then`` with each, which may cancel or raise."""

    def __init__(self, then: Callable[[str], object] = lambda _line: None, *, progress: bool = True) -> None:
        self.lines: list[str] = []
        self._then, self._progress = then, progress

    def __call__(self, line: str) -> bool:
        self.lines.append(line)
        self._then(line)
        return self._progress

    @property
    def pid(self) -> int:
        return int(self.lines[0])


@pytest.fixture
def cancel() -> CancelToken:
    return CancelToken()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    run(["true"], cancel=CancelToken())  # the spawner and its trial of setpriv stay
    files, threads = psutil.Process().num_fds(), threading.active_count()
    yield
    assert living_children(0) == []
    assert threading.active_count() == threads
    assert psutil.Process().num_fds() == files


# --- ends by itself


def test_exit_code_and_both_tails(cancel: CancelToken) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    outcome = run(python(code), cancel=cancel)
    assert (outcome.ended, outcome.returncode, outcome.killed_by_system) == (Ended.EXITED, 3, False)
    assert (outcome.stdout_tail, outcome.stderr_tail) == ("out\n", "err\n")
    assert outcome.cpu_seconds is not None
    assert outcome.cpu_seconds > 0
    assert outcome.elapsed_seconds > 0


def test_each_line_comes_once_and_the_last_without_its_end(cancel: CancelToken) -> None:
    heard = Heard()
    code = r"import os; os.write(1, b'a\r\n\nb\xff\nlast')"
    outcome = run(python(code), cancel=cancel, on_line=heard)
    assert heard.lines == ["a", "", "b\N{REPLACEMENT CHARACTER}", "last"]
    assert outcome.stdout_tail == ""


def test_a_flood_on_stderr_is_emptied_and_bounded(cancel: CancelToken) -> None:
    heard = Heard()
    outcome = run(child("chatty"), cancel=cancel, limits=Limits(LONG), on_line=heard)
    assert (outcome.ended, heard.lines) == (Ended.EXITED, ["done"])
    assert outcome.stderr_tail == "".join(f"line {n}\n" for n in range(256)) + "last \N{REPLACEMENT CHARACTER}"


def test_a_sigkill_that_is_not_ours(cancel: CancelToken) -> None:
    outcome = run(python("import os; os.kill(os.getpid(), 9)"), cancel=cancel)
    assert (outcome.ended, outcome.returncode, outcome.killed_by_system) == (Ended.EXITED, -9, True)


def test_a_grandchild_that_holds_the_pipes_ends_with_its_parent(cancel: CancelToken) -> None:
    heard = Heard()
    outcome = run(child("grandchild"), cancel=cancel, limits=Limits(LONG, grace_seconds=LONG), on_line=heard)
    assert (outcome.ended, outcome.returncode) == (Ended.EXITED, 7)
    assert_gone(heard.pid)


def test_a_grandchild_that_left_the_group_does_not_hold_us_up(cancel: CancelToken) -> None:
    heard = Heard()
    try:
        outcome = run(child("grandchild", "escape"), cancel=cancel, limits=Limits(grace_seconds=0.2), on_line=heard)
        assert (outcome.ended, outcome.returncode) == (Ended.EXITED, 7)
        assert psutil.pid_exists(heard.pid), "out of reach; our threads must have let go of its pipes"
    finally:
        os.kill(heard.pid, signal.SIGKILL)
        assert_gone(heard.pid)


def test_many_at_once(cancel: CancelToken) -> None:
    def one(number: int) -> Outcome:
        return run(["sh", "-c", f"echo {number}; exit {number % 7}"], cancel=cancel)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(one, range(200)))
    assert [outcome.returncode for outcome in outcomes] == [number % 7 for number in range(200)]
    assert [outcome.stdout_tail for outcome in outcomes] == [f"{number}\n" for number in range(200)]


def test_an_ignored_sigchld_does_not_hang() -> None:
    code = (
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from mpt_cli.runtime.cancel import CancelToken; from mpt_cli.media.process.run import run\n"
        "print(run(['echo', 'hi'], cancel=CancelToken()).stdout_tail)"
    )
    found = subprocess.run(python(code), cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=True)
    assert found.stdout == "hi\n\n"


# --- what a child is given


def test_child_writes_no_shader_cache_of_mesa(cancel: CancelToken) -> None:
    code = "import os; print(os.environ['MESA_SHADER_CACHE_DISABLE'])"
    assert run(python(code), cancel=cancel).stdout_tail == "1\n"


def test_child_of_ours_finds_mpt_where_it_is_not_installed(tmp_path: Path) -> None:
    interpreter, *command = child_python("mpt_cli.media.process.spawn", "child_environment")
    # -S: no site-packages, hence no installed mpt_cli.
    subprocess.run([interpreter, "-E", "-S", *command], cwd=tmp_path, timeout=LONG, check=True)


# --- the two clocks


def test_total_limit(cancel: CancelToken) -> None:
    heard = Heard()
    outcome = run(child("silent"), cancel=cancel, limits=Limits(total_seconds=1.0), on_line=heard)
    assert (outcome.ended, outcome.returncode) == (Ended.TIMED_OUT, -signal.SIGINT)
    assert_group_gone(heard.pid)


def test_stall_limit(cancel: CancelToken) -> None:
    outcome = run(child("silent"), cancel=cancel, limits=Limits(LONG, stall_seconds=0.5))
    assert outcome.ended is Ended.STALLED


def test_lines_without_progress_do_not_count(cancel: CancelToken) -> None:
    code = "while True: print('no', flush=True)"
    heard = Heard(progress=False)
    outcome = run(python(code), cancel=cancel, limits=Limits(LONG, stall_seconds=0.5), on_line=heard)
    assert outcome.ended is Ended.STALLED
    assert heard.lines


@pytest.mark.parametrize("heard", [True, False], ids=["lines that show it", "any output"])
def test_progress_resets_the_stall_clock(cancel: CancelToken, *, heard: bool) -> None:
    code = "import time\nwhile True: print('yes', flush=True); time.sleep(0.01)"
    limits = Limits(total_seconds=2.5, stall_seconds=1.2)
    assert run(python(code), cancel=cancel, limits=limits, on_line=Heard() if heard else None).ended is Ended.TIMED_OUT


def test_a_child_that_closed_its_pipes_is_still_limited(cancel: CancelToken) -> None:
    heard = Heard()
    limits = Limits(LONG, stall_seconds=1.0)
    outcome = run(child("silent", "closed"), cancel=cancel, limits=limits, on_line=heard)
    assert outcome.ended is Ended.STALLED
    assert_group_gone(heard.pid)


# --- stopping


def test_a_child_that_obeys_says_its_own_code(cancel: CancelToken) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True); time.sleep(3600)"
    )
    heard = Heard(lambda _line: cancel.cancel(signal.SIGINT))
    outcome = run(python(code), cancel=cancel, limits=Limits(LONG, grace_seconds=LONG), on_line=heard)
    assert (outcome.ended, outcome.returncode) == (Ended.CANCELLED, 5)


def test_a_child_that_ignores_sigint_is_terminated(cancel: CancelToken) -> None:
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(3600)"
    )
    heard = Heard(lambda _line: cancel.cancel())
    outcome = run(python(code), cancel=cancel, limits=Limits(LONG, grace_seconds=0.5), on_line=heard)
    assert (outcome.ended, outcome.returncode) == (Ended.CANCELLED, -signal.SIGTERM)
    assert_group_gone(heard.pid)


def test_a_stubborn_child_is_asked_twice_and_killed(cancel: CancelToken) -> None:
    heard = Heard(lambda line: cancel.cancel() if line.isdigit() else None)
    outcome = run(child("stubborn"), cancel=cancel, limits=Limits(LONG, grace_seconds=1.0), on_line=heard)
    assert heard.lines[1:] == ["SIGINT", "SIGTERM"]
    assert (outcome.ended, outcome.returncode) == (Ended.CANCELLED, -signal.SIGKILL)
    assert not outcome.killed_by_system
    assert_group_gone(heard.pid)


def test_a_second_cancel_kills_in_the_midst_of_the_grace(cancel: CancelToken) -> None:
    heard = Heard(lambda _line: cancel.cancel())  # at its id, and again when it says SIGINT
    outcome = run(child("stubborn"), cancel=cancel, limits=Limits(grace_seconds=3600), on_line=heard)
    assert heard.lines[1:] == ["SIGINT"]
    assert (outcome.ended, outcome.returncode) == (Ended.CANCELLED, -signal.SIGKILL)
    assert_group_gone(heard.pid)


def test_a_forced_token_does_not_ask(cancel: CancelToken) -> None:
    def twice(_line: str) -> None:
        cancel.cancel()
        cancel.cancel()

    heard = Heard(twice)
    outcome = run(child("stubborn"), cancel=cancel, limits=Limits(grace_seconds=3600), on_line=heard)
    assert outcome.returncode == -signal.SIGKILL
    assert_group_gone(heard.pid)


def test_with_a_cancelled_token_nothing_is_started(cancel: CancelToken, tmp_path: Path) -> None:
    cancel.cancel()
    outcome = run(["touch", str(tmp_path / "made")], cancel=cancel)
    assert outcome.ended is Ended.CANCELLED
    assert list(tmp_path.iterdir()) == []


# --- callbacks that raise


class OddError(Exception):
    pass


def fail(_: object) -> NoReturn:
    raise OddError


def test_on_line_raises(cancel: CancelToken) -> None:
    heard = Heard(fail)
    with pytest.raises(OddError):
        run(child("silent"), cancel=cancel, limits=Limits(LONG), on_line=heard)
    assert_group_gone(heard.pid)


def test_on_line_raises_at_a_last_line_without_end(cancel: CancelToken) -> None:
    with pytest.raises(OddError):
        run(["printf", "x"], cancel=cancel, limits=Limits(LONG), on_line=fail)


def test_on_line_raises_and_the_pipe_is_still_emptied(cancel: CancelToken) -> None:
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('line', flush=True); print('x' * 2**22); raise SystemExit(0)"
    )
    heard = Heard(fail)
    with pytest.raises(OddError):
        run(python(code), cancel=cancel, limits=Limits(grace_seconds=3600), on_line=heard)
    assert heard.lines == ["line"], "after it raised it is not called again"


def test_on_memory_raises(cancel: CancelToken) -> None:
    heard = Heard()
    with pytest.raises(OddError):
        run(child("silent"), cancel=cancel, limits=Limits(LONG), on_line=heard, on_memory=fail)
    assert living_children(0) == []


def test_feed_raises(cancel: CancelToken) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"first\n"
        raise OddError

    heard = Heard()
    with pytest.raises(OddError):
        run(["cat"], cancel=cancel, limits=Limits(LONG), feed=chunks(), on_line=heard)


def test_ctrl_c_in_run(cancel: CancelToken) -> None:
    heard = Heard(lambda _line: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run(child("stubborn"), cancel=cancel, limits=Limits(LONG, grace_seconds=3600), on_line=heard)
    assert_group_gone(heard.pid)


# --- feeding


def test_what_is_fed_arrives(cancel: CancelToken) -> None:
    chunks = [bytes([number]) * 300_000 for number in range(20)]
    code = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    outcome = run(python(code), cancel=cancel, limits=Limits(LONG), feed=iter(chunks))
    assert outcome.stdout_tail.strip() == hashlib.sha256(b"".join(chunks)).hexdigest()


def test_without_feed_stdin_is_empty(cancel: CancelToken) -> None:
    assert run(["cat"], cancel=cancel, limits=Limits(LONG)).returncode == 0


def endless() -> Iterator[bytes]:
    while True:
        yield b"x" * MEBIBYTE


def test_a_child_may_end_before_the_feed(cancel: CancelToken) -> None:
    outcome = run(["head", "-c", "1"], cancel=cancel, limits=Limits(LONG), feed=endless())
    assert (outcome.ended, outcome.returncode, outcome.stdout_tail) == (Ended.EXITED, 0, "x")


def test_a_child_that_does_not_read_stalls(cancel: CancelToken) -> None:
    outcome = run(child("silent"), cancel=cancel, limits=Limits(LONG, stall_seconds=0.7), feed=endless())
    assert outcome.ended is Ended.STALLED


def test_a_grandchild_that_holds_stdin_does_not_hold_us_up(cancel: CancelToken) -> None:
    heard = Heard()
    try:
        argv = child("grandchild", "escape")
        outcome = run(argv, cancel=cancel, limits=Limits(grace_seconds=0.2), feed=endless(), on_line=heard)
        assert outcome.returncode == 7
    finally:
        os.kill(heard.pid, signal.SIGKILL)
        assert_gone(heard.pid)


def test_chunks_count_as_progress(cancel: CancelToken) -> None:
    def slow() -> Iterator[bytes]:
        while True:
            threading.Event().wait(0.01)
            yield b"x"

    limits = Limits(total_seconds=2.5, stall_seconds=1.2)
    outcome = run(["cat"], cancel=cancel, limits=limits, feed=slow(), on_line=Heard(progress=False))
    assert outcome.ended is Ended.TIMED_OUT


# --- memory


def test_memory_of_descendants_is_counted(cancel: CancelToken) -> None:
    grandchild = f"b = b'x' * {96 * MEBIBYTE}; import time; time.sleep(3600)"
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    seen: list[int] = []

    def look(rss_bytes: int) -> None:
        seen.append(rss_bytes)
        if rss_bytes > 96 * MEBIBYTE:
            cancel.cancel()

    outcome = run(python(code, grandchild), cancel=cancel, limits=Limits(LONG), on_memory=look)
    assert outcome.ended is Ended.CANCELLED
    assert outcome.peak_memory_bytes is not None
    assert outcome.peak_memory_bytes >= max(seen) > 96 * MEBIBYTE


@pytest.mark.core(0)
def test_peak_of_a_child_larger_than_we_are_is_exact(cancel: CancelToken) -> None:
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    size = ours + 128 * MEBIBYTE  # a child begins with the most that we ever had
    outcome = run(python(f"b'x' * {size}"), cancel=cancel)
    assert outcome.peak_memory_bytes is not None
    assert size < outcome.peak_memory_bytes < size + 64 * MEBIBYTE


def test_our_own_peak_is_not_the_childs(cancel: CancelToken) -> None:
    ballast = b"x" * (128 * MEBIBYTE)
    outcome = run(["true"], cancel=cancel)
    assert (outcome.peak_memory_bytes or 0) < len(ballast)


@linux_only
def test_a_small_child_that_lives_long_enough_is_sampled(cancel: CancelToken) -> None:
    outcome = run(child("silent"), cancel=cancel, limits=Limits(total_seconds=1.0))
    assert outcome.peak_memory_bytes is not None
    assert 0 < outcome.peak_memory_bytes < 64 * MEBIBYTE


# --- how it is started


def test_a_missing_program(cancel: CancelToken) -> None:
    with pytest.raises(DependencyError, match="no-such-program was not found") as caught:
        run(["no-such-program"], cancel=cancel)
    assert caught.value.exit_code is ExitCode.DEPENDENCY
    assert caught.value.issue.hint


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        ("#!/bin/sh\n", 0o600),
        ("echo a shell read this\n", 0o700),
        ("#!/no/such/interpreter\n", 0o700),
    ],
    ids=["not executable", "no known form", "no interpreter"],
)
def test_a_program_that_cannot_be_executed(cancel: CancelToken, tmp_path: Path, content: str, mode: int) -> None:
    program = tmp_path / "program"
    program.write_text(content)
    program.chmod(mode)
    with pytest.raises(DependencyError, match="cannot be executed"):
        run([str(program)], cancel=cancel)


def test_a_program_that_cannot_be_read_may_still_run(tmp_path: Path) -> None:
    assert not looks_executable(str(tmp_path / "unreadable"))


def test_a_relative_program_is_relative_to_its_folder(cancel: CancelToken, tmp_path: Path) -> None:
    program = tmp_path / "-program"
    program.write_text("#!/bin/sh\npwd; printf '%s|' \"$@\"\n")
    program.chmod(0o700)
    outcome = run(["./-program", "a b", "", "$HOME", "--"], cancel=cancel, cwd=tmp_path)
    assert outcome.stdout_tail == f"{tmp_path}\na b||$HOME|--|"


def test_a_folder_that_is_not_there_is_not_blamed_on_the_program(cancel: CancelToken, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run(["true"], cancel=cancel, cwd=tmp_path / "nowhere")


def test_no_room_for_a_process() -> None:
    error = start_error(BlockingIOError(11, "Resource temporarily unavailable"), "ffmpeg")
    assert isinstance(error, ResourceError)
    assert error.exit_code is ExitCode.RESOURCES


def test_secrets_are_not_passed_on(cancel: CancelToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "secret")
    monkeypatch.setenv("FFREPORT", "file=report.log")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    names = {line.partition("=")[0] for line in run(["env"], cancel=cancel).stdout_tail.splitlines()}
    assert names >= {"PATH", "LC_ALL", "AV_LOG_FORCE_NOCOLOR"}
    assert not names & {"A_TOKEN", "FFREPORT"}


@linux_only
def test_the_system_takes_a_child_before_us(cancel: CancelToken) -> None:
    outcome = run(["sh", "-c", "read go; cat /proc/self/oom_score_adj"], cancel=cancel, feed=[b"go\n"])
    assert outcome.stdout_tail == "500\n"


@linux_only
def test_a_child_dies_with_us() -> None:
    if not death_signal():
        pytest.skip("no setpriv that knows parent-death signals")
    code = (
        "import sys; from mpt_cli.runtime.cancel import CancelToken; from mpt_cli.media.process.run import run\n"
        "run(sys.argv[1:], cancel=CancelToken(), on_line=lambda line: print(line, flush=True))"
    )
    with subprocess.Popen(python(code, *child("stubborn")), cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    assert_gone(pid)


@linux_only
@pytest.mark.parametrize("script", [None, "#!/bin/sh\nexit 1\n", "no program\n"])
def test_without_a_setpriv_that_can_it_works_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str | None
) -> None:
    if script is not None:
        (tmp_path / "setpriv").write_text(script)
        (tmp_path / "setpriv").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert death_signal.__wrapped__() == ()
    code = (
        "import sys; from mpt_cli.runtime.cancel import CancelToken; from mpt_cli.media.process.run import run\n"
        "print(run(sys.argv[1:], cancel=CancelToken()).stdout_tail)"
    )
    found = subprocess.run(
        python(code, *python("print('hi')")), cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=True
    )
    assert found.stdout == "hi\n\n"


def test_what_starts_while_we_are_interrupted_is_discarded() -> None:
    started, may_go_on, discarded, noticed = (threading.Event() for _ in range(4))

    def start() -> str:
        started.set()
        may_go_on.wait(LONG)
        return "process"

    def interrupt() -> None:
        started.wait(LONG)
        os.kill(os.getpid(), signal.SIGINT)
        while not noticed.wait(1):  # Python does not see a signal that comes just before it waits
            os.kill(os.getpid(), signal.SIGINT)

    spawner = spawner_of(os.getpid())
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        spawner.call(start, discard=lambda value: discarded.set() if value == "process" else None)
    noticed.set()
    thread.join()
    may_go_on.set()
    assert discarded.wait(LONG)


def test_a_discarded_process_is_killed() -> None:
    popen = subprocess.Popen(child("stubborn"), stdout=subprocess.PIPE, start_new_session=True)
    _discard(popen)
    assert popen.returncode == -signal.SIGKILL


# --- text from bytes


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


pieces_of_text = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"bc", "é".encode(), b"\xff"])).map(b"".join)


@given(data=pieces_of_text, cuts=st.lists(st.integers(0, 1000)))
def test_a_tail_does_not_depend_on_the_pieces(data: bytes, cuts: list[int]) -> None:
    tail = pipes.Tail()
    for piece in split(data, cuts):
        assert tail.add(piece)
    shown = [line.rstrip(b"\r").split(b"\r")[-1] for line in data.split(b"\n")]
    assert tail.text() == b"\n".join(shown).decode("utf-8", "replace")


def test_a_tail_is_bounded() -> None:
    tail = pipes.Tail()
    for _ in range(100):
        tail.add(b"x" * 10_000)
    tail.add(b"\r" * 100_000)
    tail.add(b"end")
    assert tail.text() == "end"
    tail.add(b"\n" + b"y" * 100_000)
    assert tail.text() == "y" * 32 * 1024


@given(data=pieces_of_text, cuts=st.lists(st.integers(0, 1000)))
def test_lines_do_not_depend_on_the_pieces(data: bytes, cuts: list[int]) -> None:
    heard = Heard()
    lines = pipes.Lines(heard)
    for piece in [*split(data, cuts), b""]:
        lines.add(piece)
    expected = [line.rstrip(b"\r").decode("utf-8", "replace") for line in data.split(b"\n")]
    assert heard.lines == (expected[:-1] if data.endswith(b"\n") or not data else expected)


def test_a_line_without_end_comes_in_pieces() -> None:
    heard = Heard()
    lines = pipes.Lines(heard)
    for _ in range(40):
        lines.add(b"x" * 64 * 1024)
    lines.add(b"")
    assert sum(map(len, heard.lines)) == 40 * 64 * 1024
    assert max(map(len, heard.lines)) <= MEBIBYTE + 64 * 1024


def test_threads_that_ask_at_once_share_one_spawner() -> None:
    barrier, found, nobody = threading.Barrier(16), list[Spawner](), -1
    before = set(threading.enumerate())

    def ask() -> None:
        barrier.wait()
        found.append(spawner_of(nobody))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert found[0].call(lambda: 5, discard=lambda _: None) == 5
    found[0].close()
    for thread in set(threading.enumerate()) - before:  # those of the spawners that came too late end by themselves
        thread.join(LONG)

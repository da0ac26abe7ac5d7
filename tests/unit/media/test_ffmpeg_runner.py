"""Ffmpeg: which program it is, whether it will do, what a run says, and what its end means."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.ffmpeg.runner import OLDEST, Ffmpeg, explain, last_words
from mpt_cli.media.process.run import Ended, Limits, Outcome
from mpt_cli.model.errors import Cancelled, DependencyError, ExitCode, IssueCode, ProcessingError, ResourceError
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import FakeClock, stand_in
from tests.media import ffmpeg as packaged

if TYPE_CHECKING:
    from mpt_cli.media.ffmpeg.progress import Progress
    from mpt_cli.model.errors import MptError

pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are shell scripts"), pytest.mark.heavy]
LONG = 60.0


def says(folder: Path, version: str) -> Ffmpeg:
    """An ffmpeg that says to be of this version."""
    return Ffmpeg(stand_in(folder, f'echo "ffmpeg version {version} Copyright (c) the FFmpeg developers"; exit'))


@pytest.mark.heavy
def test_the_packaged_binary_is_found_and_new_enough() -> None:
    ffmpeg = Ffmpeg()
    assert ffmpeg.binary == Path(packaged())
    number = re.match(r"n?(\d+)\.(\d+)", ffmpeg.build)
    assert number is not None
    assert (int(number[1]), int(number[2])) >= OLDEST


def test_a_binary_that_is_named_comes_before_the_packaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert Ffmpeg(Path(program.name)).binary == program


def test_without_a_package_the_one_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path, name="ffmpeg")
    monkeypatch.setenv("PATH", str(tmp_path))
    for package in ("no_such_package", "tests"):  # not installed; installed, with no binary in it
        assert Ffmpeg(package=package).binary == program


def test_no_ffmpeg_at_all_is_a_missing_dependency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="was not found") as caught:
        Ffmpeg(package="no_such_package").build  # noqa: B018
    assert caught.value.exit_code is ExitCode.DEPENDENCY
    assert "imageio-ffmpeg" in (caught.value.issue.hint or "")


def test_a_binary_that_is_named_and_missing_is_not_replaced_by_another(tmp_path: Path) -> None:
    ffmpeg = Ffmpeg(tmp_path / "gone")
    with pytest.raises(DependencyError, match="does not exist") as caught:
        ffmpeg.build  # noqa: B018
    assert caught.value.issue.path == tmp_path / "gone"


def test_a_file_that_may_not_be_executed_is_refused(tmp_path: Path) -> None:
    program = stand_in(tmp_path)
    program.chmod(0o644)
    with pytest.raises(DependencyError, match="cannot be executed"):
        Ffmpeg(program).build  # noqa: B018


@pytest.mark.parametrize("line", ["echo hello; exit", "exit 3", "echo ffmpeg version 7.1; exit 1", "kill -9 $$"])
@pytest.mark.heavy
def test_a_program_that_is_no_ffmpeg_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(DependencyError, match="does not run"):
        Ffmpeg(stand_in(tmp_path, line)).build  # noqa: B018


@pytest.mark.parametrize("version", ["4.4.2-0ubuntu0.22.04.1", "n4.4", "5.0.9", "0.11"])
@pytest.mark.heavy
def test_a_version_that_is_too_old_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(DependencyError, match=r"older than 5\.1") as caught:
        says(tmp_path, version).build  # noqa: B018
    assert version in str(caught.value)


@pytest.mark.parametrize("version", ["5.1", "5.1.9-0+deb12u1", "n7.0-12-gabc", "10.0", "N-118000-g1234567", "git-2024"])
@pytest.mark.heavy
def test_a_version_that_will_do_is_named_as_it_names_itself(tmp_path: Path, version: str) -> None:
    assert says(tmp_path, version).build == version


@pytest.mark.heavy
def test_nothing_is_asked_before_it_is_needed_and_then_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    ffmpeg = Ffmpeg(stand_in(tmp_path, f'echo "$@" >> "{asked}"'))
    assert not asked.exists()
    assert ffmpeg.build == ffmpeg.build == Ffmpeg().build
    assert asked.read_text() == "-version\n"


def test_failure_is_remembered_for_a_minute(tmp_path: Path) -> None:
    asked, clock = tmp_path / "asked", FakeClock()
    ffmpeg = Ffmpeg(stand_in(tmp_path, f'echo "$@" >> "{asked}"; test -e "{tmp_path}/mended" || exit 1'), clock=clock)
    for seconds in (0, 59):
        clock.advance(seconds)
        with pytest.raises(DependencyError, match="does not run"):
            ffmpeg.build  # noqa: B018
    (tmp_path / "mended").touch()
    clock.advance(2)
    assert ffmpeg.build == Ffmpeg().build
    assert asked.read_text() == "-version\n" * 2


def test_stopped_question_is_no_answer(tmp_path: Path) -> None:
    ffmpeg, cancel = Ffmpeg(stand_in(tmp_path)), CancelToken()
    cancel.cancel()
    for ask in (ffmpeg.ask_build, ffmpeg.ask_encoders):
        with pytest.raises(Cancelled):
            ask(cancel)
    assert ffmpeg.build == Ffmpeg().build
    assert ffmpeg.ask_encoders(CancelToken()) == Ffmpeg().ask_encoders(CancelToken())


def test_threads_that_ask_at_once_get_one_answer(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    ffmpeg = Ffmpeg(stand_in(tmp_path, f'echo "$@" >> "{asked}"'))
    with ThreadPoolExecutor(4) as threads:
        builds = set(threads.map(lambda _number: ffmpeg.build, range(8)))
    assert len(builds) == 1
    assert asked.read_text() == "-version\n"


def arguments(seconds: int, output: Path) -> list[str]:
    """Encode a test picture and say how far it is."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size=64x36:rate=10:duration={seconds}"]
    return ["-v", "error", "-nostdin", "-progress", "pipe:1", *source, "-c:v", "libx264", "-f", "mp4", str(output)]


@pytest.mark.heavy
def test_a_run_tells_how_far_it_is(tmp_path: Path) -> None:
    heard: list[Progress] = []
    outcome = Ffmpeg().run(
        arguments(3, tmp_path / "out.mp4"), cancel=CancelToken(), limits=Limits(LONG), on_progress=heard.append
    )
    assert (outcome.ended, outcome.returncode) == (Ended.EXITED, 0)
    assert [progress.finished for progress in heard] == [False] * (len(heard) - 1) + [True]
    assert heard[-1].frames == 30
    assert Fraction(27, 10) <= heard[-1].done_seconds <= 3


@pytest.mark.heavy
def test_nobody_has_to_listen(tmp_path: Path) -> None:
    outcome = Ffmpeg().run(arguments(1, tmp_path / "out.mp4"), cancel=CancelToken(), limits=Limits(LONG))
    assert (outcome.returncode, (tmp_path / "out.mp4").stat().st_size > 0) == (0, True)


LOOP = 'n=0; while [ $n -lt {turns} ]; do n=$((n + 1)); echo "{key}={value}"; echo progress=continue; sleep 0.05; done'


def turning(folder: Path, *, turns: int, key: str, value: str) -> Outcome:
    """How a program ends that says this 20 times a second, if it may stand still for a second."""
    program = stand_in(folder, LOOP.format(turns=turns, key=key, value=value), "exit 0")
    return Ffmpeg(program).run([], cancel=CancelToken(), limits=Limits(LONG, stall_seconds=1.0, grace_seconds=0.5))


@pytest.mark.parametrize(("key", "value"), [("out_time_us", "40000"), ("frame", "7"), ("speed", "${n}x")])
@pytest.mark.heavy
def test_saying_the_same_time_again_is_standing_still(tmp_path: Path, key: str, value: str) -> None:
    assert turning(tmp_path, turns=1000, key=key, value=value).ended is Ended.STALLED


@pytest.mark.parametrize(("key", "value"), [("out_time_us", "${n}000"), ("frame", "${n}")])
@pytest.mark.heavy
def test_time_or_frames_that_grow_are_progress(tmp_path: Path, key: str, value: str) -> None:
    outcome = turning(tmp_path, turns=30, key=key, value=value)
    assert (outcome.ended, outcome.returncode) == (Ended.EXITED, 0)
    assert outcome.elapsed_seconds > 1.0


GOOD = Outcome(Ended.EXITED, 0, "", "", 12.3, None, None, killed_by_system=False)
NO_SPACE = "[out#0/mp4 @ 0x5f] Error writing trailer: No space left on device\nConversion failed!\n"


def explained(outcome: Outcome) -> MptError | None:
    return explain(
        outcome, failed=IssueCode.CLIP_FAILED, timed_out=IssueCode.CLIP_TIMEOUT, stalled=IssueCode.CLIP_STALLED
    )


@pytest.mark.parametrize("stderr", ["", "deprecated pixel format used\n", NO_SPACE])
def test_text_alone_is_no_failure(stderr: str) -> None:
    assert explained(replace(GOOD, stderr_tail=stderr)) is None


BAD = replace(GOOD, returncode=1)
ENDS = [
    (replace(BAD, ended=Ended.TIMED_OUT), IssueCode.CLIP_TIMEOUT, "took longer than 12 s and was stopped"),
    # A child that obeys its SIGINT may still exit with 0.
    (replace(GOOD, ended=Ended.TIMED_OUT), IssueCode.CLIP_TIMEOUT, "took longer than 12 s and was stopped"),
    (replace(BAD, ended=Ended.STALLED), IssueCode.CLIP_STALLED, "made no progress and was stopped"),
    (replace(BAD, stderr_tail=NO_SPACE), IssueCode.DISK_FULL, "the disk is full"),
    (replace(BAD, stderr_tail="a.mp4: Disk quota exceeded"), IssueCode.DISK_FULL, "the disk is full"),
    (replace(BAD, returncode=-9, killed_by_system=True), IssueCode.MEMORY_EXHAUSTED, "the system killed ffmpeg"),
    (replace(BAD, returncode=-9), IssueCode.CLIP_FAILED, "ffmpeg failed: exit code -9"),
    (replace(BAD, returncode=234), IssueCode.CLIP_FAILED, "ffmpeg failed: exit code 234"),
    (
        replace(BAD, stderr_tail="x\n[h264 @ 0xdead] bad\n\n"),
        IssueCode.CLIP_FAILED,
        "ffmpeg failed: [h264] bad",
    ),
]


@pytest.mark.parametrize(("outcome", "code", "message"), ENDS, ids=[message for *_, message in ENDS])
def test_every_end_has_its_code(outcome: Outcome, code: IssueCode, message: str) -> None:
    error = explained(outcome)
    assert error is not None
    assert (error.code, str(error).startswith(message)) == (code, True)
    resource = code in (IssueCode.DISK_FULL, IssueCode.MEMORY_EXHAUSTED)
    assert type(error) is (ResourceError if resource else ProcessingError)
    assert error.exit_code is (ExitCode.RESOURCES if resource else ExitCode.FAILED)


def test_the_last_words_are_the_last_line_without_its_addresses() -> None:
    assert last_words("one\n  [in#0 @ 0x55e0] Error opening input: Invalid data \n \n") == (
        "[in#0] Error opening input: Invalid data"
    )
    assert last_words("[vist#0] broken\n    Last message repeated 3 times\n") == "[vist#0] broken"
    echoes = "Task finished with error code: -28 (No)\nTerminating thread with return code -28 (No)"
    assert last_words(f"Decode error rate 0.7 exceeds 0.6\n{echoes}") == "Decode error rate 0.7 exceeds 0.6"
    assert last_words(echoes) == "Terminating thread with return code -28 (No)"
    assert last_words(" \n") == ""


@pytest.mark.heavy
def test_a_real_failure_is_told_in_ffmpegs_own_words(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a clip")
    argv = ["-v", "error", "-nostdin", "-i", str(tmp_path / "text.mp4"), "-f", "null", "-"]
    error = explained(Ffmpeg().run(argv, cancel=CancelToken(), limits=Limits(LONG)))
    assert error is not None
    assert error.code is IssueCode.CLIP_FAILED
    assert str(error).startswith("ffmpeg failed: ")
    assert str(error).endswith("Invalid data found when processing input")

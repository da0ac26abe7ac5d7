"""Run folders and outputs: nothing is left behind, nothing of the user's is lost."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.model.clips import Dimensions, ProcessedClip, Segment
from mpt_cli.model.errors import Cancelled, ExitCode, IssueCode, MptError, OutputError, ResourceError
from mpt_cli.storage import locks
from mpt_cli.storage.disk import free_bytes, writing
from mpt_cli.storage.publish import Claim, claimed
from mpt_cli.storage.temp_files import TempFileManager, run_folder, run_folder_path, scratch_folder, sweep
from tests.builders import form_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.fakes import FakeClock

ODD_NAMES = [
    'it\'s a "film".mp4',
    "two\nlines.mp4",
    "100%d %s.mp4",
    "-y.mp4",
    "a:b?c#d;e=f,g[0].mp4",
    "back\\slash.mp4",
    "Übung 日本.mp4",
    os.fsdecode(b"caf\xe9 \xff.mp4"),
    "n" * 251 + ".mp4",
    " .mp4",
]

DYING = """
import os, signal, sys
from pathlib import Path
from mpt_cli.storage.publish import claimed
from mpt_cli.storage.temp_files import run_folder

target = Path(sys.argv[1])
with claimed(target, overwrite=True) as claim, run_folder(target.parent, "dead") as folder:
    claim.hidden.write_bytes(b"half")
    folder.path("00000.mp4").write_bytes(b"segment")
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_run(target: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the midst of writing this output; it ends when its stdin is closed."""
    argv = [sys.executable, "-c", DYING, os.fspath(target)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child
        child.stdin.close()
        child.wait(timeout=60)


def kill(child: subprocess.Popen[str]) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait(timeout=60)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def hidden_names(folder: Path) -> set[str]:
    return {name for name in names(folder) if name.startswith(".mpt-")}


def publish(target: Path, content: bytes, *, overwrite: bool = False, **seams: Any) -> None:
    with claimed(target, overwrite=overwrite, **seams) as claim:
        claim.hidden.write_bytes(content)
        claim.publish()


def fail(error: type[BaseException], where: AbstractContextManager[Any]) -> None:
    """Write something inside a context, and end it by an error."""
    with where as place:
        (place.hidden if isinstance(place, Claim) else place.path("file")).write_bytes(b"half")
        raise error


def test_a_run_folder_is_gone_after_success(tmp_path: Path) -> None:
    with run_folder(tmp_path, "0123456789abcdef") as folder:
        assert folder.folder == run_folder_path(tmp_path, "0123456789abcdef")
        folder.path("deep").mkdir()
        folder.path("deep/file").write_bytes(b"x")
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Cancelled])
def test_a_run_folder_is_gone_after_a_failure(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail(error, run_folder(tmp_path, "run"))
    assert names(tmp_path) == set()


def test_run_folder_that_cannot_be_removed_is_removed_by_a_later_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy", str(folder))

    with run_folder(tmp_path, "run", remove=refuse) as folder:
        folder.path("00000.mp4").write_bytes(b"segment")
    assert hidden_names(tmp_path) == {folder.folder.name, f"{folder.folder.name}.lock"}
    assert f"{folder.folder} could not be removed" in caplog.text
    sweep(tmp_path)
    assert names(tmp_path) == set()


def test_lock_of_what_still_cannot_be_removed_stays(tmp_path: Path) -> None:
    with locks.held(tmp_path / ".mpt-0123.lock", stays=lambda: True):
        pass
    (tmp_path / ".mpt-0123.mp4").mkdir()  # no file: it cannot be unlinked
    sweep(tmp_path)
    assert names(tmp_path) == {".mpt-0123.lock", ".mpt-0123.mp4"}
    (tmp_path / ".mpt-0123.mp4").rmdir()
    sweep(tmp_path)
    assert names(tmp_path) == set()


def test_scratch_folder_is_private_and_gone_after_use(tmp_path: Path) -> None:
    with scratch_folder("trial", tmp_path) as folder:
        (folder / "frames.mp4").write_bytes(b"frames")
        assert folder.name.startswith(".mpt-trial-")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        sweep(tmp_path)
        assert (folder / "frames.mp4").exists()
    assert names(tmp_path) == set()


def test_scratch_folder_of_another_machine_is_removed_when_nobody_can_be_at_it(tmp_path: Path) -> None:
    left = tmp_path / f".mpt-trial-{'0' * 32}"
    left.mkdir()
    (left / "frames.mp4").touch()
    sweep(tmp_path)
    assert left.exists()
    os.utime(left, (0, 0))
    sweep(tmp_path)
    assert names(tmp_path) == set()


def test_a_kept_run_folder_stays_also_for_the_next_run(tmp_path: Path) -> None:
    with run_folder(tmp_path, "kept", keep=True) as folder:
        folder.path("00000.mp4").write_bytes(b"segment")
    with run_folder(tmp_path, "next"):
        assert folder.path("00000.mp4").read_bytes() == b"segment"
    assert names(folder.folder) == {"00000.mp4"}
    folder.path("00000.mp4").unlink()
    folder.folder.rmdir()


def test_two_runs_side_by_side_leave_each_other_alone(tmp_path: Path) -> None:
    with run_folder(tmp_path, "one") as one, run_folder(tmp_path, "two") as two:
        one.path("a").touch()
        two.path("b").touch()
        sweep(tmp_path)
        assert one.path("a").exists()
        assert two.path("b").exists()
    assert names(tmp_path) == set()


@pytest.mark.heavy
def test_the_next_process_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    with another_run(tmp_path / "dead.mp4") as child:
        left = hidden_names(tmp_path)
        assert len(left) == 4  # the folder, the unfinished output and their locks
        publish(tmp_path / "other.mp4", b"while it lives")
        assert hidden_names(tmp_path) == left
        kill(child)
        assert hidden_names(tmp_path) == left
        publish(tmp_path / "other.mp4", b"a process looks around once", overwrite=True)
        assert hidden_names(tmp_path) == left
        with another_run(tmp_path / "next.mp4"):
            assert len(hidden_names(tmp_path)) == 4  # its own
        assert names(tmp_path) == {"other.mp4"}


@pytest.mark.heavy
def test_what_a_killed_run_left_is_not_taken_from_another_machine(tmp_path: Path) -> None:
    with another_run(tmp_path / "dead.mp4") as child:
        kill(child)
    left = hidden_names(tmp_path)
    for lock in list(tmp_path.glob(".mpt-*.lock")):
        lock.write_text("elsewhere\n0000-1111\n")
    sweep(tmp_path)
    assert hidden_names(tmp_path) == left
    for lock in list(tmp_path.glob(".mpt-*.lock")):
        lock.unlink()
        with locks.held(lock):
            signed = lock.read_bytes()
        lock.write_bytes(signed)
    sweep(tmp_path)
    assert hidden_names(tmp_path) == set()


def test_sweeping_follows_no_link_out_of_the_folder(tmp_path: Path) -> None:
    home, shared = tmp_path / "home", tmp_path / "shared"
    home.mkdir()
    shared.mkdir()
    with locks.held(home / "lock"):
        signed = (home / "lock").read_bytes()
    (home / "lock").write_bytes(signed)
    (shared / ".mpt-run-evil").symlink_to(home)
    (shared / ".mpt-run-evil.lock").write_bytes(signed)
    (shared / ".mpt-00000000.lock").symlink_to(home / "lock")
    sweep(shared)
    assert names(home) == {"lock"}
    for link in shared.iterdir():
        link.unlink()


@pytest.mark.heavy
def test_one_folder_that_cannot_be_swept_does_not_save_the_others(tmp_path: Path) -> None:
    with another_run(tmp_path / "dead.mp4") as child:
        kill(child)
    (tmp_path / ".mpt-aaa.lock").mkdir()  # sorts before the dead one
    sweep(tmp_path)
    assert hidden_names(tmp_path) == {".mpt-aaa.lock"}
    (tmp_path / ".mpt-aaa.lock").rmdir()


def test_a_run_that_was_killed_while_it_cleared_up_leaves_what_can_be_swept(tmp_path: Path) -> None:
    """Whatever of a folder and its lock is there: the lock comes first and goes last."""
    with locks.held(tmp_path / "x.lock"):
        signed = (tmp_path / "x.lock").read_bytes()
    (tmp_path / ".mpt-run-a.lock").write_bytes(signed)
    (tmp_path / ".mpt-run-b.lock").write_bytes(signed)
    (tmp_path / ".mpt-run-b").mkdir()
    (tmp_path / ".mpt-run-b" / "00000.mp4").touch()
    sweep(tmp_path)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_finished_file_takes_any_name(tmp_path: Path, name: str) -> None:
    target = tmp_path / "new" / "folder" / name
    with claimed(target, overwrite=False) as claim:
        assert (claim.hidden.parent, claim.hidden.suffix) == (target.parent, ".mp4")
        assert len(os.fsencode(claim.hidden.name)) < 30
        claim.hidden.write_bytes(b"reel")
        assert not target.exists()
        claim.publish()
    assert target.read_bytes() == b"reel"
    assert names(target.parent) == {name}


@pytest.mark.heavy
def test_an_existing_file_is_untouched_until_the_end(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"old")
    with claimed(target, overwrite=True) as claim:
        claim.hidden.write_bytes(b"new")
        with pytest.raises(OutputError), claimed(target, overwrite=True):
            pass  # a second run changes nothing
        assert target.read_bytes() == b"old"
        claim.publish()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == {"reel.mp4"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Cancelled])
def test_an_existing_file_is_untouched_by_a_failure(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"old")
    with pytest.raises(error):
        fail(error, claimed(target, overwrite=True))
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == {"reel.mp4"}


def test_a_file_that_is_there_is_not_overwritten_without_the_wish(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"somebody else's")
    with pytest.raises(OutputError, match="already exists") as refused:
        publish(target, b"new")
    assert refused.value.code is IssueCode.OUTPUT_EXISTS
    assert refused.value.exit_code is ExitCode.INVALID
    assert target.read_bytes() == b"somebody else's"
    assert names(tmp_path) == {"reel.mp4"}


def test_what_is_found_in_the_last_moment_keeps_a_file_from_its_name(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"put there meanwhile")

    def refuse() -> None:
        raise OutputError(IssueCode.OUTPUT_EXISTS, "was changed", path=target)

    with claimed(target, overwrite=True) as claim:
        claim.hidden.write_bytes(b"reel")
        with pytest.raises(OutputError, match="was changed"):
            claim.publish(refuse)
    assert target.read_bytes() == b"put there meanwhile"
    assert names(tmp_path) == {"reel.mp4"}


def test_file_put_there_after_the_last_look_stays(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    with claimed(target, overwrite=False) as claim:
        claim.hidden.write_bytes(b"reel")
        with pytest.raises(OutputError, match="already exists") as refused:
            claim.publish(lambda: target.write_bytes(b"somebody else's"))
    assert (refused.value.code, refused.value.issue.path) == (IssueCode.OUTPUT_EXISTS, target)
    assert target.read_bytes() == b"somebody else's"
    assert names(tmp_path) == {"reel.mp4"}


def test_only_what_is_ours_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"reel 1")
    for content, found in ((b"reel 2", b"reel 1"), (b"reel 3", b"reel 2")):
        with claimed(target, overwrite=True) as claim:
            claim.hidden.write_bytes(content)
            claim.publish(is_ours=lambda path, ours=found: path.read_bytes() == ours)  # type: ignore[misc]
    with claimed(target, overwrite=True) as claim:
        claim.hidden.write_bytes(b"reel 4")
        with pytest.raises(OutputError, match="was changed by another program") as refused:
            claim.publish(is_ours=lambda path: path.read_bytes() == b"reel 1")
    assert refused.value.code is IssueCode.OUTPUT_EXISTS
    assert target.read_bytes() == b"reel 3"
    assert names(tmp_path) == {"reel.mp4"}


def test_nothing_is_published_where_nothing_was_written(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"old")
    with pytest.raises(OutputError), claimed(target, overwrite=True) as claim:
        claim.publish()
    assert target.read_bytes() == b"old"


@pytest.mark.heavy
def test_the_same_output_is_locked_for_a_second_run(tmp_path: Path) -> None:
    target = tmp_path / "reel.mp4"
    with another_run(target) as child:
        with pytest.raises(OutputError) as refused, claimed(target, overwrite=True):
            pass
        assert (refused.value.code, refused.value.exit_code) == (IssueCode.LOCKED, ExitCode.FAILED)
        assert refused.value.issue.path == target
        publish(tmp_path / "other.mp4", b"another output")
        kill(child)
        publish(target, b"after its death")
        sweep(tmp_path)  # its folder, as another process would
    assert names(tmp_path) == {"reel.mp4", "other.mp4"}


def test_what_lies_under_the_hidden_name_is_not_written_through(tmp_path: Path) -> None:
    target, precious = tmp_path / "reel.mp4", tmp_path / "precious"
    precious.write_text("mine")
    with claimed(target, overwrite=False) as claim:
        pass_by = claim.hidden
        claim.hidden.write_bytes(b"first")
        claim.publish()
    pass_by.symlink_to(precious)
    publish(target, b"second", overwrite=True)
    assert (target.read_bytes(), precious.read_text()) == (b"second", "mine")
    assert not target.is_symlink()


class Busy:
    """A rename that another program hinders some times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, source: Path, target: Path, *, replaces: object) -> None:
        assert replaces is True
        if self.left:
            self.left -= 1
            raise PermissionError(13, "The process cannot access the file")
        source.replace(target)


def test_a_target_that_is_busy_for_a_moment_is_tried_again(tmp_path: Path, clock: FakeClock) -> None:
    target = tmp_path / "reel.mp4"
    target.write_bytes(b"old")
    publish(target, b"new", overwrite=True, rename=Busy(2), sleep=clock.sleep)
    assert target.read_bytes() == b"new"
    assert len(clock.slept) == 2


@pytest.mark.parametrize("name", ["reel.mp4", "n" * 251 + ".mp4", "日" * 83 + ".mp4"])
def test_a_finished_file_is_kept_where_its_target_stays_busy(tmp_path: Path, clock: FakeClock, name: str) -> None:
    target = tmp_path / name
    target.write_bytes(b"old")
    for number in (1, 2):
        with pytest.raises(OutputError) as refused:
            publish(target, b"new %d" % number, overwrite=True, rename=Busy(99), sleep=clock.sleep)
        assert (refused.value.code, refused.value.exit_code) == (IssueCode.OUTPUT_BUSY, ExitCode.FAILED)
        kept = Path(str(refused.value.issue.hint).partition("is at ")[2])
        assert (kept.parent, kept.suffix, kept.read_bytes()) == (tmp_path, ".mp4", b"new %d" % number)
        assert not kept.name.startswith(".")
    assert target.read_bytes() == b"old"
    assert len(names(tmp_path)) == 3, "a kept file was replaced"


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not flushed there")
def test_a_file_that_has_its_name_is_published_though_its_folder_is_not_flushed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"

    def rename_both(hidden: Path, target: Path, *, replaces: object) -> None:
        assert replaces is False
        hidden.replace(target)
        folder.rename(elsewhere)

    publish(folder / "reel.mp4", b"reel", rename=rename_both)
    assert (elsewhere / "reel.mp4").read_bytes() == b"reel"
    assert f"{folder}: the new name may not outlast a loss of power" in caplog.text
    (elsewhere / next(iter(hidden_names(elsewhere)))).unlink()  # its lock, which could not be found either


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    def fill(_hidden: Path, _target: Path, *, replaces: object) -> None:
        assert replaces is False
        Path("/dev/full").write_bytes(b"reel")

    with pytest.raises(ResourceError) as refused:
        publish(tmp_path / "reel.mp4", b"reel", rename=fill)
    assert (refused.value.code, refused.value.exit_code) == (IssueCode.DISK_FULL, ExitCode.RESOURCES)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("error", "code", "where"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/there/x"), IssueCode.DISK_FULL, "/there/x"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), IssueCode.DISK_FULL, "/here"),
        (OSError(5, "Input/output error", b"/there/\xff"), IssueCode.OUTPUT_NOT_WRITABLE, "/there/\udcff"),
        (PermissionError(13, "Permission denied", 3), IssueCode.OUTPUT_NOT_WRITABLE, "/here"),
        (OSError("no number"), IssueCode.OUTPUT_NOT_WRITABLE, "/here"),
    ],
)
def test_errors_of_the_system_become_errors_of_ours(error: OSError, code: IssueCode, where: str) -> None:
    with pytest.raises(MptError) as found, writing(Path("/here")):
        raise error
    assert (found.value.code, found.value.issue.path) == (code, Path(where))
    assert found.value.__cause__ is error


def test_a_folder_that_cannot_be_made_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "folder"
    for place in (claimed(below / "reel.mp4", overwrite=True), run_folder(below, "run")):
        with pytest.raises(OutputError) as refused, place:
            pass
        assert refused.value.code is IssueCode.OUTPUT_NOT_WRITABLE


def test_what_goes_wrong_within_is_not_said_of_the_output(tmp_path: Path) -> None:
    gone = tmp_path / "gone.mp4"
    for place in (claimed(tmp_path / "reel.mp4", overwrite=True), run_folder(tmp_path, "run")):
        with pytest.raises(FileNotFoundError) as failed, place:
            gone.read_bytes()
        assert failed.value.filename == str(gone)
    assert names(tmp_path) == set()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_list_that_does_not_fit_is_a_full_disk(tmp_path: Path) -> None:
    manager = TempFileManager(tmp_path)
    manager.concat_list.symlink_to("/dev/full")
    with pytest.raises(ResourceError):
        manager.create_concat_list([clip(0, tmp_path / "0.mp4", owned=True)], form_of())
    manager.concat_list.unlink()


def test_free_space_is_asked_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    free, system = free_bytes(tmp_path / "not" / "yet" / "there.mp4"), os.statvfs(tmp_path)
    assert free == pytest.approx(system.f_bavail * system.f_frsize, rel=0.2)


def clip(index: int, path: Path, *, owned: bool, frames: int = 30) -> ProcessedClip:
    form = form_of()
    return ProcessedClip(
        index=index,
        original_path=path,
        processed_path=path,
        audio_path=None,
        dimensions=Dimensions(160, 90),
        segment=Segment(index, 0, frames),
        duration=frames / form.frame_rate,
        vcl_crc=0,
        parameter_sets="",
        extradata=b"",
        owned=owned,
    )


@pytest.mark.parametrize("name", [*ODD_NAMES, "film.mp4 (копия)", "film", "film.we'ird\nsuffix", "film.café"])
def test_a_users_clip_is_listed_under_a_link_whatever_its_name(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(b"mine")
    folder = tmp_path / "run"
    folder.mkdir()
    manager = TempFileManager(folder)
    clips = [clip(0, manager.segment_paths(Segment(0, 0, 30))[0], owned=True), clip(1, source, owned=False)]
    clips[0].processed_path.write_bytes(b"made")
    listed = [
        line.removeprefix("file file:")
        for line in manager.create_concat_list(clips, form_of()).read_text(encoding="ascii").splitlines()
        if line.startswith("file ")
    ]
    assert [(folder / name).read_bytes() for name in listed] == [b"made", b"mine"]
    assert all(name.replace("-", "").replace(".", "").isalnum() for name in listed)
    manager.cleanup_concat_list()
    assert names(folder) == {"00000.mp4"}
    assert source.read_bytes() == b"mine"


def test_the_durations_of_a_list_do_not_drift(tmp_path: Path) -> None:
    manager, form = TempFileManager(tmp_path), replace(form_of(), frame_rate=Fraction(30_000, 1001))
    clips = [clip(index, tmp_path / f"{index}.mp4", owned=True, frames=31) for index in range(1000)]
    lines = manager.create_concat_list(clips, form).read_text().splitlines()
    assert lines[0] == "ffconcat version 1.0"
    total = sum(Fraction(line.removeprefix("duration ")) for line in lines if line.startswith("duration "))
    assert abs(total - 31_000 * Fraction(1001, 30_000)) <= Fraction(1, 2_000_000)
    manager.cleanup_concat_list()
    assert names(tmp_path) == set()


def test_only_files_of_the_folder_are_discarded(tmp_path: Path) -> None:
    manager = TempFileManager(tmp_path / "run")
    manager.folder.mkdir()
    mine, own = tmp_path / "mine.mp4", manager.path("00000.mp4")
    mine.touch()
    own.touch()
    manager.discard(mine, own, None, manager.path("not there"))
    assert names(manager.folder) == set()
    assert mine.exists()


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_a_pipe_that_was_named_like_a_lock_holds_nobody_up(tmp_path: Path) -> None:
    trap = tmp_path / ".mpt-trap.lock"
    os.mkfifo(trap)
    publish(tmp_path / "reel.mp4", b"reel")
    assert (tmp_path / "reel.mp4").read_bytes() == b"reel"
    trap.unlink()  # is still there: it is not mpt's

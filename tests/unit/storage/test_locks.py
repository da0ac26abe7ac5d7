"""Locks: one holder at a time, also among processes, and none after its holder's death."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.storage import locks
from mpt_cli.storage.locks import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOLDER = """
import sys
from pathlib import Path
from mpt_cli.storage import locks

with locks.held(Path(sys.argv[1])) as got:
    print(got, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lock until its stdin is closed; it has the lock, or not, once this is entered."""
    argv = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "True\n"
        yield child
        child.stdin.close()
        child.wait(timeout=60)


def test_the_second_descriptor_does_not_get_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path) as first:
        assert first
        with locks.held(path) as second:
            assert not second
        assert path.exists(), "who did not get the lock removed its file"
        with locks.held(path) as third:
            assert not third
    assert not path.exists()
    with locks.held(path) as again:
        assert again


@pytest.mark.heavy
def test_another_process_holds_the_lock_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with another_process(path), locks.held(path) as got:
        assert not got
    with locks.held(path) as got:
        assert got


@pytest.mark.heavy
def test_the_lock_of_a_killed_process_can_be_got(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with another_process(path) as child:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=60)
        assert path.exists()
        assert locks.is_of_this_machine(path)
        with locks.held(path) as got:
            assert got
    assert not path.exists()


def test_the_lock_is_released_by_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(KeyboardInterrupt), locks.held(path):
        raise KeyboardInterrupt
    assert not path.exists()


def test_a_lock_that_is_not_there_is_made_only_on_wish(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locks.held(tmp_path / "lock", create=False):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_no_lock_and_leads_nowhere(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "lock"
    precious.write_text("mine")
    link.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic link"), locks.held(link):
        pass
    assert precious.read_text() == "mine"


class Racing(type(Path())):  # type: ignore[misc]
    """A path whose file another one removes, as it gives its lock up, just before the first look at it."""

    looks = 0

    def stat(self, **options: Any) -> os.stat_result:
        self.looks += 1
        if self.looks == 1:
            self.unlink()
        status: os.stat_result = super().stat(**options)
        return status


def test_a_file_that_was_released_in_the_same_moment_is_not_taken_for_the_lock(tmp_path: Path) -> None:
    path = Racing(tmp_path / "lock")
    with locks.held(path) as got:
        assert got
        assert path.looks == 2
        with locks.held(tmp_path / "lock") as second:
            assert not second


@pytest.mark.heavy
def test_many_threads_never_hold_the_lock_together(tmp_path: Path) -> None:
    path, inside, most, held = tmp_path / "lock", [0], [0], [0]
    start = threading.Barrier(8)

    def contend() -> None:
        start.wait()
        for _ in range(200):
            with locks.held(path) as got:
                if got:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    held[0] += 1
                    inside[0] -= 1

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert held[0] > 0
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "\n\n", "elsewhere\n", "elsewhere\n0000-1111\n", "\xff"])
def test_a_lock_of_another_machine_is_known(tmp_path: Path, content: str) -> None:
    path = tmp_path / "lock"
    path.write_text(content, encoding="latin-1")
    assert not locks.is_of_this_machine(path)
    assert not locks.is_of_this_machine(tmp_path / "none")


def test_a_lock_is_known_by_the_name_or_by_the_boot_of_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path):
        name, boot = path.read_text().splitlines()
    for content, ours in [(f"{name}\n", True), (f"{name}\nolder\n", True), (f"elsewhere\n{boot}\n", bool(boot))]:
        path.write_text(content)
        assert locks.is_of_this_machine(path) is ours


def test_the_holder_signs_over_what_a_dead_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("another machine with a long name\nand a boot\nand more\n")
    with locks.held(path) as got:
        assert got
        assert locks.is_of_this_machine(path)
        assert "another" not in path.read_text()


def test_patience_outwaits_a_holder_that_soon_lets_go(tmp_path: Path) -> None:
    path, waiting = tmp_path / "lock", threading.Event()
    got: list[bool] = []

    def wait_for_it() -> None:
        waiting.set()
        with locks.held(path, patience_seconds=20) as mine:
            got.append(mine)

    with locks.held(path) as first:
        assert first
        with locks.held(path, patience_seconds=0.05) as second:
            assert not second
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        assert waiting.wait(20)
    thread.join(20)
    assert got == [True]


def test_a_lock_that_nobody_signed_for_an_hour_is_anybodys(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    assert not locks.is_of_this_machine(path)
    os.utime(path, (path.stat().st_mtime - 3700,) * 2)
    assert locks.is_of_this_machine(path)


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_what_only_looks_like_a_lock_is_not_waited_for_and_not_followed(tmp_path: Path) -> None:
    fifo, link, folder = tmp_path / "fifo", tmp_path / "link", tmp_path / "folder"
    os.mkfifo(fifo)
    folder.mkdir()
    with locks.held(tmp_path / "lock"):
        link.symlink_to(tmp_path / "lock")
        assert locks.is_of_this_machine(tmp_path / "lock")
        assert [locks.is_of_this_machine(path) for path in (fifo, link, folder)] == [False] * 3


@pytest.mark.skipif(sys.platform == "win32", reason="files without content take room there")
def test_a_lock_is_read_no_further_than_it_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path):
        signed = path.read_bytes()
    path.write_bytes(signed)
    os.truncate(path, 1 << 42)
    assert locks.is_of_this_machine(path)


def saying(number: int) -> Callable[[int], None]:
    """A file system that answers every wish for a lock by this number."""

    def lock(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    return lock


@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EACCES])
def test_a_lock_that_another_has_is_not_got(tmp_path: Path, number: int) -> None:
    with locks.held(tmp_path / "lock", lock=saying(number)) as got:
        assert not got
    assert (tmp_path / "lock").exists()
    (tmp_path / "lock").unlink()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_locks_work_goes_on_and_nothing_is_cleared_up(
    tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "lock"
    with locks.held(path, lock=saying(number)) as got:
        assert got
        assert locks.is_of_this_machine(path)
        assert f"{tmp_path}: another run beside this one would not be noticed" in caplog.text
        with locks.held(path, create=False, lock=saying(number)) as second:
            assert not second
    assert not path.exists()


def test_a_drive_that_fails_is_not_another_run(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), locks.held(tmp_path / "lock", lock=saying(errno.EIO)):
        pass
    (tmp_path / "lock").unlink()


# --- what is unfinished -------------------------------------------------------------------------

LEAVER = """
import sys
from pathlib import Path
from mpt_cli.storage import locks

with locks.unfinished(Path(sys.argv[1]), ".x-", lambda path: getattr(path, sys.argv[2])()) as path:
    print(path.name, flush=True)
    sys.stdin.read()
    path.rmdir() if path.is_dir() else path.unlink()
"""
linux = pytest.mark.skipif(sys.platform == "win32", reason="open files keep their names there")


def owner(path: Path, lock: Callable[[int], None] | None = None) -> Owner:
    with locks.owner(path, ".x-", **({"lock": lock} if lock else {})) as found:
        return found


@contextmanager
def leaver(folder: Path, how: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has something unfinished until its stdin is closed."""
    argv = [sys.executable, "-c", LEAVER, str(folder), how]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        yield child, folder / child.stdout.readline().strip()
        child.stdin.close()
        child.wait(timeout=60)


@linux
@pytest.mark.heavy
@pytest.mark.parametrize("how", ["touch", "mkdir"])
def test_owner_of_an_unfinished_file_or_folder_is_dead_once_it_is_killed(tmp_path: Path, how: str) -> None:
    with leaver(tmp_path, how) as (child, path):
        assert locks.is_unfinished(path, ".x-")
        assert owner(path) is Owner.ALIVE
        child.kill()
        child.wait(timeout=60)
        assert owner(path) is Owner.DEAD
        elsewhere = path.with_name(path.name.replace(path.name[3:11], "0" * 8))
        path.rename(elsewhere)
        assert owner(elsewhere) is Owner.UNKNOWN, "it is of another machine"


@linux
@pytest.mark.heavy
def test_owner_is_unknown_where_no_lock_tells(tmp_path: Path) -> None:
    def none_here(_descriptor: int) -> None:
        raise OSError(errno.ENOTSUP, "no locks")

    with leaver(tmp_path, "touch") as (child, path):
        child.kill()
        child.wait(timeout=60)
        assert owner(path, none_here) is Owner.UNKNOWN
        with locks.unfinished(tmp_path, ".x-", Path.touch, lock=none_here) as ours:
            assert ours.exists()


@linux
def test_owner_of_a_file_of_this_process_is_alive(tmp_path: Path) -> None:
    with locks.unfinished(tmp_path, ".x-", Path.touch) as path:
        pass
    assert owner(path) is Owner.ALIVE, "another thread may be at it: NFS grants a lock twice to one process"


@linux
def test_unfinished_file_that_a_cleaner_takes_first_is_created_again(tmp_path: Path) -> None:
    created = list[Path]()

    def create(path: Path) -> None:
        created.append(path)
        if len(created) > 1:
            path.touch()

    with locks.unfinished(tmp_path, ".x-", create) as path:
        assert created[1:] == [path]
        assert created[0] != path


@linux
def test_unfinished_file_that_cannot_be_locked_is_not_left(tmp_path: Path) -> None:
    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    for create in (Path.touch, Path.mkdir):
        with pytest.raises(KeyboardInterrupt), locks.unfinished(tmp_path, ".x-", create, lock=interrupted):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(20)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs")
def test_pipe_or_folder_is_no_lock(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=r"regular|directory"), locks.held(tmp_path / name):
            pass
        assert (tmp_path / name).exists()


def test_lock_stays_for_a_later_cleaner_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.held(path, stays=lambda: True):
        pass
    assert locks.is_of_this_machine(path)
    with locks.held(path, create=False) as got:
        assert got, "it is free"
    assert not path.exists()

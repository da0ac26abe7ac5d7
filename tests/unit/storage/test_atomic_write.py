"""Files that are written in one step: a reader finds all or nothing, and a killed run's rest is found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mpt_cli.storage.atomic_write import UNFINISHED, sweep_unfinished, write_in_one_step

if TYPE_CHECKING:
    from pathlib import Path

DYING = """
import os, signal, sys
from pathlib import Path
from mpt_cli.storage.atomic_write import write_in_one_step

def die(event, args):
    if event == "os.rename":
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
write_in_one_step(Path(sys.argv[1]), b"half")
"""
"""Ends just before what it wrote gets its name."""


def make_old(path: Path) -> None:
    os.utime(path, (path.stat().st_mtime - 3700,) * 2)


LIVING = """
import sys
from pathlib import Path
from mpt_cli.storage import locks
from mpt_cli.storage.atomic_write import UNFINISHED

with locks.unfinished(Path(sys.argv[1]), UNFINISHED, Path.touch) as path:
    print("ready", flush=True)
    sys.stdin.read()
    path.unlink()
"""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="only its age tells there")
def test_file_that_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DYING, os.fspath(tmp_path / "mpt.toml")], check=False)
    assert died.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(UNFINISHED)
    sweep_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_file_that_another_run_is_writing_stays(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", LIVING, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        sweep_unfinished(tmp_path)
        assert len(list(tmp_path.iterdir())) == 1
        child.communicate("")


def test_file_of_another_machine_is_removed_when_nobody_can_be_at_it(tmp_path: Path) -> None:
    left = tmp_path / f"{UNFINISHED}{'0' * 32}"
    left.touch()
    sweep_unfinished(tmp_path)
    assert left.exists(), "another run may be writing it"
    make_old(left)
    sweep_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_removed_and_nothing_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / f"{UNFINISHED}{'0' * 32}"
    folder.mkdir()
    others = [tmp_path / name for name in (f"{UNFINISHED}notes", f"x{UNFINISHED}{'0' * 32}", ".0123")]
    for path in others:
        path.touch()
    for path in (folder, *others):
        make_old(path)
    sweep_unfinished(tmp_path)
    sweep_unfinished(tmp_path / "none")
    assert set(tmp_path.iterdir()) == {folder, *others}
    folder.rmdir()
    others[0].unlink()


def test_of_a_write_that_fails_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_in_one_step(tmp_path / "there", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]

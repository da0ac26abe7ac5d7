"""Whatever stands in place of mpt's own small files: no command waits for it or reads it to its end."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from mpt_cli.storage.temp_files import LOCK_EXTENSION, PREFIX, short_name
from tests.cli.conftest import SMALL
from tests.traps import TRAPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

pytestmark = pytest.mark.timeout(120)
every_trap = pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)

STATE = ("reports", "reels", "files", "clips", "sounds")
"""Folders of state: reports, published reels, results of probes, segments, encoded audio."""


@pytest.fixture
def clip(media: MediaFolder, here: Path) -> Path:
    return shutil.copyfile(media.make(seconds=0.3), here / "a.mp4")


def state_files(home: Path) -> list[Path]:
    """All files of state: JSON files, and the segments and the audio beside those of a cache."""
    return [path for path in home.rglob("*") if path.is_file() and any(name in path.parts for name in STATE)]


@every_trap
def test_commands_do_their_work_though_all_state_is_a_trap(
    mpt: Mpt, own_home: Path, clip: Path, trap: Callable[[Path], object]
) -> None:
    request = ("process", clip, "-o", "reel.mp4", *SMALL, "--copy", "never", "--json")
    assert mpt(*request).code == 0
    while not any("files" in path.parts for path in state_files(own_home)):
        assert mpt(*request, "--overwrite").code == 0  # only a file that is two seconds old is remembered
    found = state_files(own_home)
    assert {name for name in STATE for path in found if name in path.parts} == set(STATE)
    for path in found:
        path.unlink()
        trap(path)
    assert mpt("report", "last", "--json").codes == ["usage"]
    assert mpt(*request, "--if-changed").codes == ["output_exists", "validation_failed"]
    done = mpt(*request, "--overwrite")
    assert (done.code, done.data["clips"][0]["action"]) == (0, "encode")
    for action in ("info", "prune", "clear"):
        assert mpt("cache", action, "--json").code == 0


@every_trap
def test_trap_in_place_of_a_lock_is_no_lock(mpt: Mpt, here: Path, clip: Path, trap: Callable[[Path], object]) -> None:
    lock = here / f"{PREFIX}{short_name('reel.mp4')}{LOCK_EXTENSION}"
    trap(lock)
    was_file = lock.is_file()
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json")
    if was_file:  # an old lock, as long as it may be
        assert (done.code, lock.exists()) == (0, False)
    else:
        assert (done.code, done.codes) == (3, ["output_not_writable"])
        lock.rmdir() if lock.is_dir() else lock.unlink()


@every_trap
def test_trap_in_place_of_a_side_file_is_not_replaced(
    mpt: Mpt, here: Path, clip: Path, trap: Callable[[Path], object]
) -> None:
    trap(here / "m.json")
    before = (here / "m.json").lstat()
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--manifest", "m.json", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert (here / "m.json").lstat().st_ino == before.st_ino

"""``mpt cache`` from outside: what is stored, what prune and clear remove, and how it is told."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from mpt_cli.display.answers.cache import show_cache
from mpt_cli.model.results import CacheInfo
from mpt_cli.storage import locks
from mpt_cli.storage.atomic_write import UNFINISHED
from tests.cli.conftest import SMALL
from tests.media import numbered

if TYPE_CHECKING:
    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

CLIPS = [numbered(number, seconds=0.4) for number in (41, 42)]


@pytest.fixture
def stored(mpt: Mpt, media: MediaFolder) -> int:
    """The bytes of two finished clips that lie in the store."""
    clips = [media.numbered(clip) for clip in CLIPS]
    assert mpt("process", *clips, "-o", "reel.mp4", "--copy", "never", *SMALL).code == 0
    size: int = mpt("cache", "--json").data["size_bytes"]
    assert size > 0
    return size


def test_an_empty_store_is_no_error_and_is_not_made(mpt: Mpt, own_home: Path) -> None:
    done = mpt("cache", "--json")
    assert (done.code, done.err) == (0, "")
    folder = own_home / "cache" / "mpt" / "clips"
    assert {**done.data, "limit_bytes": 0} == {
        "folder": str(folder),
        "entries": 0,
        "size_bytes": 0,
        "limit_bytes": 0,
        "removed_entries": 0,
        "removed_bytes": 0,
    }
    assert 0 < done.data["limit_bytes"] <= 20 * 2**30
    assert not folder.exists()
    assert mpt("cache", "clear").code == mpt("cache", "prune").code == 0


@pytest.mark.core
def test_info_tells_and_removes_nothing(mpt: Mpt, stored: int) -> None:
    for _ in range(2):
        data = mpt("cache", "info", "--json").data
        assert (data["entries"], data["size_bytes"], data["removed_entries"]) == (2, stored, 0)
    folder, found = mpt("cache").out.splitlines()
    assert folder == f"folder  {data['folder']}"
    assert found.startswith("stored  2 clips, ")


def test_prune_keeps_what_is_within_the_limit(mpt: Mpt, stored: int) -> None:
    data = mpt("cache", "prune", "--json").data
    assert (data["entries"], data["size_bytes"], data["removed_bytes"]) == (2, stored, 0)


def test_prune_removes_what_is_over_the_limit(mpt: Mpt, stored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_CACHE__MAX_SIZE", str(stored - 1))
    data = mpt("cache", "prune", "--json").data
    assert (data["entries"], data["removed_entries"], data["limit_bytes"]) == (1, 1, stored - 1)
    assert data["size_bytes"] + data["removed_bytes"] == stored


def test_prune_looks_for_leftovers_only_where_it_can(mpt: Mpt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_PATHS__TEMP", "x" * 300)  # longer than any system takes
    assert mpt("cache", "prune", "--json").code == 0


def test_prune_removes_what_killed_runs_left(
    mpt: Mpt, here: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp, reels = here / "temp", own_home / "state" / "mpt" / "reels"
    monkeypatch.setenv("MPT_PATHS__TEMP", str(temp))
    rest = reels / f"{UNFINISHED}{'0' * 32}"
    reels.mkdir(parents=True)
    rest.touch()
    os.utime(rest, (0, 0))
    for folder in (here, temp):
        leave_dead_run(folder)
        (folder / ".mpt-run-kept").mkdir()  # without a lock: by --keep-temp
    assert mpt("cache", "prune").code == 0
    for folder in (here, temp):
        assert [path.name for path in folder.glob(".mpt-*")] == [".mpt-run-kept"]
        (folder / ".mpt-run-kept").rmdir()
    assert not rest.exists()


def leave_dead_run(folder: Path) -> None:
    """What lies there when a run was killed: its folder, and its lock, which nobody holds."""
    lock = folder / ".mpt-run-dead.lock"
    (folder / ".mpt-run-dead").mkdir(parents=True)
    (folder / ".mpt-run-dead" / "00000.mp4").touch()
    with locks.held(lock):
        signed = lock.read_bytes()
    lock.write_bytes(signed)


def test_clear_removes_everything_and_the_next_run_begins_anew(mpt: Mpt, media: MediaFolder, stored: int) -> None:
    done = mpt("cache", "clear", "--json")
    assert (done.data["entries"], done.data["removed_entries"], done.data["removed_bytes"]) == (0, 2, stored)
    folder = Path(done.data["folder"]).parent
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    again = mpt("process", media.numbered(CLIPS[0]), "-o", "b.mp4", "--copy", "never", *SMALL, "--json")
    assert again.data["clips"][0]["action"] == "encode"
    told = mpt("cache", "clear").out.splitlines()
    assert told[1].startswith("stored  0 clips, 0 B of ")
    assert told[2].startswith("removed 1 clip, ")


def test_the_folder_of_the_configuration_is_used(mpt: Mpt, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_CACHE__DIR", str(here / "mine"))
    assert mpt("cache", "--json").data["folder"] == str(here / "mine" / "clips")


def test_a_switched_off_cache_can_still_be_looked_after(mpt: Mpt, stored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPT_CACHE__ENABLED", "false")
    assert mpt("cache", "--json").data["size_bytes"] == stored
    assert mpt("cache", "clear", "--json").data["removed_entries"] == 2


def test_an_unknown_action_is_a_usage_error(mpt: Mpt) -> None:
    done = mpt("cache", "empty", "--json")
    assert (done.code, done.codes) == (2, ["usage"])


def test_a_name_cannot_harm_a_terminal() -> None:
    out = StringIO()
    info = CacheInfo(Path("/a\x1b[2J\nb"), 1, 2048, 2**30)
    show_cache(Console(file=out, width=80), info, info, removing=False)
    assert out.getvalue() == "folder  /a\\x1b[2J\\nb\nstored  1 clip, 2.0 KiB of 1.0 GiB\n"

"""A dry run refuses what the run would refuse, with the same codes, and writes nothing."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from mpt_cli.storage import locks
from mpt_cli.storage.temp_files import LOCK_EXTENSION, PREFIX, short_name
from tests.cli.conftest import SMALL, Mpt, everything_in
from tests.fakes import stand_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done
    from tests.media import MediaFolder


def both(mpt: Mpt, here: Path, *arguments: str | Path) -> tuple[Done, Done]:
    """The dry run and the run of the same request; fails where the first one wrote something."""
    before = everything_in(here)
    command = ("process", *arguments, "-o", "reel.mp4", "--json")
    dry = mpt(*command, "-n")
    assert everything_in(here) == before
    return dry, mpt(*command)


@pytest.mark.parametrize(
    ("options", "variables", "codes", "exit_code"),
    [
        ("--manifest m.mp4", {}, ["usage"], 2),
        ("--metrics-file notes.txt", {}, ["usage"], 2),
        ("--max-memory 20MiB", {}, ["memory_exhausted"], 7),
        ("", {"MPT_PATHS__TEMP": "notes.txt/temp"}, ["output_not_writable", "validation_failed"], 3),
        ("--codec hevc", {"MPT_FFMPEG__BINARY": "without-x265"}, ["encoder_unavailable"], 3),
        ("--codec hevc --encoder libx265", {"MPT_FFMPEG__BINARY": "without-x265"}, ["encoder_unavailable"], 3),
    ],
)
@pytest.mark.core(2)
def test_dry_run_refuses_what_the_run_refuses(
    mpt: Mpt,
    media: MediaFolder,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: str,
    variables: dict[str, str],
    codes: list[str],
    exit_code: int,
) -> None:
    clip = media.make()
    (here / "notes.txt").write_text("precious")
    stand_in(here, 'case "$2" in -encoders) echo " V....D libx264  H.264"; exit 0;; esac', name="without-x265")
    for name, value in variables.items():
        monkeypatch.setenv(name, str(here / value))
    for done in both(mpt, here, clip, *SMALL, *shlex.split(options)):
        assert (done.codes, done.code) == (codes, exit_code)
    assert not (here / "reel.mp4").exists()


def test_dry_run_shows_the_plan_of_a_reel_that_the_disk_cannot_hold(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = media.make(seconds=36_000, fps="1/10", size="16x16", sound=None, source="color=color=red")
    dry, run = both(mpt, here, clip, "--size", "16384x16384", "--fps", "240")  # some forty terabytes
    assert (dry.code, dry.codes) == (run.code, run.codes) == (7, ["disk_full"])
    assert dry.data["plan"]["predicted_output_bytes"] > 2**44


def test_dry_run_notices_another_run_that_writes_the_output(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    lock = here / f"{PREFIX}{short_name('reel.mp4')}{LOCK_EXTENSION}"
    with ExitStack() as other:
        assert other.enter_context(locks.held(lock))
        dry, run = both(mpt, here, media.make(), *SMALL)
        assert (dry.code, dry.codes) == (run.code, run.codes) == (4, ["locked"])
    assert mpt("process", media.make(), "-o", "reel.mp4", *SMALL, "-n").code == 0


@pytest.mark.core
def test_dry_run_of_a_batch_counts_only_jobs_that_would_begin(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    clip = media.make()
    (here / "jobs.toml").write_text(
        f'[[job]]\noutput = "a.mp4"\nclips = ["{clip}"]\n[[job]]\noutput = "b.mp4"\nclips = ["{clip}"]\n'
    )
    with locks.held(here / f"{PREFIX}{short_name('b.mp4')}{LOCK_EXTENSION}") as got:
        assert got
        done = mpt("batch", "jobs.toml", "-n", *SMALL)
    assert done.code == 5
    assert "1 of 2 jobs planned" in done.out

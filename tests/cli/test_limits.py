"""Limits of the system on a process: size of files, address space, open files."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, PROGRAM, SMALL, Done, check_envelope, everything_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set by the shell, as Linux keeps them")


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_answer_that_is_cut_off_is_no_success(here: Path, clip: Path, unbuffered: str) -> None:
    command = 'ulimit -f 1 && exec "$@" > answer'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *PROGRAM, "validate", str(clip), "--json"],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert (here / "answer").stat().st_size == 512
    assert (done.returncode, b"stdout cannot be written" in done.stderr) == (7, True)


def limited(limit: str, *arguments: str | Path, **variables: str) -> Done:
    """mpt under a limit of ``ulimit``, such as ``-f 8``."""
    done = subprocess.run(
        ["sh", "-c", f'ulimit -c 0 && ulimit {limit} && exec "$@"', "sh", *PROGRAM, *map(str, arguments)],
        env=os.environ | variables,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    return media.make(size="128x72", seconds=1)


@pytest.mark.parametrize("blocks", [8, 200], ids=["segments", "audio"])
def test_file_that_may_not_grow_is_a_full_disk(here: Path, clip: Path, blocks: int) -> None:
    done = limited(f"-f {blocks}", "process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (done.code, set(done.codes)) == (7, {"disk_full"})
    assert everything_in(here) == {}


def test_join_that_may_not_grow_is_not_tried_by_the_second_method(here: Path, media: MediaFolder) -> None:
    clips = [media.make(size="128x72", seconds=seconds) for seconds in (0.5, 0.6, 0.7)]
    assert limited("-f unlimited", "process", *clips, "-o", "whole.mp4", *SMALL).code == 0
    blocks = (here / "whole.mp4").stat().st_size // 512 - 8
    done = limited(f"-f {blocks}", "process", *clips, "-o", "reel.mp4", *SMALL, "--json")
    assert (done.code, done.codes) == (7, ["disk_full"])
    assert "MoviePy" not in done.err
    assert [path.name for path in here.iterdir()] == ["whole.mp4"]


def test_copy_that_may_not_grow_is_a_full_disk(here: Path, media: MediaFolder) -> None:
    form = ("--size", "320x180", "--fps", "25", "--quality", "high", "--no-cache")
    clip = media.make(size="320x180", seconds=6, sound=None)
    assert limited("-f unlimited", "process", clip, "-o", "form.mp4", *form).code == 0
    job = '[[job]]\noutput = "reel.mp4"\n[[job.clips]]\npath = "form.mp4"\nstart = 2\nmute = true\n'
    (here / "trim.toml").write_text(job)
    plan = limited("-f unlimited", "process", "--job", "trim.toml", *form, "--dry-run", "--json").plan
    assert [each["action"] for each in plan["clips"]] == ["copy"]
    done = limited("-f 64", "process", "--job", "trim.toml", *form, "--json")
    assert (done.code, set(done.codes)) == (7, {"disk_full"})


@pytest.mark.core(1)
@pytest.mark.parametrize("command", ["validate", "process", "health", "concat"])
@pytest.mark.parametrize("limit", ["-n 9", "-v 170000"], ids=["open files", "address space"])
def test_no_room_for_threads_or_files_is_exit_code_7(here: Path, clip: Path, command: str, limit: str) -> None:
    inputs = () if command == "health" else (clip,)
    output = ("-o", "reel.mp4") if command in ("process", "concat") else ()
    done = limited(limit, command, *inputs, *output, "--json")
    assert (done.code, set(done.codes)) == (7, {"memory_exhausted"})
    assert "Traceback" not in done.err
    assert everything_in(here) == {}


def test_job_without_room_is_a_failed_job(here: Path, clip: Path) -> None:
    (here / "jobs.toml").write_text(f'[[job]]\noutput = "a.mp4"\nclips = ["{clip}"]\n')
    done = limited("-v 170000", "batch", "jobs.toml", "--json")
    assert done.code in (5, 7)
    assert set(done.codes) == {"memory_exhausted"}


@pytest.mark.parametrize(
    ("module", "code", "issue"),
    [("raise MemoryError", 7, "memory_exhausted"), ("import no_such_module", 6, "dependency_missing")],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_program_that_cannot_be_loaded_says_so(
    tmp_path: Path, module: str, code: int, issue: str, as_json: bool
) -> None:
    (tmp_path / "typer.py").write_text(module)
    done = limited("-n 100", "health", *(["--json"] if as_json else []), PYTHONPATH=str(tmp_path))
    assert (done.code, "Traceback" in done.err) == (code, False)
    if as_json:
        check_envelope(done.document, code)
        assert done.codes == [issue]
    else:
        assert done.err.startswith("error: mpt cannot be loaded (")


def test_bytecode_is_not_cut_off(tmp_path: Path) -> None:
    variables = {"PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    assert limited("-f unlimited", "--version", **variables).code == 0
    own = [path for path in (tmp_path / "bytecode").rglob("*.pyc") if path.name.startswith(("entry.", "overview."))]
    assert len(own) == 2
    for path in own:
        path.unlink()
    for limit in ("-f 3", "-f unlimited"):  # in blocks of 512 bytes
        assert limited(limit, "--version", **variables).code == 0

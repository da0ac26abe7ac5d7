"""What was found by attacking: nothing of it loses a report, hangs, or touches what is the user's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import LIMIT_SECONDS, SMALL, everything_in, start
from tests.media import Recipe

if TYPE_CHECKING:
    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """A clip of a second."""
    return media.make(Recipe())


def test_clearing_the_cache_leaves_a_folder_of_clips_that_is_called_like_it(mpt: Mpt, clip: Path, here: Path) -> None:
    for name in ("clips/a.mp4", "clips/ab/b.mp4", "files/notes.txt", "sounds/c.wav"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(clip.read_bytes())
    before = everything_in(here)
    (here / "mpt.toml").write_text('[cache]\ndir = "."\nmax_size = "10KiB"\n')
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--copy", "never").code == 0
    assert mpt("cache", "prune").code == mpt("cache", "clear").code == 0
    (here / "mpt.toml").unlink()
    (here / "reel.mp4").unlink()
    assert everything_in(here) == before


def test_a_job_with_an_impossible_folder_does_not_cost_the_others_their_report(mpt: Mpt, clip: Path) -> None:
    jobs = [
        {"output": "a.mp4", "clips": [str(clip)]},
        {"output": "b.mp4", "clips": [str(clip)], "paths": {"temp": "x" * 300}},
        {"output": "c.mp4", "clips": [str(clip)]},
    ]
    done = mpt("batch", "-", *SMALL, "--json", stdin="\n".join(map(json.dumps, jobs)).encode())
    assert (done.code, [job["status"] for job in done.data["jobs"]]) == (5, ["success", "error", "success"])
    refused = [error["code"] for error in done.data["jobs"][1]["errors"]]
    assert refused == ["output_not_writable", "validation_failed"]


def full_stdout(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and stderr of a run whose answer finds no room."""
    with Path("/dev/full").open("wb") as full, start(*arguments, stdout=full) as process:
        said = process.communicate(timeout=LIMIT_SECONDS)[1].decode()
    return process.returncode, said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("validate", "CLIP"),
        ("validate", "CLIP", "--json"),
        ("process", "CLIP", "-o", "reel.mp4", *SMALL, "--json"),
        ("process", "CLIP", "-o", "reel.mp4", *SMALL, "--jsonl"),
        ("config", "show"),
        ("completions", "bash"),
        ("--version",),
        ("process", "--help"),
    ],
    ids=" ".join,
)
def test_an_answer_on_a_full_disk_is_one_line_and_no_bug(clip: Path, arguments: tuple[str, ...]) -> None:
    code, said = full_stdout(*(str(clip) if word == "CLIP" else word for word in arguments))
    lines = [line for line in said.splitlines() if line.startswith(("error", "  hint", "Traceback"))]
    assert (code, lines) == (7, ["error: stdout cannot be written: No space left on device (disk_full)"])
    assert Path("reel.mp4").exists() == ("--json" in arguments and "process" in arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_what_is_wrong_is_said_although_the_answer_finds_no_room(clip: Path) -> None:
    for options in ((), ("--json",)):
        code, said = full_stdout("process", clip, "none.mp4", "-o", "reel.mp4", *options)
        assert (code, "does not exist (file_not_found)" in said, "Traceback" in said) == (3, True, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_stderr_costs_no_answer(clip: Path) -> None:
    with Path("/dev/full").open("wb") as full, start("validate", clip, "none.mp4", "--strict", stderr=full) as process:
        out = process.communicate(timeout=LIMIT_SECONDS)[0].decode()
    assert (process.returncode, "file_not_found" in out) == (3, True)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize(
    "arguments", [("batch", "pipe"), ("process", "--job", "pipe"), ("validate", "x", "-c", "pipe")]
)
@pytest.mark.core(1)
def test_a_pipe_that_never_answers_is_refused(mpt: Mpt, arguments: tuple[str, ...]) -> None:
    os.mkfifo("pipe")
    done = mpt(*arguments, "--json")
    assert (done.code, "is a pipe" in done.document["errors"][0]["message"]) == (2, True)


@pytest.mark.parametrize("seconds", ["9" * 320, "1" + "0" * 10])
@pytest.mark.core(1)
def test_a_time_that_no_clip_has_is_a_usage_error(mpt: Mpt, clip: Path, seconds: str) -> None:
    Path("job.toml").write_text(f'[[job]]\noutput = "a.mp4"\nclips = [{{path = "{clip}", end = {seconds}}}]\n')
    done = mpt("process", "--job", "job.toml", "--json")
    assert (done.code, done.codes) == (2, ["usage"])


def test_a_link_to_what_is_not_there_is_replaced_only_when_asked(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "reel.mp4").symlink_to("far/away.mp4")
    refused = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (refused.code, refused.codes[0]) == (3, "output_exists")
    assert (here / "reel.mp4").is_symlink()
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "-y").code == 0


def test_a_budget_below_what_mpt_itself_uses_is_said_at_once(mpt: Mpt, clip: Path) -> None:
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json", "--max-memory", "1MiB")
    assert (done.code, done.codes) == (7, ["memory_exhausted"])
    assert "are needed" in done.document["errors"][0]["message"]
    assert not Path("reel.mp4").exists()

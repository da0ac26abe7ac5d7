"""``--junit``, ``--metrics-file``, ``--manifest``: written however a run ends, over nothing but their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import SMALL, Mpt, events_of, everything_in, fake_ffmpeg, schema
from tests.unit.reporting.test_prometheus import parsed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder


@pytest.fixture
def clip(media: MediaFolder, here: Path) -> Path:
    """A clip that the test may change."""
    return shutil.copyfile(media.make(seconds=0.2), here / "a clip.mp4")


def exit_code_in(path: Path) -> float:
    """What a metrics file says of the run."""
    found = parsed(path.read_text(encoding="utf-8"))
    return next(value for (name, _), value in found.items() if name == "mpt_run_exit_code")


def manifest_in(path: Path) -> dict[str, Any]:
    """A manifest; fails where its schema is not kept."""
    document: dict[str, Any] = json.loads(path.read_bytes())
    schema("manifest").validate(document)
    return document


def sha256(path: str | Path) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - a path of the document, as another program would read it
        return hashlib.sha256(file.read()).hexdigest()


# --- what they hold -----------------------------------------------------------------------------


@pytest.mark.core
def test_the_manifest_names_what_was_used_and_how(mpt: Mpt, clip: Path, here: Path) -> None:
    job = here / "job.toml"
    job.write_text('[[job]]\noutput = "reel.mp4"\nclips = ["a clip.mp4", {path = "a clip.mp4", end = 0.1}]\n')
    assert mpt("process", "--job", job, *SMALL, "--manifest", "m.json").code == 0
    document = manifest_in(here / "m.json")
    (reel,) = document["reels"]
    assert reel["output"]["path"] == str(here / "reel.mp4")
    assert reel["output"]["sha256"] == sha256(here / "reel.mp4")
    assert reel["output"]["size_bytes"] == (here / "reel.mp4").stat().st_size
    assert [(one["path"], one["sha256"]) for one in reel["inputs"]] == [(str(clip), sha256(clip))] * 2
    assert [one["end_seconds"] for one in reel["inputs"]] == [None, 0.1]
    assert all("-i" in one["argv"] for one in reel["inputs"])
    assert (reel["settings"]["video"]["size"], reel["join"]["method"]) == ("160x90", "FFmpeg")
    assert document["tool"]["ffmpeg"] == reel["ffmpeg"]


def test_a_reel_that_is_up_to_date_keeps_its_manifest(mpt: Mpt, clip: Path, here: Path) -> None:
    command = ("process", clip, "-o", "reel.mp4", *SMALL, "--if-changed", "--json")
    assert mpt(*command).data["unchanged"] is False
    assert mpt(*command, "--manifest", "m.json").data["unchanged"] is False, "the hashes were not known"
    first = manifest_in(here / "m.json")["reels"][0]
    (here / "m.json").unlink()
    assert mpt(*command, "--manifest", "m.json").data["unchanged"] is True
    again = manifest_in(here / "m.json")["reels"][0]
    assert (again["unchanged"], again["inputs"], again["output"]) == (True, first["inputs"], first["output"])


def test_that_it_is_up_to_date_is_an_event_and_a_line(mpt: Mpt, clip: Path) -> None:
    command = ("process", clip, "-o", "reel.mp4", *SMALL, "--if-changed")
    assert mpt(*command).code == 0
    events = events_of(mpt(*command, "--jsonl").out, 0)
    assert [event["type"] for event in events if event["type"] != "resource-sample"] == [
        "run-started",
        "notice",
        "run-finished",
    ]
    assert mpt(*command).out == "reel.mp4 is up to date, nothing was done\n"


def test_a_run_that_made_nothing_leaves_the_manifest_of_the_reel(mpt: Mpt, clip: Path, here: Path) -> None:
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--manifest", "m.json").code == 0
    before = (here / "m.json").read_bytes()
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--manifest", "m.json").code == 3
    assert (here / "m.json").read_bytes() == before


def test_a_batch_has_one_of_each(mpt: Mpt, clip: Path, here: Path) -> None:
    assert clip.is_file()
    (here / "jobs.toml").write_text(
        '[[job]]\nname = "good"\noutput = "a.mp4"\nclips = ["a clip.mp4"]\n'
        '[[job]]\nname = "bad"\noutput = "b.mp4"\nclips = ["gone.mp4"]\n'
    )
    files = ("--junit", "j.xml", "--metrics-file", "deep/er/m.prom", "--manifest", "m.json")
    assert mpt("batch", "jobs.toml", *SMALL, *files).code == 5
    root = ElementTree.parse(here / "j.xml").getroot()
    assert [(suite.get("name"), suite.get("failures")) for suite in root] == [("good", "0"), ("bad", "2")]
    assert exit_code_in(here / "deep/er/m.prom") == 5
    assert [reel["output"] is not None for reel in manifest_in(here / "m.json")["reels"]] == [True, False]


def test_validate_tells_a_ci_server(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "text.mp4").write_text("no clip")
    assert mpt("validate", clip, "text.mp4", "no*.mov", "--junit", "j.xml", "--metrics-file", "m.prom").code == 3
    root = ElementTree.parse(here / "j.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert exit_code_in(here / "m.prom") == 3


# --- when they are written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["process", "gone.mp4", "-o", "reel.mp4"], 3),
        (["process", "gone.mp4"], 2),
        (["process", "a clip.mp4", "-o", "reel.mp4", "--crf", "99"], 2),
        (["concat", "a clip.mp4", "-o", "reel.mp4", "--deadline", "0.001"], 4),
        (["validate"], 2),
        (["batch", "gone.toml"], 2),
    ],
    ids=str,
)
@pytest.mark.usefixtures("clip")
@pytest.mark.core(2)
def test_a_run_that_fails_is_told_too(mpt: Mpt, here: Path, arguments: list[str], code: int) -> None:
    assert mpt(*arguments, "--metrics-file", "m.prom").code == code
    assert exit_code_in(here / "m.prom") == code


def test_metrics_of_a_failing_run_keep_the_time_of_the_last_success(mpt: Mpt, clip: Path, here: Path) -> None:
    def succeeded() -> float:
        found = parsed((here / "m.prom").read_text(encoding="utf-8"))
        return next(value for (name, _), value in found.items() if name == "mpt_last_success_timestamp_seconds")

    (here / "real").mkdir()
    (here / "m.prom").symlink_to("real/m.prom")
    bad, good = ("process", "gone.mp4", "-o", "r.mp4"), ("process", clip, "-o", "r.mp4", *SMALL)
    assert (mpt(*bad, "--metrics-file", "m.prom").code, succeeded()) == (3, 0)
    assert mpt(*good, "--metrics-file", "m.prom").code == 0
    when = succeeded()
    assert when > 0
    for code, command in ((3, bad), (2, ("process", "--crf", "99", *bad[1:])), (3, good)):
        assert (mpt(*command, "--metrics-file", "m.prom").code, succeeded()) == (code, when)
    assert mpt("validate", clip, "--metrics-file", "m.prom").code == 0
    assert (mpt(*bad, "--metrics-file", "m.prom").code, succeeded()) == (3, 0), (
        "a success of validate is none of process"
    )


def test_a_failing_ffmpeg_is_told(mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, "exit 1", monkeypatch)
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--metrics-file", "m.prom").code == 4
    assert exit_code_in(here / "m.prom") == 4


def test_the_last_runs_are_replaced_in_one_step(mpt: Mpt, clip: Path, here: Path) -> None:
    real = here / "real.prom"
    (here / "m.prom").symlink_to(real)
    for _ in range(2):
        assert mpt("validate", clip, "--metrics-file", "m.prom", "--junit", "j.xml").code == 0
        if not (here / "reader").exists():
            (here / "reader").hardlink_to(real)  # what a reader has open
    assert (here / "m.prom").is_symlink()
    assert (here / "reader").stat().st_ino != real.stat().st_ino
    assert exit_code_in(here / "reader") == exit_code_in(real) == 0
    umask = os.umask(0o22)
    os.umask(umask)
    assert real.stat().st_mode & 0o777 == 0o666 & ~umask, "the collector is another user"


def test_a_dry_run_writes_none(mpt: Mpt, clip: Path, here: Path) -> None:
    before = everything_in(here)
    assert mpt("process", clip, "-o", "r.mp4", "-n", "--metrics-file", "m.prom", "--manifest", "m.json").code == 0
    assert everything_in(here) == before


def test_one_that_cannot_be_written_in_the_end_is_a_warning(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(here, f'echo mine > "{here}/m.prom"; exit 1', monkeypatch)
    done = mpt("process", clip, "-o", "r.mp4", *SMALL, "--metrics-file", "m.prom", "--json")
    assert (done.code, done.document["warnings"][-1]["code"]) == (4, "output_not_writable")
    assert (here / "m.prom").read_text() == "mine\n"


# --- what they never replace --------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--metrics-file", "--manifest"])
@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("a clip.mp4", "is a video file"),
        ("reel.mp4", "is a video file"),
        ("notes.txt", "what is there was not written by mpt"),
        ("a folder", "what is there was not written by mpt"),
        ("notes.txt/m", "cannot be written"),
        ("run.log", "is named by --"),
        ("sheet.png", "is named by --"),
        ("loop", "cannot be written"),
    ],
)
@pytest.mark.core(4)
def test_nothing_else_is_ever_replaced(mpt: Mpt, clip: Path, here: Path, option: str, target: str, why: str) -> None:
    (here / "notes.txt").write_text("mine")
    (here / "a folder").mkdir()
    (here / "loop").symlink_to("loop")
    before = everything_in(here)
    others = ("--log-file", "run.log", "--contact-sheet", "sheet.png")
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, option, target, *others, "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert why in done.document["errors"][0]["message"]
    after = everything_in(here)
    after.pop(here / "run.log", None)
    assert after == before


@pytest.mark.core
def test_another_programs_report_is_not_replaced(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "j.xml").write_text('<?xml version="1.0"?><testsuites name="pytest tests"/>')
    done = mpt("validate", clip, "--junit", "j.xml", "--metrics-file", "j.xml", "--json")
    assert done.code == 2
    assert "pytest" in (here / "j.xml").read_text()


def test_two_of_them_must_not_be_one(mpt: Mpt, clip: Path, here: Path) -> None:
    done = mpt("validate", clip, "--junit", "told", "--metrics-file", "./told", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert not (here / "told").exists()


def test_an_empty_file_may_be_filled(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "j.xml").touch()
    assert mpt("validate", clip, "--junit", "j.xml").code == 0
    assert ElementTree.parse(here / "j.xml").getroot().get("tests") == "1"

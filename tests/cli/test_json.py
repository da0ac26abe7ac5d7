"""``--json`` is exactly one document and ``--jsonl`` a stream of events, whatever happens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.version import __version__
from tests.cli.conftest import SMALL, Mpt, events_of, fake_ffmpeg, run_program

if TYPE_CHECKING:
    from typing import Any

    from tests.media import MediaFolder


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    """An ordinary clip."""
    return media.make(seconds=0.2)


@pytest.fixture
def wrong_config(here: Path) -> None:
    """A folder whose configuration has a slip of the pen."""
    (here / "mpt.toml").write_text("encode.cfr = 20\n")


@pytest.mark.core
def test_a_good_run_is_one_document(mpt: Mpt, clip: Path, here: Path) -> None:
    done = mpt("process", clip, clip, "-o", "reel.mp4", *SMALL, "--json")
    document = done.document
    assert (document["status"], document["command"], document["errors"]) == ("success", "process", [])
    assert document["tool"]["mpt"] == __version__
    assert document["tool"]["ffmpeg"]
    output = document["data"]["output"]
    assert (output["path"], output["frames"]) == (str(here / "reel.mp4"), 12)
    assert output["size_bytes"] == (here / "reel.mp4").stat().st_size
    assert [c["start_seconds"] for c in document["data"]["clips"]] == [0.0, 0.2]
    assert [step["name"] for step in document["data"]["metrics"]["milestones"]][-1] == "published"
    assert done.err.splitlines()[0].endswith(" process: 2 clips")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["process", "a.mp4", "--bogus", "--json"], "process"),
        (["--json", "process", "a.mp4", "-o", "b.mp4"], "process"),
        (["concat", "--json", "a.mp4", "-o"], "concat"),
        (["process", "a.mp4", "-o", "--json"], "process"),
        (["process", "a.mp4", "--size", "--json", "-o", "b.mp4"], "process"),
        (["proces", "--json"], "mpt"),
        (["--bogus", "--json"], "mpt"),
        (["--json"], "mpt"),
        (["validate", "--json"], "validate"),
        (["validate", "a.mp4", "--color", "blue", "--json"], "validate"),
        (["process", "--json"], "process"),
        (["process", "a.mp4", "--json"], "process"),
        (["process", "a.mp4", "-o", "b.mp4", "--min-success-rate", "0.5", "--json"], "process"),
        (["process", "--job", "missing.toml", "--json"], "process"),
        (["validate", "a.mp4", "--log-file", "/dev/null/log", "--json"], "validate"),
        (["completions", "tcsh", "--json"], "completions"),
    ],
    ids=" ".join,
)
@pytest.mark.core(4)
def test_a_usage_error_is_one_document(mpt: Mpt, arguments: list[str], command: str) -> None:
    done = mpt(*arguments)
    assert (done.code, done.codes) == (2, ["usage"])
    assert (done.document["command"], done.document["data"]) == (command, {})
    assert done.err == ""


@pytest.mark.parametrize("option", ["--size=12", "--fps=29.97", "--crf=64", "--fit=round", "--jobs=0", "--codec=vp9"])
@pytest.mark.core
def test_a_wrong_value_is_one_document(mpt: Mpt, option: str) -> None:
    done = mpt("process", "a.mp4", "-o", "b.mp4", option, "--json")
    assert (done.code, done.codes) == (2, ["config_invalid"])
    assert option.partition("=")[0] in done.document["errors"][0]["message"]


@pytest.mark.usefixtures("wrong_config")
@pytest.mark.parametrize("command", ["process a.mp4 -o b.mp4", "concat a.mp4 -o b.mp4", "validate a.mp4"])
@pytest.mark.core
def test_a_configuration_error_is_one_document(mpt: Mpt, here: Path, command: str) -> None:
    done = mpt(*command.split(), "--json")
    assert (done.code, done.codes) == (2, ["config_invalid"])
    assert done.document["errors"][0]["path"] == str(here / "mpt.toml")
    assert "encode.crf" in done.document["errors"][0]["message"]


@pytest.mark.core
def test_a_refusal_is_one_document_with_every_problem(mpt: Mpt, clip: Path) -> None:
    done = mpt(
        "process", "missing.mp4", clip, "no*.mp4", "-o", "reel.mov", "--codec", "av1", "--size", "30x31", "--json"
    )
    assert (done.code, done.document["status"]) == (3, "error")
    *own, total = done.codes
    assert sorted(own) == [
        "codec_container_mismatch",
        "file_not_found",
        "no_match",
        "odd_dimensions",
    ]
    assert total == "validation_failed"
    assert [entry["status"] for entry in done.data["clips"]] == ["failed", "not_run"]


def test_a_failure_is_one_document(mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, 'echo "out of luck" >&2; exit 1', monkeypatch)
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (done.code, done.codes) == (4, ["clip_failed", "processing_failed"])
    assert "out of luck" in done.document["errors"][0]["message"]
    assert done.document["tool"]["ffmpeg"] == "9.9-fake"
    assert (done.data["output"], done.data["clips"][0]["status"]) == (None, "failed")
    assert done.data["clips"][0]["error"] == done.document["errors"][0]
    assert not (here / "reel.mp4").exists()


def test_an_ffmpeg_that_writes_rubbish_has_failed(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(here, 'for last; do case "$last" in */.mpt-run-*) echo x > "${last#file:}";; esac; done', monkeypatch)
    done = mpt("process", clip, "-o", "reel.mp4", *SMALL, "--json")
    assert (done.code, done.codes) == (4, ["clip_failed", "processing_failed"])


@pytest.mark.parametrize("kind", ["missing", "too old", "no program"])
@pytest.mark.core(1)
def test_a_missing_dependency_is_one_document(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    binary = fake_ffmpeg(here, "exit 1", monkeypatch)
    if kind == "missing":
        binary.unlink()
    else:
        binary.write_text("#!/bin/sh\n" + ("echo ffmpeg version 5.0.1" if kind == "too old" else "exit 1"))
    done = mpt("process", clip, "-o", "reel.mp4", "--json")
    assert (done.code, done.codes) == (6, ["dependency_missing"])
    assert done.document["errors"][0]["path"] == str(binary)
    assert "MPT_FFMPEG__BINARY" in done.document["errors"][0]["hint"]


def test_each_of_many_mistakes_is_an_error_of_its_own(mpt: Mpt, here: Path) -> None:
    lines = ['{"output": 1, "clips": ["a.mp4"]}', "nothing", '{"output": "b.mp4", "clips": [], "job": 3}']
    done = mpt("batch", "-", "--json", "--fail-fast", stdin="\n".join(lines).encode())
    assert (done.code, done.codes) == (2, ["usage"] * 4)
    assert all(issue["hint"] is None for issue in done.document["errors"])
    told = mpt("batch", "-", "--fail-fast", stdin="\n".join(lines).encode())
    assert [line.split(" (usage)")[0] for line in told.err.splitlines()] == [
        f"error: {issue['path']}: {issue['message']}" for issue in done.document["errors"]
    ]
    (here / "mpt.toml").write_text("".join(f"key{number} = 1\n" for number in range(30)))
    done = mpt("process", "a.mp4", "-o", "b.mp4", "--crf", "99", "--fps", "29.97", "--json")
    assert done.codes == ["config_invalid"] * 32
    assert [issue["path"] for issue in done.document["errors"][1:3]] == [None, str(here / "mpt.toml")]
    told = mpt("process", "a.mp4", "-o", "b.mp4", "--crf", "99", "--fps", "29.97")
    assert (told.code, len(told.err.splitlines())) == (2, 21)
    assert told.err.splitlines()[-1] == "and 12 more; --json lists all"


def test_a_bug_is_one_document_and_its_traceback_is_for_v_only(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A module of the user's that has the name of one that is needed.
    (here / "pydantic_settings.py").write_text("raise RuntimeError('not what you think')")
    monkeypatch.setenv("PYTHONPATH", str(here))
    done = run_program("report", "--json")
    verbose = run_program("report", "--json", "-v")
    assert (done.code, done.codes, done.err) == (1, ["internal"], "")
    assert "report it" in done.document["errors"][0]["hint"]
    assert verbose.document["errors"] == done.document["errors"]
    assert "Traceback" in verbose.err


def test_a_document_is_ascii_and_paths_are_absolute(mpt: Mpt, here: Path) -> None:
    done = mpt("validate", "sub/../fehlt-ü.mp4", "--json")
    assert done.out.isascii()
    assert Path(done.data["clips"][0]["path"]).is_absolute()
    assert done.data["clips"][0]["path"].endswith("fehlt-ü.mp4")


# --- events -------------------------------------------------------------------------------------


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """Types of all events but those that come as time passes."""
    passing = ("clip-progress", "concat-progress", "resource-sample")
    return [event["type"] for event in events if event["type"] not in passing]


@pytest.mark.core
def test_events_of_a_good_run(mpt: Mpt, clip: Path) -> None:
    done = mpt("process", clip, clip, "-o", "reel.mp4", *SMALL, "--jobs", "1", "--jsonl")
    events = events_of(done.out, 0)
    assert kinds(events) == [
        "run-started",
        "validation-finished",
        *["clip-started", "clip-finished"] * 2,
        "concat-started",
        "concat-finished",
        "run-finished",
    ]
    assert (events[-1]["type"], events[-1]["status"]) == ("run-finished", "success")
    assert json.loads(done.out.splitlines()[-1])["data"]["workflow_id"] == events[0]["workflow_id"]
    assert done.err == ""


def test_every_clip_that_started_ends_once(mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ffmpeg(here, "exit 1", monkeypatch)
    events = events_of(mpt("process", *[clip] * 5, "-o", "reel.mp4", "--jsonl").out, 4)
    started = [event["index"] for event in events if event["type"] == "clip-started"]
    assert started
    assert sorted(event["index"] for event in events if event["type"] == "clip-failed") == sorted(started)
    assert (events[0]["type"], events[-1]["type"], events[-1]["status"]) == ("run-started", "run-finished", "error")


def test_a_skipped_clip_is_noticed(mpt: Mpt, clip: Path) -> None:
    arguments = ("process", "missing.mp4", clip, "-o", "reel.mp4", *SMALL, "--on-error", "skip", "--jsonl")
    events = events_of(mpt(*arguments).out, 5)
    (notice,) = [event for event in events if event["type"] == "notice"]
    assert (notice["level"], notice["code"], notice["index"]) == ("warning", "file_not_found", 0)
    assert events[-1]["status"] == "partial"


def test_a_refused_run_finishes_too(mpt: Mpt) -> None:
    events = events_of(mpt("process", "missing.mp4", "-o", "reel.mp4", "--jsonl").out, 3)
    assert kinds(events) == ["run-started", "validation-finished", "run-finished"]


@pytest.mark.parametrize("arguments", [["process", "--bogus"], ["process", "a", "-o", "b.mp4", "--crf", "x"], ["-x"]])
@pytest.mark.core
def test_a_run_that_never_began_has_only_the_envelope(mpt: Mpt, arguments: list[str]) -> None:
    assert events_of(mpt(*arguments, "--jsonl").out, 2) == []


@pytest.mark.core
def test_json_and_jsonl_exclude_each_other(mpt: Mpt, clip: Path) -> None:
    done = mpt("validate", clip, "--json", "--jsonl")
    assert (done.code, done.codes) == (2, ["usage"])


def test_a_working_folder_that_is_gone_is_no_bug(mpt: Mpt, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Path("gone").absolute()
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = mpt("validate", clip, "--json")
    os.chdir(gone.parent)
    assert (done.code, done.codes) == (2, ["usage"])

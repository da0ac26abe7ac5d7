"""``--log-file``: first and last record, jobs, rotation, several commands at once, and a full disk."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.cli.log import LogFile
from tests.cli.conftest import SMALL, fake_ffmpeg, run_program, schema, start
from tests.cli.test_signals import await_event
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

needs_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")


@pytest.fixture
def clip(media: MediaFolder, here: Path) -> Path:
    path = here / "clip\nwith a break.mp4"
    path.write_bytes(media.numbered(numbered(1, seconds=0.5)).read_bytes())
    return path


def records_of(path: Path) -> list[dict[str, Any]]:
    """The records of a log of JSON, each as its schema says."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for record in records:
        schema("log").validate(record)
    return records


@pytest.mark.core
def test_a_log_tells_a_batch_from_its_command_line_to_its_exit_code(mpt: Mpt, clip: Path, here: Path) -> None:
    jobs = [
        {"name": "good", "output": "out/good.mp4", "clips": [str(clip)]},
        {"name": "bad", "output": "out/bad.mp4", "clips": ["gone.mp4"]},
    ]
    options = ("--log-file", "logs/night.log", "--log-format", "json", "--json")
    done = mpt("batch", "-", *SMALL, *options, stdin="\n".join(map(json.dumps, jobs)).encode())
    assert done.code == 5
    first, *between, last = records_of(here / "logs/night.log")
    assert (first["event"], first["mpt"]) == ("begin", done.document["tool"]["mpt"])
    assert (last["event"], last["status"], last["exit_code"]) == ("end", "partial", 5)
    ends = {record["job"]: record for record in between if record.get("event") == "run-finished"}
    assert {job: (end["status"], end["code"]) for job, end in ends.items()} == {
        None: ("partial", None),
        "good": ("success", None),
        "bad": ("error", "validation_failed"),
    }
    reasons = [record for record in between if record["code"] and record["job"] == "bad" and "event" not in record]
    assert [(record["code"], record["path"]) for record in reasons] == [
        ("file_not_found", str(here / "gone.mp4")),
        ("validation_failed", None),
    ]
    assert {record["output"] for record in between if record["job"] == "bad"} == {str(here / "out/bad.mp4")}
    assert between.index(reasons[-1]) < between.index(ends["bad"])
    started = next(record for record in between if record.get("event") == "clip-started")
    assert (started["path"], started["job"]) == (str(clip), "good")


def test_a_text_log_has_one_line_for_each_record(mpt: Mpt, clip: Path, here: Path) -> None:
    assert mpt("process", clip, "bad", "-o", "reel.mp4", *SMALL, "-q", "--log-file", "run.log").code == 3
    first, *between, last = (here / "run.log").read_text().splitlines()
    assert "begins: mpt process " in first
    assert f"output={here}/reel.mp4 {here}/bad: does not exist (file_not_found); hint: " in "\n".join(between)
    assert last.endswith(" s")
    assert "ERROR output=" in last
    assert "mpt ends: error, exit code 3, after " in last
    assert len({line.split(" ")[1] for line in (first, *between, last)}) == 1


@pytest.mark.core
def test_a_command_line_that_cannot_be_read_is_in_the_log_too(mpt: Mpt, here: Path) -> None:
    for arguments in (("--bogus", "--log-file", "run.log"), ("--log-file=run.log", "--jobs")):
        assert mpt("process", "a.mp4", *arguments).code == 2
    lines = (here / "run.log").read_text().splitlines()
    assert len(lines) == 6
    assert "(usage); hint: see mpt process --help" in lines[1]
    assert "mpt ends: error, exit code 2" in lines[5]


def test_a_format_without_a_file_is_a_usage_error(mpt: Mpt) -> None:
    done = mpt("validate", "a.mp4", "--log-format", "json", "--json")
    assert (done.code, done.codes) == (2, ["usage"])


def test_an_ffmpeg_that_fails_leaves_its_command_and_words(
    mpt: Mpt, clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_ffmpeg(here, 'echo "first word" >&2; echo "out of luck" >&2; exit 3', monkeypatch)
    assert mpt("process", clip, "-o", "reel.mp4", *SMALL, "--log-file", "run.log").code == 4
    text = (here / "run.log").read_text()
    assert "ffmpeg exited with exit code 3 after " in text
    assert r"it said: first word\nout of luck" in text
    assert f"MPT_FFMPEG__BINARY={fake} mpt process" in text
    assert f"ffmpeg {fake}" in text.splitlines()[0]


def test_a_signal_is_a_record(clip: Path, here: Path) -> None:
    with start("process", clip, "-o", "reel.mp4", "--jsonl", "--log-file", "run.log", "--size", "3840x2160") as process:
        await_event(process, "clip-started")
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 143
    lines = (here / "run.log").read_text().splitlines()
    assert any("SIGTERM came: stopping" in line for line in lines)
    assert "mpt ends: cancelled, exit code 143" in lines[-1]


@needs_full_disk
def test_a_full_disk_costs_records_and_is_one_warning(clip: Path) -> None:
    done = run_program("process", clip, "-o", "reel.mp4", *SMALL, "--json", "--log-file", "/dev/full")
    assert (done.code, done.document["status"]) == (0, "success")
    (warning,) = done.document["warnings"]
    assert (warning["code"], warning["path"]) == ("output_not_writable", "/dev/full")
    told = run_program("process", clip, "-o", "reel.mp4", "-y", *SMALL, "--log-file", "/dev/full")
    assert told.err.count("/dev/full: lacks records of the log") == 1
    assert "Traceback" not in told.err


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    """A log file that is open."""
    file = LogFile(tmp_path / "run.log")
    yield file
    file.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("mpt_cli", logging.INFO, "", 0, text, None, None)


def test_a_log_that_is_moved_or_cut_goes_on_in_the_file_of_its_name(log: LogFile, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log.handle(record("one"))
    path.rename(tmp_path / "run.log.1")
    log.handle(record("two"))
    assert [(tmp_path / name).read_text() for name in ("run.log.1", "run.log")] == ["one\n", "two\n"]
    os.truncate(path, 0)
    log.handle(record("three"))
    assert path.read_text() == "three\n"


def test_a_log_whose_folder_was_gone_for_a_while_says_how_much_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = LogFile(folder / "run.log")
    folder.rename(tmp_path / "moved")
    log.handle(record("one"))
    log.handle(record("two"))
    folder.mkdir()
    log.handle(record("three"))
    log.close()
    lost, last = (folder / "run.log").read_text().splitlines()
    assert lost.startswith("the records before this one, 2 in number, could not be written (No such file")
    assert last == "three"
    assert [issue.path for issue in log.losses()] == [folder / "run.log"]


def test_a_part_of_a_record_does_not_spoil_the_next_one(log: LogFile, tmp_path: Path) -> None:
    path, (_, hard) = tmp_path / "run.log", resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
        log.handle(record("too long for it"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_text() == "too l"
    log.handle(record("next"))
    part, lost, following = path.read_text().splitlines()
    assert (part, following) == ("too l", "next")
    assert "1 in number" in lost


def test_records_of_several_commands_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "run.log"

    def write(letter: str) -> None:
        log = LogFile(path)
        for _ in range(200):
            log.handle(record(letter * 20_000))
        log.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, "abcd"))
    lines = path.read_text().splitlines()
    assert sorted(lines) == [letter * 20_000 for letter in "abcd" for _ in range(200)]

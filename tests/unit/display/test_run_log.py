"""The log of a command: each thing once, with its job and output, on one line."""

from __future__ import annotations

import json
import logging
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from mpt_cli.display.run_log import JsonFormatter, RunLog, TextFormatter
from mpt_cli.model.errors import DeadlineReached, Issue, IssueCode
from mpt_cli.model.results import ClipResult, ClipStatus, JobEnd, RunStatus, VideoResult
from mpt_cli.runtime import events
from mpt_cli.runtime.current_run import CURRENT_RUN
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

EVIL = Path("/in/a\n2026 fake\x1b[2J.mp4")
GONE = Issue(IssueCode.FILE_NOT_FOUND, "does not exist", Path("/in/b.mp4"), "look for it")
SCHEMA = Draft202012Validator(json.loads(files("mpt_cli").joinpath("share/schemas/log.json").read_text("utf-8")))


class Kept(logging.Handler):
    """A log file in memory, in both forms."""

    def __init__(self, log: RunLog) -> None:
        super().__init__()
        self.addFilter(log.complete)
        self.texts: list[str] = []
        self.data: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(TextFormatter().format(record))
        line = JsonFormatter().format(record)
        assert "\n" not in line
        self.data.append(json.loads(line))

    @property
    def told(self) -> list[str]:
        """The text lines behind time and run."""
        return [line.split(" ", 2)[2] for line in self.texts]


@pytest.fixture
def log() -> RunLog:
    return RunLog(clock=FakeClock(0.0))


@pytest.fixture
def kept(log: RunLog) -> Iterator[Kept]:
    """What the log holds; every record keeps the schema."""
    handler, logger = Kept(log), logging.getLogger("mpt_cli")
    logger.addHandler(handler)
    before, level = logger.level, logging.INFO
    logger.setLevel(level)
    yield handler
    logger.setLevel(before)
    logger.removeHandler(handler)
    for record in handler.data:
        SCHEMA.validate(record)
    for text in handler.texts:
        assert text.isprintable()


def test_first_and_last_record_say_what_ran_and_how_it_ended(
    log: RunLog, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPT_ENCODE__CRF", "20 or so")
    log.begin(["mpt", "process", "a b.mp4"], Path("/bin/ffmpeg"))
    log.end(RunStatus.ERROR, 7)
    first, last = kept.data
    assert first["argv"] == ["mpt", "process", "a b.mp4"]
    assert (first["event"], first["ffmpeg"], first["folder"]) == ("begin", "/bin/ffmpeg", str(Path.cwd()))
    assert first["environment"]["MPT_ENCODE__CRF"] == "20 or so"
    assert "begins: MPT_ENCODE__CRF='20 or so' mpt process 'a b.mp4'; in " in kept.texts[0]
    assert (last["event"], last["level"], last["status"], last["exit_code"]) == ("end", "error", "error", 7)
    assert kept.told[1] == "ERROR mpt ends: error, exit code 7, after 0.0 s"
    assert first["run"] == last["run"]


def test_events_are_records_with_job_and_output(log: RunLog, kept: Kept) -> None:
    log.name("w1", Path("/out/my reel.mp4"), "monday")
    for event in (
        events.RunStarted("process", "w1", 2),
        events.ClipStarted(0, EVIL, "encode", 4.2),
        events.ClipProgress(0, 1.0, 1.0, None),
        events.ClipFailed(0, "clip_failed", "no\nway", "try again"),
        events.Notice("warning", "damaged", "is damaged", 1, GONE.path, "mend it"),
        events.RunFinished("error", "processing_failed"),
    ):
        log.emit(event, job="monday")
    where = 'job=monday output="/out/my reel.mp4"'
    assert kept.told == [
        f"INFO {where} process: 2 clips",
        rf"INFO {where} [1/2] /in/a\n2026 fake\x1b[2J.mp4: encode, 4.2 s",
        rf"ERROR {where} [1/2] /in/a\n2026 fake\x1b[2J.mp4: FAILED: no\nway (clip_failed); hint: try again",
        f"WARNING {where} /in/b.mp4: is damaged (damaged); hint: mend it",
        f"ERROR {where} finished: error (processing_failed) after 0 s",
    ]
    failed = kept.data[2]
    assert (failed["event"], failed["index"], failed["path"]) == ("clip-failed", 0, str(EVIL))
    assert (failed["job"], failed["output"], failed["code"]) == ("monday", "/out/my reel.mp4", "clip_failed")
    assert (kept.data[-1]["status"], kept.data[-1]["code"]) == ("error", "processing_failed")


def test_messages_from_inside_have_the_job_of_their_run(log: RunLog, kept: Kept) -> None:
    log.name("w1", Path("/out/a.mp4"), "monday")
    inside = logging.getLogger("mpt_cli.storage.store")
    token = CURRENT_RUN.set("w1")
    inside.warning("the entry is\ndamaged")
    inside.warning("an event tells it", extra={"told": True})
    inside.error("/in/b.mp4: does not exist (file_not_found)", extra={"issue": GONE})
    CURRENT_RUN.reset(token)
    inside.warning("nobody's")
    assert kept.told == [
        r"WARNING job=monday output=/out/a.mp4 mpt_cli.storage.store: the entry is\ndamaged",
        "ERROR job=monday output=/out/a.mp4 /in/b.mp4: does not exist (file_not_found); hint: look for it",
        "WARNING mpt_cli.storage.store: nobody's",
    ]
    assert [record.get("logger") for record in kept.data] == ["mpt_cli.storage.store", None, "mpt_cli.storage.store"]


def test_a_traceback_is_one_record(log: RunLog, kept: Kept) -> None:
    try:
        raise ValueError("a\nbug")
    except ValueError:
        log.crash()
    (text,) = kept.told
    assert text.startswith(r"ERROR a bug in mpt ended the command\nTraceback")
    assert text.endswith(r"ValueError: a\nbug")
    assert kept.data[0]["exception"].endswith("ValueError: a\nbug")


def test_issues_of_jobs_are_told_once(log: RunLog, kept: Kept) -> None:
    failed, late = Issue(IssueCode.CLIP_FAILED, "no"), Issue(IssueCode.INPUT_CHANGED, "changed")
    clip = ClipResult(0, Path("a.mp4"), ClipStatus.FAILED, error=failed)
    result = VideoResult("w1", RunStatus.ERROR, clips=(clip,), errors=(failed, GONE), warnings=(late,))
    log.name("w1", Path("/out/a.mp4"), "monday")
    log.emit(events.ClipFailed(0, "clip_failed", "no"), job="monday")
    token = CURRENT_RUN.set("w1")
    logging.getLogger("mpt_cli.workflow").error("gone", extra={"issue": GONE})
    CURRENT_RUN.reset(token)
    kept.data.clear()
    log.ends([JobEnd("monday", result, 4)])
    assert [(record["code"], record["job"], record["level"]) for record in kept.data] == [
        ("input_changed", "monday", "warning")
    ]


def test_an_issue_of_a_job_without_an_output_is_told_once(log: RunLog, kept: Kept) -> None:
    log.name("w1", None, "job 2")
    log.emit(events.Notice("error", GONE.code.value, GONE.message, path=GONE.path, hint=GONE.hint), job="job 2")
    log.ends([JobEnd("job 2", VideoResult("w1", RunStatus.ERROR, errors=(GONE,)), 2)])
    assert [(record["job"], record["code"]) for record in kept.data] == [("job 2", "file_not_found")]


def test_jobs_that_did_not_begin_are_one_record(log: RunLog, kept: Kept) -> None:
    reason = DeadlineReached("the time was over", hint="run it again").issue
    late = [VideoResult("w", RunStatus.SKIPPED, errors=(reason,), code=reason.code)] * 194
    stopped = VideoResult("w", RunStatus.SKIPPED)
    log.ends([*(JobEnd(f"j{number}", result, None) for number, result in enumerate(late)), JobEnd("x", stopped, None)])
    names = ", ".join(f"j{number}" for number in range(10))
    assert kept.told == [
        f"ERROR 194 jobs not begun: {names} and 184 more; the time was over (deadline_reached); hint: run it again",
        "ERROR 1 job not begun: x",
    ]


def test_a_log_without_a_file_writes_nothing(kept: Kept) -> None:
    silent = RunLog(active=False)
    silent.begin(["mpt"], None)
    silent.emit(events.RunStarted("process", "w", 1))
    silent.issues([GONE], logging.ERROR)
    silent.signal("SIGTERM")
    silent.end(RunStatus.SUCCESS, 0)
    assert kept.texts == []

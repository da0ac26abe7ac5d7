"""Earlier runs: the list is short and newest first, and an output finds the run that made it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mpt_cli.cli.batch_record import BatchRecorder
from mpt_cli.cli.earlier_runs import EarlierRuns
from mpt_cli.display.answers.run_list import show_list
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import JobEnd, PerformanceReport, RunStatus, VideoResult
from mpt_cli.model.run_record import BatchEntry, HistoryEntry, JobRecord, ListedRun
from mpt_cli.reporting.report_data import list_data
from mpt_cli.runtime.events import ConcatFinished, RunContext, RunStarted
from mpt_cli.storage.run_history import History
from tests.cli.conftest import schema
from tests.unit.reporting.told import STARTED, output


class Records:
    """Folders of records, filled minute by minute."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.batches = History(folder / "r", HistoryEntry), History(folder / "b", BatchEntry)
        self.minutes = 0

    @property
    def earlier(self) -> EarlierRuns:
        return EarlierRuns(self.runs, self.batches)

    def run(self, path: Path, status: RunStatus = RunStatus.SUCCESS, **of: Any) -> str:
        """Add a run that was to make this reel, and return its id."""
        self.minutes += 1
        name = f"{self.minutes:04x}" * 8
        made = replace(output(), path=path) if status is not RunStatus.ERROR else None
        result = VideoResult(name, status, output=made, metrics=PerformanceReport(name, 1.5, None, None, None))
        entry = HistoryEntry("process", STARTED + timedelta(minutes=self.minutes), replace(result, **of))
        self.runs.add(replace(entry, output_path=path))
        return name

    def batch(self, *jobs: str) -> str:
        """Add a batch that began before its jobs, and return its id."""
        name = f"b{len(jobs):03x}" * 8
        began = STARTED + timedelta(minutes=self.minutes - len(jobs), seconds=30)
        records = tuple(JobRecord(job, job, RunStatus.SUCCESS, 0, Path("/x.mp4")) for job in jobs)
        self.batches.add(BatchEntry(name, began, 9.0, RunStatus.PARTIAL, 5, records))
        return name


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def ids(lines: list[ListedRun]) -> list[str]:
    return [line.workflow_id for line in lines]


def test_list_is_newest_first_and_holds_a_batch_in_place_of_its_jobs(records: Records) -> None:
    first = records.run(Path("/a.mp4"))
    jobs = [records.run(Path(f"/{number}.mp4")) for number in range(3)]
    batch = records.batch(*jobs)
    last = records.run(Path("/z.mp4"), RunStatus.ERROR, code=IssueCode.DISK_FULL)
    lines = records.earlier.listed(9)
    assert ids(lines) == [last, batch, first]
    assert ids(records.earlier.listed(2)) == [last, batch]
    assert [(line.command, line.exit_code, line.code) for line in lines] == [
        ("process", 7, IssueCode.DISK_FULL),
        ("batch", 5, None),
        ("process", 0, None),
    ]
    data = list_data(lines)
    schema("report").validate(data)
    assert [run["output"] for run in data["runs"]] == ["/z.mp4", None, "/a.mp4"]
    assert data["runs"][1]["jobs"] is not None


def test_jobs_of_a_killed_batch_are_listed_one_by_one(records: Records) -> None:
    jobs = [records.run(Path(f"/{number}.mp4")) for number in range(3)]
    assert ids(records.earlier.listed(9)) == jobs[::-1]


def test_output_finds_the_last_run_that_made_it(records: Records, tmp_path: Path) -> None:
    reel = tmp_path / "reel.mp4"
    records.run(reel)
    made = records.run(reel, RunStatus.PARTIAL)
    records.run(tmp_path / "other" / "reel.mp4")
    records.run(reel, unchanged=True)
    found = records.earlier.of_output(reel)
    assert found is not None
    assert (found[0].workflow_id, found[1]) == (made, None)
    records.run(reel, RunStatus.ERROR)
    failed = records.run(reel, RunStatus.ERROR)
    (tmp_path / "link").symlink_to(tmp_path)
    found = records.earlier.of_output(tmp_path / "link" / "other" / ".." / "reel.mp4")
    assert found is not None
    assert found[0].workflow_id == made
    assert found[1] is not None
    assert found[1].workflow_id == failed


def test_output_that_no_run_made_finds_the_last_that_was_to(records: Records) -> None:
    records.run(Path("/reel.mp4"), RunStatus.ERROR)
    failed = records.run(Path("/reel.mp4"), RunStatus.ERROR)
    found = records.earlier.of_output(Path("/reel.mp4"))
    assert found is not None
    assert (found[0].workflow_id, found[1]) == (failed, None)
    assert records.earlier.of_output(Path("/eel.mp4")) is None


def test_runs_of_older_versions_are_found_by_the_reel_they_made(records: Records) -> None:
    name = records.run(Path("/reel.mp4"))
    old = records.runs.find(name)
    assert old is not None
    records.runs.add(replace(old, output_path=None))
    found = records.earlier.of_output(Path("/reel.mp4"))
    assert found is not None
    assert found[0].output_path is None


def test_ids_find_runs_and_batches_and_last_finds_a_run(records: Records) -> None:
    job = records.run(Path("/a.mp4"))
    batch = records.batch(job)
    assert [found.workflow_id for which in (job, batch[:4], "last") if (found := records.earlier.find(which))] == [
        job,
        batch,
        job,
    ]
    assert records.earlier.find("ffff") is None
    assert records.earlier.known() == [job[:8], batch[:8]]


@pytest.mark.parametrize("width", [80, 200])
def test_list_fits_the_terminal(records: Records, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    records.run(tmp_path / "here.mp4")
    records.run(Path("/srv/reels/2026/week-48/highlights-of-a-very-long-day.mp4"), unchanged=True)
    records.run(Path("/gone.mp4"), RunStatus.ERROR, code=IssueCode.VALIDATION_FAILED)
    records.batch(records.run(Path("/a.mp4")))
    out = StringIO()
    show_list(Console(file=out, width=width, force_terminal=True, color_system=None), records.earlier.listed(9))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[2:5] for line in lines[1:]] == [
        ["b001b001", "batch", "partial"],
        ["00030003", "process", "error"],
        ["00020002", "process", "up"],
        ["00010001", "process", "success"],
    ]
    assert "1 of 1 succeeded" in lines[1]
    assert " here.mp4" in lines[4]
    assert ("validation_failed" in lines[2]) is (width == 200)
    assert ("highlights-of-a-very-long-day.mp4" in lines[3]) is (width == 200)


def test_record_of_a_batch_says_when_each_job_began() -> None:
    times = iter((100.0, 101.5, 110.0))
    heard: list[object] = []
    recorder = BatchRecorder("ab" * 16, clock=lambda: next(times), now=lambda: STARTED)
    context = recorder.hearing(RunContext("w1", heard.append))
    context.emit(RunStarted("process", "w1", 1))
    context.emit(ConcatFinished("FFmpeg"))
    assert len(heard) == 2
    ends = [
        JobEnd("monday", VideoResult("w1", RunStatus.SUCCESS, output=output(), ffmpeg="9.0"), 0),
        JobEnd("tuesday", VideoResult("w2", RunStatus.SKIPPED), None),
    ]
    entry = recorder.entry([Path("1.mp4"), None], ends, status=RunStatus.PARTIAL, exit_code=5)
    assert (entry.started_at, entry.elapsed_seconds, entry.ffmpeg) == (STARTED, 10.0, "9.0")
    assert [job.started_seconds for job in entry.jobs] == [1.5, None]
    assert [job.output_path for job in entry.jobs] == [Path("1.mp4").absolute(), None]

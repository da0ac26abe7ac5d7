"""Report of a batch: page, document and text agree with its jobs, harm nothing, and never grow too large."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mpt_cli.display.answers.batch_report import show_batch_report
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.model.run_record import BatchEntry, JobRecord
from mpt_cli.reporting.batch_page import MOST_ROWS, batch_page
from mpt_cli.reporting.charts import MOST_LANES
from mpt_cli.reporting.report_data import batch_report_data
from tests.cli.conftest import schema
from tests.unit.reporting.test_page import EVIL, Reader
from tests.unit.reporting.told import output

BAD = Issue(IssueCode.NOT_MEDIA, "is not a video file", Path("/clips/bad.mp4"), "export it again")
ODD = Issue(IssueCode.EXTREME_ASPECT_RATIO, "is 9:1", Path("/clips/wide.mp4"))


def job_of(number: int, status: RunStatus = RunStatus.SUCCESS, **of: Any) -> JobRecord:
    """A job that began so many seconds after the first one, and ran for two seconds."""
    path = f"/reels/{number}.mp4"
    made = output(path) if status in (RunStatus.SUCCESS, RunStatus.PARTIAL) else None
    job = JobRecord(
        f"job{number}",
        f"{number:04x}" * 8,
        status,
        0,
        Path(path),
        made,
        started_seconds=float(number),
        elapsed_seconds=2.0,
        memory_peak_bytes=(100 + number) << 20,
        clips={"encode": 2, "copy": 1},
    )
    return replace(job, **of)


def batch_of(*jobs: JobRecord, status: RunStatus = RunStatus.PARTIAL, **of: Any) -> BatchEntry:
    entry = BatchEntry("ab" * 16, datetime(2026, 3, 1, 2, 15, tzinfo=UTC), 10.0, status, 5, jobs, ffmpeg="9.0")
    return replace(entry, **of)


MIXED = batch_of(
    job_of(0),
    job_of(1, RunStatus.PARTIAL, exit_code=5, clips={"encode": 1, "skipped": 1}, errors=(BAD,), warnings=(ODD,)),
    job_of(2, RunStatus.ERROR, exit_code=3, code=BAD.code, clips={"failed": 1}, errors=(BAD,)),
    job_of(3, unchanged=True, clips={"not_run": 3}),
    JobRecord("job4", "0004" * 8, RunStatus.SKIPPED, None, Path("/reels/4.mp4")),
)


def read(batch: BatchEntry) -> Reader:
    return Reader(batch_page(batch))


def shown(batch: BatchEntry, width: int) -> list[str]:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    show_batch_report(console, batch)
    return out.getvalue().splitlines()


def test_document_of_a_batch_has_jobs_and_totals() -> None:
    data = batch_report_data(MIXED)
    schema("report").validate(data)
    assert data["summary"] == {
        "total": 5,
        "succeeded": 2,
        "partial": 1,
        "failed": 1,
        "skipped": 1,
        "reused_clips": 0,
        "unchanged": 1,
        "clips": {"encode": 3, "copy": 1, "reuse": 0, "failed": 1, "skipped": 1, "not_run": 0},
        "errors": 2,
        "warnings": 1,
        "output_bytes": 3 * 4711,
        "output_seconds": 19.5,
        "job_seconds": 8.0,
        "memory_peak_bytes": 103 << 20,
    }
    failed, skipped = data["jobs"][2], data["jobs"][4]
    assert (failed["code"], failed["output"], failed["output_path"]) == ("not_media", None, "/reels/2.mp4")
    assert (failed["started_seconds"], failed["elapsed_seconds"]) == (2.0, 2.0)
    assert (skipped["exit_code"], skipped["started_seconds"], skipped["memory_peak_bytes"]) == (None, None, None)


def test_page_of_a_batch_says_what_its_document_says() -> None:
    page = read(MIXED)
    for said in (
        "Batch of 5 jobs",
        "2 of 5 succeeded",
        "2 succeeded, 1 partial, 1 failed, 1 skipped",
        "3 encoded, 1 copied, 1 failed, 1 skipped",
        "3 reels, 19.500 s, 13.8 KiB",
        "103 MiB",
        "2 errors and 1 warning",
        "job1 not_media is not a video file /clips/bad.mp4 export it again",
        "mpt report 00020002",
        "/reels/2.mp4",
        "up to date",
        "not begun",
        "ab" * 16,
    ):
        assert said in page.text, said
    assert "mpt report 00040004" not in page.text, "a job that was not started has no report"


def test_each_started_job_has_its_bar_where_it_ran() -> None:
    bars = [given for tag, given in read(MIXED).elements if tag == "rect"]
    assert [bar["class"] for bar in bars] == ["success", "partial", "failed", "reuse"]
    for number, bar in enumerate(bars):
        assert float((bar["x"] or "").rstrip("%")) == pytest.approx(10 * number)
        assert float((bar["width"] or "").rstrip("%")) == pytest.approx(20)


@pytest.mark.parametrize(
    ("batch", "verdict"),
    [
        (batch_of(job_of(0), status=RunStatus.SUCCESS, exit_code=0), "every job succeeded"),
        (batch_of(job_of(0), job_of(1, RunStatus.CANCELLED), status=RunStatus.CANCELLED), "stopped; 1 of 2 succeeded"),
        (batch_of(job_of(0, RunStatus.ERROR), status=RunStatus.ERROR), "no job succeeded"),
        (batch_of(status=RunStatus.ERROR, errors=(BAD,)), "refused as a whole; no job was started"),
    ],
    ids=["good", "stopped", "failed", "refused"],
)
def test_every_end_of_a_batch_has_its_verdict(batch: BatchEntry, verdict: str) -> None:
    assert verdict in read(batch).text
    schema("report").validate(batch_report_data(batch))


def test_names_of_jobs_cannot_harm_the_page() -> None:
    evil = Issue(IssueCode.CLIP_FAILED, EVIL, Path(f"/{EVIL}"), EVIL)
    harmless = read(batch_of(job_of(0), status=RunStatus.ERROR))
    page = read(
        batch_of(job_of(0, name=EVIL, output_path=Path(f"/{EVIL}"), errors=(evil,), warnings=(evil,)), errors=(evil,))
    )
    assert {tag for tag, _ in page.elements} - {tag for tag, _ in harmless.elements} <= {"ul", "li", "code"}
    assert page.text.count("<script>alert(1)</script>") >= 4


@pytest.mark.heavy
def test_page_of_a_large_batch_lists_the_failed_jobs_first_and_folds_issues() -> None:
    jobs = [job_of(number) for number in range(MOST_ROWS + 50)]
    jobs[-1] = job_of(MOST_ROWS + 49, RunStatus.ERROR, errors=(BAD,) * 300)
    page = read(batch_of(*jobs))
    assert len([tag for tag, _ in page.elements if tag == "tr"]) == MOST_ROWS + 1
    assert len(page.of("lane")) == MOST_LANES + 1
    assert f"job{MOST_ROWS + 49}" in page.text
    assert f"{MOST_ROWS} of {MOST_ROWS + 50} jobs are listed" in page.text
    assert len([tag for tag, _ in page.elements if tag == "li"]) == 200
    assert "and 100 more" in page.text


@pytest.mark.parametrize("width", [80, 200])
def test_text_of_a_batch_fits_the_terminal(width: int) -> None:
    lines = shown(replace(MIXED, jobs=tuple(replace(job, errors=(), warnings=()) for job in MIXED.jobs)), width)
    assert max(map(len, lines)) <= width
    head, *rows = [line.split() for line in lines[lines.index("") + 1 :]]
    assert [row[1] for row in rows] == [f"job{number}" for number in range(5)]
    assert ("memory" in head) is (width == 200)
    assert lines[1:4] == [
        "  started      2026-03-01 02:15:00 UTC",
        "  time         10 s; 8.0 s for all jobs, added up",
        "  jobs         5: 2 succeeded, 1 partial, 1 failed, 1 skipped",
    ]


def test_seconds_of_a_reel_are_added_exactly() -> None:
    thirds = [job_of(n, output=replace(output(), duration=Fraction(1, 3))) for n in range(3)]
    assert batch_report_data(batch_of(*thirds))["summary"]["output_seconds"] == 1.0

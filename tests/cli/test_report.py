"""``mpt report`` from outside: an earlier run as it was told then, found by few digits, for people and programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from mpt_cli.display.answers.report import show_report
from mpt_cli.model.results import PerformanceReport, RunStatus, VideoResult
from mpt_cli.model.run_record import HistoryEntry
from mpt_cli.model.version import __version__
from tests.cli.conftest import SMALL
from tests.media import numbered
from tests.unit.reporting.test_page import Reader

if TYPE_CHECKING:
    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

CLIPS = [numbered(number, seconds=0.4) for number in (51, 52)]


@pytest.fixture
def made(mpt: Mpt, media: MediaFolder) -> dict[str, Any]:
    """The answer to a run that went well."""
    clips = [media.numbered(clip) for clip in CLIPS]
    done = mpt("process", *clips, "-o", "reel.mp4", "--copy", "never", *SMALL, "--json")
    assert done.code == 0, done.out
    return done.document


@pytest.mark.core
def test_a_report_says_what_the_run_said(mpt: Mpt, made: dict[str, Any]) -> None:
    before = datetime.now(UTC)
    done = mpt("report", "last", "--json")
    assert (done.code, done.err) == (0, "")
    data, run = done.data, made["data"]
    assert {key: data[key] for key in run} == run
    assert (data["command"], data["status"]) == ("process", "success")
    assert (data["errors"], data["warnings"]) == (made["errors"], made["warnings"])
    assert done.document["tool"]["ffmpeg"] == made["tool"]["ffmpeg"]
    assert data["started_at"].endswith("Z")
    assert 0 <= (before - datetime.fromisoformat(data["started_at"])).total_seconds() < 300


@pytest.mark.anchor("T090")
def test_a_report_for_people_has_every_part(mpt: Mpt, made: dict[str, Any]) -> None:
    done = mpt("report")
    head, *lines = done.out.splitlines()
    assert (done.code, head) == (0, f"process {made['data']['workflow_id']}: success")
    facts = {line[2:15].strip(): line[15:] for line in lines[: lines.index("")]}
    assert list(facts) == ["started", "output", "time", "peak memory", "efficiency", "score"]
    assert facts["output"] == f"{made['data']['output']['path']}, 0.800 s"
    assert facts["peak memory"].endswith("MiB")
    assert facts["efficiency"].endswith("% of the slots' time was used")
    assert facts["score"].endswith(" of 100")
    steps = lines[lines.index("") + 1 :]
    assert [step.split()[2] for step in steps[:5]] == ["validated", "processed", "joined", "verified", "published"]
    assert [row.split()[1:3] for row in steps[7:9]] == [
        [Path(clip["path"]).name, "encode"] for clip in made["data"]["clips"]
    ]


def test_a_report_says_with_what_and_when_clips_were_worked_on(mpt: Mpt, made: dict[str, Any]) -> None:
    data = mpt("report", "--json").data
    metrics = made["data"]["metrics"]
    assert data["html"] is None
    assert data["setup"]["mpt"] == __version__
    assert data["setup"]["encoder"].startswith("libx264 ")
    assert data["setup"]["settings"] == {
        "video.size": "160x90",
        "concat.copy": "never",
    }
    spans = data["timeline"]["clips"]
    assert sorted(span["index"] for span in spans) == [0, 1]
    for span in spans:
        took = span["ended_seconds"] - span["started_seconds"]
        assert 0 < made["data"]["clips"][span["index"]]["elapsed_seconds"] <= took + 0.01
        assert span["ended_seconds"] <= metrics["total_duration_seconds"] + 0.01
    assert data["timeline"]["samples"]
    assert all(point["memory_bytes"] <= metrics["memory_peak_bytes"] for point in data["timeline"]["samples"])
    assert data["timeline"]["budget_bytes"] > metrics["memory_peak_bytes"]


def test_a_page_shows_the_run_with_pictures_of_the_reel(mpt: Mpt, here: Path, made: dict[str, Any]) -> None:
    done = mpt("report", "last", "--html", "report.html", "--json")
    assert (done.code, done.err, done.data["html"]) == (0, "", str(here / "report.html"))
    page = Reader((here / "report.html").read_text(encoding="utf-8"))
    assert len([tag for tag, _ in page.elements if tag == "img"]) == 2
    assert all(Path(clip["path"]).name in page.text for clip in made["data"]["clips"])
    assert "0.800 s" in page.text
    assert len(page.of("lane")) == 4
    again = mpt("report", "--html", "report.html")
    assert (again.code, again.out) == (3, "")
    assert "already exists" in again.err
    (here / "reel.mp4").unlink()
    assert "the same as a page: report.html" in mpt("report", "--html", "report.html", "-y").out
    pictures = Reader((here / "report.html").read_text(encoding="utf-8")).elements
    assert len([tag for tag, _ in pictures if tag == "img"]) == 2, "those of the inputs"


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", ["reel.mp4", "report", "report.txt"])
def test_a_page_is_never_written_under_the_name_of_another_file(mpt: Mpt, here: Path, name: str) -> None:
    reel = (here / "reel.mp4").read_bytes()
    done = mpt("report", "--html", name, "-y", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert (here / "reel.mp4").read_bytes() == reel
    assert [path.name for path in here.iterdir()] == ["reel.mp4"]


def test_reports_of_older_versions_still_open(mpt: Mpt, here: Path, own_home: Path, made: dict[str, Any]) -> None:
    (path,) = (own_home / "state" / "mpt" / "reports").glob("*.json")
    kept = json.loads(path.read_text())
    del kept["setup"], kept["timeline"]
    for name in ("contact_sheet", "poster"):
        del kept["result"]["output"][name]
    path.write_text(json.dumps(kept))
    data = mpt("report", "--html", "report.html", "--json").data
    assert (data["setup"], data["timeline"]) == (None, None)
    assert {key: data[key] for key in made["data"]} == made["data"]
    assert "older version" in (here / "report.html").read_text(encoding="utf-8")


def test_a_run_is_found_by_its_first_digits(mpt: Mpt, media: MediaFolder, made: dict[str, Any]) -> None:
    first = made["data"]["workflow_id"]
    second = mpt("concat", media.numbered(CLIPS[0]), "-o", "other.mp4", "--json").data["workflow_id"]
    for which, found in ((first[:8], first), (second[:8], second), (second, second), ("last", second)):
        assert mpt("report", which, "--json").data["workflow_id"] == found
    assert mpt("report", "--json").data["command"] == "concat"
    unknown = mpt("report", "0" * 32)
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no report of workflow '00000000000000000000000000000000'" in unknown.err
    assert f"hint: the last ones are {second[:8]}, {first[:8]}" in unknown.err
    slip = mpt("report", f"{first[:7]}{'0' if first[7] != '0' else '1'}")
    assert f"did you mean {first[:8]}?" in slip.err
    assert "'lasst'; did you mean last?" in mpt("report", "lasst").err
    assert mpt("completions", "workflows").out.split() == ["last", "list", "batch", second[:8], first[:8]]


@pytest.mark.core
def test_without_any_run_there_is_nothing_to_report(mpt: Mpt) -> None:
    assert "did you mean" not in mpt("report", "lst").err
    done = mpt("report", "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert done.document["errors"][0]["hint"] == "no run was reported on yet"


def test_a_run_that_failed_is_reported_with_its_errors(mpt: Mpt, here: Path, media: MediaFolder) -> None:
    (here / "bad.mp4").write_text("no clip at all")
    failed = mpt("process", media.numbered(CLIPS[0]), "bad.mp4", "-o", "reel.mp4", *SMALL, "--json")
    assert failed.code == 3
    done = mpt("report", "--json")
    assert (done.code, done.data["status"], done.data["output"]) == (0, "error", None)
    assert done.data["errors"] == failed.document["errors"]
    text = mpt("report").out
    assert text.splitlines()[0].endswith(": error")
    assert "bad.mp4" in text
    assert "(not_media)" in text


def test_an_output_finds_its_run_and_a_later_one_that_failed(mpt: Mpt, here: Path, made: dict[str, Any]) -> None:
    (here / "bad.mp4").write_text("no clip at all")
    (here / "sub").mkdir()
    assert mpt("report", "sub/../reel.mp4", "--json").data["later_run"] is None
    failed = mpt("process", "bad.mp4", "-o", "reel.mp4", "-y", "--json").data["workflow_id"]
    data = mpt("report", "reel.mp4", "--json").data
    assert (data["workflow_id"], data["output_path"]) == (made["data"]["workflow_id"], str(here / "reel.mp4"))
    assert (data["later_run"]["workflow_id"], data["later_run"]["code"]) == (failed, "validation_failed")
    assert "a later run did not make this output (error, 20" in (text := mpt("report", "reel.mp4").out)
    assert f"mpt report {failed[:8]}" in text
    assert f"{here / 'reel.mp4'}, not made" in mpt("report", failed[:8]).out
    unknown = mpt("report", "sub/reel.mp4", "--json")
    assert (unknown.code, unknown.document["errors"][0]["path"]) == (2, str(here / "sub" / "reel.mp4"))


def test_a_batch_is_reported_as_a_whole(mpt: Mpt, here: Path, media: MediaFolder) -> None:
    clip = media.numbered(CLIPS[0])
    (here / "week.toml").write_text(
        f'[[job]]\nname = "monday"\noutput = "a.mp4"\nclips = ["{clip}"]\n'
        '[[job]]\nname = "tuesday"\noutput = "b.mp4"\nclips = ["gone.mp4"]\n'
    )
    assert mpt("report", "batch", "--json").codes == ["usage"]
    done = mpt("batch", "week.toml", *SMALL, "--json")
    assert done.code == 5
    data = mpt("report", "batch", "--html", "b.html", "--json").data
    jobs, batch = data["jobs"], data["workflow_id"]
    assert (batch, data["status"], data["exit_code"]) == (done.data["workflow_id"], "partial", 5)
    assert [job["output"] for job in jobs] == [job["output"] for job in done.data["jobs"]]
    assert [(job["name"], job["code"], job["exit_code"]) for job in jobs] == [
        ("monday", None, 0),
        ("tuesday", "validation_failed", 3),
    ]
    assert all(0 < job["started_seconds"] < data["elapsed_seconds"] for job in jobs)
    assert {key: data["summary"][key] for key in done.data["summary"]} == done.data["summary"]
    assert data["html"] == str(here / "b.html")
    page = Reader((here / "b.html").read_text(encoding="utf-8"))
    assert len(page.of("lane")) == 3
    assert mpt("report", batch[:8], "--json").data == {**data, "html": None}
    assert mpt("report", jobs[0]["workflow_id"], "--json").data["output_path"] == str(here / "a.mp4")
    assert mpt("report", "b.mp4", "--json").data["workflow_id"] == jobs[1]["workflow_id"]
    text = mpt("report", "batch").out.splitlines()
    assert text[0] == f"batch {batch}: partial"
    assert [line.split()[1] for line in text if line[:1].isdigit()] == ["monday", "tuesday"]
    (only,) = mpt("report", "list", "--json").data["runs"]
    assert (only["command"], only["workflow_id"], only["jobs"]["failed"]) == ("batch", batch, 1)


def test_a_batch_that_is_refused_as_a_whole_is_reported(mpt: Mpt, here: Path) -> None:
    job = '[[job]]\noutput = "a.mp4"\nclips = ["gone.mp4"]\n'
    (here / "week.toml").write_text(job * 2)
    assert mpt("batch", "week.toml", "-n").code == 3
    assert mpt("report", "batch").code == 2, "a dry run is no batch"
    assert mpt("batch", "week.toml").code == 3
    data = mpt("report", "batch", "--json").data
    assert [issue["code"] for issue in data["errors"]] == ["duplicate_output"]
    assert [job["status"] for job in data["jobs"]] == ["skipped"] * 2
    assert mpt("report", "list", "--json").data["runs"][0]["code"] == "duplicate_output"


def test_a_list_of_no_runs_is_empty(mpt: Mpt) -> None:
    done = mpt("report", "list", "--json")
    assert (done.code, done.document["command"], done.data) == (0, "report list", {"runs": []})
    assert mpt("report", "list").out == "no run was recorded yet\n"


@pytest.mark.usefixtures("made")
def test_a_list_keeps_its_limit(mpt: Mpt, here: Path) -> None:
    for number in (1, 2):
        assert mpt("process", "gone.mp4", "-o", f"{number}.mp4").code == 3
    runs = mpt("report", "list", "--limit", "2", "--json").data["runs"]
    assert [run["output"] for run in runs] == [str(here / "2.mp4"), str(here / "1.mp4")]
    assert [line.split()[-2:] for line in mpt("report", "list").out.splitlines()[1:]] == [
        ["2.mp4", "validation_failed"],
        ["1.mp4", "validation_failed"],
        ["reel.mp4", "-"],
    ]


@pytest.mark.parametrize(
    "arguments", [["list", "--limit", "0"], ["last", "--limit", "3"], ["list", "--html", "a.html"]], ids=str
)
def test_options_of_a_report_that_mean_nothing_are_refused(mpt: Mpt, arguments: list[str]) -> None:
    done = mpt("report", *arguments, "--json")
    assert (done.code, done.codes) == (2, ["usage"])


def test_a_dry_run_is_not_reported(mpt: Mpt, media: MediaFolder) -> None:
    assert mpt("process", media.numbered(CLIPS[0]), "-o", "reel.mp4", "-n").code == 0
    assert mpt("report").code == 2


def test_what_was_not_measured_is_a_dash() -> None:
    metrics = PerformanceReport("w", 65.0, None, None, None)
    result = VideoResult("w", RunStatus.CANCELLED, metrics=metrics)
    out = StringIO()
    show_report(Console(file=out, width=80), HistoryEntry("process", datetime(2026, 3, 1, 12, tzinfo=UTC), result))
    assert out.getvalue().splitlines() == [
        "process w: cancelled",
        "  started      2026-03-01 12:00:00 UTC",
        "  time         1:05",
        "  peak memory  -",
        "  efficiency   -",
        "  score        -",
    ]


def test_a_run_without_metrics_is_told_as_far_as_it_is_known() -> None:
    out = StringIO()
    entry = HistoryEntry("concat", datetime(2026, 3, 1, 12, tzinfo=UTC), VideoResult("w", RunStatus.ERROR))
    show_report(Console(file=out, width=80), entry)
    assert out.getvalue().splitlines() == ["concat w: error", "  started      2026-03-01 12:00:00 UTC"]

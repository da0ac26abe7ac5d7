"""``mpt batch`` from outside: job files, JSON Lines, mistakes, events, exit codes, and its end by SIGKILL."""

from __future__ import annotations

import json
import random
import signal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.cli.answer import end_of_batch
from mpt_cli.model.results import RunStatus
from tests.cli.conftest import LIMIT_SECONDS, SMALL, everything_in, run_program, schema, start
from tests.integration.reels import of, problems
from tests.media import numbered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Mpt
    from tests.media import MediaFolder

CLIPS = [numbered(number, seconds=0.4 + number / 10) for number in range(1, 5)]


@pytest.fixture
def week(media: MediaFolder, here: Path) -> Path:
    """A job file of two jobs with three clips, each with one of its own."""
    for number, clip in enumerate(CLIPS, 1):
        (here / f"{number}.mp4").write_bytes(media.numbered(clip).read_bytes())
    (here / "week.toml").write_text(
        """
[defaults]
overwrite = true
video = {size = "160x90", fps = 30}
encode.quality = "draft"

[[job]]
name = "monday"
output = "out/monday.mp4"
clips = ["1.mp4", "2.mp4"]

[[job]]
name = "tuesday"
output = "out/tuesday.mkv"
clips = ["3.mp4", {path = "2.mp4", start = 0.2}]
video.fps = 25
"""
    )
    return here / "week.toml"


def statuses(data: dict[str, Any]) -> list[str]:
    return [job["status"] for job in data["jobs"]]


def test_a_dry_run_plans_every_job_and_writes_nothing(mpt: Mpt, week: Path, here: Path) -> None:
    before = everything_in(here)
    done = mpt("batch", week, "-n", "--json")
    assert (done.code, statuses(done.data)) == (0, ["success"] * 2)
    assert [job["plan"]["fps"] for job in done.data["jobs"]] == ["30", "25"]
    assert mpt("batch", week, "-n").out.count("would write") == 2
    assert everything_in(here) == before


def test_each_job_becomes_its_reel_and_a_second_run_encodes_nothing(mpt: Mpt, week: Path, here: Path) -> None:
    done = mpt("batch", week, "--json")
    assert (done.code, statuses(done.data), [job["exit_code"] for job in done.data["jobs"]]) == (
        0,
        ["success"] * 2,
        [0, 0],
    )
    assert problems(here / "out/monday.mp4", of(*CLIPS[:2]), Fraction(30)) == []
    assert [job["output"]["fps"] for job in done.data["jobs"]] == ["30", "25"]
    again = mpt("batch", week, "--json")
    assert again.data["summary"] == {
        "total": 2,
        "succeeded": 2,
        "partial": 0,
        "failed": 0,
        "skipped": 0,
        "reused_clips": 4,
        "unchanged": 0,
    }
    assert {clip["action"] for job in again.data["jobs"] for clip in job["clips"]} == {"reuse"}
    shown = mpt("batch", week)
    assert "2 jobs: 2 succeeded" in shown.out
    assert "clips: 4 reused" in shown.out
    assert [line.split()[:3] for line in shown.out.splitlines()[1:3]] == [
        ["1", "monday", "success"],
        ["2", "tuesday", "success"],
    ]


def test_options_win_over_jobs_and_events_name_theirs(mpt: Mpt, week: Path) -> None:
    done = mpt("batch", week, "--fps", "24", "--jsonl")
    *lines, document = map(json.loads, done.out.splitlines())
    assert [job["output"]["fps"] for job in document["data"]["jobs"]] == ["24", "24"]
    for line in lines:
        schema("events").validate(line)
        assert "job" in line
    assert (lines[0]["type"], lines[0]["job"], lines[0]["total_jobs"]) == ("run-started", None, 2)
    assert (lines[-1]["type"], lines[-1]["job"], lines[-1]["status"]) == ("run-finished", None, "success")
    for job in ("monday", "tuesday"):
        own = [line["type"] for line in lines if line["job"] == job and line["type"] != "resource-sample"]
        assert (own[0], own[-1], own.count("clip-finished")) == ("run-started", "run-finished", 2)


def test_jobs_are_read_as_json_lines_from_stdin(mpt: Mpt, week: Path, here: Path) -> None:
    assert week.is_file()
    jobs = [
        {"output": "a.mp4", "clips": ["1.mp4"], "video": {"fps": 25}},
        {"name": "b", "output": "b.mp4", "clips": [{"path": "2.mp4", "start": 0.1, "end": 0.3, "mute": True}]},
    ]
    text = "\n\n".join(map(json.dumps, jobs)).encode()
    done = mpt("batch", "-", *SMALL, "--fps", "30", "--json", stdin=text)
    assert [job["name"] for job in done.data["jobs"]] == ["job 1", "b"]
    assert [job["output"]["frames"] for job in done.data["jobs"]] == [15, 6]
    assert (here / "a.mp4").is_file()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ('{"output": "a.mp4", "output": "b.mp4", "clips": ["a"]}', "the key 'output' is there twice"),
        ('{"output": "a.mp4", "clips": ["a"], "video": {"fps": 25, "fps": 30}}', "the key 'fps' is there twice"),
        ("[1]", "must be a JSON object"),
        ('{"output": "a.mp4"}', "clips is missing"),
        ('\n{"output": "a.mp4", "clips": ["1.mp4"], "vidoe": {}}', "nearest known key: video"),
        ('{"output": "a.mp4", "clips": ["1.mp4"], "memory": {"max": "1GiB"}}', "is for all jobs together"),
        ('{"output": "a.mp4", "clips": ["a"], "processing": {"min_success_rate": 0.5}}', "min_success_rate"),
    ],
)
@pytest.mark.core(3)
def test_a_mistake_in_a_line_is_a_failed_job_or_with_fail_fast_a_refusal(
    mpt: Mpt, here: Path, text: str, said: str
) -> None:
    number = text.count("\n") + 1
    done = mpt("batch", "-", "--json", stdin=text.encode())
    assert (done.code, done.document["status"]) == (5, "error")
    (job,) = done.data["jobs"]
    assert (job["name"], job["status"], job["exit_code"], job["output"]) == (f"job {number}", "error", 2, None)
    (error,) = job["errors"]
    assert (error["code"], error["path"]) == ("usage", f"stdin:{number}")
    assert said in error["message"]
    assert "\n" not in error["message"]
    refused = mpt("batch", "-", "--fail-fast", "--json", stdin=text.encode())
    assert (refused.code, refused.data, refused.document["errors"]) == (2, {}, [error])
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("command", [["batch"], ["process", "--job"]])
def test_a_file_of_json_lines_is_named_with_the_way_to_read_it(mpt: Mpt, here: Path, command: list[str]) -> None:
    lines = here / "the jobs.jsonl"
    lines.write_text('{"output": "a.mp4", "clips": ["1.mp4"]}\n', encoding="utf-8")
    done = mpt(*command, str(lines), "--json")
    (error,) = done.document["errors"]
    assert (done.code, error["code"], error["path"]) == (2, "usage", str(lines))
    assert error["message"] == "is JSON, not TOML"
    assert error["hint"].endswith(f"mpt batch - < '{lines}'")


def test_the_other_lines_run_beside_a_bad_one(mpt: Mpt, week: Path, here: Path) -> None:
    assert week.is_file()
    good = {"name": "good", "output": "a.mp4", "clips": ["1.mp4"]}
    twin = {"name": "good", "output": "b.mp4", "clips": ["1.mp4"]}
    text = "\n".join(["{", json.dumps(good), json.dumps(twin)]).encode()
    done = mpt("batch", "-", *SMALL, "--jsonl", stdin=text)
    *lines, document = map(json.loads, done.out.splitlines())
    assert (done.code, document["status"]) == (5, "partial")
    assert [(job["name"], job["status"]) for job in document["data"]["jobs"]] == [
        ("job 1", "error"),
        ("good", "success"),
        ("line 3", "error"),
    ]
    for line in lines:
        schema("events").validate(line)
    notices = {line["job"]: line["path"] for line in lines if line["type"] == "notice" and line["level"] == "error"}
    assert notices == {"job 1": "stdin:1", "line 3": "stdin:3"}
    assert (lines[0]["total_jobs"], (here / "a.mp4").is_file(), (here / "b.mp4").exists()) == (3, True, False)
    reported = mpt("report", "batch", "--json").data
    assert [(job["name"], job["output_path"]) for job in reported["jobs"]] == [
        ("job 1", None),
        ("good", str(here / "a.mp4")),
        ("line 3", str(here / "b.mp4")),
    ]
    told = mpt("batch", "-", *SMALL, "-y", stdin=text).err
    assert told.count("stdin:1: is not JSON") == 1


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_stdin_without_a_job_is_a_usage_error(mpt: Mpt, text: str) -> None:
    done = mpt("batch", "-", "--json", stdin=text.encode())
    assert (done.code, done.codes) == (2, ["usage"])
    assert "holds no job" in done.document["errors"][0]["message"]


def test_a_dry_run_plans_the_lines_beside_a_bad_one(mpt: Mpt, week: Path) -> None:
    assert week.is_file()
    text = "\n".join([json.dumps({"output": "a.mp4", "clips": ["1.mp4"]}), "{"]).encode()
    done = mpt("batch", "-", "-n", "--json", stdin=text)
    assert (done.code, statuses(done.data)) == (5, ["success", "error"])
    assert mpt("batch", "-", "-n", "--only", "job 1", "--json", stdin=text).code == 0


def test_one_output_of_two_jobs_is_refused_before_anything_runs(mpt: Mpt, week: Path, here: Path) -> None:
    before = everything_in(here)
    done = mpt("batch", week, week, "--json")
    assert (done.code, done.codes) == (3, ["duplicate_output"])
    assert everything_in(here) == before


def test_several_files_tell_their_jobs_apart(mpt: Mpt, week: Path, here: Path) -> None:
    (here / "more.toml").write_text(week.read_text().replace("out/", "other/"))
    done = mpt("batch", "week.toml", "more.toml", "--json")
    assert done.code == 0, done.err
    names = [job["name"] for job in done.data["jobs"]]
    assert names == ["week.toml: monday", "week.toml: tuesday", "more.toml: monday", "more.toml: tuesday"]
    assert done.data["summary"]["reused_clips"] == 4  # each clip was encoded once


@pytest.mark.core
def test_a_broken_job_has_its_codes_and_the_others_run(mpt: Mpt, week: Path, here: Path) -> None:
    week.write_text(week.read_text().replace('"1.mp4"', '"gone.mp4"'))
    done = mpt("batch", week, "--json")
    assert (done.code, done.document["status"], statuses(done.data)) == (5, "partial", ["error", "success"])
    broken = done.data["jobs"][0]
    assert broken["exit_code"] == 3
    assert [issue["code"] for issue in broken["errors"]] == ["file_not_found", "validation_failed"]
    assert all(issue["message"].startswith("monday: ") for issue in done.document["errors"])
    assert [path.name for path in (here / "out").iterdir()] == ["tuesday.mkv"]


def test_fail_fast_runs_nothing_beside_a_job_that_is_refused(mpt: Mpt, week: Path, here: Path) -> None:
    week.write_text(week.read_text().replace('"3.mp4"', '"gone.mp4"'))
    done = mpt("batch", week, "--fail-fast", "--json")
    assert (done.code, statuses(done.data)) == (5, ["skipped", "error"])
    assert done.document["status"] == "error"
    assert done.data["jobs"][0]["exit_code"] is None
    assert not (here / "out").exists()


def test_only_the_jobs_that_are_named_are_run(mpt: Mpt, week: Path, here: Path) -> None:
    (here / "more.toml").write_text(week.read_text().replace("out/", "other/"))
    plan = mpt("batch", week, "--only", "tuesday", "-n", "--json")
    assert [job["name"] for job in plan.data["jobs"]] == ["tuesday"]
    done = mpt("batch", "week.toml", "more.toml", "--only", "tuesday", "-n", "--json")
    assert [job["name"] for job in done.data["jobs"]] == ["week.toml: tuesday", "more.toml: tuesday"]
    both = mpt("batch", week, "--only", "tuesday", "--only", "monday", "-n", "--json")
    assert [job["name"] for job in both.data["jobs"]] == ["monday", "tuesday"]
    unknown = mpt("batch", week, "--only", "mondy", "--json")
    assert (unknown.code, unknown.codes) == (2, ["usage"])
    (error,) = unknown.document["errors"]
    assert error["message"] == "--only 'mondy': there is no such job; did you mean monday?"
    assert error["hint"] == "the jobs are monday, tuesday"


def test_where_reports_are_kept_is_for_all_jobs_together(mpt: Mpt, week: Path) -> None:
    week.write_text(week.read_text().replace('name = "monday"', 'name = "monday"\npaths.state = "here"'))
    done = mpt("batch", week, "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert "paths.state is for all jobs together" in done.document["errors"][0]["message"]
    week.write_text(week.read_text().replace('paths.state = "here"', "processing.deadline = 60"))
    done = mpt("batch", week, "--json")
    assert (done.code, done.codes) == (2, ["usage"])
    assert "processing.deadline is for all jobs together" in done.document["errors"][0]["message"]


def test_the_memory_of_a_job_file_holds_for_its_batch(mpt: Mpt, week: Path) -> None:
    text = week.read_text().replace("[defaults]", "[defaults]\nmemory.max = '3GiB'")
    week.write_text(text)
    events = [json.loads(line) for line in mpt("batch", week, "--jsonl").out.splitlines()[:-1]]
    assert {event["budget_bytes"] for event in events if event["type"] == "resource-sample"} <= {3 * 2**30}
    done = mpt("batch", week, "--json", week)
    assert done.code == 2
    assert "as an option" in done.document["errors"][0]["message"]


@pytest.mark.anchor("T011")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_a_killed_batch_goes_on_from_what_was_finished(week: Path, here: Path, seed: int) -> None:
    """Killed at an event of its own, started again: what had ended is not encoded once more."""
    chance, finished = random.Random(seed), set[str]()
    with start("batch", week, "--jsonl") as process:
        assert process.stdout is not None
        stop_after = chance.randrange(1, 4)
        for line in process.stdout:
            event = json.loads(line)
            if event.get("type") == "clip-finished":
                finished.add(f"{event['job']} {event['index']}")
                if len(finished) == stop_after:
                    break
        process.send_signal(signal.SIGKILL)
        process.wait(LIMIT_SECONDS)
    done = run_program("batch", week, "--json")
    assert done.code == 0, done.out
    reused = {
        f"{job['name']} {clip['index']}"
        for job in done.data["jobs"]
        for clip in job["clips"]
        if clip["action"] == "reuse"
    }
    assert finished <= reused
    assert problems(here / "out/monday.mp4", of(*CLIPS[:2]), Fraction(30)) == []
    assert sorted(path.name for path in (here / "out").iterdir()) == ["monday.mp4", "tuesday.mkv"]


S, P, K, E, C = RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.SKIPPED, RunStatus.ERROR, RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("statuses", "number", "end"),
    [
        ([S, S], signal.SIGINT, (S, 0)),
        ([S, E], signal.SIGTERM, (P, 5)),
        ([S, K], signal.SIGINT, (C, 130)),
        ([S, K], signal.SIGTERM, (C, 143)),
        ([S, C], None, (C, 130)),
        ([S, K], None, (P, 5)),
    ],
)
def test_signal_that_leaves_nothing_undone_changes_no_batch(
    statuses: list[RunStatus], number: int | None, end: tuple[RunStatus, int]
) -> None:
    assert end_of_batch(statuses, number) == end

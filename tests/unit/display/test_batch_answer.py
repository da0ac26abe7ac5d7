"""The answer of a batch for people: what hundreds of jobs have in common is one line."""

from __future__ import annotations

import io
from pathlib import Path

from mpt_cli.display.answers.batch import show_batch
from mpt_cli.display.base import console
from mpt_cli.model.errors import DeadlineReached, Issue, IssueCode
from mpt_cli.model.results import JobEnd, RunStatus, VideoResult

GONE = Issue(IssueCode.FILE_NOT_FOUND, "does not exist", Path("/x/a.mp4"))
LATE = DeadlineReached("the time was over", hint="run it again").issue


def shown(*ends: JobEnd) -> tuple[list[str], list[str]]:
    """Lines on stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    show_batch(console(out), console(err, aside=True), ends, commands=False)
    return [" ".join(line.split()) for line in out.getvalue().splitlines()], err.getvalue().splitlines()


def end(name: str, status: RunStatus, *errors: Issue) -> JobEnd:
    return JobEnd(name, VideoResult("w", status, errors=errors, code=errors[-1].code if errors else None), None)


def test_jobs_that_did_not_begin_are_one_line_with_their_count() -> None:
    late = [end(f"job {number}", RunStatus.SKIPPED, LATE) for number in range(2, 196)]
    out, err = shown(end("job 1", RunStatus.SUCCESS), *late, end("last", RunStatus.ERROR, GONE))
    assert out[1:4] == [
        "1 job 1 success - - - -",
        "2-195 194 jobs skipped deadline_reached - - -",
        "196 last error file_not_found - - -",
    ]
    assert out[-1] == "196 jobs: 1 succeeded, 1 failed, 194 skipped"
    assert err == [
        "error: job 2 and 193 more jobs: the time was over (deadline_reached)",
        "  hint: run it again",
        "error: last: /x/a.mp4: does not exist (file_not_found)",
    ]


def test_one_job_that_did_not_begin_keeps_its_name() -> None:
    out, err = shown(end("monday", RunStatus.SKIPPED, LATE), end("tuesday", RunStatus.ERROR, LATE, GONE))
    assert out[1].startswith("1 monday skipped")
    assert err[0] == "error: monday and 1 more job: the time was over (deadline_reached)"
    assert err[2] == "error: tuesday: /x/a.mp4: does not exist (file_not_found)"

"""History: a result comes back as it was, is found by few digits, and old ones make room."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import (
    ClipResult,
    ClipStatus,
    ConcatenationResult,
    Milestone,
    OutputInfo,
    PerformanceReport,
    RunStatus,
    VideoResult,
)
from mpt_cli.model.run_record import HistoryEntry
from mpt_cli.storage.run_history import LAST, History

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD_NAME = Path(os.fsdecode(b"/clips/\xff and \xe2\x82\xac.mp4"))
ISSUE = Issue(IssueCode.CLIP_FAILED, "is broken", path=ODD_NAME, hint="mend it")
RESULT = VideoResult(
    workflow_id="0",
    status=RunStatus.PARTIAL,
    clips=(
        ClipResult(0, ODD_NAME, ClipStatus.PROCESSED, Action.ENCODE, ("a", "b"), Fraction(0), Fraction(1001, 30000), 1),
        ClipResult(1, ODD_NAME, ClipStatus.FAILED, error=ISSUE, elapsed_seconds=0.25, peak_memory_bytes=2**40),
    ),
    output=OutputInfo(ODD_NAME, 5, Container.MKV, Fraction(1, 3), 8, Dimensions(160, 90), Fraction(24), "h264", "aac"),
    concatenation=ConcatenationResult("FFmpeg", True, 0.5, None, "because", (ISSUE,)),
    metrics=PerformanceReport("0", 1.5, 0.75, 77, None, (Milestone("validated", 0.125, 0.05),)),
    seed=2**63,
    errors=(ISSUE,),
    warnings=(replace(ISSUE, path=None, hint=None),),
    code=IssueCode.TOO_MANY_FAILURES,
    ffmpeg="9.9",
)


def entry(workflow_id: str, *, minutes: int = 0) -> HistoryEntry:
    """A run that began so long after the first one."""
    return HistoryEntry("process", START + timedelta(minutes=minutes), replace(RESULT, workflow_id=workflow_id))


def workflow(number: int) -> str:
    return f"{number:04x}abcdef0123456789abcdef012345"


def full(folder: Path, numbers: Iterable[int], *, keep: int = 1000) -> History[HistoryEntry]:
    """A history of these runs, one a minute."""
    history = History(folder / "reports", HistoryEntry, keep=keep)
    for number in numbers:
        history.add(entry(workflow(number), minutes=number))
    return history


def found(history: History[HistoryEntry], which: str) -> str | None:
    """The workflow that is found, or None."""
    run = history.find(which)
    return None if run is None else run.workflow_id


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    run = replace(entry("abcd" * 8), output_path=ODD_NAME)
    History(tmp_path, HistoryEntry).add(run)
    assert History(tmp_path, HistoryEntry).find("abcd") == run


def test_the_last_is_the_one_that_began_last(tmp_path: Path) -> None:
    history = full(tmp_path, [3, 1, 2])
    assert found(history, LAST) == workflow(3)
    assert history.ids(2) == [workflow(3)[:8], workflow(2)[:8]]


def test_a_run_is_found_by_its_first_digits_and_the_newest_of_several(tmp_path: Path) -> None:
    history = full(tmp_path, [1, 2])
    history.add(entry(workflow(1)[:20] + "0" * 12, minutes=9))
    assert found(history, workflow(2)) == found(history, "0002") == workflow(2)
    assert found(history, "0001") == workflow(1)[:20] + "0" * 12
    assert found(history, workflow(1)) == workflow(1)


@pytest.mark.parametrize("which", ["", "000", "*", "????", "../0001", "0001*", "ABCDEF01", "0" * 33, "0003"])
def test_what_is_no_beginning_of_an_id_finds_nothing(tmp_path: Path, which: str) -> None:
    assert found(full(tmp_path, [1, 2]), which) is None


def test_an_empty_history_has_no_last(tmp_path: Path) -> None:
    history = History(tmp_path / "not" / "there", HistoryEntry)
    assert (history.find(LAST), history.ids(5)) == (None, [])


def test_newest_runs_come_first_and_none_is_read_before_its_turn(tmp_path: Path) -> None:
    history = full(tmp_path, [2, 1, 3])
    runs = history.newest()
    assert next(runs).workflow_id == workflow(3)
    next(path for path in (tmp_path / "reports").iterdir() if workflow(2) in path.name).write_text("{")
    assert [run.workflow_id for run in runs] == [workflow(1)]


def test_newest_runs_leave_out_ids_without_reading_them(tmp_path: Path) -> None:
    history = full(tmp_path, [1, 2, 3])
    assert [run.workflow_id for run in history.newest(without={workflow(2)})] == [workflow(3), workflow(1)]


def test_newest_runs_that_name_a_file_leave_out_the_others(tmp_path: Path) -> None:
    history = full(tmp_path, [1, 2])
    named = Path(os.fsdecode(b'/reels/\xff \xe2\x82\xac "1".mp4'))
    history.add(replace(entry(workflow(3)), output_path=named))
    assert [run.workflow_id for run in history.newest(naming=[named.name])] == [workflow(3)]
    assert [run.output_path for run in history.newest(naming=["gone.mp4", named.name])] == [named]
    assert list(history.newest(naming=["gone.mp4"])) == []


@pytest.mark.parametrize("rubbish", [b"", b"{", b"\xff\xfe", b"null", b'{"command": "process"}'])
def test_a_report_that_cannot_be_read_is_passed_over(tmp_path: Path, rubbish: bytes) -> None:
    history = full(tmp_path, [1, 2])
    newest = max((tmp_path / "reports").iterdir())
    newest.write_bytes(rubbish)
    assert found(history, LAST) == workflow(1)
    assert found(history, "0002") is None


@pytest.mark.heavy
def test_the_newest_thousand_stay(tmp_path: Path) -> None:
    history = full(tmp_path, range(20 + 50), keep=20)
    assert len(history.ids(1000)) == 70  # some to spare, so that not every run looks for the oldest
    history.add(entry(workflow(70), minutes=70))
    assert history.ids(1000) == [workflow(number)[:8] for number in range(70, 50, -1)]


@pytest.mark.heavy
def test_only_reports_make_room_and_what_cannot_be_removed_is_no_error(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    foreign = [folder / name for name in ("0.json", ".notes", "0-0001.json")]
    odd = folder / f"00000101T000000000000-{workflow(1)}.json"
    odd.mkdir(parents=True)
    for path in foreign:
        path.write_text("mine")
        os.utime(path, (0, 0))
    history = full(tmp_path, range(2, 70 + 2), keep=20)
    assert {odd, *foreign} < set(folder.iterdir())
    assert history.ids(1000) == [*(workflow(number)[:8] for number in range(71, 51, -1)), workflow(1)[:8]]
    assert found(history, "0001") is None


def test_a_history_that_cannot_be_written_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "reports").write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        history = full(tmp_path, [1])
    assert f"The report of workflow {workflow(1)} was not kept" in caplog.text
    assert history.find(LAST) is None


def test_a_report_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "reports" / f"20260301T120100000000-{workflow(1)}.json"
    target.mkdir(parents=True)
    full(tmp_path, [1])
    assert list(target.parent.iterdir()) == [target]  # nothing half is left beside it
    target.rmdir()
    full(tmp_path, [1])
    assert json.loads(target.read_bytes())["command"] == "process"

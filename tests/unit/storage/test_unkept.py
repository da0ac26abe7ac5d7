"""Unkept: which failures to keep something a run reports."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.storage.unkept import Unkept, homeless

CACHE, STATE = IssueCode.CACHE_UNAVAILABLE, IssueCode.STATE_UNAVAILABLE
FOLDER = Path("/folder")


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_run_reports_the_last_failure_of_each_folder_since_it_began() -> None:
    unkept = Unkept()
    unkept.note(CACHE, FOLDER, failure(errno.EACCES))
    mark = unkept.mark
    assert unkept.since(mark) == ()
    unkept.note(STATE, FOLDER, failure(errno.EROFS))
    unkept.note(STATE, FOLDER, failure(errno.ENOSPC))
    (issue,) = unkept.since(mark)
    assert (issue.code, issue.path) == (STATE, FOLDER)
    assert issue.message.startswith("cannot be written (No space left on device): the next --if-changed will not know")
    assert [issue.code for issue in unkept.since(0)] == [CACHE, STATE]


def test_standing_warning_holds_for_every_run() -> None:
    standing = Issue(STATE, "no home")
    unkept = Unkept(standing)
    assert unkept.since(unkept.mark) == (standing,)


@pytest.mark.parametrize(
    ("cache", "state", "codes"),
    [(True, True, [STATE]), (True, False, [CACHE]), (False, True, [STATE]), (False, False, [])],
)
def test_missing_home_is_one_warning(cache: bool, state: bool, codes: list[IssueCode]) -> None:
    assert [issue.code for issue in homeless(cache=cache, state=state)] == codes

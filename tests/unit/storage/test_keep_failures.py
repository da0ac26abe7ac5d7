"""KeepFailures: which failures to keep something a run reports."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.storage.keep_failures import KeepFailures, homeless

CACHE, STATE = IssueCode.CACHE_UNAVAILABLE, IssueCode.STATE_UNAVAILABLE
FOLDER = Path("/folder")


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_run_reports_the_last_failure_of_each_folder_since_it_began() -> None:
    keep_failures = KeepFailures()
    keep_failures.note(CACHE, FOLDER, failure(errno.EACCES))
    mark = keep_failures.mark
    assert keep_failures.since(mark) == ()
    keep_failures.note(STATE, FOLDER, failure(errno.EROFS))
    keep_failures.note(STATE, FOLDER, failure(errno.ENOSPC))
    (issue,) = keep_failures.since(mark)
    assert (issue.code, issue.path) == (STATE, FOLDER)
    assert issue.message.startswith("cannot be written (No space left on device): the next --if-changed will not know")
    assert [issue.code for issue in keep_failures.since(0)] == [CACHE, STATE]


def test_standing_warning_holds_for_every_run() -> None:
    standing = Issue(STATE, "no home")
    keep_failures = KeepFailures(standing)
    assert keep_failures.since(keep_failures.mark) == (standing,)


@pytest.mark.parametrize(
    ("cache", "state", "codes"),
    [(True, True, [STATE]), (True, False, [CACHE]), (False, True, [STATE]), (False, False, [])],
)
def test_missing_home_is_one_warning(cache: bool, state: bool, codes: list[IssueCode]) -> None:
    assert [issue.code for issue in homeless(cache=cache, state=state)] == codes

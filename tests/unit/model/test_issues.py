"""Issue: one rule for how path and message become a line."""

from __future__ import annotations

from pathlib import Path

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.runtime.events import warning_of

EMPTY = Issue(IssueCode.FILE_EMPTY, "is empty", Path("/clips/a\n.mp4"))


def test_text_puts_path_in_front_of_message() -> None:
    assert EMPTY.text() == "/clips/a\\n.mp4: is empty"
    assert EMPTY.text(name_only=True) == "a\\n.mp4: is empty"


def test_text_without_path_is_the_message() -> None:
    assert Issue(IssueCode.USAGE, "bell \x07").text() == "bell \\x07"


def test_path_that_leads_up_is_shown_as_given() -> None:
    assert Issue(IssueCode.FILE_EMPTY, "is empty", Path.cwd() / ".." / "a.mp4").text() == "../a.mp4: is empty"


def test_notice_of_warning_keeps_path_and_message_apart() -> None:
    notice = warning_of(EMPTY, 3)
    assert (notice.message, notice.path, notice.index) == ("is empty", EMPTY.path, 3)
    assert notice.text() == EMPTY.text()

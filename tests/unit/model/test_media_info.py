"""What a file is: where a seek goes to read from a time on, and what its warnings name."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mpt_cli.model.errors import Issue, IssueCode
from tests.builders import media_of

KEYS = tuple(Fraction(second) for second in (7, 9, 11))


@pytest.mark.parametrize(
    ("time", "point"),
    [("7", None), ("799/100", None), ("8", 7), ("9", 7), ("999/100", 7), ("10", 9), ("12", 11), ("99", 11)],
)
def test_a_seek_goes_to_the_last_keyframe_a_second_before(time: str, point: int | None) -> None:
    assert media_of(seek_points=KEYS).seek_point_for(Fraction(time)) == point


def test_without_keyframes_to_trust_nothing_is_sought() -> None:
    assert media_of(seek_points=()).seek_point_for(Fraction(5)) is None


def test_a_hint_names_the_file_as_a_shell_takes_it_until_it_is_about_no_file() -> None:
    issue = Issue(
        IssueCode.NO_TIMESTAMPS, "has no timestamps", Path("/looked/at"), "ffmpeg -r RATE -i IN -c:v ffv1 OUT"
    )
    named = issue.about(Path("it's.h264"))
    assert (named.path, named.hint) == (Path("it's.h264"), "ffmpeg -r RATE -i 'it'\"'\"'s.h264' -c:v ffv1 OUT")
    assert named.about(None) == replace(issue, path=None)
    assert issue.about(Path("\udcff.h264")).hint == issue.hint

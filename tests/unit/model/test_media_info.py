"""What a file is: where a seek goes to read from a time on."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.infos import media_of

KEYS = tuple(Fraction(second) for second in (7, 9, 11))


@pytest.mark.parametrize(
    ("time", "point"),
    [("7", None), ("799/100", None), ("8", 7), ("9", 7), ("999/100", 7), ("10", 9), ("12", 11), ("99", 11)],
)
def test_a_seek_goes_to_the_last_keyframe_a_second_before(time: str, point: int | None) -> None:
    assert media_of(seek_points=KEYS).seek_point_for(Fraction(time)) == point


def test_without_keyframes_to_trust_nothing_is_sought() -> None:
    assert media_of(seek_points=()).seek_point_for(Fraction(5)) is None

"""Where a long clip is cut: on the encoder's keyframes, near those of the source, the same on every machine."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.clips import Segment, VideoClip
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.frame_times import FrameTimes, Timing
from mpt_cli.planning.segments import borders, reason_to_stay_whole, segments_of
from tests.builders import form_of, media_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.media_info import MediaInfo

RATE, GROUP = Fraction(30), 60
RATES = [Fraction(10), Fraction(24), Fraction(30000, 1001), Fraction(60)]


def level(_border: int) -> Fraction:
    """All borders cost the same."""
    return Fraction(1)


TIMES = FrameTimes.of(range(3600), time_base=1 / RATE, timing=Timing.STAMPED, rate=RATE)


def long_media(*, keyframes: Sequence[int] = range(120), **of: Any) -> MediaInfo:
    """Two minutes with keyframes in these seconds."""
    return media_of(
        **{"duration": Fraction(120), "seek_points": tuple(map(Fraction, keyframes)), "frame_times": TIMES, **of}
    )


def test_short_clip_is_not_cut() -> None:
    assert borders(24 * 30, RATE, GROUP, level) == [0]


def test_segments_of_one_cost_last_twenty_seconds() -> None:
    assert borders(120 * 30, RATE, GROUP, level) == [0, 600, 1200, 1800, 2400, 3000]


@given(frames=st.integers(1, 40_000), rate=st.sampled_from(RATES), seed=st.integers())
def test_borders_are_keyframes_and_segments_have_a_usual_length(frames: int, rate: Fraction, seed: int) -> None:
    group = round(rate * 2)
    found = borders(frames, rate, group, lambda border: Fraction(hash((border, seed)) % 100))
    lengths = [end - first for first, end in pairwise((*found, frames))]
    assert all(border % group == 0 for border in found)
    assert all(16 <= length / rate <= 24 for length in lengths[:-1])
    assert lengths[-1] / rate <= 24
    if len(lengths) > 1:
        assert lengths[-1] / rate >= 8


def test_later_end_moves_no_border_but_the_last() -> None:
    many, few = (borders(seconds * 30, RATE, GROUP, level) for seconds in (305, 291))
    assert many[: len(few) - 1] == few[:-1]


def test_border_stands_where_least_is_decoded_for_nothing() -> None:
    keyframe = 17 * 30 + 4

    def lead(border: int) -> Fraction:
        return Fraction(border - keyframe) if border >= keyframe else Fraction(border)

    assert borders(40 * 30, RATE, GROUP, lead)[1] == 18 * 30


def test_trim_moves_borders_with_the_clip() -> None:
    media = long_media(keyframes=(0, 21, 39))
    whole = Segment(0, 0, 50 * 30)
    at_start, later = (segments_of(VideoClip(Path("a.mp4"), Fraction(t)), media, whole, form_of()) for t in (0, 3))
    assert [segment.first_frame // 30 for segment in at_start] == [0, 22, 40]
    assert [segment.first_frame // 30 for segment in later] == [0, 20, 38]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"clock_moves": (Fraction(5),)}, "its clock jumps"),
        ({"suspect": True}, "it is damaged, or its times are assumed"),
        ({"warnings": (Issue(IssueCode.TRUNCATED, "ends early"),)}, "it is damaged, or its times are assumed"),
        ({"video": {"changes_size": True}}, "its frames change in size"),
        ({"shows_hidden": True}, "no place in it can be sought exactly"),
        ({"frame_times": None}, "no place in it can be sought exactly"),
    ],
)
def test_file_that_is_read_from_its_start_only_stays_whole(changes: dict[str, Any], reason: str) -> None:
    media, whole = long_media(**changes), Segment(0, 0, 3600)
    assert reason_to_stay_whole(media) == reason
    assert segments_of(VideoClip(Path("a.mp4")), media, whole, form_of()) == [whole]


def test_file_without_an_index_stays_whole() -> None:
    assert reason_to_stay_whole(long_media(keyframes=())) == "no place in it can be sought exactly"

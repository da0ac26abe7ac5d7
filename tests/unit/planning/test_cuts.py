"""Where a clip that is trimmed between keyframes is cut: what is encoded, and when that is not worth it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.inspect.times.packet_times import PacketTimes
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Segment, VideoClip
from mpt_cli.model.cut_points import CutPoints
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.timing import frame_count
from mpt_cli.planning.cuts import Cut, cut_of, in_kind_of
from mpt_cli.planning.used_clip import UsedClip
from tests.builders import form_of, media_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo

RATE = Fraction(30)
KEYFRAMES = range(0, 90, 12)


def clip_media(ends: range | None = None, **traits: Any) -> MediaInfo:
    """Three seconds with a keyframe every 12 frames, behind each of which a part may end, or at these ``ends``."""
    points = CutPoints.of(KEYFRAMES, [*KEYFRAMES[1:], 90] if ends is None else ends)
    return media_of(duration=Fraction(3), traits={"pictures": 90, "cut_points": points, **traits})


def used(media: MediaInfo, first: Fraction | float, end: Fraction | float) -> UsedClip:
    """A part of a clip, from one number of a frame to another."""
    start, stop = Fraction(first) / RATE, Fraction(end) / RATE
    clip = VideoClip(Path("a.mp4"), start, stop)
    return UsedClip(0, clip, media, Segment(0, 0, frame_count(stop - start, RATE)), stop - start)


@pytest.mark.parametrize(
    ("first", "end", "cut"),
    [
        (5, 80, Cut(5, 7, 60, 8)),
        (12, 80, Cut(12, 0, 60, 8)),
        (11, 84, Cut(11, 1, 72, 0)),
        (13, 85, Cut(13, 11, 60, 1)),
        (0, 89, Cut(0, 0, 84, 5)),
        (Fraction(1, 2), Fraction(141, 2), Cut(0, 0, 60, 10)),
        (Fraction(3, 4), 71, Cut(1, 11, 48, 11)),
        (5, 27, None),
        (1, 11, None),
    ],
)
def test_frames_beside_the_keyframes_are_encoded(first: Fraction, end: Fraction, cut: Cut | None) -> None:
    assert cut_of(used(clip_media(), first, end), form_of()) == cut


@given(first=st.integers(0, 80), frames=st.integers(1, 90), half=st.sampled_from([Fraction(0), Fraction(1, 2)]))
def test_cut_shows_each_frame_of_the_trim_once(first: int, frames: int, half: Fraction) -> None:
    end = min(90, first + frames)
    part = used(clip_media(), first + half, end)
    cut = cut_of(part, form_of()) if end > first + half else None
    if cut is not None:
        assert cut.frames == part.segment.frames
        assert cut.first + cut.frames <= 90
        assert abs(cut.first - (first + half)) <= Fraction(1, 2)
        assert cut.copied.first in KEYFRAMES
        assert (cut.copied.first + cut.copied.frames) % 12 == 0 or cut.tail == 0
        assert cut.body * 2 >= cut.frames


@pytest.mark.parametrize(
    "media",
    [
        clip_media(closed_gop=False),
        clip_media(cut_points=None),
        clip_media(parameter_sets="x", clean_start=False),
        replace(clip_media(), video=replace(clip_media().video, pixel_format="yuv422p")),
        replace(clip_media(), warnings=(Issue(IssueCode.TRUNCATED, "ends early"),)),
    ],
    ids=["open groups", "no times", "no clean start", "other frames", "cut off"],
)
def test_clip_that_more_than_its_trim_keeps_from_being_copied_is_not_cut(media: MediaInfo) -> None:
    assert cut_of(used(media, 5, 80), form_of()) is None


def test_hevc_is_not_cut() -> None:
    media = clip_media()
    media = replace(media, video=replace(media.video, codec="hevc", profile="Main"))
    assert cut_of(used(media, 5, 80), form_of(codec=Codec.HEVC)) is None


def test_encoded_parts_have_profile_and_level_of_the_clip() -> None:
    media = clip_media(level=31)
    media = replace(media, video=replace(media.video, profile="Constrained Baseline"))
    options = in_kind_of(media, form_of()).encoder.named_options
    assert (options["-profile:v"], options["-level:v"]) == ("baseline", "31")
    unknown = replace(media, copy_traits=replace(media.copy_traits, level=9))  # type: ignore[type-var]
    assert "-level:v" not in in_kind_of(unknown, form_of()).encoder.named_options


def stored(*times: int) -> PacketTimes:
    """Frames that are stored in this order and shown at these ticks."""
    found = PacketTimes(1 / RATE)
    for place, time in enumerate(times):
        found.add(time, place, 1)
    return found


def test_part_may_end_where_frames_are_stored_and_shown_alike() -> None:
    points = stored(0, 3, 1, 2, 4, 6, 5).cut_points([0, 4])
    assert points is not None
    assert [points.end_until(frame) for frame in range(8)] == [0, 1, 1, 1, 4, 5, 5, 7]
    assert [points.start_from(frame) for frame in (0, 1, 4, 5)] == [0, 4, 4, None]


def test_part_begins_at_no_keyframe_that_others_are_shown_before() -> None:
    points = stored(0, 1, 4, 2, 3, 5).cut_points([0, 4])
    assert points is not None
    assert (points.start_from(0), points.start_from(1), points.end_until(4)) == (0, None, 2)


def test_part_ends_anywhere_without_reordering() -> None:
    points = stored(*range(6)).cut_points([0, 3])
    assert points == CutPoints.of([0, 3], None)
    assert points is not None
    assert (points.start_from(1), points.end_until(5)) == (3, 5)


def test_no_part_is_known_where_frames_have_no_times() -> None:
    times = stored(0, 1)
    times.add(None, None, 1)
    assert times.cut_points([0]) is None

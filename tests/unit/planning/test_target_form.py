"""The form of a reel: what is said, and where nothing is said what most seconds of the clips have."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from mpt_cli.config.sections import Config, QualitySettings, VideoConfig
from mpt_cli.model.choices import Codec, Container
from mpt_cli.model.clips import Dimensions, Orientation
from mpt_cli.model.errors import IssueCode
from mpt_cli.planning.target_form import settled, turned
from tests.builders import media_of

HD, SMALL = Dimensions(1920, 1080), Dimensions(640, 360)
Clip = tuple[str, Dimensions, str, int]


def chosen(
    clips: list[Clip], *, of_clips: bool = True, container: Container = Container.MP4, **sections: Any
) -> tuple[str, str, str]:
    """Size, rate and codec for clips of codec, size, rate and seconds."""
    found = settled(
        Config(**sections),
        (
            (media_of(video={"codec": codec, "dimensions": size, "frame_rate": Fraction(rate)}), Fraction(seconds))
            for codec, size, rate, seconds in clips
        ),
        container,
        of_clips=of_clips,
    )
    return str(found.video.size), str(found.video.fps), str(found.encode.codec)


@pytest.mark.parametrize(
    ("clips", "dominant"),
    [
        ([("25", 10), ("30", 9)], "25"),
        ([("25", 5), ("30", 9), ("25", 5)], "25"),
        ([("25", 5), ("30", 5)], "30"),  # a tie goes to the higher one
        ([("2997/100", 4), ("30000/1001", 4), ("25", 7)], "30000/1001"),
        ([("5", 3), ("10", 3), ("25", 5)], "10"),
        ([("15", 3), ("30", 3), ("25", 5)], "25"),
        ([("28767/1000", 3), ("30000/1001", 3), ("25", 5)], "30000/1001"),
        ([("24000/1001", 9), ("30", 5)], "24000/1001"),
        ([("1/2500", 5000)], "10"),
    ],
)
def test_the_rate_is_that_of_the_most_seconds(clips: list[tuple[str, int]], dominant: str) -> None:
    found = chosen([("hevc", SMALL, rate, seconds) for rate, seconds in clips], of_clips=False)
    assert found == ("1080x1920", dominant, "h264")


MIXED: list[Clip] = [("hevc", HD, "30", 4), ("h264", HD, "25", 3), ("h264", SMALL, "25", 3), ("av1", SMALL, "24", 3)]


def test_the_form_is_one_that_clips_have_and_not_what_each_key_has_most_of() -> None:
    assert chosen(MIXED) == ("1920x1080", "30", "hevc")


@pytest.mark.parametrize(
    ("sections", "form"),
    [
        ({"video": VideoConfig(size=SMALL)}, ("640x360", "25", "h264")),  # now two clips are alike
        ({"video": VideoConfig(fps=Fraction(50))}, ("1920x1080", "50", "hevc")),
        ({"encode": QualitySettings(codec=Codec.H264)}, ("1920x1080", "30", "h264")),
        ({"encode": QualitySettings(encoder="libx264")}, ("1920x1080", "30", "h264")),
        ({"encode": QualitySettings(crf=20)}, ("1920x1080", "30", "h264")),  # a number of x264
        ({"encode": QualitySettings(preset="fast")}, ("1920x1080", "30", "h264")),
        ({"encode": QualitySettings(encoder="auto", crf=None)}, ("1920x1080", "30", "hevc")),
    ],
)
def test_what_is_said_wins(sections: dict[str, Any], form: tuple[str, str, str]) -> None:
    if "video" in sections and sections["video"].size == SMALL:
        assert chosen(MIXED[1:3], **sections) == form
    else:
        assert chosen(MIXED, **sections) == form


def test_a_codec_that_cannot_be_written_is_none() -> None:
    clips: list[Clip] = [("av1", HD, "30", 5), ("h264", SMALL, "30", 3)]
    assert chosen(clips) == ("1920x1080", "30", "av1")
    assert chosen(clips, container=Container.MOV) == ("1920x1080", "30", "h264")
    assert chosen([("vp9", HD, "30", 5), ("hevc", SMALL, "30", 3)]) == ("1920x1080", "30", "h264")
    assert chosen([("vp9", HD, "30", 2), ("h264", HD, "30", 2), ("hevc", SMALL, "30", 3)])[2] == "h264"


def test_more_pixels_win_where_seconds_are_equal() -> None:
    assert chosen([("h264", SMALL, "60", 1), ("hevc", HD, "24", 1)]) == ("1920x1080", "24", "hevc")


def test_the_size_is_the_even_one_that_is_shown() -> None:
    media = media_of(video={"dimensions": Dimensions(321, 181), "orientation": Orientation(90)})
    found = settled(Config(), [(media, Fraction(1))], Container.MP4, of_clips=True)
    assert found.video.size == Dimensions(180, 320)


UPRIGHT, SQUARE = Dimensions(1080, 1920), Dimensions(800, 800)


@pytest.mark.parametrize(
    ("clips", "size"),
    [
        ([(HD, 3)], HD),
        ([(UPRIGHT, 3)], UPRIGHT),
        ([(HD, 3), (UPRIGHT, 2), (SMALL, 2)], HD),
        ([(HD, 3), (UPRIGHT, 4)], UPRIGHT),
        ([(HD, 3), (UPRIGHT, 3)], UPRIGHT),  # a tie changes nothing
        ([(SQUARE, 9), (HD, 1)], HD),
        ([(SQUARE, 9)], UPRIGHT),
    ],
)
def test_orientation_with_the_most_seconds_decides_the_default_size(
    clips: list[tuple[Dimensions, int]], size: Dimensions
) -> None:
    found = [(media_of(video={"dimensions": shown}), Fraction(seconds)) for shown, seconds in clips]
    config, issue = turned(Config(), found)
    assert config.video.size == size
    assert (issue is not None) == (size == HD)
    if issue is not None:
        assert issue.code is IssueCode.SIZE_TURNED
        assert "--size 1080x1920" in str(issue.hint)


def test_rotated_clip_counts_as_it_is_shown() -> None:
    phone = media_of(video={"dimensions": HD, "orientation": Orientation(90)})
    assert turned(Config(), [(phone, Fraction(1))])[1] is None


def test_size_that_was_given_stays_though_it_is_the_default() -> None:
    config = Config(video=VideoConfig(size=UPRIGHT))
    assert turned(config, [(media_of(video={"dimensions": HD}), Fraction(1))]) == (config, None)

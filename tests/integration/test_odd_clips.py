"""One odd clip among those of one camera: it becomes what the others are, and these are copied bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import ConcatConfig, Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.stills import read_stills
from mpt_cli.model.choices import Action, CopyPolicy, JoinMethod
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.reporting.pictures import image_of
from tests.integration.test_uniform_sets import X264, declared, hashes, of
from tests.media import Color

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder, Recipe

X265 = ("-preset", "superfast", "-x265-params", "open-gop=0:keyint=10:ctu=32:log-level=none")
MAIN = ("-profile:v", "main")
HLG = Color("bt2020nc", "bt2020", "arib-std-b67")
PQ = Color("bt2020nc", "bt2020", "smpte2084")
SETS: dict[str, Recipe] = {
    "untagged": of("libx264", ".mp4", *X264),
    "main profile": of("libx264", ".mp4", *X264, *MAIN),
    "BT.601": of("libx264", ".mp4", *X264, color=Color("smpte170m", "smpte170m", "smpte170m"), fps="30000/1001"),
    "full range": of("libx264", ".mp4", *X264, color=Color("bt709", full_range=True)),
    "rotated": of("libx264", ".mp4", *X264, rotation=90),
    "rotated back and mirrored": of("libx264", ".mp4", *X264, rotation=-90, mirrored=True),
    "upside down": of("libx264", ".mp4", *X264, rotation=180),
    "anamorphic": of("libx264", ".mp4", *X264, sar="4/3"),
    "anamorphic and rotated": of("libx264", ".mp4", *X264, sar="4/3", rotation=90),
    "10 bit": of("libx264", ".mp4", *X264, pixel_format="yuv420p10le"),
    "10 bit HLG": of("libx264", ".mp4", *X264, pixel_format="yuv420p10le", color=HLG),
    "slow motion": of("libx264", ".mp4", *X264, fps="120"),
    "MKV": of("libx264", ".mkv", *X264),
    "AV1": of("libsvtav1", ".mp4", "-preset", "12", "-g", "10"),
    "AV1 of 10 bits with HLG": of(
        "libsvtav1", ".mkv", "-preset", "12", "-g", "10", pixel_format="yuv420p10le", color=HLG
    ),
    "HEVC in MKV": of("libx265", ".mkv", *X265),
    "HEVC of 10 bits with HLG": of("libx265", ".mkv", *X265, pixel_format="yuv420p10le", color=HLG),
    "HEVC with PQ and of another shape": of(
        "libx265", ".mkv", *X265, pixel_format="yuv420p10le", color=PQ, sar="4/3", fps="24000/1001"
    ),
}
ODD = of("libx264", ".mp4", "-preset", "ultrafast", "-g", "7", size="320x240", color=Color("bt709"))
"""Four quarters of colour, so that turning, mirroring and stretching it wrongly shows."""
QUARTERS = (
    "drawbox=w=iw/2:h=ih/2:color=red:t=fill,drawbox=x=iw/2:w=iw/2:h=ih/2:color=lime:t=fill,"
    "drawbox=y=ih/2:w=iw/2:h=ih/2:color=blue:t=fill,drawbox=x=iw/2:y=ih/2:w=iw/2:h=ih/2:color=white:t=fill"
)


def joined(clips: list[Path], output: Path, policy: CopyPolicy) -> VideoResult:
    config = Config(concat=ConcatConfig(copy=policy))
    params = VideoParams(tuple(map(VideoClip, clips)), output, join=JoinMethod.AUTO)
    return ModuleFactory(config).create_video_orchestrator().process_video_request(params)


def made_set(media: MediaFolder, recipe: Recipe) -> list[Path]:
    clips = [media.make(recipe, filters=(f"hue=h={60 * number}",)) for number in range(2)]
    odd = media.make(replace(ODD, suffix=".mp4"), source="color=black", filters=("format=gbrp", QUARTERS))
    return [clips[0], odd, clips[1]]


def shown(path: Path, seconds: float) -> Any:
    """The frame of a file at a time, upright, as an array of red, green and blue of SDR."""
    (still,) = read_stills(path, [seconds], Dimensions(256, 256))  # type: ignore[list-item]
    assert still is not None
    return np.asarray(image_of(still)).astype(float)


def quarters(path: Path, seconds: float) -> list[Any]:
    """Colours in the quarters of the picture, whose bars are left out: what is left of 320x240 in it."""
    picture = shown(path, seconds)
    height, width, _ = picture.shape
    side = min(width / 4, height / 3)
    wide, high = side * 4, side * 3
    left, top = (width - wide) / 2, (height - high) / 2
    places = [(x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    found = []
    for x, y in places:
        column, row = round(left + x * wide), round(top + y * high)
        found.append(picture[row - 2 : row + 3, column - 2 : column + 3].mean(axis=(0, 1)))
    return found


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.core(1)
def test_an_odd_clip_becomes_like_the_others_which_are_copied(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    recipe = SETS[kind]
    clips = made_set(media, recipe)
    output = tmp_path / f"reel{recipe.suffix}"
    result = joined(clips, output, CopyPolicy.COMPATIBLE)
    assert result.success, result.errors
    assert [clip.action for clip in result.clips] == [Action.COPY, Action.ENCODE, Action.COPY], [
        clip.reasons for clip in result.clips
    ]
    assert {issue.code for issue in result.warnings} <= {IssueCode.MIXED_PARAMETER_SETS}
    order = 3  # of fields: on its way through NUT, HEVC forgets that it has none
    said = [(*declared(path)[:order], *declared(path)[order + 1 :]) for path in (output, clips[0])]
    assert said[0] == said[1]
    first, last, all_frames = hashes(clips[0]), hashes(clips[2]), hashes(output)
    assert all_frames[: len(first)] == first
    assert all_frames[-len(last) :] == last
    rate = len(first)
    assert len(all_frames) == 3 * rate
    bright = 190 if recipe.color in (HLG, PQ) else 235  # highlights of HDR are bent where it is shown as SDR
    wanted = [(bright, 0, 0), (0, bright, 0), (0, 0, bright), (bright,) * 3]
    for colour, expected in zip(quarters(output, 1.5), wanted, strict=True):
        assert colour == pytest.approx(expected, abs=40)
    with av.open(output) as container:
        formats = {(frame.width, frame.height, frame.format.name) for frame in container.decode(video=0)}
    assert len(formats) == 1


@pytest.mark.core(0)
def test_the_default_encodes_all_and_says_what_compatible_would_encode(media: MediaFolder, tmp_path: Path) -> None:
    result = joined(made_set(media, SETS["untagged"]), tmp_path / "reel.mp4", CopyPolicy.IDENTICAL)
    assert result.success, result.errors
    (warning,) = result.warnings
    assert warning.code is IssueCode.ALL_ENCODED
    assert warning.message.endswith("all are encoded; --copy compatible encodes 1")


@pytest.mark.core(0)
def test_hevc_of_other_sets_is_mixed_in_matroska_only(media: MediaFolder, tmp_path: Path) -> None:
    clips = made_set(media, SETS["HEVC of 10 bits with HLG"])
    result = joined(clips, tmp_path / "reel.mp4", CopyPolicy.COMPATIBLE)
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.ENCODE}
    (warning,) = result.warnings
    assert warning.message.endswith("all are encoded; --copy compatible into .mkv encodes 1")


@pytest.mark.core(0)
def test_a_trim_of_kept_frames_encodes_only_those_beside_keyframes(media: MediaFolder, tmp_path: Path) -> None:
    recipe = SETS["anamorphic"]
    clips = [media.make(recipe, filters=(f"hue=h={60 * number}",)) for number in range(2)]
    output = tmp_path / "reel.mp4"
    config = Config(concat=ConcatConfig(copy=CopyPolicy.COMPATIBLE))
    params = VideoParams((VideoClip(clips[0], start=0.2), VideoClip(clips[1])), output, join=JoinMethod.AUTO)
    result = ModuleFactory(config).create_video_orchestrator().process_video_request(params)
    assert result.success, result.errors
    assert [clip.action for clip in result.clips] == [Action.COPY, Action.COPY], result.clips
    assert result.clips[0].reasons[0] == "frames 0-4 encoded"
    assert hashes(output)[5:] == hashes(clips[0])[10:] + hashes(clips[1])
    encoded, source = (shown(path, seconds) for path, seconds in ((output, 0.1), (clips[0], 0.3)))
    assert abs(encoded - source).mean() < 6

"""Encoders get settings under which clips can be joined, and wishes that they cannot grant are named before."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config import QualitySettings
from mpt_cli.errors import IssueCode
from mpt_cli.media.encoders import ENCODERS, fits_container
from mpt_cli.media.optimizer import CodecOptimizer
from mpt_cli.media.probe import probe
from mpt_cli.models import Codec, Container, QualityLevel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.errors import Issue
    from mpt_cli.models import EncoderSettings, MediaInfo

RATE = Fraction(5)
"""So slow that the two seconds between keyframes are ten pictures."""
NAMES = ("libx264", "libx265", "libsvtav1")
CODECS = {"libx264": Codec.H264, "libx265": Codec.HEVC, "libsvtav1": Codec.AV1}


def settings(cores: int = 1, /, **quality: object) -> EncoderSettings:
    """What the optimizer chooses for these wishes."""
    wanted = QualitySettings(**quality)  # type: ignore[arg-type]
    return CodecOptimizer().get_optimal_settings(wanted, frame_rate=RATE, threads=cores)


def option(chosen: EncoderSettings, name: str) -> str:
    """The value of an option."""
    return chosen.options[chosen.options.index(name) + 1]


def encoded(chosen: EncoderSettings, path: Path, *, source: str = "testsrc2", seconds: int = 5) -> MediaInfo:
    """What a file holds that was encoded with these settings."""
    picture = f"{source}=size=160x90:rate={RATE}:duration={seconds}"
    coding = ("-c:v", chosen.encoder, *chosen.options, "-pix_fmt", chosen.pixel_format, "-threads", str(chosen.threads))
    run_ffmpeg("-f", "lavfi", "-i", picture, *coding, path)
    return probe(path, scan=True)


def problems(**quality: object) -> list[Issue]:
    """What is wrong with these wishes."""
    return CodecOptimizer().problems(QualitySettings(**quality))  # type: ignore[arg-type]


# --- settings that join ---------------------------------------------------------------------------


@pytest.mark.parametrize("level", QualityLevel)
@pytest.mark.parametrize("codec", Codec)
def test_keyframes_are_closed_and_at_most_two_seconds_apart(tmp_path: Path, codec: Codec, level: QualityLevel) -> None:
    found = encoded(settings(codec=codec, quality=level), tmp_path / "clip.mp4")
    assert found.video.codec == codec
    assert (found.video.profile, found.video.pixel_format) == ("High" if codec is Codec.H264 else "Main", "yuv420p")
    assert found.copy_traits is not None
    assert (found.copy_traits.pictures, found.copy_traits.closed_gop) == (25, True)
    points = [*found.seek_points, Fraction(5)]
    assert points[0] == 0
    assert all(0 < after - before <= 2 for before, after in pairwise(points))


@pytest.mark.parametrize("codec", Codec)
def test_parameter_sets_are_the_same_for_other_pictures_lengths_and_threads(tmp_path: Path, codec: Codec) -> None:
    plain = encoded(settings(codec=codec), tmp_path / "plain.mp4")
    still = encoded(settings(codec=codec), tmp_path / "still.mp4", source="color", seconds=1)
    threaded = encoded(settings(3, codec=codec), tmp_path / "threaded.mp4")
    sets = {info.copy_traits.parameter_sets for info in (plain, still, threaded) if info.copy_traits}
    assert len(sets) == 1
    other = encoded(settings(codec=codec, quality=QualityLevel.HIGH, preset=_other_preset(codec)), tmp_path / "o.mp4")
    assert other.copy_traits is not None
    if codec is not Codec.AV1:  # its sequence header says little
        assert other.copy_traits.parameter_sets not in sets


def _other_preset(codec: Codec) -> str:
    return "7" if codec is Codec.AV1 else "ultrafast"


def test_no_text_of_x265_stands_in_the_stream_because_it_names_the_threads(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encoded(settings(codec=Codec.HEVC), path, seconds=1)
    with av.open(str(path)) as container:
        headers = container.streams.video[0].codec_context.extradata or b""
        stream = b"".join(bytes(packet) for packet in container.demux(video=0))
    assert headers
    assert b"options:" not in headers + stream


@pytest.mark.parametrize("codec", Codec)
def test_a_better_level_and_a_lower_crf_lose_less(tmp_path: Path, codec: Codec) -> None:
    levels = [lost(settings(codec=codec, quality=level), tmp_path) for level in QualityLevel]
    assert levels == sorted(levels, reverse=True)
    fine, coarse = (lost(settings(codec=codec, crf=crf), tmp_path) for crf in (10, 45))
    assert fine < levels[1] < coarse


def lost(chosen: EncoderSettings, folder: Path) -> float:
    """Mean square of the difference between pictures before and after they were encoded."""
    encoded(chosen, folder / "clip.mp4", seconds=2)
    raw = ("-pix_fmt", "gray", "-f", "rawvideo", "-y", folder / "raw")
    grays = []
    for source in (("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate={RATE}:duration=2"), ("-i", folder / "clip.mp4")):
        run_ffmpeg(*source, *raw)
        grays.append(np.frombuffer((folder / "raw").read_bytes(), np.uint8).astype(float))
    return float(((grays[0] - grays[1]) ** 2).mean())


@pytest.mark.parametrize("codec", Codec)
def test_the_lowest_and_highest_crf_that_are_allowed_can_be_encoded(tmp_path: Path, codec: Codec) -> None:
    allowed = [crf for crf in range(64) if not problems(codec=codec, crf=crf)]
    assert allowed == list(range(allowed[0], allowed[-1] + 1))
    low, high = (encoded(settings(codec=codec, crf=crf), tmp_path / f"{crf}.mp4") for crf in (allowed[0], allowed[-1]))
    assert low.video.codec == high.video.codec == codec
    assert low.video.profile == high.video.profile
    assert low.size_bytes > 2 * high.size_bytes


# --- choices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "codec"), CODECS.items())
def test_auto_takes_the_encoder_of_the_codec(name: str, codec: Codec) -> None:
    chosen = settings(codec=codec)
    assert (chosen.codec, chosen.encoder) == (codec, name)
    assert settings(codec=codec, encoder=name) == chosen


def test_wishes_win_over_the_level() -> None:
    plain = settings()
    wished = settings(crf=33, preset="slower")
    assert (option(wished, "-crf"), option(wished, "-preset")) == ("33", "slower")
    assert (option(plain, "-crf"), option(plain, "-preset")) != ("33", "slower")
    assert option(settings(crf=33), "-preset") == option(plain, "-preset")


@pytest.mark.parametrize("codec", Codec)
def test_threads_are_those_of_the_machine_unless_named(codec: Codec) -> None:
    assert settings(5, codec=codec).threads == 5
    named = settings(5, codec=codec, threads=2)
    assert named.threads == 2
    assert named == settings(2, codec=codec)
    if codec is not Codec.H264:  # which takes them from -threads; the others would take all cores
        assert named.options != settings(5, codec=codec).options


@pytest.mark.parametrize(("rate", "pictures"), [("30", "60"), ("30000/1001", "60"), ("24000/1001", "48"), ("1", "2")])
def test_two_seconds_are_a_whole_number_of_pictures(rate: str, pictures: str) -> None:
    chosen = CodecOptimizer().get_optimal_settings(QualitySettings(), frame_rate=Fraction(rate), threads=1)
    assert option(chosen, "-g") == pictures


def test_settings_of_an_unknown_encoder_cannot_be_had() -> None:
    with pytest.raises(ValueError, match="h265_vaapi"):
        settings(encoder="h265_vaapi")


# --- wishes that cannot be granted ----------------------------------------------------------------


@pytest.mark.parametrize("level", QualityLevel)
@pytest.mark.parametrize("name", NAMES)
def test_every_level_of_every_encoder_is_possible(name: str, level: QualityLevel) -> None:
    assert problems(codec=CODECS[name], encoder=name, quality=level) == []
    assert problems(codec=CODECS[name], quality=level) == []


def test_an_encoder_that_is_not_known_is_named_with_the_nearest_one() -> None:
    (issue,) = problems(encoder="libsvt-av1")
    assert issue.code is IssueCode.ENCODER_UNAVAILABLE
    assert "libsvt-av1" in issue.message
    assert issue.hint is not None
    assert "did you mean libsvtav1?" in issue.hint
    (stranger,) = problems(encoder="h264_nvenc")
    assert stranger.hint is not None
    assert all(name in stranger.hint for name in ("auto", *NAMES))


def test_an_encoder_of_another_codec_says_which_codec_to_ask_for() -> None:
    (issue,) = problems(codec=Codec.H264, encoder="libsvtav1")
    assert issue.code is IssueCode.ENCODER_UNAVAILABLE
    assert issue.hint == "add --codec av1"


@pytest.mark.parametrize(
    ("codec", "crf", "fine"),
    [
        (Codec.H264, 0, False),  # lossless, which is another profile
        (Codec.H264, 1, True),
        (Codec.H264, 51, True),
        (Codec.H264, 52, False),
        (Codec.HEVC, 0, True),
        (Codec.HEVC, 51, True),
        (Codec.HEVC, 52, False),
        (Codec.AV1, 0, False),  # which ffmpeg takes for no wish at all
        (Codec.AV1, 1, True),
        (Codec.AV1, 63, True),
    ],
)
def test_a_crf_that_the_encoder_does_not_take_is_out_of_range(codec: Codec, crf: int, *, fine: bool) -> None:
    found = [issue.code for issue in problems(codec=codec, crf=crf)]
    assert found == ([] if fine else [IssueCode.QUALITY_OUT_OF_RANGE])


@pytest.mark.parametrize(
    ("codec", "preset", "fine"),
    [
        (Codec.H264, "veryfast", True),
        (Codec.H264, "7", False),
        (Codec.HEVC, "placebo", True),
        (Codec.HEVC, "quick", False),
        (Codec.AV1, "0", True),
        (Codec.AV1, "13", True),
        (Codec.AV1, "14", False),
        (Codec.AV1, "veryfast", False),
    ],
)
def test_a_preset_that_the_encoder_does_not_have_is_refused_with_those_it_has(
    codec: Codec, preset: str, *, fine: bool
) -> None:
    found = problems(codec=codec, preset=preset)
    assert [issue.code for issue in found] == ([] if fine else [IssueCode.QUALITY_OUT_OF_RANGE])
    assert all(issue.hint and "choose one of" in issue.hint for issue in found)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    found = problems(codec=Codec.AV1, encoder="libx264", crf=60, preset="quick")
    assert [issue.code for issue in found] == [
        IssueCode.ENCODER_UNAVAILABLE,
        IssueCode.QUALITY_OUT_OF_RANGE,
        IssueCode.QUALITY_OUT_OF_RANGE,
    ]


# --- containers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("container", Container)
@pytest.mark.parametrize("codec", Codec)
def test_a_codec_fits_a_container_if_ffmpeg_really_writes_it(
    tmp_path: Path, codec: Codec, container: Container
) -> None:
    path = tmp_path / f"clip.{container}"
    if fits_container(codec, container):
        assert encoded(settings(codec=codec), path, seconds=1).video.codec == codec
    else:
        with pytest.raises(RuntimeError):
            encoded(settings(codec=codec), path, seconds=1)


def test_every_encoder_is_known_by_its_own_name() -> None:
    assert {name: encoder.codec for name, encoder in ENCODERS.items()} == CODECS

"""Encoders get settings under which clips can be joined, and wishes that they cannot grant are named before."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.encoders.software import ENCODERS, fits_container
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Codec, Container, QualityLevel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import EncoderSettings
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo

pytestmark = pytest.mark.heavy

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
@pytest.mark.core(3)
def test_keyframes_are_closed_and_at_most_two_seconds_apart(tmp_path: Path, codec: Codec, level: QualityLevel) -> None:
    found = encoded(settings(codec=codec, quality=level), tmp_path / "clip.mp4")
    assert found.video.codec == codec
    assert (found.video.profile, found.video.pixel_format) == (_profile(codec, level), "yuv420p")
    assert found.copy_traits is not None
    assert (found.copy_traits.pictures, found.copy_traits.closed_gop) == (25, True)
    points = [*found.seek_points, Fraction(5)]
    assert points[0] == 0
    assert all(0 < after - before <= 2 for before, after in pairwise(points))


def _profile(codec: Codec, level: QualityLevel) -> str:
    """The profile that the stream says; x264's fastest preset uses nothing of the one that it is allowed."""
    if codec is not Codec.H264:
        return "Main"
    return "Constrained Baseline" if level is QualityLevel.DRAFT else "High"


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.core(1)
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
    return "7" if codec is Codec.AV1 else "medium"


def test_no_text_of_x265_stands_in_the_stream_because_it_names_the_threads(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encoded(settings(codec=Codec.HEVC), path, seconds=1)
    with av.open(str(path)) as container:
        headers = container.streams.video[0].codec_context.extradata or b""
        stream = b"".join(bytes(packet) for packet in container.demux(video=0))
    assert headers
    assert b"options:" not in headers + stream


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.core(1)
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
@pytest.mark.core(1)
def test_the_lowest_and_highest_crf_that_are_allowed_can_be_encoded(tmp_path: Path, codec: Codec) -> None:
    allowed = [crf for crf in range(64) if not problems(codec=codec, crf=crf)]
    assert allowed == list(range(allowed[0], allowed[-1] + 1))
    low, high = (encoded(settings(codec=codec, crf=crf), tmp_path / f"{crf}.mp4") for crf in (allowed[0], allowed[-1]))
    assert low.video.codec == high.video.codec == codec
    assert low.video.profile == high.video.profile
    assert low.size_bytes > 2 * high.size_bytes


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

"""The dynamic range of a reel: what is asked for, or what the clips hold the most seconds of."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from mpt_cli.config.sections import Config, QualitySettings, VideoConfig
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import Codec, DynamicRange, JoinMethod
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.samples import HLG, PQ, SDR_SAMPLES, HdrMetadata, dynamic_range_of
from mpt_cli.planning.dynamic_range import settled_range, with_range
from mpt_cli.validation.codec import CodecValidator
from tests.builders import media_of

LIGHT = HdrMetadata(light=(1000, 400))


def clip(hdr: str | None, seconds: int, **video: Any) -> Any:
    color = {"hlg": {"color": HLG}, "pq": {"color": PQ}}.get(hdr or "", {})
    return media_of(video={"hdr": hdr, **color, **video}), Fraction(seconds)


def chosen(*clips: Any, of_clips: bool = True, join: JoinMethod | None = None, **sections: Any) -> tuple[str, Any]:
    """The dynamic range of these clips, and the code of the warning."""
    choice = settled_range(Config(**sections), clips, of_clips=of_clips, join=join)
    return dynamic_range_of(choice.samples.color).value, None if choice.issue is None else choice.issue.code


@pytest.mark.parametrize(
    ("clips", "found"),
    [
        ([("hlg", 3), (None, 2)], "hlg"),
        ([("hlg", 2), (None, 2)], "sdr"),
        ([("hlg", 2), ("pq", 3), (None, 4)], "pq"),
        ([("dolby_vision", 9), ("hlg", 1)], "sdr"),
        ([(None, 9)], "sdr"),
    ],
)
def test_hdr_of_the_most_seconds_decides_a_join(clips: list[tuple[str | None, int]], found: str) -> None:
    assert chosen(*(clip(*each) for each in clips))[0] == found


def test_a_range_that_is_named_wins_and_sdr_is_the_default_of_the_full_workflow() -> None:
    hlg, sdr = clip("hlg", 3), clip(None, 1)
    assert chosen(hlg, sdr, of_clips=False) == ("sdr", IssueCode.HDR_CONVERTED)
    assert chosen(hlg, sdr, video=VideoConfig(dynamic_range=DynamicRange.SDR)) == ("sdr", None)
    assert chosen(sdr, of_clips=False, video=VideoConfig(dynamic_range=DynamicRange.PQ)) == ("pq", None)
    assert chosen(hlg, of_clips=False, video=VideoConfig(dynamic_range=DynamicRange.AUTO)) == ("hlg", None)


@pytest.mark.parametrize(
    ("encode", "join", "found"),
    [
        ({"codec": "h264"}, None, "sdr"),
        ({"encoder": "libx264"}, None, "sdr"),
        ({"codec": "av1"}, None, "hlg"),
        ({}, JoinMethod.MOVIEPY, "sdr"),
        ({"crf": 20}, None, "hlg"),
    ],
)
def test_what_was_asked_for_may_hinder_hdr(encode: dict[str, Any], join: JoinMethod | None, found: str) -> None:
    quality = QualitySettings(**encode)
    warning = IssueCode.HDR_CONVERTED if found == "sdr" else None
    assert chosen(clip("hlg", 3), join=join, encode=quality) == (found, warning)
    config = Config(encode=quality, video=VideoConfig(dynamic_range=DynamicRange.HLG))
    refused = [issue.code for issue in CodecValidator(CodecOptimizer()).validate_dynamic_range(config, join)]
    assert refused == ([IssueCode.HDR_REFUSED] if found == "sdr" else [])


def test_hdr_takes_a_codec_of_ten_bits_where_none_is_named() -> None:
    samples = settled_range(Config(), [clip("pq", 3)], of_clips=True).samples
    config = with_range(Config(), samples)
    assert (config.encode.codec, config.video.dynamic_range) == (Codec.HEVC, DynamicRange.PQ)
    assert with_range(Config(encode=QualitySettings(codec=Codec.AV1)), samples).encode.codec is Codec.AV1
    assert with_range(Config(), SDR_SAMPLES).encode.codec is Codec.H264


@pytest.mark.parametrize(("others", "kept"), [([LIGHT], LIGHT), ([None], None), ([HdrMetadata(light=(900, 9))], None)])
def test_only_metadata_that_all_clips_share_is_kept(others: list[HdrMetadata | None], kept: HdrMetadata | None) -> None:
    clips = [clip("pq", 1, hdr_metadata=each) for each in (LIGHT, *others)]
    assert settled_range(Config(), clips, of_clips=True).samples.metadata == kept


def test_static_metadata_is_told_to_each_encoder_in_its_own_units() -> None:
    display = (13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10_000_000, 50)
    samples = settled_range(
        Config(), [clip("pq", 1, hdr_metadata=HdrMetadata(display, (1000, 400)))], of_clips=True
    ).samples
    told = {}
    for codec in (Codec.HEVC, Codec.AV1):
        found = CodecOptimizer().get_optimal_settings(
            QualitySettings(codec=codec), frame_rate=Fraction(30), threads=1, samples=samples
        )
        told[codec] = " ".join(found.options)
        assert (found.pixel_format, found.color) == ("yuv420p10le", PQ)
    expected = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
    assert expected in told[Codec.HEVC]
    assert "main10" in told[Codec.HEVC]
    assert (
        "mastering-display=G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)"
        "L(1000.0000,0.0050):content-light=1000,400" in told[Codec.AV1]
    )

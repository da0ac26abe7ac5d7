"""One odd clip among equal ones: when it becomes like them, by which encoder, and what is said otherwise."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from mpt_cli.config.sections import QualitySettings
from mpt_cli.media.encoders.kept import samples_like
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.geometry import shown_size
from mpt_cli.model.choices import Action, Codec, Container, CopyPolicy
from mpt_cli.model.clips import Color, Dimensions, Orientation
from mpt_cli.model.samples import HLG
from mpt_cli.planning.form_encoder import quality_like
from mpt_cli.planning.kept_frames import kept_of
from tests.builders import form_of, media_of
from tests.unit.planning.test_kept_frames import plan_of

UNTAGGED: dict[str, Any] = {"color": Color()}
ODD = media_of(video={"codec": "hevc", "dimensions": Dimensions(320, 180)}, traits={"parameter_sets": "odd"})
HEVC: dict[str, Any] = {"codec": "hevc", "profile": "Main"}


def test_compatible_encodes_only_the_odd_clip_in_the_format_of_the_others() -> None:
    plan = plan_of(media_of(video=UNTAGGED), ODD, media_of(video=UNTAGGED), copy=CopyPolicy.COMPATIBLE)
    assert [clip.action for clip in plan.clips] == [Action.COPY, Action.ENCODE, Action.COPY]
    assert plan.form.kept is not None
    assert (plan.form.encoder.encoder, plan.form.encoder.color) == ("libx264", Color())
    assert plan.mixed_parameter_sets
    assert plan.copy_notice is None


def test_the_format_that_copies_more_wins() -> None:
    usual = [media_of(traits={"parameter_sets": str(number)}) for number in range(3)]
    plan = plan_of(media_of(video=UNTAGGED), *usual, copy=CopyPolicy.COMPATIBLE)
    assert plan.form.kept is None
    assert [clip.action for clip in plan.clips] == [Action.ENCODE] + [Action.COPY] * 3


@pytest.mark.parametrize(
    ("video", "container", "end"),
    [
        (UNTAGGED, Container.MP4, "; --copy compatible encodes 1"),
        (UNTAGGED | {"pixel_format": "yuv422p", "profile": "High 4:2:2"}, Container.MP4, "all are encoded"),
        (UNTAGGED | {"interlaced": True}, Container.MP4, "all are encoded"),
        (UNTAGGED | HEVC, Container.MP4, "; --copy compatible into .mkv encodes 1"),
        (UNTAGGED | HEVC, Container.MKV, "; --copy compatible encodes 1"),
    ],
)
def test_the_default_says_what_compatible_would_encode(video: dict[str, Any], container: Container, end: str) -> None:
    like = media_of(video=video)
    plan = plan_of(like, like, replace(ODD, video=replace(ODD.video, codec="vp9")), container=container)
    assert {clip.action for clip in plan.clips} == {Action.ENCODE}
    assert plan.copy_notice is not None
    assert plan.copy_notice.message.endswith(end)


def test_hevc_of_other_sets_is_mixed_in_matroska_only() -> None:
    like = media_of(video=UNTAGGED | HEVC)
    odd = media_of(video=UNTAGGED | HEVC | {"dimensions": Dimensions(320, 180)})
    encoded = {}
    for container in (Container.MP4, Container.MKV):
        plan = plan_of(like, like, odd, container=container, copy=CopyPolicy.COMPATIBLE)
        encoded[container] = [clip.index for clip in plan.clips if clip.action is Action.ENCODE]
        assert (plan.copy_notice is not None) is (container is Container.MP4)
    assert encoded == {Container.MP4: [0, 1, 2], Container.MKV: [2]}


@pytest.mark.parametrize(
    ("video", "profile", "pixel_format"),
    [
        ({"profile": "Constrained Baseline"}, "baseline", "yuv420p"),
        ({"pixel_format": "yuvj420p", "color": Color("bt709", "pc")}, "high", "yuv420p"),
        ({"profile": "High 10", "pixel_format": "yuv420p10le", "color": HLG}, "high10", "yuv420p10le"),
        (HEVC | {"profile": "Main 10", "pixel_format": "yuv420p10le"}, "main10", "yuv420p10le"),
        (HEVC | {"profile": "Rext", "pixel_format": "yuv420p12le"}, None, None),
        ({"color": Color("ycgco", "tv", "bt709", "bt709")}, None, None),
        ({"color": Color("bt709", "tv", "smpte428", "linear")}, None, None),
        ({"dimensions": Dimensions(161, 91)}, None, None),
    ],
)
def test_what_an_encoder_makes_like_kept_frames(
    video: dict[str, Any], profile: str | None, pixel_format: str | None
) -> None:
    found = media_of(video=video).video
    samples = samples_like(kept_of(found, Container.MP4), found.dimensions)
    if profile is None:
        assert samples is None
    else:
        assert samples is not None
        assert (samples.profile, samples.pixel_format, samples.color) == (profile, pixel_format, found.color)


@pytest.mark.parametrize(
    ("given", "encoder", "crf"),
    [
        ({}, "libx264", None),
        ({"crf": 20}, "libx264", 20),
        ({"encoder": "h264_nvenc", "crf": 20}, "libx264", None),
        ({"codec": Codec.HEVC, "crf": 20}, "libx264", None),
    ],
)
def test_kept_frames_are_made_in_software(given: dict[str, Any], encoder: str, crf: int | None) -> None:
    video = media_of(video=UNTAGGED).video
    form = replace(form_of(), kept=kept_of(video, Container.MP4))
    found = quality_like(form, QualitySettings(**given), CodecOptimizer())
    assert (found.codec, found.encoder, found.crf) == (Codec.H264, encoder, crf)


def test_kept_frames_are_shown_upright_in_square_pixels() -> None:
    video = media_of(video={"sar": Fraction(4, 3), "orientation": Orientation(90)}).video
    form = replace(form_of(size="120x90"), kept=kept_of(video, Container.MP4))
    assert shown_size(form) == Dimensions(90, 160)
    assert shown_size(replace(form, kept=None)) == Dimensions(120, 90)

"""Frames that a reel keeps as its clips have them: when, of which clips, and what keeps a clip out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.sections import Config, VideoConfig
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import Action, Container, CopyPolicy
from mpt_cli.model.clips import Color, Dimensions, KeptFrames, Orientation, VideoClip
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.frame_times import FrameTimes, Timing
from mpt_cli.planning.copies import Copying
from mpt_cli.planning.estimates import Machine
from mpt_cli.planning.plan import make_plan
from tests.builders import media_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.planning.plan import Plan

PHONE: dict[str, Any] = {"profile": "High 10", "pixel_format": "yuv420p10le", "color": Color("bt2020nc")}
MACHINE = Machine(cores=2, memory_bytes=8 << 30)


def plan_of(
    *medias: MediaInfo,
    container: Container = Container.MP4,
    copy: CopyPolicy = CopyPolicy.IDENTICAL,
    size: str = "160x90",
    keep: bool = True,
    any_codec: bool = True,
    any_rate: bool = True,
) -> Plan:
    clips = [(index, VideoClip(Path(f"/in/{index}.mp4")), media) for index, media in enumerate(medias)]
    config = Config(video=VideoConfig(size=Dimensions.parse(size), fps=Fraction(30)))
    optimizer = CodecOptimizer()
    copying = Copying(copy, keep=keep, any_codec=any_codec, any_rate=any_rate)
    return make_plan(clips, config, container, machine=MACHINE, optimizer=optimizer, copying=copying)


def actions(plan: Plan) -> set[Action]:
    return {clip.action for clip in plan.clips}


def test_equal_clips_are_copied_and_the_format_says_what_is_kept() -> None:
    plan = plan_of(*[media_of(video=PHONE)] * 3)
    assert actions(plan) == {Action.COPY}
    assert plan.form.kept == KeptFrames("h264", "High 10", "yuv420p10le", Fraction(1), Color("bt2020nc"), Orientation())
    assert plan.form.pixel_format == "yuv420p10le"
    assert not plan.mixed_parameter_sets


@pytest.mark.parametrize("copy", [CopyPolicy.NEVER, CopyPolicy.IDENTICAL])
def test_nothing_is_kept_where_nothing_may_be(copy: CopyPolicy) -> None:
    plan = plan_of(*[media_of(video=PHONE)] * 2, copy=copy, keep=copy is CopyPolicy.NEVER)
    assert actions(plan) == {Action.ENCODE}
    assert plan.form.kept is None


def test_clips_of_the_usual_form_need_nothing_kept() -> None:
    assert plan_of(media_of(), media_of()).form.kept is None


ODD: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"pixel_format": "yuv420p"}, "pixel format is yuv420p"),
    "colours": ({"color": Color("bt709", "tv", "bt709", "bt709")}, "colours are bt709/bt709/bt709/tv"),
    "no tags": ({"color": Color()}, "colours are not tagged"),
    "turned": ({"orientation": Orientation(90)}, "stored rotated"),
    "mirrored": ({"orientation": Orientation(mirrored=True)}, "stored rotated"),
    "shape": ({"sar": Fraction(8, 9)}, "sample aspect ratio is 8/9"),
    "fields": ({"interlaced": True}, "interlaced"),
    "no base layer": ({"hdr": "dolby_vision"}, "Dolby Vision without a base layer"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_clip_is_named_with_what_differs(kind: str) -> None:
    changes, reason = ODD[kind]
    plan = plan_of(*[media_of(video=PHONE)] * 2, media_of(video=PHONE | changes))
    assert actions(plan) == {Action.ENCODE}
    assert plan.form.kept is None
    assert [clip.reasons for clip in plan.clips][:2] == [
        ("other clips must be encoded, which gives other parameter sets",)
    ] * 2
    assert plan.clips[2].reasons == (reason,)


def test_clips_that_agree_but_for_their_parameter_sets_are_encoded() -> None:
    plan = plan_of(media_of(video=PHONE), media_of(video=PHONE, traits={"parameter_sets": "other"}))
    assert plan.clips[-1].reasons == ("parameter sets differ from the other clips'",)


def test_a_turned_clip_is_kept_by_mp4_and_mov_only() -> None:
    turned = media_of(video=PHONE | {"orientation": Orientation(90)})
    assert plan_of(turned, turned, size="90x160").form.dimensions == Dimensions(160, 90)
    assert plan_of(turned, turned, size="90x160", container=Container.MKV).form.kept is None


def test_another_size_that_is_asked_for_is_encoded() -> None:
    assert actions(plan_of(*[media_of(video=PHONE)] * 2, size="320x180")) == {Action.ENCODE}


def test_a_range_that_nobody_tells_is_the_limited_one() -> None:
    told = media_of(video=PHONE | {"color": Color("bt2020nc", "tv")})
    assert actions(plan_of(media_of(video=PHONE), told)) == {Action.COPY}


@pytest.mark.parametrize(
    ("codec", "container", "any_codec", "kept"),
    [
        ("vp9", Container.MP4, True, True),
        ("vp9", Container.MP4, False, False),
        ("vp9", Container.MOV, True, False),
        ("prores", Container.MOV, True, True),
        ("prores", Container.MP4, True, False),
        ("wmv3", Container.MKV, True, False),
    ],
)
def test_a_codec_is_kept_where_it_fits_and_no_other_is_asked_for(
    codec: str, container: Container, *, any_codec: bool, kept: bool
) -> None:
    plan = plan_of(*[media_of(video={"codec": codec})] * 2, container=container, any_codec=any_codec)
    assert actions(plan) == {Action.COPY if kept else Action.ENCODE}
    assert plan.form.codec == (codec if kept else "h264")


def test_fields_are_kept_in_one_order_only() -> None:
    fields = {"interlaced": True, "field_order": "tt"}
    plan = plan_of(*[media_of(video=fields)] * 2)
    assert actions(plan) == {Action.COPY}
    assert plan.form.kept is not None
    assert plan.form.kept.field_order == "tt"
    odd = plan_of(*[media_of(video=fields)] * 2, media_of(video=fields | {"field_order": "bb"}))
    assert actions(odd) == {Action.ENCODE}
    assert odd.clips[2].reasons == ("field order is bb",)


def test_little_audio_before_the_first_frame_is_left_out_of_copies() -> None:
    led: dict[str, Any] = {"zero": Fraction(0), "video_start": Fraction(1, 25), "duration": Fraction(26, 25)}
    plan = plan_of(*[media_of(video=PHONE, **led)] * 2)
    assert actions(plan) == {Action.COPY}
    assert plan.frames == 60
    assert "40 ms of audio before its first frame are left out" in plan.clips[0].reasons
    late = plan_of(media_of(video=PHONE, **led | {"video_start": Fraction(1, 5), "duration": Fraction(6, 5)}))
    assert actions(late) == {Action.ENCODE}


@pytest.mark.parametrize(("any_rate", "rate"), [(True, 120), (False, 30)])
def test_a_rate_that_no_reel_is_encoded_at_is_kept_unless_one_is_asked_for(*, any_rate: bool, rate: int) -> None:
    fast = media_of(video={"frame_rate": Fraction(120)}, traits={"pictures": 120})
    plan = plan_of(fast, fast, any_rate=any_rate)
    assert actions(plan) == {Action.COPY if any_rate else Action.ENCODE}
    assert plan.form.frame_rate == rate
    assert plan.frames == 2 * rate
    assert plan.duration == 2


def varying(*ticks: int, **changes: Any) -> MediaInfo:
    """A clip of a second in milliseconds whose frames are shown at these ticks."""
    times = FrameTimes.of(ticks, time_base=Fraction(1, 1000), timing=Timing.STAMPED, rate=Fraction(30))
    traits = {"on_grid": False, "exact": False, "time_base": Fraction(1, 1000), "pictures": len(ticks)}
    return media_of(frame_times=times, traits=traits, **changes)


def test_a_variable_rate_is_kept_on_the_grid_of_the_ticks() -> None:
    plan = plan_of(varying(0, 40, 300), varying(0, 500))
    assert actions(plan) == {Action.COPY}
    assert plan.form.is_variable
    assert plan.form.frame_rate == 1000
    assert (plan.frames, plan.pictures, plan.duration) == (2000, 5, Fraction(2))
    assert {clip.copied_from for clip in plan.clips} == {Fraction(0)}


@pytest.mark.parametrize(
    "odd",
    [
        varying(0, 40, 40),
        varying(0, 40, container="avi"),
        varying(0, 40, warnings=(Issue(IssueCode.TIMESTAMPS_REPAIRED, "x"),)),
        varying(0, 40, video_start=Fraction(1, 5)),
        replace(varying(0, 40), frame_times=None),
    ],
)
def test_times_that_cannot_be_kept_are_not(odd: MediaInfo) -> None:
    assert actions(plan_of(varying(0, 40), odd)) == {Action.ENCODE}
    assert actions(plan_of(varying(0, 40), varying(0, 40), any_rate=False)) == {Action.ENCODE}

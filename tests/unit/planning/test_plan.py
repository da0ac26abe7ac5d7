"""The plan: what is copied and what is encoded, why, in which order, by how many at a time, at what cost."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.config.sections import ConcatConfig, Config, ProcessingConfig, QualitySettings, VideoConfig
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.choices import Action, Codec, ConcatenationMode, Container, CopyPolicy, Fit
from mpt_cli.model.clips import Dimensions, Orientation, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.media_info import MediaInfo
from mpt_cli.planning.copies import Copying
from mpt_cli.planning.estimates import Machine, concurrency, need_bytes
from mpt_cli.planning.plan import Plan, make_plan, with_threads
from mpt_cli.planning.reuse import reused
from mpt_cli.planning.stream_copy import OTHERS_ENCODED
from tests.builders import media_of
from tests.media import Color, MediaFolder, Recipe, Tone

if TYPE_CHECKING:
    from collections.abc import Iterable

GIB = 2**30
MACHINE = Machine(cores=2, memory_bytes=8 * GIB)
SIZE = Dimensions(160, 90)
Given = tuple[VideoClip, MediaInfo]


def clip_of(path: str = "a.mp4", /, media: MediaInfo | None = None, **clip: Any) -> Given:
    """A clip and what it is said to hold."""
    return VideoClip(Path("/in") / path, **clip), media or media_of()


def plan_of(
    clips: Iterable[Given],
    *,
    copy: CopyPolicy = CopyPolicy.IDENTICAL,
    machine: Machine = MACHINE,
    container: Container = Container.MP4,
    **sections: Any,
) -> Plan:
    """The plan of a small reel at 30; ``sections`` are those of the configuration."""
    config = Config(**{"video": VideoConfig(size=SIZE, fps=Fraction(30)), **sections})
    return make_plan(
        [(index, clip, media) for index, (clip, media) in enumerate(clips)],
        config,
        container,
        machine=machine,
        optimizer=CodecOptimizer(),
        copying=Copying(copy),
    )


# --- copy or encode -------------------------------------------------------------------------------


@pytest.mark.anchor("T061")
def test_a_real_clip_of_the_target_form_is_copied(media: MediaFolder) -> None:
    path = media.make(color=Color())
    (planned,) = plan_of([(VideoClip(path), probe(path, scan=True))]).clips
    assert planned.action is Action.COPY
    assert planned.reasons == ("already has the target form",)


REAL: dict[str, tuple[Recipe, str]] = {
    "hevc": (Recipe(codec="libx265", color=Color()), "codec is hevc"),
    "4:2:2": (Recipe(pixel_format="yuv422p", color=Color()), "pixel format is yuv422p"),
    "other size": (Recipe(size="90x160", color=Color()), "size is 90x160"),
    "anamorphic": (Recipe(sar="4/3", color=Color()), "pixels are not square"),
    "rotated": (Recipe(rotation=180, color=Color()), "stored rotated"),
    "mirrored": (Recipe(mirrored=True, color=Color()), "stored rotated"),
    "untagged": (Recipe(color=Color(tagged=False)), "colours are not tagged BT.709"),
    "bt.601": (Recipe(color=Color("smpte170m", "smpte170m", "smpte170m")), "colours are not tagged BT.709"),
    "full range": (Recipe(color=Color(full_range=True)), "full colour range"),
    "interlaced": (Recipe(interlaced=True, size="160x96", color=Color()), "interlaced"),
    "other rate": (Recipe(fps="25", color=Color()), "frame rate is 25"),
    "gaps": (Recipe(drop="mod(n,7)", color=Color(), sound=None), "frame rate is variable"),
    "longer sound": (Recipe(color=Color(), sound=Tone(seconds=1.5)), "its length is not that of its pictures"),
    "late picture": (Recipe(color=Color(), sound=Tone(delay=-0.3), suffix=".mkv"), "picture times are not on the grid"),
    "transport stream, late picture": (Recipe(suffix=".ts", color=Color()), "picture times are not on the grid"),
}


@pytest.mark.anchor("T061")
@pytest.mark.parametrize("kind", REAL)
@pytest.mark.core(4)
def test_a_real_clip_that_differs_is_encoded_and_the_reason_is_named(media: MediaFolder, kind: str) -> None:
    recipe, reason = REAL[kind]
    path = media.make(recipe)
    (planned,) = plan_of([(VideoClip(path), probe(path, scan=True))], copy=CopyPolicy.COMPATIBLE).clips
    assert planned.action is Action.ENCODE
    assert reason in planned.reasons


@pytest.mark.anchor("T061")
def test_a_clip_of_open_groups_is_copied_whole_and_encoded_where_it_is_cut(media: MediaFolder) -> None:
    options = ("-x264-params", "open-gop=1:bframes=3:keyint=10:scenecut=0", "-preset", "fast")
    path = media.make(Recipe(color=Color(), options=options))
    found = probe(path, scan=True)
    (whole,) = plan_of([(VideoClip(path), found)], copy=CopyPolicy.COMPATIBLE).clips
    (cut,) = plan_of([(VideoClip(path, start=Fraction(1, 3)), found)], copy=CopyPolicy.COMPATIBLE).clips
    assert (whole.action, cut.action) == (Action.COPY, Action.ENCODE)
    assert "keyframes are not closed" in cut.reasons


DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "no traits": ({"copy_traits": None}, "pictures in mov,mp4,m4a,3gp,3g2,mj2 are not copied"),
    "profile": ({"video": {"profile": "High 10"}}, "profile is High 10"),
    "no profile": ({"video": {"profile": None}}, "profile is None"),
    "size": ({"video": {"dimensions": Dimensions(160, 92)}}, "size is 160x92"),
    "shape": ({"video": {"sar": Fraction(8, 9)}}, "pixels are not square"),
    "turned": ({"video": {"orientation": Orientation(90)}}, "stored rotated"),
    "format": ({"video": {"pixel_format": "yuv420p10le"}}, "pixel format is yuv420p10le"),
    "fields": ({"video": {"interlaced": True}}, "interlaced"),
    "grid": ({"traits": {"on_grid": False, "pictures": 29}}, "picture times are not on the grid"),
    "start": ({"video_start": Fraction(1, 60)}, "picture times are not on the grid"),
    "open start": ({"traits": {"clean_start": False}}, "its first frame does not decode by itself"),
    "packets": (
        {"traits": {"obstacle": "several of its frames share a packet"}},
        "several of its frames share a packet",
    ),
    "clock": ({"copy_traits": None, "clock_moves": (Fraction(1),)}, "its clock jumps"),
    "length": ({"traits": {"pictures": 29}}, "its length is not that of its pictures"),
    "edit list": ({"traits": {"hides_pictures": True}}, "an edit list hides some of its pictures"),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_a_single_difference_is_the_only_reason(kind: str) -> None:
    changes, reason = DIFFERENT[kind]
    (planned,) = plan_of([clip_of(media=media_of(**changes))]).clips
    assert (planned.action, planned.reasons) == (Action.ENCODE, (reason,))


def test_a_picture_that_starts_less_than_half_a_frame_late_may_be_copied() -> None:
    (planned,) = plan_of([clip_of(media=media_of(video_start=Fraction(1, 61)))]).clips
    assert planned.action is Action.COPY


@pytest.mark.parametrize(
    ("codec", "actions"),
    [(Codec.AV1, [Action.COPY, Action.ENCODE]), (Codec.HEVC, [Action.ENCODE, Action.ENCODE])],
)
def test_a_clip_of_the_wanted_codec_is_copied_beside_others_but_not_hevc(codec: Codec, actions: list[Action]) -> None:
    same = media_of(video={"codec": codec.value, "profile": "Main"})
    plan = plan_of(
        [clip_of(media=same), clip_of(media=media_of())],
        encode=QualitySettings(codec=codec),
        copy=CopyPolicy.COMPATIBLE,
    )
    assert [planned.action for planned in plan.clips] == actions
    assert plan.clips[1].reasons == ("codec is h264",)


# --- trims ----------------------------------------------------------------------------------------

KEYS = tuple(Fraction(number, 30) for number in (0, 10, 20))
NO_START, NO_END = "its trim does not start at a keyframe", "its trim does not end at a keyframe"


@pytest.mark.parametrize(
    ("trim", "longest", "reasons"),
    [
        ({}, None, ()),
        ({"end": Fraction(1)}, None, ()),
        ({"mute": True}, None, ()),
        ({"start": Fraction(1, 3)}, None, ()),
        ({"start": Fraction(1, 3), "end": Fraction(2, 3)}, None, ()),
        ({"start": Fraction(21, 61)}, None, ()),  # less than half a frame behind the keyframe
        ({"end": Fraction(40, 61)}, None, ()),
        ({}, "0.66", ()),
        ({"start": Fraction(1, 3)}, "0.33", ()),
        ({"start": Fraction(1, 30)}, None, (NO_START,)),
        ({"start": Fraction(11, 30)}, None, (NO_START,)),
        ({"end": Fraction(29, 30)}, None, (NO_END,)),
        ({}, "0.5", (NO_END,)),
        ({"start": Fraction(1, 2), "end": Fraction(3, 4)}, None, (NO_START, NO_END)),
    ],
)
def test_a_part_between_keyframes_is_copied(
    trim: dict[str, Any], longest: str | None, reasons: tuple[str, ...]
) -> None:
    video = VideoConfig(size=SIZE, fps=Fraction(30), max_clip_duration=longest)  # type: ignore[arg-type]
    (planned,) = plan_of([clip_of(media=media_of(seek_points=KEYS), **trim)], video=video).clips
    assert planned.action is (Action.ENCODE if reasons else Action.COPY)
    assert planned.reasons == reasons or not reasons


def test_open_groups_rule_out_a_trim_and_not_a_whole_clip() -> None:
    media = media_of(traits={"closed_gop": False}, seek_points=KEYS)
    whole, trimmed = plan_of([clip_of(media=media), clip_of(media=media, start=KEYS[1])]).clips
    assert whole.reasons == (OTHERS_ENCODED,)
    assert trimmed.reasons == ("keyframes are not closed",)


def test_a_file_without_reordering_may_end_anywhere() -> None:
    media = media_of(seek_points=KEYS, traits={"delay": 0})
    planned, other = plan_of(
        [
            clip_of(media=media, start=Fraction(1, 3), end=Fraction(1, 2)),
            clip_of(media=media, start=Fraction(1, 30)),
        ],
        copy=CopyPolicy.COMPATIBLE,
    ).clips
    assert (planned.action, planned.segment.frames, planned.copied_from) == (Action.COPY, 5, Fraction(1, 3))
    assert planned.reasons == ("already has the target form", "trimmed without encoding")
    assert other.reasons == (NO_START,)


def test_a_trim_counts_from_where_the_clip_begins() -> None:
    media = media_of(
        seek_points=tuple(point + 7 for point in KEYS), zero=Fraction(7) - Fraction(1, 100), video_start=Fraction(7)
    )
    (planned,) = plan_of([clip_of(media=media, start=Fraction(1, 3) + Fraction(1, 100))]).clips
    assert (planned.action, planned.copied_from) == (Action.COPY, 7 + Fraction(1, 3))


# --- the file as it is, or a segment of it --------------------------------------------------------

OWN = {"90 kHz": Fraction(1, 90_000), "milliseconds": Fraction(1, 1000)}


@pytest.mark.parametrize(
    ("traits", "container", "clips", "in_place"),
    [
        ({}, Container.MP4, 2, True),
        ({}, Container.MKV, 2, True),
        ({"time_base": OWN["90 kHz"]}, Container.MP4, 2, False),
        ({"exact": False}, Container.MP4, 2, False),
        ({"leads": False}, Container.MP4, 2, False),
        ({"time_base": OWN["milliseconds"]}, Container.MKV, 1, True),
        ({"time_base": OWN["milliseconds"]}, Container.MKV, 2, False),
        ({"time_base": OWN["milliseconds"]}, Container.MP4, 1, False),
    ],
)
def test_a_file_is_joined_as_it_is_only_where_its_clock_is_that_of_the_reel(
    traits: dict[str, Any], container: Container, clips: int, *, in_place: bool
) -> None:
    media = media_of(traits=traits)
    plan = plan_of([clip_of(media=media)] * clips, container=container)
    assert {planned.action for planned in plan.clips} == {Action.COPY}
    assert {planned.copied_from for planned in plan.clips} == {None if in_place else Fraction(0)}
    assert plan.temporary_bytes == clips * (48_000 * 4 + (0 if in_place else media.size_bytes))


@pytest.mark.parametrize(
    ("traits", "rounded"),
    [({"time_base": OWN["90 kHz"]}, False), ({"time_base": OWN["milliseconds"]}, True), ({"exact": False}, True)],
)
def test_times_that_are_rounded_are_told(traits: dict[str, Any], *, rounded: bool) -> None:
    (planned,) = plan_of([clip_of(media=media_of(traits=traits))]).clips
    told = ("picture times rounded to the grid",) if rounded else ()
    assert planned.reasons == ("already has the target form", *told)


SAME, OTHER_SETS, OTHER_LEVEL, BAD = (
    media_of(),
    media_of(traits={"parameter_sets": "others"}),
    media_of(traits={"level": 40}),
    media_of(video={"sar": Fraction(2)}),
)


@pytest.mark.anchor("T061")
@pytest.mark.parametrize(
    ("policy", "medias", "copied", "mixed"),
    [
        (CopyPolicy.IDENTICAL, [SAME, SAME], [True, True], False),
        (CopyPolicy.IDENTICAL, [SAME, OTHER_SETS], [False, False], False),
        (CopyPolicy.IDENTICAL, [SAME, OTHER_LEVEL], [False, False], False),
        (CopyPolicy.IDENTICAL, [SAME, BAD], [False, False], False),
        (CopyPolicy.COMPATIBLE, [SAME, SAME], [True, True], False),
        (CopyPolicy.COMPATIBLE, [SAME, OTHER_SETS], [True, True], True),
        (CopyPolicy.COMPATIBLE, [SAME, BAD], [True, False], True),
        (CopyPolicy.COMPATIBLE, [BAD, BAD], [False, False], False),
        (CopyPolicy.NEVER, [SAME, SAME], [False, False], False),
    ],
)
def test_identical_copies_all_or_none_and_compatible_what_it_can(
    policy: CopyPolicy, medias: list[MediaInfo], copied: list[bool], *, mixed: bool
) -> None:
    plan = plan_of([clip_of(media=media) for media in medias], copy=policy)
    assert [planned.action is Action.COPY for planned in plan.clips] == copied
    assert plan.mixed_parameter_sets is mixed
    assert all(planned.reasons for planned in plan.clips)


def test_a_clip_that_could_be_copied_says_why_it_is_not() -> None:
    never = plan_of([clip_of()], copy=CopyPolicy.NEVER).clips[0]
    assert never.reasons == ("copying is ruled out",)
    fine, odd = plan_of([clip_of(), clip_of(media=OTHER_SETS)]).clips
    assert fine.reasons == (OTHERS_ENCODED,)
    assert odd.reasons == ("parameter sets differ from the other clips'",)
    fine, _ = plan_of([clip_of(), clip_of(media=BAD)]).clips
    assert fine.reasons == (OTHERS_ENCODED,)


ALL = ": all are encoded; --copy compatible encodes {}"


@pytest.mark.parametrize(
    ("medias", "message"),
    [
        (
            [SAME] * 3 + [BAD],
            "1 of 4 clips differs (pixels are not square): all are encoded; --copy compatible encodes 1",
        ),
        (
            [SAME, OTHER_SETS],
            "1 of 2 clips differs (parameter sets differ from the other clips')" + ALL.format(0),
        ),
        ([SAME, BAD, BAD], None),
        ([SAME, SAME], None),
        ([BAD], None),
    ],
)
def test_few_odd_clips_that_cause_all_to_be_encoded_are_told(medias: list[MediaInfo], message: str | None) -> None:
    notice = plan_of([clip_of(media=media) for media in medias]).copy_notice
    assert (notice and notice.message) == message
    assert notice is None or notice.code is IssueCode.ALL_ENCODED
    assert plan_of([clip_of(media=media) for media in medias], copy=CopyPolicy.COMPATIBLE).copy_notice is None


# --- segments and the form ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trim", "longest", "frames"),
    [
        ({}, None, 30),
        ({"start": Fraction(1, 2)}, None, 15),
        ({"start": Fraction(1, 4), "end": Fraction(3, 4)}, None, 15),
        ({"end": Fraction(1, 1000)}, None, 1),
        ({}, "0.5", 15),
        ({"start": Fraction(3, 4)}, "0.5", 8),
    ],
)
def test_a_clip_has_as_many_frames_as_its_trim_and_the_longest_allowed_leave(
    trim: dict[str, Any], longest: str | None, frames: int
) -> None:
    video = VideoConfig(size=SIZE, fps=Fraction(30), max_clip_duration=longest)  # type: ignore[arg-type]
    plan = plan_of([clip_of(**trim), clip_of()], video=video)
    assert plan.clips[0].segment.frames == frames
    assert plan.frames == sum(planned.segment.frames for planned in plan.clips)
    assert plan.duration == Fraction(plan.frames, 30)


def test_the_form_is_what_the_configuration_says() -> None:
    form = plan_of([clip_of()], container=Container.MKV, encode=QualitySettings(codec=Codec.HEVC, threads=7)).form
    assert (form.container, form.encoder.encoder, form.encoder.threads) == (Container.MKV, "libx265", 7)
    assert form.audio == AudioForm("aac", 48_000, "stereo", 192_000)


# --- order ----------------------------------------------------------------------------------------

MANY = [clip_of(f"{number}.mp4") for number in range(12)]


def test_clips_keep_their_order_and_no_seed_is_made_up() -> None:
    plan = plan_of(MANY)
    assert [planned.index for planned in plan.clips] == list(range(12))
    assert [planned.clip for planned in plan.clips] == [clip for clip, _ in MANY]
    assert plan.seed is None


def test_a_random_order_is_repeated_by_its_seed() -> None:
    def order(seed: int | None) -> tuple[list[int], int | None]:
        plan = plan_of(MANY, concat=ConcatConfig(mode=ConcatenationMode.RANDOM, seed=seed))
        assert all(planned.clip == MANY[planned.index][0] for planned in plan.clips)
        assert all(planned.segment.clip_index == planned.index for planned in plan.clips)
        return [planned.index for planned in plan.clips], plan.seed

    once, seed = order(7)
    assert (once, seed) == order(7)
    assert sorted(once) == list(range(12))
    assert once not in (list(range(12)), order(8)[0])
    chosen, seed = order(None)
    assert seed is not None
    assert order(seed) == (chosen, seed)


# --- how many at a time ---------------------------------------------------------------------------


@pytest.mark.anchor("T043")
@pytest.mark.parametrize(
    ("clips", "cores", "memory", "expected"),
    [
        (12, 1, 8 * GIB, (1, 1)),
        (12, 2, 8 * GIB, (2, 1)),
        (1, 2, 8 * GIB, (1, 3)),
        (1, 8, 8 * GIB, (1, 9)),
        (3, 8, 8 * GIB, (3, 3)),
        (100, 8, 64 * GIB, (8, 1)),
        (1, 64, 8 * GIB, (1, 16)),
        (10, 64, 64 * GIB, (10, 6)),
        (100, 8, 2 * GIB, (2, 4)),  # memory for two
        (100, 8, GIB // 2, (1, 9)),  # one always runs
        (4, 0, GIB, (1, 1)),
    ],
)
def test_clips_and_threads_follow_from_clips_cores_and_memory(
    clips: int, cores: int, memory: int, expected: tuple[int, int]
) -> None:
    assert concurrency(clips, Machine(cores, memory), GIB) == expected


@pytest.mark.anchor("T043")
@given(st.integers(1, 500), st.integers(1, 256), st.integers(1, 2**40), st.integers(1, 2**36))
def test_neither_cores_nor_memory_are_ever_overrun(clips: int, cores: int, memory: int, need: int) -> None:
    jobs, threads = concurrency(clips, Machine(cores, memory), need)
    assert 1 <= jobs <= min(clips, cores)
    assert jobs == 1 or jobs * need <= memory
    assert 1 <= threads <= 16
    assert threads == 1 or jobs * threads <= cores + 1


@pytest.mark.anchor("T043")
@pytest.mark.parametrize(("jobs", "threads"), [(1, 9), (2, 4), (8, 1), (20, 1), (None, 1)])
def test_fewer_jobs_than_cores_leave_threads_for_each(jobs: int | None, threads: int) -> None:
    plan = plan_of(MANY, machine=Machine(8, 64 * GIB), processing=ProcessingConfig(jobs=jobs))
    assert plan.form.encoder.threads == threads
    assert plan.jobs == (jobs or 8)


def test_clips_that_need_much_memory_run_fewer_at_a_time() -> None:
    large = media_of(video={"dimensions": Dimensions(3840, 2160), "bit_depth": 10, "hdr": "pq"})
    small, heavy = (
        plan_of([clip_of(media=media)] * 12, machine=Machine(8, GIB), copy=CopyPolicy.NEVER) for media in (SAME, large)
    )
    assert small.jobs == 8
    assert heavy.jobs < small.jobs
    assert heavy.jobs * max(planned.need_bytes for planned in heavy.clips) <= GIB


# --- cost -----------------------------------------------------------------------------------------


def test_memory_grows_with_pixels_depth_threads_and_preset() -> None:
    def need(media: MediaInfo = SAME, **encode: Any) -> int:
        plan = plan_of(
            [clip_of(media=media)], copy=CopyPolicy.NEVER, encode=QualitySettings(**{"threads": 1, **encode})
        )
        return plan.clips[0].need_bytes

    large = {"dimensions": Dimensions(1920, 1080)}
    assert need() < need(media_of(video=large)) < need(media_of(video={**large, "bit_depth": 10}))
    assert need(media_of(video={"bit_depth": 10})) < need(media_of(video={"bit_depth": 10, "hdr": "pq"}))
    assert need() < need(threads=4)
    assert need(preset="ultrafast") < need(preset="medium") < need(preset="veryslow")


MEASURED = media_of(video={"dimensions": Dimensions(1280, 720)})
STANDING = VideoConfig(size=Dimensions(1080, 1920), fps=Fraction(30))


@pytest.mark.parametrize(
    ("codec", "preset", "measured"),
    [
        ("h264", "ultrafast", 106), ("h264", "superfast", 177), ("h264", "veryfast", 226), ("h264", "faster", 290),
        ("h264", "fast", 357), ("h264", "medium", 426), ("hevc", "ultrafast", 310), ("hevc", "superfast", 350),
        ("hevc", "veryfast", 415), ("hevc", "medium", 466), ("av1", "10", 358), ("av1", "8", 407), ("av1", "7", 556),
        ("av1", "6", 555),
    ],
)  # fmt: skip
def test_memory_is_near_what_was_measured_with_each_codec_and_preset(codec: str, preset: str, measured: int) -> None:
    quality = QualitySettings(codec=Codec(codec), preset=preset, threads=1)
    (planned,) = plan_of([clip_of(media=MEASURED)], video=STANDING, encode=quality).clips
    assert 0.9 < planned.need_bytes / (measured << 20) < 1.1


def test_a_run_needs_its_neediest_clips_at_once_and_mpt_itself() -> None:
    rules: dict[str, Any] = {"processing": ProcessingConfig(jobs=2), "encode": QualitySettings(threads=1)}
    plans = [plan_of([clip_of(media=MEASURED)] * n, **rules) for n in (1, 2, 9)]
    one, two, many = (plan.memory_bytes for plan in plans)
    assert two - one == plans[0].clips[0].need_bytes
    assert two == many
    finished = replace(plans[2], clips=tuple(reused(clip, "finished before") for clip in plans[2].clips))
    assert 0 < finished.memory_bytes < one


def test_bars_cost_nothing_and_other_codecs_and_crfs_take_their_share_of_the_disk() -> None:
    def pictures(fit: Fit = Fit.CONTAIN, **encode: Any) -> int:
        quality = QualitySettings(**{"crf": 21, "preset": "veryfast", **encode})
        plan = plan_of([clip_of(media=MEASURED)], video=STANDING.model_copy(update={"fit": fit}), encode=quality)
        return plan.output_bytes - 192_000 * plan.frames // 30 // 8

    assert pictures() * 3 < pictures(Fit.COVER) < pictures() * 3.3
    assert pictures(crf=27) * 2 == pytest.approx(pictures(), rel=0.01)
    assert pictures(codec=Codec.HEVC, crf=25) < pictures()
    assert pictures(codec=Codec.AV1, preset="10", crf=34) < pictures()
    assert pictures(preset="superfast") > pictures()


def test_a_copied_clip_costs_little() -> None:
    copied, encoded = (plan_of([clip_of()], copy=copy).clips[0] for copy in (CopyPolicy.IDENTICAL, CopyPolicy.NEVER))
    assert copied.need_bytes < encoded.need_bytes
    assert copied.work == copied.segment.frames < encoded.work


def test_work_counts_what_is_decoded_and_what_is_encoded() -> None:
    double = media_of(video={"frame_rate": Fraction(60), "dimensions": Dimensions(320, 180)})
    (planned,) = plan_of([clip_of(media=double)]).clips
    assert planned.work == 320 * 180 * 60 + 160 * 90 * 30


def test_disk_holds_sound_exactly_and_copies_only_once() -> None:
    sound = 48_000 * 2 * 2
    copied = plan_of([clip_of()])
    assert copied.temporary_bytes == sound
    assert copied.output_bytes == SAME.size_bytes + 192_000 // 8
    encoded = plan_of([clip_of()], copy=CopyPolicy.NEVER)
    pictures = encoded.temporary_bytes - sound
    assert 0 < pictures < 160 * 90 * 30
    assert encoded.output_bytes == pictures + 192_000 // 8


def test_predicted_time_falls_with_jobs_and_faster_presets_and_rises_with_clips() -> None:
    def seconds(count: int = 8, jobs: int = 1, preset: str = "veryfast") -> float:
        encode, processing = QualitySettings(preset=preset), ProcessingConfig(jobs=jobs)
        return plan_of(MANY[:count], copy=CopyPolicy.NEVER, encode=encode, processing=processing).predicted_seconds

    assert 0 < seconds(jobs=4) < seconds(jobs=2) < seconds()
    assert seconds(preset="ultrafast") < seconds() < seconds(preset="medium")
    assert seconds(count=4) < seconds()
    assert 0 < plan_of(MANY).predicted_seconds < seconds(count=12)


@pytest.mark.parametrize(("left", "threads"), [(0, 1), (1, 9), (2, 4), (12, 1)])
def test_what_is_left_to_encode_takes_the_cores_that_reuse_leaves_idle(left: int, threads: int) -> None:
    machine, optimizer = Machine(8, 64 * GIB), CodecOptimizer()
    plan = plan_of([clip_of(media=SAME)] * 12, machine=machine, copy=CopyPolicy.NEVER)
    assert plan.form.encoder.threads == 1
    finished = tuple(reused(clip, "finished before") for clip in plan.clips[left:])
    again = with_threads(replace(plan, clips=(*plan.clips[:left], *finished)), Config(), machine, optimizer, 0)
    assert again.form.encoder.threads == threads
    needs = {clip.need_bytes for clip in again.clips if clip.action is Action.ENCODE}
    assert needs == ({need_bytes(SAME, again.form)} if left else set())

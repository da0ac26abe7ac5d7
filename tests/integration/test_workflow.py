"""The whole workflow on real clips: its result, its events, its cost, and what is refused before any work."""

from __future__ import annotations

import re
import shutil
import threading
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, MemoryConfig, PathsConfig, ProcessingConfig, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action, ConcatenationMode, Container, JoinMethod, OnError
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.runtime.events import (
    ClipStarted,
    ConcatFinished,
    ConcatStarted,
    Notice,
    ResourceSample,
    RunContext,
    RunStarted,
    ValidationFinished,
)
from tests import reader
from tests.fakes import ListEmit
from tests.integration.reels import PATIENCE, assert_well_told, config_of, of, problems
from tests.media import Color, MediaFolder, Recipe, Signature, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from mpt_cli.runtime.events import Event

PARTS = of(
    numbered(1, seconds=0.6),
    replace(numbered(2, seconds=0.4, fps="25"), sound=None, suffix=".mkv"),
    replace(numbered(3, seconds=0.7), sound=Signature(codec="pcm_s16le"), suffix=".mov"),
)


def told(params: VideoParams, config: Config, emit: ListEmit) -> VideoResult:
    """The result of a request whose events go to ``emit``."""
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    return orchestrator.process_video_request(params, context=RunContext("workflow-1", emit))


def order_of(result: VideoResult) -> list[int]:
    """The places of the clips in the request, in the order in which the reel shows them."""
    starts = {clip.index: clip.start for clip in result.clips if clip.start is not None}
    return sorted(starts, key=starts.__getitem__)


@pytest.mark.anchor("T001")
@pytest.mark.core
def test_a_request_becomes_the_reel_that_its_result_describes(media: MediaFolder, tmp_path: Path) -> None:
    output, emit = tmp_path / "new" / "reel.mp4", ListEmit()
    clips = tuple(part.request(media) for part in PARTS)
    result = told(VideoParams(clips, output), config_of(), emit)
    assert problems(output, PARTS, Fraction(30)) == []
    assert (result.status, result.success, result.code) == (RunStatus.SUCCESS, True, None)
    assert (result.errors, result.warnings, result.workflow_id, result.seed) == ((), (), "workflow-1", None)
    assert result.ffmpeg is not None
    made, join = result.output, result.concatenation
    assert made is not None
    assert (made.path, made.size_bytes, made.container) == (output, output.stat().st_size, Container.MP4)
    assert (made.frames, made.duration, made.frame_rate) == (51, Fraction(51, 30), Fraction(30))
    assert (made.dimensions, made.video_codec, made.audio_codec) == (Dimensions(160, 90), "h264", "aac")
    assert join is not None
    assert (join.method, join.stream_copy, join.fallback_reason) == ("FFmpeg", True, None)
    assert [(clip.index, clip.path) for clip in result.clips] == [(n, clip.path) for n, clip in enumerate(clips)]
    assert [(clip.frames, clip.start) for clip in result.clips] == [
        (18, Fraction(0)),
        (12, Fraction(18, 30)),
        (21, Fraction(1)),
    ]
    assert {(clip.status, clip.action, clip.error) for clip in result.clips} == {
        (ClipStatus.PROCESSED, Action.ENCODE, None)
    }
    assert all(clip.reasons and clip.elapsed_seconds for clip in result.clips)
    assert list(tmp_path.rglob("*")) == [output.parent, output]


@pytest.mark.anchor("T001")
def test_events_tell_a_run_in_order(media: MediaFolder, tmp_path: Path, emit: ListEmit) -> None:
    clips = tuple(part.request(media) for part in PARTS)
    told(VideoParams(clips, tmp_path / "reel.mp4"), config_of(), emit)
    assert_well_told(emit, RunStatus.SUCCESS)
    assert emit.of(RunStarted) == [RunStarted("process", "workflow-1", 3)]
    (validated,) = emit.of(ValidationFinished)
    assert (validated.valid, validated.invalid) == (3, 0)
    assert validated.total_seconds == pytest.approx(1.7)
    assert sorted((e.index, e.path, e.action, e.total_seconds) for e in emit.of(ClipStarted)) == [
        (0, clips[0].path, "encode", 0.6),
        (1, clips[1].path, "encode", 0.4),
        (2, clips[2].path, "encode", 0.7),
    ]
    assert emit.of(ConcatStarted) == [ConcatStarted(1.7)]
    assert emit.of(ConcatFinished) == [ConcatFinished("FFmpeg")]


@pytest.mark.anchor("T004")
@pytest.mark.core
def test_what_a_run_cost_is_in_its_result(media: MediaFolder, tmp_path: Path, emit: ListEmit) -> None:
    sampled = threading.Event()

    def watch(event: Event) -> None:
        emit(event)
        if isinstance(event, ResourceSample):
            sampled.set()
        elif isinstance(event, ConcatStarted):
            assert sampled.wait(PATIENCE)  # a reel this short may be done before the first sample

    config = config_of().model_copy(update={"memory": MemoryConfig(max="3GiB")})  # type: ignore[arg-type]
    factory = ModuleFactory(config)
    params = VideoParams((PARTS[0].request(media),), tmp_path / "reel.mp4")
    result = factory.create_video_orchestrator().process_video_request(params, context=RunContext("w", watch))
    metrics = result.metrics
    assert metrics is not None
    names = ["validated", "processed", "joined", "verified", "published"]
    assert [step.name for step in metrics.milestones] == names
    moments = [(step.at_seconds, step.progress) for step in metrics.milestones]
    assert all(early <= late and low < high for (early, low), (late, high) in pairwise(moments))
    assert moments[-1][1] == 1.0
    assert moments[-1][0] <= metrics.total_duration_seconds
    assert metrics.processing_efficiency is not None
    assert 0 < metrics.processing_efficiency <= 1
    assert metrics.performance_score is not None
    assert 0 < metrics.performance_score <= 100
    samples = emit.of(ResourceSample)
    assert {sample.budget_bytes for sample in samples} == {3 * 2**30}
    assert max(sample.memory_bytes for sample in samples) <= (metrics.memory_peak_bytes or 0)
    assert samples[0].free_disk_bytes
    measured = replace(metrics, temporary_bytes=None, predicted=None)  # what the orchestrator adds
    assert factory.performance_monitor.generate_performance_report("w") == measured


KINDS = {
    "red": Recipe(suffix=".avi", codec="mpeg4", sound=None, fps="25"),
    "lime": Recipe(suffix=".webm", codec="libvpx-vp9", sound=None, color=Color()),
    "blue": Recipe(suffix=".gif", codec="gif", pixel_format=None, sound=None, fps="10", size="90x90"),
    "white": Recipe(suffix=".ts", codec="mpeg2video", sound=None, fps="50", rotation=0, size="120x160"),
}
"""A colour for each kind of file."""


@pytest.mark.anchor("T005")
@pytest.mark.core
def test_files_of_any_kind_become_one_reel(media: MediaFolder, tmp_path: Path) -> None:
    clips = tuple(media.make(recipe, seconds=0.4, source=f"color=color={name}") for name, recipe in KINDS.items())
    output = tmp_path / "reel.mkv"
    result = told(VideoParams(tuple(map(VideoClip, clips)), output), config_of(), ListEmit())
    assert result.success, result.errors
    wanted = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
    for number, color in enumerate(wanted):
        shown = reader.mean_color(output, 12 * number + 6, region=reader.Region(0.4, 0.3, 0.6, 0.7))
        assert shown == pytest.approx(color, abs=12)


@pytest.mark.anchor("T008")
def test_modes_order_the_reel_and_a_seed_repeats_it(media: MediaFolder, tmp_path: Path) -> None:
    parts = of(*(numbered(number, seconds=0.1) for number in (9, 3, 7, 5, 4, 8)))
    clips = tuple(part.request(media) for part in parts)
    shown = []
    for name, mode, seed in (("a", None, None), ("b", ConcatenationMode.RANDOM, 11), ("c", None, 11)):
        base = config_of(mode=ConcatenationMode.RANDOM if name == "c" else None, seed=seed)
        params = VideoParams(clips, tmp_path / f"{name}.mp4", concat_mode=mode)
        result = told(params, base, ListEmit())
        assert result.seed == seed
        pictures = reader.pictures(params.output_path)
        assert [picture.clip_id for picture in pictures[::3]] == [parts[n].clip.clip_id for n in order_of(result)]
        shown.append(order_of(result))
    assert shown[0] == [0, 1, 2, 3, 4, 5]
    assert shown[1] == shown[2] != shown[0]


# --- what is refused before any work


def bad_file(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("this is no clip, it only says so")
    return path


def skipping(rate: float | None = None) -> Config:
    processing = ProcessingConfig(on_error=OnError.SKIP, min_success_rate=rate)
    return config_of().model_copy(update={"processing": processing})


@pytest.mark.parametrize(("rate", "code"), [(None, IssueCode.NOT_MEDIA), (0.66, IssueCode.TRIM_BEYOND_DURATION)])
def test_a_refused_clip_is_left_out_when_that_is_asked_for(
    media: MediaFolder, tmp_path: Path, emit: ListEmit, rate: float | None, code: IssueCode
) -> None:
    readable = code is IssueCode.TRIM_BEYOND_DURATION
    bad = VideoClip(media.make(), start=Fraction(9)) if readable else VideoClip(bad_file(tmp_path))
    output = tmp_path / "reel.mp4"
    first, second = PARTS[0].request(media), PARTS[1].request(media)
    result = told(VideoParams((first, bad, second), output), skipping(rate), emit)
    assert (result.status, result.success, result.code) == (RunStatus.PARTIAL, True, None)
    assert problems(output, PARTS[:2], Fraction(30)) == []
    assert [clip.status for clip in result.clips] == [
        ClipStatus.PROCESSED,
        ClipStatus.SKIPPED,
        ClipStatus.PROCESSED,
    ]
    assert [clip.start for clip in result.clips] == [Fraction(0), None, Fraction(18, 30)]
    assert [(issue.code, issue.path) for issue in result.errors] == [(code, bad.path)]
    assert result.clips[1].error == result.errors[0]
    assert_well_told(emit, RunStatus.PARTIAL)
    (notice,) = emit.of(Notice)
    assert (notice.level, notice.code, notice.index) == ("warning", code, 1)
    assert (emit.of(ValidationFinished)[0].valid, emit.of(ValidationFinished)[0].invalid) == (2, 1)


@pytest.mark.parametrize(("good", "config"), [(2, skipping(0.67)), (0, skipping()), (2, config_of())])
def test_refused_clips_count_for_the_rate_and_one_must_be_left(
    media: MediaFolder, tmp_path: Path, emit: ListEmit, good: int, config: Config
) -> None:
    clips = (VideoClip(bad_file(tmp_path)), *(part.request(media) for part in PARTS[:good]))
    result = told(VideoParams(clips, tmp_path / "reel.mp4"), config, emit)
    assert (result.status, result.code, result.success) == (RunStatus.ERROR, IssueCode.VALIDATION_FAILED, False)
    assert [clip.status for clip in result.clips] == [ClipStatus.FAILED, *[ClipStatus.NOT_RUN] * good]
    assert [issue.code for issue in result.errors] == [IssueCode.NOT_MEDIA, IssueCode.VALIDATION_FAILED]
    total = result.errors[-1]
    assert ("less than 67% of the clips is left" in total.message) is (config.processing.min_success_rate == 0.67)
    hint = "--on-error skip" if config.processing.on_error is OnError.FAIL else "--min-success-rate"
    assert (hint in (total.hint or "")) is (good > 0)
    assert_well_told(emit, RunStatus.ERROR)
    assert emit.of(ClipStarted) == []
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]


@pytest.mark.anchor("T002")
@pytest.mark.core
def test_every_problem_is_told_at_once_and_nothing_is_written(
    media: MediaFolder, tmp_path: Path, emit: ListEmit
) -> None:
    good, empty, folder = media.make(), tmp_path / "empty.mp4", tmp_path / "folder.mp4"
    empty.touch()
    folder.mkdir()
    wrong = {
        VideoClip(bad_file(tmp_path)): IssueCode.NOT_MEDIA,
        VideoClip(tmp_path / "gone.mp4"): IssueCode.FILE_NOT_FOUND,
        VideoClip(empty): IssueCode.FILE_EMPTY,
        VideoClip(folder): IssueCode.NOT_A_FILE,
        VideoClip(good, start=Fraction(9)): IssueCode.TRIM_BEYOND_DURATION,
    }
    before = sorted(tmp_path.rglob("*"))
    output = tmp_path / "new" / "reel.mp4"
    params = VideoParams((VideoClip(good), *wrong), output, dimensions=Dimensions(161, 90))
    result = told(params, config_of(), emit)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.VALIDATION_FAILED)
    *own, total = result.errors
    assert {(issue.path, issue.code) for issue in own[1:]} == {(clip.path, code) for clip, code in wrong.items()}
    assert own[0].code is IssueCode.ODD_DIMENSIONS
    assert (total.code, total.message[:10]) == (IssueCode.VALIDATION_FAILED, "6 problems")
    assert [clip.error.code if clip.error else None for clip in result.clips] == [None, *wrong.values()]
    assert_well_told(emit, RunStatus.ERROR)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.anchor("T002", "T010")
def test_after_mending_the_input_the_same_orchestrator_makes_the_reel(media: MediaFolder, tmp_path: Path) -> None:
    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    clip, output = VideoClip(bad_file(tmp_path)), tmp_path / "reel.mp4"
    params = VideoParams((PARTS[0].request(media), clip), output)
    assert orchestrator.process_video_request(params).code is IssueCode.VALIDATION_FAILED
    assert not output.exists()
    shutil.copyfile(media.numbered(PARTS[1].clip), clip.path)
    assert orchestrator.process_video_request(params).status is RunStatus.SUCCESS
    assert problems(output, PARTS[:2], Fraction(30)) == []
    again = orchestrator.process_video_request(params)  # a reel is not replaced without being asked to
    assert [issue.code for issue in again.errors] == [IssueCode.OUTPUT_EXISTS, IssueCode.VALIDATION_FAILED]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_reel_that_will_not_fit_is_not_begun(media: MediaFolder, tmp_path: Path, *, elsewhere: bool) -> None:
    clip = media.make(seconds=36_000, fps="1/10", size="16x16", sound=None, source="color=color=red")
    config = Config(
        video=VideoConfig(size="16384x16384", fps=240),  # type: ignore[arg-type]  # some forty terabytes
        paths=PathsConfig(temp=tmp_path / "temp" if elsewhere else None),
    )
    params = VideoParams((VideoClip(clip),), tmp_path / "reel.mp4")
    result = ModuleFactory(config).create_video_orchestrator().process_video_request(params)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.DISK_FULL)
    assert re.match(r"about [\d.]+ TiB are needed and ", result.errors[0].message)
    assert result.errors[0].path == (config.paths.temp or params.output_path)
    assert list(tmp_path.iterdir()) == []


# --- plans and joins


def test_a_dry_run_plans_what_the_run_then_does_and_writes_nothing(media: MediaFolder, tmp_path: Path) -> None:
    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    params = VideoParams(tuple(part.request(media) for part in PARTS), tmp_path / "reel.mp4")
    emit = ListEmit()
    planned = orchestrator.plan_video_request(params, context=RunContext("w", emit))
    assert (planned.status, planned.output, list(tmp_path.iterdir())) == (RunStatus.SUCCESS, None, [])
    assert planned.plan is not None
    assert_well_told(emit, RunStatus.SUCCESS)
    assert emit.of(ClipStarted) == []
    steps = planned.plan.steps
    assert all(f"file:{clip.path}" in step.argv for clip, step in zip(params.clips, steps, strict=True))
    done = orchestrator.process_video_request(params)
    assert done.output is not None
    assert (planned.plan.frames, planned.plan.duration) == (done.output.frames, done.output.duration)
    assert [(step.index, step.start, step.frames, step.action) for step in steps] == [
        (clip.index, clip.start, clip.frames, clip.action) for clip in done.clips
    ]


def test_a_join_takes_its_form_from_its_clips_and_says_what_it_is(
    media: MediaFolder, tmp_path: Path, emit: ListEmit
) -> None:
    clips = (VideoClip(media.make(size="96x160", seconds=0.8)), VideoClip(media.make(size="64x64", seconds=0.3)))
    params = VideoParams(clips, tmp_path / "reel.mp4", join=JoinMethod.AUTO)
    result = told(params, Config(encode=config_of().encode), emit)
    assert result.output is not None
    assert result.output.dimensions == Dimensions(96, 160)
    assert emit.of(RunStarted)[0].command == "concat"


@pytest.mark.parametrize(("join", "actions"), [(JoinMethod.AUTO, Action.COPY), (JoinMethod.REENCODE, Action.ENCODE)])
def test_a_join_copies_where_it_may(media: MediaFolder, tmp_path: Path, join: JoinMethod, actions: Action) -> None:
    one, output, config = tmp_path / "one.mp4", tmp_path / "reel.mp4", Config(encode=config_of().encode)
    first = VideoParams((PARTS[0].request(media),), one, dimensions=Dimensions(160, 90))
    assert told(first, config, ListEmit()).success
    clips = (VideoClip(one), VideoClip(one, mute=True))
    result = told(VideoParams(clips, output, join=join), config, ListEmit())
    assert [(clip.status, clip.action) for clip in result.clips] == [(ClipStatus.PROCESSED, actions)] * 2
    shown = [(picture.clip_id, picture.number) for picture in reader.pictures(output)]
    assert shown == [(1, number) for number in range(18)] * 2
    sound = reader.samples(output)
    assert reader.peak(sound[:, 10_000:20_000]) > 0.1
    assert reader.peak(sound[:, 40_000:50_000]) < 0.001


def test_a_join_that_must_copy_and_cannot_fails_before_any_work(
    media: MediaFolder, tmp_path: Path, emit: ListEmit
) -> None:
    clips = (VideoClip(media.make()), VideoClip(media.make(codec="mpeg4")))
    result = told(VideoParams(clips, tmp_path / "reel.mp4", join=JoinMethod.COPY), Config(), emit)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.VALIDATION_FAILED)
    assert (result.errors[0].code, result.errors[0].path) in [(IssueCode.CONCAT_FAILED, clip.path) for clip in clips]
    assert "--method auto" in (result.errors[0].hint or "")
    assert emit.of(ClipStarted) == []
    assert list(tmp_path.iterdir()) == []

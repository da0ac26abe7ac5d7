"""ModuleFactory: what is built, from which settings, and the public names that lead to it."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

import mpt_cli
from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, FfmpegConfig, MemoryConfig, ProcessingConfig, ValidationConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.monitoring.system import usable_cores
from mpt_cli.runtime.events import ClipStarted, ResourceSample, RunContext
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import config_of
from tests.media import MediaFolder, numbered

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are shell scripts")


def test_building_looks_for_nothing_and_starts_nothing(tmp_path: Path) -> None:
    config = Config(ffmpeg=FfmpegConfig(binary=tmp_path / "gone"))
    ModuleFactory(config).create_video_orchestrator()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anchor("T092")
def test_parts_that_hold_state_are_built_once_and_shared(media: MediaFolder, tmp_path: Path) -> None:
    factory = ModuleFactory(config_of())
    clip = VideoClip(media.make(seconds=0.2))
    for name in ("a", "b"):  # two orchestrators of one factory
        params = VideoParams((clip,), tmp_path / f"{name}.mp4")
        result = factory.create_video_orchestrator().process_video_request(params, context=RunContext(name))
        assert result.metrics is not None
        measured = replace(result.metrics, temporary_bytes=None, predicted=None)  # what the orchestrator adds
        assert measured == factory.performance_monitor.generate_performance_report(name)
        assert result.metrics.memory_peak_bytes == factory.memory_manager.peak_bytes(name)
        assert result.ffmpeg == factory.ffmpeg.build
    assert factory.memory_manager.reserved_bytes == 0
    # The gauges of the monitor are those of the memory manager.
    assert factory.performance_monitor.get_current_metrics().memory_percent == pytest.approx(
        factory.memory_manager.get_usage_percentage(), rel=0.5
    )


def test_factories_share_nothing(tmp_path: Path) -> None:
    one, other = ModuleFactory(Config()), ModuleFactory(Config())
    one.performance_monitor.start_workflow("w", clip_count=1)
    assert other.performance_monitor.get_current_metrics().active_workflows == 0
    assert one.memory_manager is not other.memory_manager


@pytest.mark.anchor("T093")
def test_the_configuration_decides(media: MediaFolder, tmp_path: Path) -> None:
    asked, emit = tmp_path / "asked", ListEmit()
    program = stand_in(tmp_path, f'echo "$@" >> "{asked}"', "sleep 0.3")
    config = config_of(size="64x36", fps="10").model_copy(
        update={
            "ffmpeg": FfmpegConfig(binary=program),
            "memory": MemoryConfig(max="5GiB"),  # type: ignore[arg-type]
            "processing": ProcessingConfig(jobs=1),
        }
    )
    clips = tuple(VideoClip(media.make(seconds=seconds)) for seconds in (0.2, 0.3))
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    result = orchestrator.process_video_request(
        VideoParams(clips, tmp_path / "reel.mp4"), context=RunContext("w", emit)
    )
    assert result.output is not None
    assert (result.output.dimensions, result.output.frame_rate) == (Dimensions(64, 36), Fraction(10))
    assert all(str(clip.path) in asked.read_text() for clip in clips)
    assert {sample.budget_bytes for sample in emit.of(ResourceSample)} == {5 * 2**30}
    kinds = [event.type for event in emit.events if event.type in ("clip-started", "clip-finished")]
    assert kinds == ["clip-started", "clip-finished"] * 2


def test_an_ffmpeg_that_is_missing_is_a_result(media: MediaFolder, tmp_path: Path) -> None:
    config = config_of().model_copy(update={"ffmpeg": FfmpegConfig(binary=tmp_path / "gone")})
    params = VideoParams((VideoClip(media.make()),), tmp_path / "reel.mp4")
    result = ModuleFactory(config).create_video_orchestrator().process_video_request(params)
    assert (result.status, result.code, result.ffmpeg) == (RunStatus.ERROR, IssueCode.DEPENDENCY_MISSING, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anchor("T093")
def test_limits_of_validation_come_from_the_configuration(media: MediaFolder, tmp_path: Path) -> None:
    config = config_of().model_copy(update={"validation": ValidationConfig(max_width=100)})
    params = VideoParams((VideoClip(media.make(size="160x90")),), tmp_path / "reel.mp4")
    result = ModuleFactory(config).create_video_orchestrator().process_video_request(params)
    assert [issue.code for issue in result.errors] == [
        IssueCode.DIMENSIONS_TOO_LARGE,
        IssueCode.VALIDATION_FAILED,
    ]


@pytest.mark.parametrize(("jobs", "slots"), [(3, 3), (None, usable_cores())])
@pytest.mark.core(1)
def test_a_request_cannot_have_more_jobs_than_the_factory_has_slots(
    media: MediaFolder, tmp_path: Path, jobs: int | None, slots: int
) -> None:
    factory = ModuleFactory(config_of().model_copy(update={"processing": ProcessingConfig(jobs=jobs)}))
    wanted = config_of().model_copy(update={"processing": ProcessingConfig(jobs=slots + 3)})
    clips = (VideoClip(media.make(seconds=0.2)),) * (2 * slots + 6)
    emit = ListEmit()
    factory.create_video_orchestrator().process_video_request(
        VideoParams(clips, tmp_path / "reel.mp4", config=wanted), context=RunContext("w", emit)
    )
    most = running = 0
    for event in emit.events:
        running += {"clip-started": 1, "clip-finished": -1}.get(event.type, 0)
        most = max(most, running)
    assert len(emit.of(ClipStarted)) == len(clips)
    assert most <= slots


@pytest.mark.anchor("T092", "T093")
def test_the_library_works_as_the_contract_says(
    media: MediaFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, number in (("a.mp4", 1), ("b.mov", 2)):
        (tmp_path / name).write_bytes(media.numbered(numbered(number, seconds=0.2)).read_bytes())
    monkeypatch.setenv("MPT_VIDEO__SIZE", "160x90")
    orchestrator = mpt_cli.ModuleFactory(mpt_cli.Settings.load()).create_video_orchestrator()
    result = orchestrator.process_video_request(mpt_cli.VideoParams(clips=("a.mp4", "b.mov"), output_path="reel.mp4"))
    assert isinstance(result, mpt_cli.VideoResult)
    assert (result.status, result.errors) == (RunStatus.SUCCESS, ())
    assert result.output is not None
    assert result.output.path == tmp_path / "reel.mp4"
    assert (result.output.frames, result.output.dimensions) == (12, mpt_cli.Dimensions(160, 90))
    assert (tmp_path / "reel.mp4").stat().st_size == result.output.size_bytes

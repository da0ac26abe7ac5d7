"""Long clips are processed in segments: every frame and sample is where it is in one piece, and none is made twice."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import CacheConfig, Config, FfmpegConfig, ProcessingConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Evidence, VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import ClipFinished, ClipProgress, ClipStarted, RunContext
from tests import reader
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import Part, assert_well_told, config_of, problems
from tests.integration.test_damage import spoiled
from tests.media import numbered

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder

RATE = Fraction(10)
LONG, SHORT = numbered(31, seconds=61.3, fps="10"), numbered(32, seconds=0.5, fps="10")
PARTS = [Part(LONG), Part(SHORT)]
COMMANDS = 4 + 1
"""Of the segments and the audio of the long clip; those of the short one and of the join are others."""


class Desk:
    """A long and a short clip, and an ffmpeg that writes down how often it encodes frames."""

    def __init__(self, folder: Path, media: MediaFolder) -> None:
        """Use clips of this folder."""
        self.folder, self.reel, self.log = folder, folder / "reel.mp4", folder / "encodes"
        self.long, self.short = folder / "long.mp4", folder / "short.mp4"
        shutil.copyfile(media.numbered(LONG), self.long)
        shutil.copyfile(media.numbered(SHORT), self.short)
        self.binary = stand_in(folder, f'case "$*" in *-stats_enc_pre*) echo x >> "{self.log}";; esac')

    def run(
        self, *clips: VideoClip | Path, emit: ListEmit | None = None, jobs: int = 2, cache: bool = True
    ) -> VideoResult:
        """How a run of these clips ended, in a program of its own."""
        plain = config_of(fps="10")
        config = plain.model_copy(
            update={
                "ffmpeg": FfmpegConfig(binary=self.binary),
                "processing": ProcessingConfig(jobs=jobs),
                "cache": CacheConfig(enabled=cache),
            }
        )
        params = VideoParams(clips or (self.long, self.short), self.reel, overwrite=True)
        context = RunContext(os.urandom(16).hex(), emit or ListEmit())
        return ModuleFactory(config).create_video_orchestrator().process_video_request(params, context=context)

    def encodes(self) -> int:
        """How often frames were encoded since the last question."""
        count = len(self.log.read_text().split()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count


@pytest.fixture
def desk(tmp_path: Path, media: MediaFolder) -> Desk:
    return Desk(tmp_path, media)


@pytest.mark.core
def test_reel_of_segments_has_every_frame_and_sample_in_its_place(desk: Desk) -> None:
    emit = ListEmit()
    result = desk.run(emit=emit)
    assert (result.status, result.warnings, result.errors) == (RunStatus.SUCCESS, (), ())
    assert problems(desk.reel, PARTS, RATE) == []
    assert desk.encodes() == COMMANDS
    long = result.clips[0]
    assert (long.frames, long.action) == (613, Action.ENCODE)
    assert long.verified is not None
    assert (long.verified.frame_map, long.verified.audio) == (Evidence.PROVEN, Evidence.PROVEN)
    assert [start for _, start in reader.chapters(desk.reel)] == [0, Fraction("61.3")]
    assert_well_told(emit, RunStatus.SUCCESS)
    assert [len(emit.of(kind)) for kind in (ClipStarted, ClipFinished)] == [2, 2]
    assert all(event.done_seconds <= 61.4 for event in emit.of(ClipProgress))


def test_audio_across_borders_is_that_of_one_piece(desk: Desk, tmp_path: Path) -> None:
    """Sample for sample, also where it is resampled."""
    whole, cut = tmp_path / "whole.mp4", VideoClip(desk.long)
    assert desk.run(cut).success
    sound = reader.samples(desk.reel)
    # A file whose frames cannot be proven from the middle on is processed in one piece.
    desk.binary = stand_in(tmp_path, 'case "$*" in *-00*.mp4*-ss*|*-ss*-00*) echo odd >&2;; esac', name="complains")
    result = desk.run(cut, cache=False)
    assert result.success
    assert any("in one piece" in reason for reason in result.clips[0].reasons)
    desk.reel.rename(whole)
    assert (reader.samples(whole) == sound).all()


def test_number_of_jobs_changes_no_byte(desk: Desk) -> None:
    reels = set()
    for jobs in (1, 2, 3):
        assert desk.run(jobs=jobs, cache=False).success
        reels.add(desk.reel.read_bytes())
    assert len(reels) == 1


def test_segments_that_were_finished_are_not_encoded_again(desk: Desk) -> None:
    assert desk.run(desk.long).success
    assert desk.encodes() == COMMANDS - 1
    entries = sorted(ModuleFactory(Config()).clip_store.info().folder.rglob("pictures.mp4"))
    assert len(entries) == COMMANDS - 1
    shutil.rmtree(entries[1].parent)
    again = desk.run(desk.long)
    assert desk.encodes() == 1
    assert "4 of 5 parts are finished before" in again.clips[0].reasons
    assert desk.run(desk.long).clips[0].action is Action.REUSE
    assert desk.encodes() == 0
    assert problems(desk.reel, PARTS[:1], RATE) == []


def test_later_end_encodes_only_what_it_changes(desk: Desk) -> None:
    assert desk.run(VideoClip(desk.long, end=Fraction(60))).success
    desk.encodes()
    assert desk.run(VideoClip(desk.long, end=Fraction(55))).success
    assert desk.encodes() == 1
    assert problems(desk.reel, [Part(LONG, end=Fraction(55))], RATE) == []


def test_clip_that_comes_twice_is_encoded_once(desk: Desk) -> None:
    result = desk.run(desk.long, desk.long)
    assert desk.encodes() == COMMANDS - 1
    assert [clip.action for clip in result.clips] == [Action.ENCODE, Action.REUSE]
    assert problems(desk.reel, [Part(LONG), Part(LONG)], RATE) == []


def test_damage_is_told_for_the_whole_clip(desk: Desk) -> None:
    """Where decoding begins in its middle, a damaged file shows other frames."""
    desk.long = spoiled(desk.long, desk.folder / "damaged.mp4", 0.4, 0.42)
    result = desk.run(desk.long)
    assert result.status is RunStatus.SUCCESS, result.errors
    assert IssueCode.DAMAGED in {issue.code for issue in result.warnings}
    assert any(reason.startswith("in one piece: ") for reason in result.clips[0].reasons)
    assert len(reader.pictures(desk.reel, {LONG.size})) == 613


def test_silent_and_muted_long_clips_are_cut_too(desk: Desk, media: MediaFolder) -> None:
    silent = replace(LONG, clip_id=33, sound=None)
    assert desk.run(VideoClip(media.numbered(silent)), VideoClip(desk.long, mute=True)).success
    assert desk.encodes() == 2 * (COMMANDS - 1)
    assert problems(desk.reel, [Part(silent), Part(LONG, mute=True)], RATE) == []


def test_dry_run_lists_the_segments_and_their_commands(desk: Desk) -> None:
    params = VideoParams((desk.long,), desk.reel)
    plan = ModuleFactory(config_of(fps="10")).create_video_orchestrator().plan_video_request(params).plan
    assert plan is not None
    (step,) = plan.steps
    assert (sum(step.segments), len(step.segments), len(step.commands), step.argv) == (613, COMMANDS - 1, COMMANDS, ())

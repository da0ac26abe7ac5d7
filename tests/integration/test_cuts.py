"""Clips that are trimmed between keyframes: only a few frames are encoded, and every frame stays in its place."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import ConcatConfig, Config, FfmpegConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.seams import Seam, prove_seams, seams_of
from mpt_cli.model.choices import Action, CopyPolicy, JoinMethod
from mpt_cli.model.clips import Evidence, Segment, VideoClip
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.model.results import RunStatus
from tests import reader
from tests.builders import form_of
from tests.fakes import stand_in
from tests.integration.reels import Part, config_of, make_reel, problems
from tests.media import numbered, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder, NumberedClip

RATE = Fraction(30)
TAGS = "scenecut=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:fullrange=off"


@dataclass(frozen=True)
class Coding:
    """How the frames of a clip are stored, all in groups of 12."""

    bf: int = 3
    params: str = ""
    suffix: str = ".mp4"
    fps: str = "30"

    def clip(self, clip_id: int, seconds: float = 3.0) -> NumberedClip:
        """A clip of that kind."""
        params = ":".join(filter(None, (TAGS, self.params)))
        options = (("preset", "fast"), ("crf", "16"), ("g", "12"), ("bf", str(self.bf)), ("x264-params", params))
        plain = numbered(clip_id, seconds=seconds, fps=self.fps)
        return replace(plain, encoder_options=options, suffix=self.suffix)


CODINGS = {
    "pyramid": Coding(params="b-pyramid=normal"),
    "without B-frames": Coding(bf=0),
    "two B-frames": Coding(bf=2, params="b-pyramid=none"),
    "baseline": Coding(bf=0, params="cabac=0:8x8dct=0:weightp=0"),
    "open": Coding(params="open-gop=1"),
    "Matroska": Coding(suffix=".mkv"),
    "TS": Coding(suffix=".ts"),
    "TS without B-frames": Coding(bf=0, suffix=".ts"),
    "film": Coding(fps="24000/1001"),
}


def cut(media: MediaFolder, output: Path, *parts: Part, policy: CopyPolicy = CopyPolicy.COMPATIBLE) -> VideoResult:
    """The result of a request for these parts."""
    config = config_of(fps=str(Fraction(parts[0].clip.times[1] - parts[0].clip.times[0]) ** -1))
    config = config.model_copy(update={"concat": ConcatConfig(copy=policy)})
    return make_reel(output, [part.request(media) for part in parts], config)


def trimmed(clip: NumberedClip, first: float, end: float | None) -> Part:
    """The frames of a clip from one number to before another; halves are times between two frames."""
    rate = 1 / (clip.times[1] - clip.times[0])
    lead = Fraction(1024, 48_000) if clip.suffix == ".ts" else Fraction(0)  # which no word in a TS cuts off
    return Part(clip, lead + Fraction(first) / rate, None if end is None else lead + Fraction(end) / rate, lead=lead)


def samples(path: Path) -> list[bytes]:
    """All planes of each frame of a file."""
    return [frame.to_ndarray().tobytes() for frame in reader.frames(path)]


def kept(source: list[bytes], reel: list[bytes], first: int) -> list[int]:
    """Frames of a reel that hold the samples of its source, which it shows from a frame on."""
    return [number for number, frame in enumerate(reel) if frame == source[first + number]]


@pytest.mark.core
def test_frames_outside_of_keyframes_are_encoded_and_all_others_copied(media: MediaFolder, tmp_path: Path) -> None:
    clip, output = CODINGS["pyramid"].clip(1), tmp_path / "reel.mp4"
    part = trimmed(clip, 5, 80)
    result = cut(media, output, part)
    assert result.status is RunStatus.SUCCESS, result.errors
    (found,) = result.clips
    assert (found.action, found.reasons[0]) == (Action.COPY, "frames 0-6 encoded")
    assert (found.frames, found.encoded_frames) == (75, 7)
    assert found.verified is not None
    assert (found.verified.frame_map, found.verified.audio) == (Evidence.COPIED, Evidence.PROVEN)
    assert {issue.code for issue in result.warnings} == {IssueCode.MIXED_PARAMETER_SETS}
    assert problems(output, [part], RATE) == []
    assert kept(samples(media.numbered(clip)), samples(output), 5) == [*range(7, 75)]


TRIMS = [
    (5, 85),
    (12, 84),
    (11, 85),
    (13, 83),
    (0, 80),
    (7, None),
    (0.5, 70.5),
    (6.5, None),
    (23, 60),
    (24, 71),
    (1, 90),
]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("kind", CODINGS)
def test_every_frame_of_many_trims_is_in_its_place(media: MediaFolder, tmp_path: Path, kind: str, suffix: str) -> None:
    clip, output = CODINGS[kind].clip(2), tmp_path / f"reel{suffix}"
    rate, source = 1 / (clip.times[1] - clip.times[0]), samples(media.numbered(clip))
    parts = [trimmed(clip, *trim) for trim in TRIMS if trim[1] is None or trim[1] <= len(clip.times)]
    result = cut(media, output, *parts)
    assert result.status is RunStatus.SUCCESS, result.errors
    assert problems(output, parts, rate) == []
    shown, place = samples(output), 0
    for part, found in zip(parts, result.clips, strict=True):
        assert found.frames is not None
        first = ceil((part.start - part.lead) * rate - Fraction(1, 2))
        same = kept(source, shown[place : place + found.frames], first)
        end = first + found.frames
        encoded = found.frames if "open" in kind else -first % 12 + (end % 12 if CODINGS[kind].bf else 0)
        assert found.encoded_frames is not None
        assert found.encoded_frames <= encoded, found.reasons
        assert len(same) >= found.frames - found.encoded_frames
        place += found.frames
    assert {found.action for found in result.clips} == {Action.ENCODE if "open" in kind else Action.COPY}


class Desk:
    """A clip, and an ffmpeg that writes down how often it encodes frames."""

    def __init__(self, folder: Path, media: MediaFolder) -> None:
        """Use a copy of the clip in this folder."""
        self.part = trimmed(Coding(params="b-adapt=0").clip(3), 5, 83)
        self.clip, self.reel, self.log = folder / "clip.mp4", folder / "reel.mp4", folder / "encodes"
        shutil.copyfile(media.numbered(self.part.clip), self.clip)
        self.binary = stand_in(folder, f'case "$*" in *-stats_enc_pre*) echo x >> "{self.log}";; esac')

    def run(self, *parts: Part, policy: CopyPolicy = CopyPolicy.COMPATIBLE) -> VideoResult:
        """The result of a request for parts of the clip."""
        update = {"concat": ConcatConfig(copy=policy), "ffmpeg": FfmpegConfig(binary=self.binary)}
        clips = [VideoClip(self.clip, part.start, part.end) for part in parts or (self.part,)]
        params = VideoParams(tuple(clips), self.reel, overwrite=True)
        factory = ModuleFactory(config_of().model_copy(update=update))
        return factory.create_video_orchestrator().process_video_request(params)

    def encodes(self) -> int:
        """How often frames were encoded since the last question."""
        count = len(self.log.read_text().split()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count


@pytest.fixture
def desk(tmp_path: Path, media: MediaFolder) -> Desk:
    return Desk(tmp_path, media)


def test_encoded_parts_are_reused_one_by_one(desk: Desk) -> None:
    assert desk.run().success
    assert desk.encodes() == 2
    entries = sorted(ModuleFactory(Config()).clip_store.info().folder.rglob("pictures.mp4"))
    assert len(entries) == 2
    shutil.rmtree(entries[0].parent)
    again = desk.run()
    assert desk.encodes() == 1
    assert [(clip.action, clip.encoded_frames) for clip in again.clips] == [(Action.COPY, 9)]
    assert problems(desk.reel, [desk.part], RATE) == []
    again = desk.run()
    assert desk.encodes() == 0
    assert "3 of 4 parts are finished before" in again.clips[0].reasons


def test_later_end_encodes_only_the_tail_again(desk: Desk) -> None:
    assert desk.run().success
    desk.encodes()
    other = replace(desk.part, end=Fraction(79, 30))
    assert desk.run(other).success
    assert desk.encodes() == 1
    assert problems(desk.reel, [other], RATE) == []


def test_trims_that_begin_alike_share_their_head(desk: Desk) -> None:
    parts = [desk.part, replace(desk.part, end=Fraction(79, 30))]
    assert desk.run(*parts).success
    assert desk.encodes() == 3
    assert problems(desk.reel, parts, RATE) == []


def test_parts_that_cannot_be_proven_make_the_clip_be_encoded_in_one_piece(desk: Desk, tmp_path: Path) -> None:
    desk.binary = stand_in(tmp_path, 'case "$*" in *trim=end_frame=7*) echo odd >&2;; esac', name="complains")
    result = desk.run()
    assert result.status is RunStatus.SUCCESS, result.errors
    (found,) = result.clips
    assert (found.action, found.encoded_frames) == (Action.ENCODE, found.frames)
    assert found.reasons[0].startswith("in one piece: ")
    assert problems(desk.reel, [desk.part], RATE) == []


def test_identical_encodes_the_clip_and_says_what_compatible_would_encode(desk: Desk) -> None:
    result = desk.run(policy=CopyPolicy.IDENTICAL)
    (found,), (warning,) = result.clips, result.warnings
    assert (found.action, found.encoded_frames) == (Action.ENCODE, found.frames)
    assert found.reasons[-1] == "--copy compatible encodes 9 of its 78 frames"
    assert warning.code is IssueCode.ALL_ENCODED
    assert warning.message.endswith("; --copy compatible encodes 9 of 78 frames")
    assert desk.encodes() == 1


def test_method_copy_refuses_to_encode_a_frame(desk: Desk) -> None:
    concat = ConcatConfig(copy=CopyPolicy.COMPATIBLE)
    params = VideoParams((VideoClip(desk.clip, desk.part.start),), desk.reel, join=JoinMethod.COPY)
    factory = ModuleFactory(config_of().model_copy(update={"concat": concat}))
    result = factory.create_video_orchestrator().process_video_request(params)
    assert not result.success
    assert result.errors[0].message == "cannot be copied: its trim does not start at a keyframe"


def test_dry_run_names_the_frames_and_lists_the_commands(desk: Desk) -> None:
    concat = ConcatConfig(copy=CopyPolicy.COMPATIBLE)
    params = VideoParams((VideoClip(desk.clip, desk.part.start, desk.part.end),), desk.reel)
    factory = ModuleFactory(config_of().model_copy(update={"concat": concat}))
    plan = factory.create_video_orchestrator().plan_video_request(params).plan
    assert plan is not None
    (step,) = plan.steps
    assert (step.action, step.reasons[0]) == (Action.COPY, "frames 0-6 and 76-77 encoded")
    assert (step.encoded_frames, step.segments, len(step.commands)) == (9, (7, 69, 2), 3)
    assert all(command for command in step.commands)


def test_frame_that_a_decoder_loses_at_a_seam_is_missed(desk: Desk, media: MediaFolder, tmp_path: Path) -> None:
    source = media.numbered(desk.part.clip)
    whole, lossy = tmp_path / "whole.mp4", tmp_path / "lossy.mp4"
    run_ffmpeg("-i", source, "-c", "copy", "-an", whole)
    run_ffmpeg("-i", source, "-c", "copy", "-an", "-bsf:v", r"noise=drop=eq(n\,26)", lossy)
    parts = [
        SimpleNamespace(index=0, is_copied=copied, segment=Segment(0, at, 30))
        for copied, at in ((False, 0), (True, 30), (False, 60))
    ]
    form = form_of(rate=RATE)
    assert seams_of(parts) == [Seam(0, 30, 90), Seam(0, 60, 90)]  # type: ignore[arg-type]
    prove_seams(whole, form, parts)  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match="beside copied frames"):
        prove_seams(lossy, form, parts)  # type: ignore[arg-type]

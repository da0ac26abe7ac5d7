"""Clips that are trimmed between keyframes: only a few frames are encoded, and every frame stays in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.model.choices import Action, CopyPolicy
from mpt_cli.model.clips import Evidence
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from tests import reader
from tests.integration.reels import Part, config_of, make_reel, problems
from tests.media import numbered

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
    "open, some closed": Coding(params="open-gop=1:keyint=12:min-keyint=12"),
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
        encoded = found.frames if "open" in kind and first else -first % 12 + (end % 12 if CODINGS[kind].bf else 0)
        assert found.encoded_frames is not None
        assert found.encoded_frames <= encoded, found.reasons
        assert len(same) >= found.frames - found.encoded_frames
        place += found.frames
    assert sum(found.action is Action.COPY for found in result.clips) >= (1 if "open" in kind else len(parts))

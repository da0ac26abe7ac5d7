"""Loudness of reels: asked for, measured from outside, and met without a peak above the limit."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import AudioConfig, CacheConfig, Config, ProcessingConfig, QualitySettings, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action, JoinMethod
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.cancel import CancelToken
from tests import reader
from tests.audio_clips import clip
from tests.media import ffmpeg

if TYPE_CHECKING:
    from mpt_cli.model.results import VideoResult

Clips = list[Path | VideoClip]
SPEECH = "0.05*sin(2*PI*300*t)*(0.3+gt(sin(2*PI*2.5*t),0))"
"""Syllables: loud and soft parts in turn."""
KINDS = {
    "speech": (SPEECH, 48_000, "stereo"),
    "quiet": ("0.0006*sin(2*PI*500*t)+0.0003*sin(2*PI*90*t)", 48_000, "stereo"),
    "silent": ("0", 48_000, "mono"),
    "click": ("0.02*sin(2*PI*220*t)+0.97*between(mod(t,9),0.5,0.5005)", 48_000, "mono"),
    "clipping": ("max(-1,min(1,4*sin(2*PI*180*t)))", 44_100, "stereo"),
    "peaks": ("0.9*sin(2*PI*500*t)*lt(mod(t,0.5),0.002)+0.03*sin(2*PI*1000*t)", 48_000, "stereo"),
    "music": ("0.2*sin(2*PI*110*t)+0.1*sin(2*PI*660*t)+0.05*sin(2*PI*3300*t)", 96_000, "stereo"),
    "telephone": ("0.1*sin(2*PI*700*t)", 8000, "mono"),
    "surround": ("0.1*sin(2*PI*400*t)", 48_000, "5.1"),
    "noise": ("0.3*(random(0)-0.5)", 48_000, "stereo"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What ffmpeg's meter says from outside."""

    lufs: float
    peak: float


def heard(path: Path) -> Heard:
    """The loudness and true peak of a file."""
    argv = [ffmpeg(), "-nostdin", "-nostats", "-i", str(path), "-vn", "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stderr
    found = [re.findall(rf"^ *{name}: +(\S+) ", said, re.MULTILINE)[-1] for name in ("I", "Peak")]
    return Heard(float(found[0]), float(found[1]))


def sounding(folder: Path, kind: str, seconds: float = 3) -> Path:
    """A clip that sounds like one of :data:`KINDS`."""
    expression, rate, layout = KINDS[kind]
    channels = "|".join([expression] * {"mono": 1, "stereo": 2, "5.1": 6}[layout])
    source = ("-f", "lavfi", "-i", f"aevalsrc=exprs='{channels}':s={rate}:d={seconds:g}:c={layout}")
    return clip(folder / f"{kind}.mov", source, "-c:a", "pcm_s16le", seconds=seconds)


def made(
    output: Path,
    clips: Clips,
    *,
    join: JoinMethod | None = None,
    jobs: int | None = None,
    **audio: Any,
) -> VideoResult:
    """The result of a run with these settings of ``[audio]``; its cache lies beside the output."""
    config = Config(
        video=VideoConfig(size="64x36", fps="25"),  # type: ignore[arg-type]
        encode=QualitySettings(quality="draft", threads=1),  # type: ignore[arg-type]
        audio=AudioConfig(**audio),
        cache=CacheConfig(dir=output.parent / "cache", enabled=jobs is None),
        processing=ProcessingConfig(jobs=jobs),
    )
    params = VideoParams(clips, output, overwrite=True, join=join)
    result = ModuleFactory(config).create_video_orchestrator().process_video_request(params)
    assert result.status is RunStatus.SUCCESS, result.errors
    return result


def codes(result: VideoResult) -> set[IssueCode]:
    return {issue.code for issue in result.warnings} & {
        IssueCode.LOUDNESS_MISSED,
        IssueCode.LOUDNESS_UNCHANGED,
        IssueCode.LOUDNESS_DIFFERS,
        IssueCode.TRUE_PEAK_EXCEEDED,
    }


@pytest.mark.core
def test_reel_has_the_loudness_that_is_asked_for(tmp_path: Path) -> None:
    clips: Clips = [sounding(tmp_path, "peaks"), sounding(tmp_path, "silent", 1)]
    result = made(tmp_path / "reel.mp4", clips, loudness=-16)
    found = heard(tmp_path / "reel.mp4")
    assert found.lufs == pytest.approx(-16, abs=0.5)
    assert found.peak <= -1
    assert result.output is not None
    assert (report := result.output.loudness) is not None
    assert (report.after.lufs, report.after.true_peak) == (found.lufs, found.peak)
    assert report.before.lufs is not None
    assert report.gain_db > 0 < report.limiter_db
    assert not codes(result)

    again = made(tmp_path / "reel.mp4", clips, loudness=-23)
    assert {one.action for one in again.clips} == {Action.REUSE}
    assert heard(tmp_path / "reel.mp4").lufs == pytest.approx(-23, abs=0.5)


def test_process_names_clips_that_differ_and_concat_does_not_measure(tmp_path: Path) -> None:
    clips: Clips = [sounding(tmp_path, "music", 1), sounding(tmp_path, "quiet", 1)]
    result = made(tmp_path / "reel.mp4", clips)
    assert codes(result) == {IssueCode.LOUDNESS_DIFFERS}
    assert result.output is not None
    assert result.output.loudness is None
    levels = [one.loudness.lufs for one in result.clips if one.loudness is not None]
    assert levels == pytest.approx([-14.2, -63.3], abs=3)
    assert not codes(made(tmp_path / "joined.mp4", [tmp_path / "reel.mp4"] * 2, join=JoinMethod.AUTO))


MIXES = [
    ["speech", "music"],
    ["quiet", "silent"],
    ["silent"],
    ["click"],
    ["speech", "click", "silent"],
    ["clipping"],
    ["clipping", "speech"],
    ["peaks", "telephone"],
    ["surround", "noise", "quiet"],
    ["noise", "speech", "music", "telephone", "click"],
]


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
@pytest.mark.parametrize(
    ("name", "audio"),
    [
        ("reel.mp4", {}),
        ("reel.mkv", {"codec": "flac", "sample_rate": 44_100}),
        ("reel.mkv", {"codec": "opus"}),
        ("reel.mov", {"codec": "pcm", "channels": 6, "sample_rate": 96_000}),
        ("reel.mp4", {"sample_rate": 8000, "channels": 1}),
    ],
    ids=["aac", "flac", "opus", "5.1", "8 kHz"],
)
def test_mixed_reel_meets_loudness_and_peak_or_says_why(
    tmp_path: Path, mix: list[str], name: str, audio: dict[str, Any]
) -> None:
    clips: Clips = [sounding(tmp_path, kind) for kind in mix]
    result = made(tmp_path / name, clips, loudness=-14, **audio)
    found, said = heard(tmp_path / name), codes(result)
    assert found.peak <= -1 or IssueCode.TRUE_PEAK_EXCEEDED in said
    if mix == ["silent"]:
        assert said == {IssueCode.LOUDNESS_UNCHANGED}
    else:
        assert abs(found.lufs + 14) <= 0.5 or IssueCode.LOUDNESS_MISSED in said
        assert IssueCode.LOUDNESS_UNCHANGED not in said
    assert said <= {IssueCode.LOUDNESS_UNCHANGED, IssueCode.LOUDNESS_DIFFERS}  # each of these can be met


def test_loudness_that_peaks_do_not_allow_is_said(tmp_path: Path) -> None:
    result = made(tmp_path / "reel.mp4", [sounding(tmp_path, "noise")], loudness=-5, true_peak=-6)
    assert codes(result) == {IssueCode.LOUDNESS_MISSED}
    assert heard(tmp_path / "reel.mp4").peak <= -6


def test_reel_shorter_than_a_block_is_left_alone(tmp_path: Path) -> None:
    short = VideoClip(sounding(tmp_path, "music"), 0, 0.3)
    result = made(tmp_path / "reel.mov", [short], loudness=-14, codec="pcm")
    assert codes(result) == {IssueCode.LOUDNESS_UNCHANGED}
    assert heard(tmp_path / "reel.mov").peak == pytest.approx(-9.3, abs=1)


def test_samples_that_are_no_numbers_are_said(tmp_path: Path) -> None:
    source = ("-f", "lavfi", "-i", "aevalsrc=exprs='0.1*sin(400*t)/not(between(t,1,1.001))':s=48000:d=2:c=mono")
    path = clip(tmp_path / "nan.mov", source, "-c:a", "pcm_f32le")
    result = made(tmp_path / "reel.mov", [path], loudness=-14, codec="auto", join=JoinMethod.AUTO)
    assert codes(result) == {IssueCode.LOUDNESS_UNCHANGED}


def test_clips_are_evened_out_by_one_gain_each(tmp_path: Path) -> None:
    kinds = ["speech", "music", "noise", "silent", "quiet"]
    result = made(tmp_path / "reel.mov", [sounding(tmp_path, kind) for kind in kinds], even_out=True, codec="pcm")
    told = {kind: one.loudness for kind, one in zip(kinds, result.clips, strict=True)}
    assert told["silent"] is not None
    assert (told["silent"].lufs, told["silent"].gain_db) == (None, 0.0)
    assert told["quiet"] is not None
    assert told["quiet"].gain_db == 12
    for kind in ("speech", "music", "noise", "quiet"):
        one = made(tmp_path / f"{kind}-reel.mov", [tmp_path / f"{kind}.mov"], codec="pcm")
        assert one.output is not None
        assert one.output.loudness is None
        alone, level = heard(tmp_path / f"{kind}-reel.mov"), told[kind]
        assert level is not None
        assert level.lufs == pytest.approx(alone.lufs, abs=0.1)
    made(tmp_path / "plain.mov", [tmp_path / f"{kind}.mov" for kind in kinds], codec="pcm")
    before, after = (reader.samples(tmp_path / name)[0] for name in ("plain.mov", "reel.mov"))
    for index, kind in enumerate(kinds):
        level = told[kind]
        assert level is not None
        part = slice(index * 3 * 48_000, (index + 1) * 3 * 48_000)
        assert np.allclose(after[part], before[part] * 10 ** (level.gain_db / 20), atol=2 / 32768), kind
    assert codes(result) == {IssueCode.LOUDNESS_DIFFERS}


def test_volume_of_a_clip_changes_it_alone(tmp_path: Path) -> None:
    path = sounding(tmp_path, "music", 1)
    made(tmp_path / "plain.mov", [path, path], codec="pcm")
    result = made(tmp_path / "reel.mov", [path, VideoClip(path, volume=-6)], codec="pcm")
    assert [one.loudness and one.loudness.gain_db for one in result.clips] == [None, -6]
    before, after = (reader.samples(tmp_path / name)[0] for name in ("plain.mov", "reel.mov"))
    assert np.array_equal(after[:48_000], before[:48_000])
    assert np.allclose(after[48_000:], before[48_000:] * 10 ** (-6 / 20), atol=2 / 32768)


def test_raised_clip_does_not_clip(tmp_path: Path) -> None:
    path = sounding(tmp_path, "music")
    made(tmp_path / "reel.mp4", [path, VideoClip(path, volume=20)])
    assert heard(tmp_path / "reel.mp4").peak <= -1


def test_click_in_the_samples_that_an_encoder_gives_up_does_not_count(tmp_path: Path) -> None:
    source = ("-f", "lavfi", "-i", "aevalsrc=exprs='0.01*sin(2*PI*500*t)+0.9*lt(t,0.01)':s=48000:d=1:c=mono")
    path = clip(tmp_path / "click.mov", source, "-c:a", "pcm_s16le", seconds=1)
    result = made(tmp_path / "reel.mp4", [path], loudness=-20)
    assert not codes(result)
    assert heard(tmp_path / "reel.mp4").lufs == pytest.approx(-20, abs=0.5)


def test_levelled_reel_has_the_same_bytes_on_any_number_of_cores(tmp_path: Path) -> None:
    clips: Clips = [sounding(tmp_path, kind) for kind in ("peaks", "music", "telephone")]
    made_by = [made(tmp_path / f"{jobs}.mp4", clips, jobs=jobs, loudness=-14, even_out=True) for jobs in (1, 3)]
    assert all(result.output for result in made_by)
    assert (tmp_path / "1.mp4").read_bytes() == (tmp_path / "3.mp4").read_bytes()


def test_single_clip_of_concat_is_levelled_and_copied(tmp_path: Path) -> None:
    made(tmp_path / "clip.mp4", [sounding(tmp_path, "speech")])
    result = made(tmp_path / "reel.mp4", [tmp_path / "clip.mp4"], join=JoinMethod.AUTO, loudness=-20)
    assert result.concatenation is not None
    assert result.concatenation.stream_copy
    assert heard(tmp_path / "reel.mp4").lufs == pytest.approx(-20, abs=0.5)


def test_validate_measures_files_that_it_decodes(tmp_path: Path) -> None:
    paths = [sounding(tmp_path, kind) for kind in ("speech", "surround", "telephone", "silent")]
    engine = ModuleFactory().create_validation_engine()
    quick = engine.validate_files(paths, cancel=CancelToken())
    assert [one.lufs for one in quick] == [None] * 4
    deep = engine.validate_files(paths, cancel=CancelToken(), scan=True, deep=True)
    assert deep[0].lufs == pytest.approx(heard(paths[0]).lufs, abs=0.1)
    assert deep[2].lufs == pytest.approx(heard(paths[2]).lufs + 3, abs=0.2)  # mono is heard on both sides
    assert [one.lufs is None for one in deep] == [False, False, False, True]

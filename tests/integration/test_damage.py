"""Damage in a clip is never silent: what decodes is used, how much is lost is said, too little is refused."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import CacheConfig, FfmpegConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode, ProbeError
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import ClipStarted, Notice, RunContext
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import config_of, make_reel
from tests.media import MediaFolder, Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.runtime.events import Event

KINDS = {
    "h264": Recipe(),
    "hevc": Recipe(codec="libx265"),
    "vp9, packets lost": Recipe(codec="libvpx-vp9", suffix=".mkv"),
    "av1": Recipe(codec="libsvtav1", suffix=".mkv"),
    "mpeg-2, marked by the container": Recipe(codec="mpeg2video", suffix=".ts"),
    "prores": Recipe(codec="prores_ks", pixel_format="yuv422p10le", suffix=".mov", keyframe_interval=None),
}


def spoiled(source: Path, target: Path, first: float, last: float) -> Path:
    """A copy of a file in which the bytes of a part, given as shares of it, are noise."""
    data = bytearray(source.read_bytes())
    place = slice(int(len(data) * first), int(len(data) * last))
    data[place] = random.Random(1).randbytes(len(data[place]))
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_that_is_damaged_in_the_middle_is_used_and_its_loss_is_said(
    media: MediaFolder, tmp_path: Path, kind: str
) -> None:
    recipe = replace(KINDS[kind], seconds=2.0, sound=None, size="320x180")
    if recipe.codec != "prores_ks":
        recipe = replace(recipe, keyframe_interval=12)
    whole = media.make(recipe)
    hurt = spoiled(whole, tmp_path / f"hurt{recipe.suffix}", 0.4, 0.6)
    result = make_reel(tmp_path / "reel.mp4", [whole, hurt], config_of())
    assert result.status is RunStatus.SUCCESS
    (warning,) = result.warnings
    assert (warning.code, warning.path) == (IssueCode.DAMAGED, hurt)
    lost = float(warning.message.split("%")[0].rpartition(" ")[2])
    assert 3 <= lost < 50


def test_only_damage_in_the_used_part_counts(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(seconds=3.0, sound=None, keyframe_interval=10, size="320x180")
    hurt = spoiled(whole, tmp_path / "hurt.mp4", 0.75, 0.95)
    early = VideoClip(hurt, end=probe(hurt, scan=True).duration / 2)
    assert make_reel(tmp_path / "early.mp4", [early], config_of()).warnings == ()
    late = VideoClip(hurt, start=early.end or early.start)
    assert [issue.code for issue in make_reel(tmp_path / "late.mp4", [late], config_of()).warnings] == ["damaged"]


def test_a_clip_of_which_too_little_decodes_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(seconds=2.0, sound=None, keyframe_interval=30, size="320x180")
    ruined = spoiled(whole, tmp_path / "ruined.mp4", 0.15, 0.95)
    result = make_reel(tmp_path / "reel.mp4", [whole, ruined], config_of())
    assert result.status is RunStatus.ERROR
    assert [issue.code for issue in result.errors] == [IssueCode.DAMAGED, IssueCode.PROCESSING_FAILED]
    assert not (tmp_path / "reel.mp4").exists()


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.core(1)
def test_a_file_that_was_cut_off_says_so_before_any_work(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    options = ("-movflags", "+faststart") if suffix == ".mp4" else ()
    whole = media.make(seconds=3.0, sound=None, suffix=suffix, size="320x180", options=options)
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 4])
    assert probe(whole, scan=True).warnings == ()
    (warning,) = probe(cut, scan=True).warnings
    assert warning.code is IssueCode.TRUNCATED
    assert "of 3.00 s are there" in warning.message


def fragments(media: MediaFolder, path: Path, seconds: int, share: float) -> Path:
    """Write the first bytes of a MOV of fragments of 2 s, each of which holds its frames before its audio."""
    options = ("-movflags", "frag_keyframe+empty_moov")
    sound = Tone(codec="pcm_s16le")
    whole = media.make(seconds=seconds, fps="25", suffix=".mov", sound=sound, keyframe_interval=50, options=options)
    path.write_bytes(whole.read_bytes()[: round(whole.stat().st_size * share)])
    return path


def test_cut_fragment_says_how_much_audio_is_missing(media: MediaFolder, tmp_path: Path) -> None:
    cut = fragments(media, tmp_path / "cut.mov", 4, 0.9)
    found = probe(cut, scan=True)
    assert found.audio is not None
    (warning,) = found.warnings
    assert warning.code is IssueCode.TRUNCATED
    end = float(found.audio.end - found.zero)
    assert 3 < end < 3.8
    assert "of its audio are there (video ends at 4.0" in warning.message
    assert f"audio at {end:.2f} s)" in warning.message


def test_cut_fragment_with_less_than_half_of_its_audio_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    with pytest.raises(ProbeError) as refusal:
        probe(fragments(media, tmp_path / "cut.mov", 2, 0.5), scan=True)
    assert refusal.value.code is IssueCode.TRUNCATED
    assert "of its audio are there" in refusal.value.issue.message


@pytest.mark.core
def test_a_file_that_changes_while_it_is_worked_on_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    growing = tmp_path / "growing.mp4"
    growing.write_bytes(media.make().read_bytes())

    class Grow(ListEmit):
        def __call__(self, event: Event) -> None:
            if isinstance(event, ClipStarted):
                with growing.open("ab") as file:
                    file.write(b"more")

    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    params = VideoParams((VideoClip(growing),), tmp_path / "reel.mp4")
    result = orchestrator.process_video_request(params, context=RunContext("w", Grow()))
    assert [issue.code for issue in result.errors] == [IssueCode.CLIP_FAILED, IssueCode.PROCESSING_FAILED]
    assert "changed while it was processed" in result.errors[0].message


def test_the_loss_is_told_while_the_run_goes_on(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(seconds=2.0, sound=None, keyframe_interval=12, size="320x180")
    hurt, emit = spoiled(whole, tmp_path / "hurt.mp4", 0.4, 0.6), ListEmit()
    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    params = VideoParams((VideoClip(hurt),), tmp_path / "reel.mp4")
    orchestrator.process_video_request(params, context=RunContext("w", emit))
    (notice,) = emit.of(Notice)
    assert (notice.level, notice.code, notice.index) == ("warning", "damaged", 0)


def test_a_file_of_the_same_size_in_its_place_is_noticed_also_without_a_store(
    media: MediaFolder, tmp_path: Path
) -> None:
    """A program that encodes overwrites the clip before it begins: what was looked at is not what comes out."""
    clip, other = tmp_path / "clip.avi", tmp_path / "other.avi"
    for path, source in ((clip, "color=red"), (other, "color=blue")):
        raw = media.make(Recipe(seconds=0.3, source=source, codec="rawvideo", suffix=".avi", sound=None))
        path.write_bytes(raw.read_bytes())
    assert clip.stat().st_size == other.stat().st_size
    program = stand_in(tmp_path, f'case "$*" in *clip.avi*) cat "{other}" > "{clip}";; esac')
    config = config_of().model_copy(
        update={"ffmpeg": FfmpegConfig(binary=program), "cache": CacheConfig(enabled=False)}
    )
    result = make_reel(tmp_path / "reel.mp4", [clip], config)
    assert [issue.code for issue in result.errors][:1] == [IssueCode.CLIP_FAILED]
    assert not (tmp_path / "reel.mp4").exists()


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_a_damaged_first_picture_costs_no_more_than_what_needs_it(
    media: MediaFolder, tmp_path: Path, codec: str
) -> None:
    whole = media.make(Recipe(codec=codec, seconds=2.0, sound=None, keyframe_interval=25, fps="25"))
    hurt = tmp_path / "hurt.mkv"
    run_ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "noise=amount='if(eq(n\\,0)\\,200\\,0)'", hurt)
    with av.open(str(hurt)) as container:
        first = next(frame for frame in container.decode(video=0) if not frame.is_corrupt)
        assert probe(hurt, scan=True).video_start == (first.pts or 0) * Fraction(first.time_base or 0)
    assert make_reel(tmp_path / "reel.mp4", [hurt], config_of()).success

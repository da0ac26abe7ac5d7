"""Chapters as they come out: one a clip, with its name and at its joint, by every way of joining."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ConcatConfig, Config, ProcessingConfig
from mpt_cli.media.formats.chapters import Chapter, reel_chapters
from mpt_cli.model.choices import ConcatenationMode, Container, OnError
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.results import ClipStatus
from tests import reader
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.integration.segments import ENGINES, Bench, duplicate, prove
from tests.media import numbered, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from tests.media import MediaFolder

RATE = "30000/1001"
NAMES = ("=;#\\ [CHAPTER]\n'q'.mp4", "日本 😀.mov", "bad\udcff.mp4")
TITLES = ("=;#\\ [CHAPTER] 'q'", "日本 😀", "bad\ufffd")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A run folder of its own."""
    (tmp_path / "run").mkdir()
    return Bench(tmp_path / "run")


def named(bench: Bench, media: MediaFolder, form: TargetForm) -> list[ProcessedClip]:
    """Three segments, of clips with names that mean something elsewhere."""
    made = [bench.clip(media.numbered(numbered(n, seconds=n / 10 + 0.2)), form) for n in (1, 2, 3)]
    return [
        replace(clip, original_path=clip.original_path.with_name(name)) for clip, name in zip(made, NAMES, strict=True)
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("container", Container)
@pytest.mark.core(1)
def test_titles_and_starts_are_right_in_every_container_by_every_engine(
    bench: Bench, media: MediaFolder, tmp_path: Path, container: Container, engine: str
) -> None:
    form, reel = form_of(rate=RATE, container=container), tmp_path / f"reel.{container}"
    clips = named(bench, media, form)
    chapters = reel_chapters(clips, form.frame_rate)
    bench.join(clips, reel, form, engine=engine, chapters=chapters)
    prove(reel, form, clips, chapters=chapters, copied=engine == "FFmpeg")
    found = reader.chapters(reel)
    assert tuple(title for title, _ in found) == TITLES
    starts = [sum(clip.segment.frames for clip in clips[:n]) / form.frame_rate for n in range(3)]
    assert all(abs(start - at) <= Fraction(1, 2000) for (_, start), at in zip(found, starts, strict=True))
    if container is not Container.MKV:
        assert not reader.has_edit_list(reel)
        assert reader.index_comes_first(reel)


@pytest.mark.parametrize("container", Container)
def test_chapters_change_nothing_else(bench: Bench, media: MediaFolder, tmp_path: Path, container: Container) -> None:
    form = form_of(rate=RATE, container=container)
    clips = named(bench, media, form)
    reels = [tmp_path / f"{name}.{container}" for name in ("with", "without", "again")]
    chapters = reel_chapters(clips, form.frame_rate)
    for reel, given in zip(reels, (chapters, (), chapters), strict=True):
        bench.join(clips, reel, form, chapters=given)
    assert reader.chapters(reels[1]) == []
    lengths = [reader.track(reel, kind).packets for reel in reels[:2] for kind in ("video", "audio")]
    assert lengths[:2] == lengths[2:]
    assert reader.duration(reels[0]) == reader.duration(reels[1])
    assert reels[0].read_bytes() == reels[2].read_bytes()


@pytest.mark.parametrize("container", [Container.MP4, Container.MKV])
def test_there_may_be_more_than_the_255_of_nero(
    bench: Bench, media: MediaFolder, tmp_path: Path, container: Container
) -> None:
    form, reel = form_of(container=container), tmp_path / f"reel.{container}"
    clip = bench.clip(media.numbered(numbered(1, seconds=1 / 30)), form)
    clips = [replace(clip, original_path=clip.original_path.with_name(f"{n}.mp4")) for n in range(300)]
    chapters = reel_chapters(clips, form.frame_rate)
    bench.join(clips, reel, form, chapters=chapters)
    prove(reel, form, clips, chapters=chapters)
    assert [title for title, _ in reader.chapters(reel)] == [str(n) for n in range(300)]


def test_long_chapter_is_found_again(bench: Bench, media: MediaFolder, tmp_path: Path) -> None:
    """ffmpeg 9 counts in units of which 31 bits end after 38 seconds, if it may choose them."""
    form, reel = form_of(rate="10"), tmp_path / "reel.mp4"
    clips = [bench.clip(media.numbered(numbered(n, fps="10", seconds=length)), form) for n, length in ((1, 45), (2, 1))]
    chapters = reel_chapters(clips, form.frame_rate)
    bench.join(clips, reel, form, chapters=chapters)
    prove(reel, form, clips, chapters=chapters)
    assert [start for _, start in reader.chapters(reel)] == [0, 45]


# --- the proof ----------------------------------------------------------------------------------


@pytest.mark.parametrize("container", Container)
@pytest.mark.core(1)
def test_wrong_chapters_are_no_right_reel(
    bench: Bench, media: MediaFolder, tmp_path: Path, container: Container
) -> None:
    form, reel = form_of(container=container), tmp_path / f"reel.{container}"
    clips = named(bench, media, form)
    right = reel_chapters(clips, form.frame_rate)
    bench.join(clips, reel, form, chapters=right)
    late = replace(right[1], start=right[1].start + Fraction(18, 1000))
    almost = replace(right[1], start=right[1].start + Fraction(16, 1000))
    prove(reel, form, clips, chapters=[right[0], almost, right[2]])
    wrong: dict[str, list[Chapter]] = {
        r"chapter 2 is -1[78]\.\d+ ms off": [right[0], late, right[2]],
        "chapter 1 says .*, not '日本 😀'": [right[1], right[0], right[2]],
        "has 3 chapters, 2 were planned": [right[0], right[1]],
        "has 3 chapters, 0 were planned|exactly one video and one audio stream": [],
    }
    for because, planned in wrong.items():
        with pytest.raises(VerificationError, match=because):
            prove(reel, form, clips, chapters=planned)
    bench.join(clips, reel, form)
    with pytest.raises(VerificationError, match=r"has 0 chapters, 3 were planned|and one audio stream and the titles"):
        prove(reel, form, clips, chapters=right)


@pytest.mark.parametrize("container", Container)
def test_a_reel_with_a_tag_or_another_track_is_no_right_reel(
    bench: Bench, media: MediaFolder, tmp_path: Path, container: Container
) -> None:
    form, reel, spoilt = form_of(container=container), tmp_path / f"reel.{container}", tmp_path / f"x.{container}"
    clips = named(bench, media, form)[:1]
    bench.join(clips, reel, form)
    run_ffmpeg("-i", duplicate(reel, tmp_path / f"y.{container}"), "-c", "copy", "-metadata", "comment=hello", spoilt)
    with pytest.raises(VerificationError, match="carries metadata: comment"):
        prove(spoilt, form, clips)
    run_ffmpeg("-i", reel, "-map", "0", "-map", "0:a", "-c", "copy", spoilt)
    with pytest.raises(VerificationError, match="exactly one video and one audio stream"):
        prove(spoilt, form, clips)


# --- the whole workflow -------------------------------------------------------------------------


def copies(media: MediaFolder, folder: Path, *names: str) -> list[Path]:
    return [duplicate(media.make(seconds=0.3), folder / f"{name}.mp4") for name in names]


def test_titles_follow_the_order_of_the_reel_and_a_clip_left_out_has_none(media: MediaFolder, tmp_path: Path) -> None:
    good = copies(media, tmp_path, "a", "b", "c", "d")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no media")
    config = config_of(mode=ConcatenationMode.RANDOM, seed=3).model_copy(
        update={"processing": ProcessingConfig(on_error=OnError.SKIP)}
    )
    result = make_reel(tmp_path / "reel.mkv", [*good[:2], bad, *good[2:]], config)
    assert result.clips[2].status is ClipStatus.SKIPPED
    shown = sorted((clip for clip in result.clips if clip.start is not None), key=lambda clip: clip.start or 0)
    assert [clip.path.stem for clip in shown] != ["a", "b", "c", "d"]
    assert [title for title, _ in reader.chapters(tmp_path / "reel.mkv")] == [clip.path.stem for clip in shown]


def test_a_reel_without_chapters_is_a_setting(media: MediaFolder, tmp_path: Path) -> None:
    config = config_of().model_copy(update={"concat": ConcatConfig(chapters=False)})
    reel = finished_reel(tmp_path / "reel.mp4", copies(media, tmp_path, "a", "b"), config)
    assert reader.chapters(reel) == []
    assert b"chpl" not in reel.read_bytes()


def test_a_reel_of_one_clip_has_no_joint_and_no_chapter(media: MediaFolder, tmp_path: Path) -> None:
    (clip,) = copies(media, tmp_path, "only")
    reel = finished_reel(tmp_path / "reel.mp4", [clip], config_of())
    assert reader.chapters(reel) == []
    final = Config(video=config_of().video, encode=config_of().encode)
    again = make_reel(tmp_path / "again.mp4", [reel], final)
    assert again.concatenation is not None
    assert again.concatenation.method == "DirectCopy"

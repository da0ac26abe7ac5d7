"""Time: every picture and every sample of a reel is where the source has it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action, ConcatenationMode
from tests import reader
from tests.integration.reels import Part, config_of, finished_reel, make_reel, of, problems
from tests.media import MediaFolder, NumberedClip, Signature, numbered, steady

if TYPE_CHECKING:
    from pathlib import Path

MIXED_RATE = tuple(Fraction(ms, 1000) for ms in (0, 33, 66, 150, 171, 300, 333, 366, 650, 683, 700, 900))
"""Real times of a phone: neither 30 nor anything else."""
GAP = (*steady(Fraction(1, 2), "30"), *(time + Fraction(3, 2) for time in steady(Fraction(1, 2), "30")))
"""Nothing new between 0.5 s and 1.5 s."""
PCM = Signature(codec="pcm_s16le")

BAG: dict[str, NumberedClip] = {
    "film": numbered(1, seconds=1.0, fps="24000/1001"),
    "pal": numbered(2, seconds=1.0, fps="25"),
    "ntsc": numbered(3, seconds=1.0, fps="30000/1001"),
    "thirty": numbered(4, seconds=1.0, fps="30"),
    "fast": numbered(5, seconds=0.8, fps="60"),
    "slow": numbered(6, seconds=1.0, fps="10"),
    "variable": numbered(7, times=MIXED_RATE),
    "gap": numbered(8, times=GAP),
    "late picture": replace(numbered(9, seconds=0.6), sound=replace(PCM, delay=-0.4, seconds=1.0), suffix=".mkv"),
    "late sound": replace(numbered(10), sound=replace(PCM, delay=0.3, seconds=0.7), suffix=".mov"),
    "longer sound": replace(numbered(11, seconds=0.7), sound=replace(PCM, seconds=1.3), suffix=".mov"),
    "shorter sound": replace(numbered(12), sound=Signature(seconds=0.45)),
    "silent": replace(numbered(13, seconds=0.6), sound=None),
    "low rate": replace(numbered(14), sound=Signature(sample_rate=22_050, codec="pcm_s16le"), suffix=".mov"),
    "stereo": replace(numbered(15), sound=Signature(channels=2)),
    "portrait": replace(numbered(16, seconds=0.5), size=(90, 160), rotation=90),
    "vp9": replace(numbered(17, seconds=0.6, fps="25"), codec="libvpx-vp9", sound=PCM, suffix=".mkv"),
    "transport": replace(numbered(18, seconds=0.6, fps="25"), sound=None, suffix=".ts", start=59_857.0),
    "offset": replace(numbered(19, seconds=0.6, fps="50"), sound=PCM, suffix=".mkv", start=12.5),
    "hevc": replace(numbered(20, seconds=0.6, fps="25"), codec="libx265"),
    "one picture": replace(numbered(21, seconds=0.04, fps="25"), sound=None),
    "blink": numbered(22, seconds=0.05, fps="60"),
}
"""Clips of every kind of time, each with pictures and a sound of its own."""


@pytest.mark.anchor("T005")
@pytest.mark.parametrize(
    ("fps", "suffix"),
    [
        ("25", ".mov"),
        ("30000/1001", ".mp4"),
        ("30", ".mkv"),
        *(pytest.param(fps, ".mp4", marks=pytest.mark.slow) for fps in ("24", "48", "60")),
    ],
)
def test_a_mixed_reel_is_right_at_every_rate(media: MediaFolder, tmp_path: Path, fps: str, suffix: str) -> None:
    parts = of(*BAG.values())
    reel = finished_reel(tmp_path / f"reel{suffix}", [part.request(media) for part in parts], config_of(fps=fps))
    assert problems(reel, parts, Fraction(fps)) == []


@pytest.mark.parametrize(("fps", "suffix"), [("120000/1001", ".mp4"), ("240000/1001", ".mkv")])
def test_a_reel_is_right_at_the_fastest_rates(media: MediaFolder, tmp_path: Path, fps: str, suffix: str) -> None:
    parts = of(numbered(29, seconds=0.5, fps="30"), numbered(30, seconds=0.3, fps=fps))
    reel = finished_reel(tmp_path / f"reel{suffix}", [part.request(media) for part in parts], config_of(fps=fps))
    assert problems(reel, parts, Fraction(fps)) == []


def test_pictures_at_the_output_rate_are_all_there_once(media: MediaFolder, tmp_path: Path) -> None:
    clips = [numbered(31, seconds=0.7), replace(numbered(32, seconds=0.5), suffix=".mkv", sound=PCM)]
    reel = finished_reel(tmp_path / "reel.mp4", [media.numbered(clip) for clip in clips], config_of(fps="30"))
    said = [(picture.clip_id, picture.number) for picture in reader.pictures(reel)]
    assert said == [(31, n) for n in range(21)] + [(32, n) for n in range(15)]


def test_many_clips_do_not_drift(media: MediaFolder, tmp_path: Path) -> None:
    rate = Fraction(30_000, 1001)
    clips = [replace(numbered(number, seconds=0.2, fps=rate), sound=PCM, suffix=".mov") for number in (33, 34, 35)]
    parts = of(*clips) * 16
    assert {part.frames(rate) for part in parts} == {6}  # 9,609.6 samples each: 19 too many if rounded one by one
    reel = finished_reel(tmp_path / "reel.mp4", [part.request(media) for part in parts], config_of(fps=str(rate)))
    assert problems(reel, parts, rate, most_off=4) == []


@pytest.mark.core
def test_the_last_picture_lasts_as_long_as_its_packet_says(media: MediaFolder, tmp_path: Path) -> None:
    clip = replace(numbered(36, seconds=0.4), end=Fraction(1), sound=None)
    reel = finished_reel(tmp_path / "reel.mp4", [media.numbered(clip)], config_of(fps="30"))
    assert [picture.number for picture in reader.pictures(reel)] == [*range(12), *[11] * 18]


@pytest.mark.parametrize("fps", ["25", "30", "60"])
def test_a_sound_that_is_longer_holds_the_very_last_picture(media: MediaFolder, tmp_path: Path, fps: str) -> None:
    clip = replace(numbered(37, seconds=0.5, fps="30"), sound=Signature(seconds=1.0, codec="flac"), suffix=".mkv")
    reel = finished_reel(tmp_path / "reel.mp4", [media.numbered(clip)], config_of(fps=fps))
    numbers = [picture.number for picture in reader.pictures(reel)]
    assert len(numbers) == int(fps)
    assert set(numbers[int(fps) // 2 :]) == {14}


def test_padding_of_a_codec_does_not_lengthen_a_clip(media: MediaFolder, tmp_path: Path) -> None:
    clips = [
        replace(numbered(38, seconds=0.5), sound=replace(PCM, seconds=0.5 + more), suffix=".mov")
        for more in (0.09, 0.11)
    ]
    counts = []
    for clip in clips:
        reel = finished_reel(tmp_path / f"{clip.sound_seconds}.mp4", [media.numbered(clip)], config_of(fps="30"))
        counts.append(len(reader.pictures(reel)))
    assert counts == [15, 18]


@pytest.mark.parametrize(
    ("seconds", "rate", "frames"),
    [("0.5", "25", 13), ("0.49", "25", 12), ("0.001", "30", 1), ("0.05", "30", 2), ("0.55", "30", 17)],
)
def test_frames_are_the_nearest_whole_number_a_half_upwards(
    media: MediaFolder, tmp_path: Path, seconds: str, rate: str, frames: int
) -> None:
    part = Part(numbered(39, seconds=1.0), limit=Fraction(seconds))
    assert part.frames(Fraction(rate)) == frames
    config = config_of(fps=rate, max_clip_duration=seconds)
    result = make_reel(tmp_path / "reel.mp4", [part.request(media)], config)
    assert result.output is not None
    assert result.output.frames == result.clips[0].frames == frames
    assert problems(tmp_path / "reel.mp4", [part], Fraction(rate)) == []


LONG = {
    "mp4": replace(numbered(41, seconds=6.0), encoder_options=(("preset", "superfast"), ("bf", "3"), ("g", "60"))),
    "mkv": replace(
        numbered(42, seconds=6.0),
        encoder_options=(("preset", "superfast"), ("bf", "3"), ("g", "60")),
        sound=PCM,
        suffix=".mkv",
        start=3.0,
    ),
    "hevc": replace(
        numbered(43, seconds=6.0),
        codec="libx265",
        encoder_options=(("x265-params", "log-level=none:keyint=50:bframes=3"),),
    ),
    "variable": replace(
        numbered(44, times=tuple(n * Fraction(1, 30) + Fraction(n % 3, 100) for n in range(180))),
        encoder_options=(("g", "40"),),
    ),
}
"""Clips that are long enough for a seek, with pictures that are stored out of order."""
TRIMS = [("0.5", "1.1"), ("2.0", "2.4"), ("3.35", "4.02"), ("5.5", None)]


@pytest.mark.parametrize("kind", LONG)
def test_trims_are_exact_to_the_frame(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    parts = [Part(LONG[kind], Fraction(start), Fraction(end) if end else None) for start, end in TRIMS]
    clips = [part.request(media) for part in parts]
    config = config_of(fps="30")
    planned = ModuleFactory(config).create_video_orchestrator()
    plan = planned.plan_video_request(VideoParams(tuple(clips), tmp_path / "plan.mp4")).plan
    assert plan is not None
    assert ["-ss" in step.argv for step in plan.steps] == [False, True, True, True]
    reel = finished_reel(tmp_path / "reel.mp4", clips, config)
    assert problems(reel, parts, Fraction(30)) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_trims_in_one_long_group_of_pictures(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    clip = replace(numbered(45, seconds=4.0, fps="25"), suffix=suffix, sound=PCM if suffix == ".mkv" else Signature())
    parts = [Part(clip, Fraction(start), Fraction(end)) for start, end in (("0.04", "0.3"), ("2.3", "2.6"), ("3", "4"))]
    for rate in ("25", "30"):
        reel = finished_reel(tmp_path / f"{rate}.mp4", [part.request(media) for part in parts], config_of(fps=rate))
        assert problems(reel, parts, Fraction(rate)) == []


def test_a_limit_cuts_trimmed_and_whole_clips(media: MediaFolder, tmp_path: Path) -> None:
    limit = Fraction(1, 2)
    wanted = [(Fraction(0), None), (Fraction(1, 5), None), (Fraction(2, 5), Fraction(3, 5))]
    parts = [Part(numbered(46, seconds=1.0), start, end, limit) for start, end in wanted]
    config = config_of(fps="30", max_clip_duration="0.5")
    reel = finished_reel(tmp_path / "reel.mp4", [part.request(media) for part in parts], config)
    assert [part.frames(Fraction(30)) for part in parts] == [15, 15, 6]
    assert problems(reel, parts, Fraction(30)) == []


def test_a_random_order_is_kept_by_its_seed(media: MediaFolder, tmp_path: Path) -> None:
    parts = of(*(numbered(number, seconds=0.2) for number in range(51, 58)))
    clips = [part.request(media) for part in parts]
    orders = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6), ("d", None)):
        config = config_of(fps="30", mode=ConcatenationMode.RANDOM, seed=seed)
        reel = tmp_path / f"{name}.mp4"
        result = make_reel(reel, clips, config)
        starts = {clip.index: clip.start for clip in result.clips if clip.start is not None}
        order = sorted(starts, key=starts.__getitem__)
        assert problems(reel, [parts[index] for index in order], Fraction(30)) == []
        assert seed in (None, result.seed)
        orders.append((order, result.seed))
    assert orders[0] == orders[1]
    assert orders[0][0] != orders[2][0]
    assert sorted(orders[3][0]) == list(range(7))
    again = make_reel(tmp_path / "e.mp4", clips, config_of(mode=ConcatenationMode.RANDOM, seed=orders[3][1]))
    starts = {clip.index: clip.start for clip in again.clips if clip.start is not None}
    assert sorted(starts, key=starts.__getitem__) == orders[3][0]


@pytest.mark.parametrize(
    ("clips", "rate"),
    [
        ((("25", 1.0), ("30", 0.6), ("30", 0.6)), "30"),
        ((("24", 1.0), ("60", 0.4)), "24"),
        ((("15", 1.0), ("50", 0.4)), "15"),
        ((("120", 0.5),), "60"),
    ],
)
def test_the_rate_is_that_of_the_most_seconds(
    media: MediaFolder, tmp_path: Path, clips: tuple[tuple[str, float], ...], rate: str
) -> None:
    parts = of(*(numbered(61 + n, seconds=seconds, fps=fps) for n, (fps, seconds) in enumerate(clips)))
    result = make_reel(tmp_path / "reel.mp4", [part.request(media) for part in parts], config_of(fps="auto"))
    assert result.output is not None
    assert result.output.frame_rate == Fraction(rate)
    assert problems(tmp_path / "reel.mp4", parts, Fraction(rate)) == []


def test_a_muted_clip_is_silent_and_keeps_its_length(media: MediaFolder, tmp_path: Path) -> None:
    parts = [Part(numbered(65)), Part(replace(numbered(66), sound=PCM, suffix=".mov"), mute=True), Part(numbered(67))]
    reel = finished_reel(tmp_path / "reel.mp4", [part.request(media) for part in parts], config_of(fps="25"))
    assert problems(reel, parts, Fraction(25)) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_clips_that_already_fit_are_copied_and_right(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    clips = [media.numbered(numbered(number, seconds=0.8, fps="30")) for number in (68, 69)]
    first = finished_reel(tmp_path / "first.mp4", clips[:1], config_of(fps="30"))
    second = finished_reel(tmp_path / "second.mp4", clips[1:], config_of(fps="30"))
    parts = of(numbered(68, seconds=0.8), numbered(69, seconds=0.8))
    config = Config(video=config_of(fps="30").video, encode=config_of().encode)
    result = make_reel(tmp_path / f"reel{suffix}", [first, second], config)
    assert [clip.action for clip in result.clips] == [Action.COPY, Action.COPY]
    # What is copied was made once before: the second encoding of its sound adds a priming of its own.
    assert problems(tmp_path / f"reel{suffix}", parts, Fraction(30)) == []

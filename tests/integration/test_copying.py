"""Clips that are copied out of their files: of any clock, a part, off the grid; every picture as it was."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from mpt_cli.config.sections import Config
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.remux import copy_frames
from mpt_cli.model.choices import Action, Codec, Container
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import Cancelled, ResourceError, VerificationError
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import Color, Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder

GOP = 10
X264 = ("-preset", "fast", "-x264-params", "scenecut=0", "-flags", "+cgop")
CLOSED = {
    "libx264": X264,
    "libx265": ("-x265-params", "open-gop=0:scenecut=0:log-level=none:bframes=3", "-preset", "superfast"),
    "libsvtav1": ("-svtav1-params", "scd=0"),
}
ALREADY, TRIMMED, ROUNDED = (
    "already has the target form",
    "trimmed without encoding",
    "picture times rounded to the grid",
)


def clock_of(ticks: int) -> tuple[str, ...]:
    """Options that write an MP4 in a clock of that many ticks a second."""
    return ("-video_track_timescale", str(ticks))


def recipe(codec: str = "libx264", /, **changes: Any) -> Recipe:
    """A clip whose pictures may be copied, 30 of them in three groups."""
    options = CLOSED[codec] + changes.pop("options", ())
    plain = Recipe(codec=codec, color=Color(), keyframe_interval=GOP, sound=Tone(sample_rate=44_100))
    return replace(plain, options=options, **changes)


def looks(path: Path) -> list[str]:
    """Every decoded picture of a file by a hash of its samples."""
    return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()[:12] for frame in reader.frames(path)]


def joined(output: Path, clips: Sequence[VideoClip | Path], rate: str = "30", codec: Codec = Codec.H264) -> VideoResult:
    """The result of a request that may copy."""
    wanted = config_of(fps=rate, codec=codec)
    return make_reel(output, clips, Config(video=wanted.video, encode=wanted.encode))


def assert_copied(result: VideoResult, output: Path, wanted: list[str], *reasons: str, rate: str = "30") -> None:
    """All clips were copied for these reasons, and the reel shows what is wanted, on the grid."""
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}, [clip.reasons for clip in result.clips]
    assert {clip.reasons for clip in result.clips} == {reasons}
    assert looks(output) == wanted
    slack = Fraction(501, 1_000_000) if output.suffix == ".mkv" else 0
    times = [(frame.pts or 0) * Fraction(frame.time_base or 0) for frame in reader.frames(output)]
    assert all(abs(time - number / Fraction(rate)) <= slack for number, time in enumerate(times))


KINDS: dict[str, tuple[Recipe, tuple[str, ...]]] = {
    "90 kHz": (recipe(options=clock_of(90_000)), (ALREADY,)),
    "600 ticks": (recipe(fps="30000/1001", options=clock_of(600)), (ALREADY, ROUNDED)),
    "milliseconds": (recipe(fps="30000/1001", options=clock_of(1000)), (ALREADY, ROUNDED)),
    "Matroska": (recipe(fps="60", suffix=".mkv"), (ALREADY, ROUNDED)),
    "H.265 in Matroska": (recipe("libx265", fps="24000/1001", suffix=".mkv"), (ALREADY, ROUNDED)),
    "AV1": (recipe("libsvtav1", fps="25", options=clock_of(90_000)), (ALREADY,)),
    "a late start": (recipe(start=3.7, sound=None, options=clock_of(90_000)), (ALREADY,)),
    "silent": (recipe(sound=None, fps="60", suffix=".mkv"), (ALREADY, ROUNDED)),
}
CODECS = {"libx264": Codec.H264, "libx265": Codec.HEVC, "libsvtav1": Codec.AV1}


@pytest.mark.parametrize(
    "container", [Container.MP4, Container.MKV, pytest.param(Container.MOV, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.core(1)
def test_clips_of_any_clock_are_copied_picture_by_picture(
    media: MediaFolder, tmp_path: Path, kind: str, container: Container
) -> None:
    wanted, reasons = KINDS[kind]
    codec = CODECS[wanted.codec]
    if (codec, container) == (Codec.AV1, Container.MOV):
        pytest.skip("MOV takes no AV1")
    clip, output = media.make(wanted), tmp_path / f"reel.{container}"
    result = joined(output, [clip, clip], wanted.fps, codec)
    if container is Container.MKV and len(reasons) == 1:
        reasons = (ALREADY,)
    assert_copied(result, output, looks(clip) * 2, *reasons, rate=wanted.fps)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("container", "suffix"), [(Container.MP4, ".mp4"), (Container.MKV, ".mkv")])
def test_a_trim_on_keyframes_is_copied_to_the_picture(
    media: MediaFolder, tmp_path: Path, codec: str, container: Container, suffix: str
) -> None:
    clip = media.make(recipe(codec, seconds=3.0, suffix=suffix))
    pictures, output = looks(clip), tmp_path / f"reel.{container}"
    info = probe(clip, scan=True)
    zero = info.video_start - info.zero
    parts = [(0, 20), (10, 40), (30, 90), (70, 80)]
    trims = [VideoClip(clip, zero + Fraction(a, 30), zero + Fraction(b, 30)) for a, b in parts]
    trims[0] = replace(trims[0], start=Fraction(0))
    wanted = [picture for a, b in parts for picture in pictures[a:b]]
    rounded = (ROUNDED,) if suffix == ".mkv" else ()
    assert_copied(joined(output, trims, codec=CODECS[codec]), output, wanted, ALREADY, TRIMMED, *rounded)


def test_the_longest_part_of_a_clip_is_copied_too(media: MediaFolder, tmp_path: Path) -> None:
    clip, output = media.make(recipe()), tmp_path / "reel.mp4"
    wanted = config_of(max_clip_duration="0.66")
    result = make_reel(output, [clip], Config(video=wanted.video, encode=wanted.encode))
    assert_copied(result, output, looks(clip)[:20], ALREADY, TRIMMED)


def jittered(clip: Path, output: Path, ticks: int, off: Callable[[int], int]) -> Path:
    """The pictures of a clip in a clock of that many ticks a second, number k moved by ``off(k)`` of them."""
    with (
        av.open(str(clip)) as source,
        av.open(str(output), "w", options={"video_track_timescale": str(ticks)}) as target,
    ):
        stream = source.streams.video[0]
        copied = target.add_stream_from_template(stream)
        copied.time_base = Fraction(1, ticks)
        for packet in source.demux(stream):
            if packet.size:
                assert packet.pts is not None
                assert packet.dts is not None
                shown, decoded = packet.pts * packet.time_base, packet.dts * packet.time_base
                packet.pts = ticks + round(shown * ticks) + off(round(shown * 30))
                packet.dts = ticks + round(decoded * ticks) - 10  # before the picture is shown
                packet.duration = ticks // 30
                packet.time_base, packet.stream = copied.time_base, copied
                target.mux(packet)
    return output


@pytest.mark.parametrize("container", Container)
@pytest.mark.parametrize(("ticks", "off"), [(90_000, (0, -1, 1, 2)), (1000, (2, -1)), (600, (-2, 0, 2, 1, -1))])
def test_pictures_two_ticks_off_are_put_on_the_grid(
    media: MediaFolder, tmp_path: Path, ticks: int, off: tuple[int, ...], container: Container
) -> None:
    clip = jittered(media.make(recipe(seconds=3.0)), tmp_path / "off.mp4", ticks, lambda number: off[number % len(off)])
    times = [(frame.pts or 0) * Fraction(frame.time_base or 0) for frame in reader.frames(clip)]
    assert any((time - times[0]) * 30 % 1 for time in times)
    output = tmp_path / f"reel.{container}"
    assert_copied(joined(output, [clip, clip]), output, looks(clip) * 2, ALREADY, ROUNDED)


@pytest.mark.parametrize(("ticks", "off"), [(600, (0, 5)), (90_000, (0, 1000)), (120, (0, 2))])
def test_pictures_farther_off_are_not(media: MediaFolder, tmp_path: Path, ticks: int, off: tuple[int, ...]) -> None:
    clip = jittered(media.make(recipe(seconds=3.0)), tmp_path / "off.mp4", ticks, lambda number: off[number % len(off)])
    result = joined(tmp_path / "reel.mp4", [clip])
    assert result.clips[0].action is Action.ENCODE
    assert {"picture times are not on the grid", "frame rate is variable"} & set(result.clips[0].reasons)


def test_pictures_that_an_edit_list_hides_are_not_copied(media: MediaFolder, tmp_path: Path) -> None:
    clip, output = tmp_path / "edited.mp4", tmp_path / "reel.mp4"
    run_ffmpeg("-ss", "0.5", "-i", media.make(recipe()), "-c", "copy", clip)
    result = joined(output, [clip])
    assert result.success, result.errors
    assert "an edit list hides some of its pictures" in result.clips[0].reasons


def test_pictures_shown_before_the_keyframe_that_they_follow_are_not_cut_apart(media: MediaFolder) -> None:
    options = (
        "-x265-params",
        "open-gop=0:radl=3:bframes=4:scenecut=0:min-keyint=24:log-level=none",
        "-preset",
        "medium",
    )
    leading = recipe("libx265", seconds=3.0, keyframe_interval=24, options=options)
    traits = probe(media.make(leading), scan=True).copy_traits
    assert traits is not None
    assert not traits.closed_gop


# --- what is written ------------------------------------------------------------------------------


def test_a_file_that_holds_less_than_was_planned_is_said_to(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(recipe())
    info = probe(clip, scan=True)
    with pytest.raises(VerificationError, match="has 30 pictures where 31 were planned"):
        copy_frames(clip, tmp_path / "a.mp4", info, first=info.video_start, frames=31)
    with pytest.raises(VerificationError, match="has 0 pictures where 5 were planned"):
        copy_frames(clip, tmp_path / "a.mp4", info, first=Fraction(99), frames=5)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(VerificationError, match="cannot be copied"):
        copy_frames(broken, tmp_path / "a.mp4", info, first=Fraction(0), frames=5)


def test_a_full_disk_is_an_error_of_the_system(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(recipe())
    info = probe(clip, scan=True)
    (tmp_path / "full.mp4").symlink_to("/dev/full")
    with pytest.raises(ResourceError, match="the disk is full"):
        copy_frames(clip, tmp_path / "full.mp4", info, first=info.video_start, frames=30)


@pytest.mark.core
def test_a_stop_ends_it_at_once(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(recipe())
    info = probe(clip, scan=True)

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        copy_frames(clip, tmp_path / "a.mp4", info, first=info.video_start, frames=30, alive=stop)

"""Clips of one camera, joined as they are: every kind of source and codec, decoded frames compared by plane."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.remux import copy_frames
from mpt_cli.model.choices import Action, JoinMethod
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from tests.media import Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from tests.media import MediaFolder

X264 = ("-preset", "fast", "-g", "10", "-bf", "2", "-x264-params", "scenecut=0")
HDV = ("-bf", "2", "-g", "12")
AVCHD = Path(__file__).parents[2].parent / "shared/media/corpus/sindresorhus+file-type/fixture-raw.mts"
"""A recording whose fields are packets of their own, and whose parameter sets change between frames."""
STEREO = (440.0, 550.0)


def of(codec: str, suffix: str, *options: str, audio: str = "aac", **changes: Any) -> Recipe:
    """A second of an encoder in a container, untagged unless the codec tags it itself."""
    sound = Tone(STEREO, codec=audio)
    return replace(Recipe(codec=codec, suffix=suffix, options=options, sound=sound, fps="25"), **changes)


SETS: dict[str, tuple[Recipe, str]] = {
    "dashcam": (of("libx264", ".ts", *X264, start=3600.5), ".mp4"),
    "MJPEG in AVI": (of("mjpeg", ".avi", pixel_format="yuvj422p", audio="pcm_s16le"), ".mov"),
    "interlaced AVCHD": (of("libx264", ".m2ts", *X264, audio="ac3", interlaced=True, size="160x96"), ".mp4"),
    "VP9 in WebM": (of("libvpx-vp9", ".webm", "-auto-alt-ref", "1", audio="libopus"), ".mp4"),
    "ProRes": (of("prores_ks", ".mov", audio="pcm_s24le", pixel_format="yuv422p10le"), ".mov"),
    "HEVC in TS": (of("libx265", ".ts", "-x265-params", "open-gop=0:log-level=none", fps="30000/1001"), ".mov"),
    "FLV": (of("libx264", ".flv", *X264, fps="30000/1001", audio="aac"), ".mkv"),
    "H.264 in AVI": (of("libx264", ".avi", "-bf", "0", audio="pcm_s16le"), ".mp4"),
    "MPEG-4 in AVI": (of("mpeg4", ".avi", "-bf", "2", audio="libmp3lame"), ".mp4"),
    "HDV": (of("mpeg2video", ".ts", *HDV, audio="mp2", interlaced=True, size="160x96"), ".mkv"),
    "MPEG-2 in TS": (of("mpeg2video", ".m2ts", *HDV, audio="ac3"), ".mov"),
    "VP8 in WebM": (of("libvpx", ".webm", audio="libvorbis"), ".mkv"),
    "interlaced ProRes": (of("prores_ks", ".mov", interlaced=True, size="160x96", pixel_format="yuv422p10le"), ".mov"),
    "DNxHR": (of("dnxhd", ".mov", "-profile:v", "dnxhr_hq", pixel_format="yuv422p", size="320x180"), ".mov"),
    "FFV1": (of("ffv1", ".mkv", "-level", "3", pixel_format="yuv422p10le", audio="flac"), ".mkv"),
    "fragmented": (of("libx264", ".mp4", *X264, "-movflags", "frag_keyframe+empty_moov"), ".mp4"),
    "slow motion": (of("libx264", ".mp4", *X264, fps="120"), ".mp4"),
    "open groups": (of("libx264", ".mp4", "-x264-params", "open-gop=1:keyint=8:bframes=3"), ".mp4"),
}


def hashes(path: Path) -> list[str]:
    """Each decoded frame of a file by a hash over the samples of its planes, and whether it holds two fields."""
    found = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            content = hashlib.md5(usedforsecurity=False)
            bytes_each = (frame.format.components[0].bits + 7) // 8
            for plane in frame.planes:
                rows = np.frombuffer(bytes(plane), np.uint8).reshape(plane.height, plane.line_size)
                content.update(rows[:, : plane.width * bytes_each].tobytes())
            found.append(f"{content.hexdigest()[:12]} {frame.interlaced_frame}")
    return found


def declared(path: Path) -> tuple[object, ...]:
    """What a file says of its frames."""
    with av.open(path) as container:
        video = container.streams.video[0]
        coded = video.codec_context
        shape = coded.width, coded.height, Fraction(video.sample_aspect_ratio or 1)
        tags = int(coded.colorspace), coded.color_primaries, coded.color_trc
        return coded.codec.canonical_name, coded.profile, coded.pix_fmt, int(coded.field_order), *shape, *tags


def make_set(media: MediaFolder, recipe: Recipe) -> list[Path]:
    return [media.make(recipe, filters=(f"hue=h={60 * number}",)) for number in range(3)]


def join(clips: list[Path], output: Path, method: JoinMethod = JoinMethod.AUTO) -> Any:
    params = VideoParams([VideoClip(clip) for clip in clips], output, join=method)
    return ModuleFactory().create_video_orchestrator().process_video_request(params)


@pytest.mark.core(2)
@pytest.mark.parametrize("kind", SETS)
def test_a_set_is_joined_frame_for_frame(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    recipe, suffix = SETS[kind]
    clips, output = make_set(media, recipe), tmp_path / f"reel{suffix}"
    result = join(clips, output)
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}, [clip.reasons for clip in result.clips]
    assert hashes(output) == [each for clip in clips for each in hashes(clip)]
    assert declared(output) == declared(clips[0])
    with av.open(output) as container:
        stream = container.streams.video[0]
        times = sorted(
            (packet.pts or 0) * Fraction(stream.time_base or 0) for packet in container.demux(stream) if packet.size
        )
    slack = Fraction(501, 1_000_000) if suffix == ".mkv" else 0
    assert all(abs(time - number / Fraction(recipe.fps)) <= slack for number, time in enumerate(times))


def test_copies_that_the_container_cannot_hold_are_refused_with_those_that_can(
    media: MediaFolder, tmp_path: Path
) -> None:
    clips = make_set(media, SETS["VP8 in WebM"][0])
    result = join(clips, tmp_path / "reel.mp4", JoinMethod.COPY)
    assert result.errors[-1].code is IssueCode.VALIDATION_FAILED
    *problems, _total = result.errors
    assert {issue.code for issue in problems} == {IssueCode.CODEC_CONTAINER_MISMATCH}
    assert [issue.path for issue in problems] == clips
    assert all(".mkv" in (issue.hint or "") for issue in problems)


@pytest.mark.core
def test_one_odd_clip_is_named_in_a_warning_and_by_method_copy(media: MediaFolder, tmp_path: Path) -> None:
    recipe = of("libx264", ".mp4", *X264)
    clips = [*make_set(media, recipe)[:2], media.make(recipe, size="320x180")]
    refused = join(clips, tmp_path / "reel.mp4", JoinMethod.COPY)
    assert [(issue.path, issue.message) for issue in refused.errors[:-1]] == [
        (clips[2], "cannot be copied: size is 320x180")
    ]
    result = join(clips, tmp_path / "reel.mp4")
    assert result.success, result.errors
    (warning,) = result.warnings
    assert warning.code is IssueCode.ALL_ENCODED
    told = "1 of 3 clips differs (size is 320x180): all are encoded; --copy compatible encodes 1"
    assert warning.message == told


@pytest.mark.skipif(not AVCHD.exists(), reason="needs the corpus beside the checkout")
def test_two_packets_of_a_field_each_become_one_frame(tmp_path: Path) -> None:
    media = probe(AVCHD, scan=True)
    traits = media.copy_traits
    assert traits is not None
    assert (traits.field_pairs, traits.obstacle, traits.pictures) == (True, None, 31)
    assert not traits.one_description
    copy = tmp_path / "copy.mp4"
    copy_frames(AVCHD, copy, media, first=media.video_start, frames=traits.pictures)
    assert hashes(copy) == hashes(AVCHD)


def test_frames_of_a_file_with_a_cover_are_copied(media: MediaFolder, tmp_path: Path) -> None:
    clip, cover, whole = media.make(of("libx264", ".mp4", *X264)), tmp_path / "cover.jpg", tmp_path / "whole.mp4"
    run_ffmpeg("-i", clip, "-frames:v", "1", cover)
    run_ffmpeg(
        "-i", clip, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic", whole
    )
    output = tmp_path / "reel.mp4"
    result = join([whole, whole], output)
    assert result.success, result.errors
    assert {each.action for each in result.clips} == {Action.COPY}
    assert hashes(output) == 2 * hashes(clip)


def times_of(path: Path) -> list[Fraction]:
    """When each frame of a file is shown, from the first one on."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        shown = sorted(packet.pts or 0 for packet in container.demux(stream) if packet.size)
        base = Fraction(stream.time_base or 0)
    return [(time - shown[0]) * base for time in shown]


SCREEN = of("libx264", ".mkv", *X264, fps="30", drop="not(between(n,4,9))*not(eq(mod(n,7),3))")


@pytest.mark.parametrize(
    ("recipe", "suffix"),
    [
        (SCREEN, ".mp4"),
        (SCREEN, ".mkv"),
        (replace(SCREEN, suffix=".mp4", options=(*X264, "-video_track_timescale", "90000")), ".mov"),
        (replace(SCREEN, suffix=".mp4", sound=None), ".mp4"),
    ],
)
def test_a_variable_rate_keeps_the_time_of_each_frame(
    media: MediaFolder, tmp_path: Path, recipe: Recipe, suffix: str
) -> None:
    steady = replace(recipe, drop=None)
    clips, output = [*make_set(media, recipe), media.make(steady)], tmp_path / f"reel{suffix}"
    result = join(clips, output)
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}, [clip.reasons for clip in result.clips]
    assert hashes(output) == [each for clip in clips for each in hashes(clip)]
    starts = [clip.start or 0 for clip in result.clips]
    wanted = [start + time for start, clip in zip(starts, clips, strict=True) for time in times_of(clip)]
    slack = Fraction(501, 1_000_000) if suffix == ".mkv" else Fraction(1, 1_000_000)
    assert all(abs(time - due) <= slack for time, due in zip(times_of(output), wanted, strict=True))
    assert sum(clip.frames for clip in result.clips) == len(wanted)
    assert result.output is not None
    assert result.output.frames == len(wanted)
    assert result.output.duration == sum(clip.duration or 0 for clip in result.clips)

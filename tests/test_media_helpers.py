"""The tests' own instruments: clips are what their recipes say, and the reader reads them exactly."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.sidedata.sidedata import SideData

from tests import conftest, reader
from tests.marks import draw_number, signature
from tests.media import (
    Color,
    MediaFolder,
    NumberedClip,
    Recipe,
    Signature,
    Tone,
    numbered,
    run_ffmpeg,
)

if TYPE_CHECKING:
    from tests.fakes import FakeClock, ListEmit

IRREGULAR = tuple(Fraction(ms, 1000) for ms in (0, 40, 100, 133, 400, 450, 700))


def read_back(media: MediaFolder, clip: NumberedClip) -> list[reader.Picture]:
    """What the pictures of a numbered clip say."""
    return reader.pictures(media.numbered(clip), [clip.size])


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("libx264", ".mp4"), ("libx265", ".mp4"), ("libvpx-vp9", ".mkv"), ("mpeg4", ".mov")],
)
def test_numbers_survive_every_codec(media: MediaFolder, codec: str, suffix: str) -> None:
    clip = replace(numbered(200, seconds=0.5, fps="25"), codec=codec, suffix=suffix)
    assert [(p.clip_id, p.number) for p in read_back(media, clip)] == [(200, n) for n in range(12)]


@pytest.mark.parametrize("fps", ["24000/1001", "25", "30000/1001", "60"])
def test_steady_clip_is_read_back_exactly(media: MediaFolder, fps: str) -> None:
    clip = numbered(7, seconds=1.0, fps=fps)
    assert len(clip.times) == round(Fraction(fps))
    for number, picture in enumerate(read_back(media, clip)):
        assert (picture.clip_id, picture.number) == (7, number)
        assert abs(picture.pts - clip.times[number]) <= Fraction(1, 60_000)


def test_irregular_times_and_the_last_duration_are_kept(media: MediaFolder) -> None:
    clip = replace(numbered(3, times=IRREGULAR), end=Fraction(9, 10), sound=None)
    assert [(p.pts, p.number) for p in read_back(media, clip)] == [(t, n) for n, t in enumerate(IRREGULAR)]
    track = reader.track(media.numbered(clip))
    assert track.packets[-1].duration == Fraction(2, 10) / track.time_base


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotated_clip_is_upright_when_it_is_shown(media: MediaFolder, tmp_path: Path, turn: int) -> None:
    clip = replace(numbered(5, seconds=0.3), size=(90, 160), rotation=turn)
    stored = next(reader.frames(media.numbered(clip)))
    assert (stored.width, stored.height) == ((90, 160) if turn == 180 else (160, 90))
    upright = tmp_path / "upright.mp4"
    run_ffmpeg("-i", media.numbered(clip), "-crf", "16", upright)
    assert [p.number for p in reader.pictures(upright, [(90, 160)])] == list(range(9))


@pytest.mark.parametrize("shown", [(160, 90), (90, 160), (120, 120), (426, 240)])
@pytest.mark.parametrize("target", [(160, 90), (90, 160), (270, 480)])
@pytest.mark.core(4)
def test_numbers_survive_fitting(media: MediaFolder, tmp_path: Path, shown: reader.Size, target: reader.Size) -> None:
    clip = replace(numbered(11, seconds=0.3), size=shown)
    fitted, (width, height) = tmp_path / "fitted.mp4", target
    chain = f"scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1"
    run_ffmpeg("-i", media.numbered(clip), "-vf", chain, "-preset", "ultrafast", fitted)
    assert [(p.clip_id, p.number) for p in reader.pictures(fitted, [shown])] == [(11, n) for n in range(9)]


def test_mixed_or_strange_pictures_are_unreadable() -> None:
    size = (160, 90)
    one, other = draw_number(size, 4, 20), draw_number(size, 4, 21)
    mixture = (one // 2 + other // 2).astype(np.uint8)
    assert reader.read_number(one, size) == (4, 20)
    assert reader.read_number(mixture, size) is None
    assert reader.read_number(255 - one, size) is None
    assert reader.read_number(np.full((90, 160), 128, np.uint8), size) is None


def test_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        draw_number((160, 90), 256, 0)


def test_times_and_shown_pictures_of_a_clip() -> None:
    clip = numbered(1, times=IRREGULAR)
    assert clip.end == Fraction(95, 100)
    assert [clip.shown_at(Fraction(ms, 1000)) for ms in (0, 39, 40, 420, 5000)] == [0, 0, 1, 4, 6]


@pytest.mark.parametrize(("codec", "suffix"), [("pcm_s16le", ".mov"), ("aac", ".mp4"), ("libopus", ".mkv")])
def test_sound_is_found_at_its_sample(media: MediaFolder, codec: str, suffix: str) -> None:
    clip = replace(numbered(9), sound=Signature(codec=codec), suffix=suffix)
    sound = np.concatenate([np.zeros(777, np.float32), reader.samples(media.numbered(clip))[0]])
    for at in (0, 20_000, 40_000):
        found = reader.find_sound(sound, 9, at=at)
        assert abs(found.start - 777) <= 1
        assert found.strength > 0.9
        assert reader.find_sound(sound, 9, at=at, near=700, reach=100).start == found.start
        assert reader.find_sound(sound, 10, at=at).strength < 0.3


def test_a_plain_join_is_read_in_order(media: MediaFolder, tmp_path: Path) -> None:
    clips, joined = [numbered(21, seconds=0.5), numbered(22, seconds=1.0)], tmp_path / "joined.mkv"
    inputs = [part for clip in clips for part in ("-i", str(media.numbered(clip)))]
    graph = "[0:v][0:a][1:v][1:a]concat=n=2:v=1:a=1[v][a]"
    run_ffmpeg(*inputs, "-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-c:a", "pcm_s16le", joined)
    said = [(picture.clip_id, picture.number) for picture in reader.pictures(joined)]
    assert said == [(21, n) for n in range(15)] + [(22, n) for n in range(30)]
    sound = reader.samples(joined)[0]
    assert [reader.find_sound(sound, clip_id, at=9600).start for clip_id in (21, 22)] == [0, 24_000]


def test_sound_may_be_short_stereo_and_resampled(media: MediaFolder) -> None:
    clip = replace(numbered(12), sound=Signature(seconds=0.5, sample_rate=22_050, channels=2, codec="pcm_s16le"))
    sound = reader.samples(media.numbered(replace(clip, suffix=".mov")), rate=48_000)
    assert sound.shape[0] == 2
    assert abs(sound.shape[1] - 24_000) < 100
    assert abs(reader.find_sound(sound[1], 12, at=4000).start) <= 1
    assert reader.find_sound(sound[1], 12, at=40_000, near=0, reach=100) == reader.Found(0, 0.0)


def test_sound_that_comes_late_says_so_in_its_timestamps(media: MediaFolder) -> None:
    clip = replace(numbered(13), sound=Signature(delay=0.25, codec="pcm_s16le"), suffix=".mkv")
    track = reader.track(media.numbered(clip), "audio")
    assert track.packets[0].pts is not None
    assert track.packets[0].pts * track.time_base == Fraction(1, 4)


def test_signatures_begin_alike_and_differ_by_clip() -> None:
    assert np.array_equal(signature(1, 1000), signature(1, 5000)[:1000])
    assert not np.array_equal(signature(1, 1000), signature(2, 1000))
    assert 0.2 < reader.peak(signature(1, 48_000)) <= 0.9


def test_clip_without_sound(media: MediaFolder) -> None:
    for path in (media.numbered(replace(numbered(2), sound=None)), media.make(sound=None)):
        assert reader.samples(path).size == 0
        assert reader.peak(reader.samples(path)) == 0.0


def test_tone_is_measured_in_each_channel(media: MediaFolder) -> None:
    sound = reader.samples(media.make(sound=Tone((440, 1000), codec="pcm_s16le"), suffix=".mov"))
    assert sound.shape == (2, 48_000)
    assert reader.tone_level(sound[0], 440) == pytest.approx(-12.04, abs=0.02)
    assert reader.tone_level(sound[1], 1000) == pytest.approx(-12.04, abs=0.02)
    assert reader.tone_level(sound[0], 1000) < -80
    assert reader.tone_level(sound[0][:0], 440) == -120.0


def test_surround_sound_has_its_layout(media: MediaFolder) -> None:
    path = media.make(sound=Tone((100, 200, 300, 400, 500, 600), codec="ac3"), suffix=".mkv")
    assert reader.samples(path).shape[0] == 6
    assert reader.samples(path, layout="stereo").shape[0] == 2


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("tagged", [False, True])
def test_pure_red_is_stored_as_the_recipe_says(
    media: MediaFolder, matrix: str, *, full_range: bool, tagged: bool
) -> None:
    color = Color(matrix=matrix, full_range=full_range, tagged=tagged)
    path = media.make(Recipe(seconds=0.2, source="color=red", color=color, sound=None))
    assert reader.mean_color(path, matrix=matrix, full_range=full_range) == pytest.approx((255, 0, 0), abs=3)
    other = {"bt709": "smpte170m", "smpte170m": "bt709"}[matrix]
    assert reader.mean_color(path, matrix=other, full_range=full_range) != pytest.approx((255, 0, 0), abs=10)
    tags = reader.color_tags(path)
    assert tags.matrix == ({"bt709": 1, "smpte170m": 6}[matrix] if tagged else 2)
    assert tags.range == (1 + full_range if tagged else 0)


def test_color_of_a_region(media: MediaFolder) -> None:
    path = media.make(
        source="color=blue", seconds=0.2, color=Color(), sound=None, filters=("drawbox=w=iw/2:color=lime:t=fill",)
    )
    left, right = reader.Region(right=0.45), reader.Region(left=0.55)
    assert reader.mean_color(path, 3, region=left) == pytest.approx((0, 255, 0), abs=3)
    assert reader.mean_color(path, 3, region=right) == pytest.approx((0, 0, 255), abs=3)
    with pytest.raises(ValueError, match="not 8-bit"):
        reader.mean_color(media.make(pixel_format="yuv422p", sound=None))


KINDS = [
    Recipe(codec="libx265", pixel_format="yuv420p10le", color=Color("bt2020nc", "bt2020", "smpte2084")),
    Recipe(codec="libvpx-vp9", suffix=".webm", sound=Tone(codec="libopus")),
    Recipe(
        codec="mpeg4",
        pixel_format=None,
        size="321x241",
        source="testsrc",
        suffix=".avi",
        sound=Tone(codec="libmp3lame"),
    ),
    Recipe(codec="mpeg2video", suffix=".ts", start=59_857.0, sound=Tone(codec="mp2")),
    Recipe(codec="prores_ks", pixel_format="yuva444p10le", suffix=".mov", sound=Tone(codec="pcm_s16le")),
    Recipe(codec="ffv1", pixel_format="yuv444p", suffix=".mkv", sound=Tone(codec="flac", sample_rate=96_000)),
    Recipe(codec="gif", pixel_format="rgb8", suffix=".gif", sound=None, fps="10"),
    Recipe(codec="libx264", sar="4/3", rotation=90, mirrored=True, keyframe_interval=5),
    Recipe(codec="libx264", size="161x91", pixel_format="yuv444p", source="gradients"),
]


@pytest.mark.parametrize("recipe", KINDS, ids=lambda recipe: f"{recipe.codec}{recipe.suffix}")
@pytest.mark.core(3)
def test_every_kind_can_be_made(media: MediaFolder, recipe: Recipe) -> None:
    path = media.make(recipe)
    shown = list(reader.frames(path))
    assert len(shown) == recipe.seconds * int(recipe.fps)
    assert f"{shown[0].width}x{shown[0].height}" == recipe.size
    assert bool(reader.samples(path).size) is (recipe.sound is not None)


def test_rotation_and_mirroring_are_in_the_display_matrix(media: MediaFolder) -> None:
    assert next(reader.frames(media.make(rotation=90))).rotation == 90
    assert next(reader.frames(media.make())).rotation == 0
    turned, mirrored = (
        next(reader.frames(media.make(rotation=90, mirrored=mirrored))).side_data.get("DISPLAYMATRIX")
        for mirrored in (False, True)
    )
    assert isinstance(turned, SideData)
    assert isinstance(mirrored, SideData)
    assert bytes(turned) != bytes(mirrored)


def test_interlaced_frames_say_so(media: MediaFolder) -> None:
    shown = list(reader.frames(media.make(interlaced=True, fps="25", size="160x96")))
    assert len(shown) == 25
    assert all(frame.interlaced_frame for frame in shown)


def test_sample_aspect_ratio_start_and_shift_are_kept(media: MediaFolder) -> None:
    with av.open(str(media.make(sar="4/3"))) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    late = reader.track(media.make(start=10.0, suffix=".mkv", sound=Tone(delay=0.5)), "audio")
    assert late.packets[0].pts is not None
    assert float(late.packets[0].pts * late.time_base) == pytest.approx(10.5, abs=0.03)


def test_dropped_pictures_leave_gaps(media: MediaFolder) -> None:
    times = [frame.time for frame in reader.frames(media.make(drop="mod(n,3)", fps="30"))]
    assert times[:4] == pytest.approx([1 / 30, 2 / 30, 4 / 30, 5 / 30], abs=0.001)


def test_a_recipe_is_made_once(media: MediaFolder) -> None:
    first = media.make(seconds=0.5)
    written = first.stat().st_mtime_ns
    assert media.make(Recipe(seconds=0.5)) == first
    assert first.stat().st_mtime_ns == written
    assert media.make(seconds=0.6) != first


def test_a_wrong_recipe_says_what_ffmpeg_said(media: MediaFolder) -> None:
    with pytest.raises(RuntimeError, match="Unknown encoder"):
        media.make(codec="no-such-codec")


def test_boxes_show_edit_lists_and_the_order(media: MediaFolder, tmp_path: Path) -> None:
    plain = media.make(sound=Tone(delay=0.5))
    assert reader.has_edit_list(plain)
    assert not reader.index_comes_first(plain)
    for suffix in ("mp4", "mov"):
        fast = tmp_path / f"fast.{suffix}"
        flags = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets")
        run_ffmpeg("-i", media.make(), "-c", "copy", *flags, fast)
        assert not reader.has_edit_list(fast)
        assert reader.index_comes_first(fast)
    top = [box for box in reader.boxes(plain) if "/" not in box.path]
    assert sum(box.size for box in top) == plain.stat().st_size


def test_boxes_may_be_large_open_or_cut(tmp_path: Path) -> None:
    path = tmp_path / "strange.mp4"
    large = (1).to_bytes(4) + b"free" + (24).to_bytes(8) + bytes(8)
    path.write_bytes(large + bytes(4) + b"mdat" + b"rest")
    assert reader.boxes(path) == [reader.Box("free", 0, 24), reader.Box("mdat", 24, 12)]
    path.write_bytes(large + (99).to_bytes(4) + b"moov")
    assert [box.path for box in reader.boxes(path)] == ["free"]


def test_packets_of_a_track(media: MediaFolder) -> None:
    track = reader.track(media.make(keyframe_interval=10))
    assert (track.codec, len(track.packets)) == ("h264", 30)
    assert [n for n, packet in enumerate(track.packets) if packet.key] == [0, 10, 20]
    assert reader.track(media.make(), "audio").codec == "aac"


@pytest.mark.heavy
def test_the_guard_sees_children_and_leftovers(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".mpt-1234").touch()
    assert conftest.leftovers(tmp_path, tmp_path / "missing") == [tmp_path / "deep" / ".mpt-1234"]
    (tmp_path / "deep" / ".mpt-1234").unlink()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert [found.pid for found in conftest.living_children(0.0)] == [child.pid]
    assert conftest.living_children(0.0) == []


def test_each_test_has_its_own_home(own_home: Path, tmp_path: Path) -> None:
    assert Path.home() == own_home
    assert own_home not in [tmp_path, *tmp_path.parents]
    assert tmp_path not in own_home.parents
    assert list(own_home.iterdir()) == []


def test_fakes(emit: ListEmit, clock: FakeClock) -> None:
    from mpt_cli.runtime.events import ConcatProgress, Notice

    emit(Notice("info", "code", "message"))
    emit(ConcatProgress(1.0))
    assert emit.types == ["notice", "concat-progress"]
    assert emit.of(ConcatProgress) == [ConcatProgress(1.0)]
    clock.sleep(2.5)
    clock.advance(1)
    assert (clock(), clock.slept) == (1003.5, [2.5])

"""Frames without timestamps are counted, and film that is flagged to be shown as video is film."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader, stripes
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.media import MediaFolder, Tone, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "4M", "-bf", "2")
MPEG4 = ("-c:v", "mpeg4", "-b:v", "4M", "-bf", "2")
RAW = {
    "h264": ("25", X264, "h264"),
    "h264 without B frames": ("50", (*X264, "-bf", "0"), "h264"),
    "hevc": ("30000/1001", X265, "hevc"),
    "m2v": ("25", MPEG2, "mpeg2video"),
    "m4v": ("15", MPEG4, "m4v"),
    "obu": ("25", ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "level=0"), "obu"),
}


def made(path: Path, rate: str, encoder: tuple[str, ...], form: str, *, seconds: float = 1) -> Path:
    source = stripes.source(rate, seconds)
    run_ffmpeg("-f", "lavfi", "-i", source, *encoder, "-pix_fmt", "yuv420p", "-f", form, path)
    return path


def shown(folder: Path, clip: Path, rate: str) -> list[int]:
    make_reel(folder / "reel.mp4", [clip], config_of(size="160x96", fps=rate))
    return stripes.numbers(folder / "reel.mp4")


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.core(1)
def test_an_elementary_stream_plays_at_its_rate(tmp_path: Path, kind: str) -> None:
    rate, encoder, form = RAW[kind]
    clip = made(tmp_path / f"clip.{form}", rate, encoder, form)
    found = probe(clip, scan=True)
    assert found.video.frame_rate == Fraction(rate)
    assert [warning.code for warning in found.warnings] == [IssueCode.NO_TIMESTAMPS]
    assert f"{float(Fraction(rate)):.5g} frames a second" in found.warnings[0].message
    assert shown(tmp_path, clip, rate) == list(range(round(Fraction(rate))))


def test_small_frames_that_share_a_time_are_all_shown(tmp_path: Path) -> None:
    clip = made(tmp_path / "clip.mpg", "25", (*X264, "-crf", "30"), "vob", seconds=2)
    assert probe(clip, scan=True).warnings == ()
    assert shown(tmp_path, clip, "25") == list(range(50))


def film(path: Path, frames: int, *, late: bool) -> Path:
    """Write 24000/1001 frames a second, flagged to last two and three fields of video in turn, with audio."""
    plain, soft = path.with_suffix(".film.m2v"), path.with_suffix(".soft.m2v")
    run_ffmpeg(
        *("-f", "lavfi", "-i", stripes.source("24000/1001", 5), "-frames:v", str(frames)),
        *(*MPEG2, "-g", "12", "-f", "mpeg2video", plain),
    )
    soft.write_bytes(_flagged(bytearray(plain.read_bytes())))
    tone = ("-f", "lavfi", "-i", "sine=f=500:r=48000:d=3.9")
    audio = tone if late else ("-itsoffset", "0.055", *tone)  # frames are late by that, for the reordering
    run_ffmpeg("-fflags", "+genpts", "-i", soft, *audio, "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "ac3", path)
    return path


def _flagged(data: bytearray) -> bytearray:
    """Set the flags of 2:3 pulldown in the headers of an MPEG-2 stream."""
    at, first, order, most = -1, 0, 0, 0
    while (at := data.find(b"\0\0\1", at + 1)) >= 0:
        code = data[at + 3]
        if code == 0xB3:
            data[at + 7] = data[at + 7] & 0xF0 | 4  # 30000/1001
        elif code == 0xB8:
            first, most = first + most, 0
        elif code == 0x00:
            order = data[at + 4] << 2 | data[at + 5] >> 6
            most = max(most, order + 1)
        elif code == 0xB5 and data[at + 4] >> 4 == 1:
            data[at + 5] &= ~8  # no progressive sequence
        elif code == 0xB5 and data[at + 4] >> 4 == 8:
            top, again = ((1, 1), (0, 0), (0, 1), (1, 0))[(first + order) % 4]
            data[at + 7] = data[at + 7] & ~0x82 | top << 7 | again << 1
    return data


@pytest.mark.parametrize(("frames", "late"), [(95, False), (96, True)])
def test_film_flagged_as_video_shows_every_frame_once(tmp_path: Path, frames: int, late: bool) -> None:
    clip = film(tmp_path / "film.vob", frames, late=late)
    assert probe(clip, scan=True).video.frame_rate == Fraction(24_000, 1001)
    assert shown(tmp_path, clip, "auto") == [0] * late + list(range(frames))


def test_film_in_raw_form_is_film(tmp_path: Path) -> None:
    clip = film(tmp_path / "film.vob", 48, late=False).with_suffix(".soft.m2v")
    assert shown(tmp_path, clip, "24000/1001") == list(range(48))


def test_audio_frames_that_share_a_time_are_all_heard(media: MediaFolder, tmp_path: Path) -> None:
    clip = media.make(seconds=2.0, sound=Tone((440.0,), codec="aac", sample_rate=44_100), suffix=".ts")
    finished_reel(tmp_path / "reel.mp4", [clip], config_of(fps="30"))
    heard = reader.samples(tmp_path / "reel.mp4")[0]
    assert all(abs(heard[start : start + 4800]).max() > 0.2 for start in range(4800, 86_400, 4800))

"""A last frame of hours is none, and a frame that is held for longer audio is said to be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import MediaFolder, Signature, Tone, numbered, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.media_info import MediaInfo


def codes(media: MediaInfo) -> list[IssueCode]:
    return [warning.code for warning in media.warnings]


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("seconds", [20, 54_000])
@pytest.mark.core(1)
def test_a_last_frame_of_hours_lasts_as_others(
    media: MediaFolder, tmp_path: Path, seconds: int, *, heard: bool
) -> None:
    source = media.numbered(replace(numbered(1), sound=Signature() if heard else None))
    clip = tmp_path / "hours.mp4"
    lasting = rf"setts=duration=if(eq(N\,29)\,{seconds}/TB\,DURATION)"
    run_ffmpeg("-i", source, "-c", "copy", "-bsf:v", lasting, "-video_track_timescale", "15360", clip)
    found = probe(clip, scan=True)
    assert codes(found) == [IssueCode.IMPLAUSIBLE_DURATION]
    assert f"{seconds}.0 s" in found.warnings[0].message
    assert found.duration == pytest.approx(1, abs=0.05)
    make_reel(tmp_path / "reel.mp4", [clip], config_of(fps="30"))
    assert [picture.number for picture in reader.pictures(tmp_path / "reel.mp4")] == list(range(30))


@pytest.mark.core
def test_a_last_frame_as_long_as_the_audio_is_held(media: MediaFolder, tmp_path: Path) -> None:
    source = media.numbered(replace(numbered(1), sound=Signature(seconds=12)))
    clip = tmp_path / "held.mp4"
    lasting = r"setts=duration=if(eq(N\,29)\,11/TB\,DURATION)"
    run_ffmpeg("-i", source, "-c", "copy", "-bsf:v", lasting, "-video_track_timescale", "15360", clip)
    found = probe(clip, scan=True)
    assert codes(found) == [IssueCode.FRAME_HELD]
    assert found.duration == pytest.approx(12, abs=0.05)


def test_a_slide_that_lasts_as_others_is_no_odd_one(media: MediaFolder) -> None:
    times = (Fraction(0), Fraction(12), Fraction(24))
    found = probe(media.numbered(replace(numbered(1, times=times), sound=None)), scan=True)
    assert found.warnings == ()
    assert found.duration == 36


@pytest.mark.parametrize("scan", [True, False])
def test_audio_far_longer_than_frames_is_said_with_both_lengths(media: MediaFolder, *, scan: bool) -> None:
    found = probe(media.make(sound=Tone(seconds=30)), scan=scan)
    assert codes(found) == [IssueCode.FRAME_HELD]
    assert all(length in found.warnings[0].message for length in ("1.0 s", "30.0 s", "29.0 s"))
    assert found.duration == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("suffix", [".mkv", ".flv"])
def test_a_look_without_scan_warns_of_no_held_frame_it_does_not_know(media: MediaFolder, suffix: str) -> None:
    codec = "aac" if suffix == ".flv" else "flac"
    clip = media.make(seconds=20.0, fps="25", sound=Tone(codec=codec), suffix=suffix)
    found = probe(clip, scan=False)
    assert (found.scanned, codes(found)) == (False, [])
    assert found.duration == pytest.approx(20, abs=0.1)


def test_a_late_first_frame_is_said_to_be_held(media: MediaFolder) -> None:
    found = probe(media.make(sound=Tone(seconds=4, delay=-3.0), suffix=".mkv"), scan=True)
    assert codes(found) == [IssueCode.FRAME_HELD]
    assert "3.0 s" in found.warnings[0].message


def test_audio_a_little_longer_than_frames_needs_no_word(media: MediaFolder) -> None:
    assert codes(probe(media.make(sound=Tone(seconds=1.9)), scan=True)) == []


@pytest.mark.parametrize("delay", [0, 4])
def test_a_gif_without_delays_plays_as_in_browsers(media: MediaFolder, tmp_path: Path, delay: int) -> None:
    plain = media.make(sound=None, fps="25", seconds=0.4, suffix=".gif", codec="gif", pixel_format=None)
    data = bytearray(plain.read_bytes())
    at = -1
    while (at := data.find(b"\x21\xf9\x04", at + 1)) >= 0:
        data[at + 4 : at + 6] = delay.to_bytes(2, "little")
    clip = tmp_path / "clip.gif"
    clip.write_bytes(data)
    found = probe(clip, scan=True)
    assert found.warnings == ()
    assert found.video.frame_rate == (25 if delay else 10)

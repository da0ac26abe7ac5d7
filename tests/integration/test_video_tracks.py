"""Of several video tracks the moving one is the clip, with the audio of its own programme."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult

SMALL = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2")
LARGE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2")
SLIDES = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=1:d=2")
STILL = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=1:d=1")
FROZEN = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2,loop=50:1:0,trim=end_frame=50")
LOW = ("-f", "lavfi", "-i", "sine=f=500:r=48000:d=2")
HIGH = ("-f", "lavfi", "-i", "sine=f=1000:r=48000:d=2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "2M", "-g", "25", "-bf", "0")
BOTH_DEFAULT = ("-disposition:v:0", "default", "-disposition:v:1", "default")
STILL_BESIDE = {
    "slides.mp4": (SLIDES, SMALL, (*H264, *BOTH_DEFAULT)),
    "slides.mov": (SLIDES, SMALL, (*H264, *BOTH_DEFAULT)),
    "slides.mkv": (SMALL, SLIDES, (*H264, *BOTH_DEFAULT)),
    "slides.ts": (SLIDES, SMALL, H264),
    "thumbnail.wmv": (STILL, SMALL, ("-c:v:0", "mjpeg", "-c:v:1", "wmv2")),
    "thumbnail.mkv": (STILL, SMALL, ("-c:v:0", "mjpeg", "-c:v:1", "mpeg4", "-disposition:v:0", "default")),
    "frozen.mp4": (FROZEN, SMALL, H264),
    "frozen.ts": (FROZEN, SMALL, MPEG2),
    "frozen.mov": (FROZEN, SMALL, ("-c:v", "mjpeg")),
}


def reel_of(clip: Path, output: Path) -> VideoResult:
    return make_reel(output, [clip], config_of(size="160x90", fps="25"))


def new_frames(path: Path) -> int:
    """How many frames differ from the one before."""
    with av.open(str(path)) as container:
        grays = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    return 1 + sum(bool(abs(later - earlier).mean() > 0.5) for earlier, later in pairwise(grays))


@pytest.mark.parametrize("name", STILL_BESIDE)
@pytest.mark.core(1)
def test_moving_track_is_used_beside_larger_still(tmp_path: Path, name: str) -> None:
    first, second, how = STILL_BESIDE[name]
    clip, output = tmp_path / name, tmp_path / "reel.mp4"
    run_ffmpeg(*first, *second, "-map", "0", "-map", "1", *how, clip)
    for scan in (False, True):
        found = probe(clip, scan=scan)
        assert found.video.dimensions == Dimensions(160, 90)
        assert found.warnings == ()
    result = reel_of(clip, output)
    assert result.success
    assert not result.warnings
    assert new_frames(output) >= 48


def test_default_track_is_used_when_both_move(tmp_path: Path) -> None:
    clip = tmp_path / "two.mkv"
    chosen = ("-disposition:v:0", "default", "-disposition:v:1", "0")
    run_ffmpeg(*SMALL, *LARGE, "-map", "0", "-map", "1", *H264, *chosen, clip)
    found = probe(clip, scan=False)
    assert found.video.dimensions == Dimensions(160, 90)
    (warning,) = found.warnings
    assert warning.code is IssueCode.VIDEO_TRACKS_LEFT_OUT
    assert "track 2 (320x180)" in warning.message


def test_largest_track_is_used_when_all_are_stills(tmp_path: Path) -> None:
    clip = tmp_path / "stills.mkv"
    run_ffmpeg(*SLIDES, *STILL, "-map", "1", "-map", "0", "-c:v", "mjpeg", "-s:v:0", "64x36", clip)
    assert probe(clip, scan=True).video.dimensions == Dimensions(320, 180)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_video_and_audio_are_of_one_programme(tmp_path: Path, order: tuple[int, int]) -> None:
    clip, output = tmp_path / "programmes.ts", tmp_path / "reel.mp4"
    videos = [("-map", f"{order[0]}:v", "-map", "2"), ("-map", f"{order[1]}:v", "-map", "3")]
    groups = ("-program", "title=One:st=0:st=1", "-program", "title=Two:st=2:st=3")
    run_ffmpeg(*SMALL, *LARGE, *LOW, *HIGH, *videos[0], *videos[1], *H264, "-c:a", "mp2", *groups, clip)
    result = reel_of(clip, output)
    assert result.success
    assert [warning.code for warning in result.warnings] == [IssueCode.VIDEO_TRACKS_LEFT_OUT]
    large_has_high = order == (0, 1)
    audio = reader.samples(output)[0][9600:-9600]
    heard, silent = (1000, 500) if large_has_high else (500, 1000)
    assert reader.tone_level(audio, heard) > -25
    assert reader.tone_level(audio, silent) < -70


def test_data_that_appears_late_is_no_problem(tmp_path: Path) -> None:
    """GPS data of a dash camera, of which the tables at the start of the file say nothing."""
    parts, gps = [tmp_path / "a.ts", tmp_path / "b.ts"], tmp_path / "gps.bin"
    gps.write_bytes(b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394" * 40)
    made = ("-map", "0", "-map", "1", *H264, "-c:a", "mp2", "-output_ts_offset")
    run_ffmpeg(*SMALL, *LOW, *made, "10", parts[0])
    run_ffmpeg(*SMALL, *LOW, "-f", "data", "-i", gps, *made, "12", "-map", "2", "-c:d", "copy", parts[1])
    clip, output = tmp_path / "late.ts", tmp_path / "reel.mp4"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert probe(clip, scan=False).warnings == ()
    result = reel_of(clip, output)
    assert result.success, result.errors
    assert not result.warnings
    assert len(reader.track(output).packets) == 100

"""A recording that goes on in other tracks goes on in the reel, or is refused with a hint that mends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProbeError
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=2")
CODED = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "mp2")
LEVEL, MISSING = -18.06, -70.0
SAME_VIDEO = ("-streamid", "0:256", "-streamid", "1:769")
NEW_VIDEO = ("-streamid", "0:768", "-streamid", "1:257")
NEW_BOTH = ("-mpegts_start_pid", "0x300")
NEW_TABLE = (*NEW_BOTH, "-mpegts_pmt_start_pid", "0x1100")
NEW_PROGRAMME = (*NEW_TABLE, "-mpegts_service_id", "7")


def part(path: Path, hertz: int, offset: int, *how: str, layout: str = "mono") -> Path:
    sound = f"sine=f={hertz}:r=48000:d=2" + (",pan=stereo|c0=c0|c1=c0" if layout == "stereo" else "")
    run_ffmpeg(*PICTURE, "-f", "lavfi", "-i", sound, *CODED, "-output_ts_offset", str(offset), *how, path)
    return path


def joined(folder: Path, *parts: Path) -> Path:
    path = folder / "joined.ts"
    path.write_bytes(b"".join(one.read_bytes() for one in parts))
    return path


def two_parts(folder: Path, *how: str, offset: int = 12, layout: str = "mono") -> Path:
    """A recording of 500 Hz that goes on with 1000 Hz."""
    first = part(folder / "a.ts", 500, 10, layout=layout)
    return joined(folder, first, part(folder / "b.ts", 1000, offset, *how, layout=layout))


def assert_goes_on(reel: Path) -> None:
    """100 frames; 500 Hz in the first half, 1000 Hz in the second."""
    assert len(reader.track(reel).packets) == 100
    for side in reader.samples(reel):
        half = side.size // 2
        for sound, heard, silent in ((side[4800 : half - 4800], 500, 1000), (side[half + 4800 : -4800], 1000, 500)):
            assert reader.tone_level(sound, heard) == pytest.approx(LEVEL, abs=0.5)
            assert reader.tone_level(sound, silent) < MISSING


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.core(1)
def test_audio_goes_on_under_new_identifier(tmp_path: Path, layout: str) -> None:
    clip, output = two_parts(tmp_path, *SAME_VIDEO, layout=layout), tmp_path / "reel.mp4"
    result = make_reel(output, [clip], config_of(size="64x36", fps="25"))
    assert result.success, result.errors
    assert not result.warnings
    assert_goes_on(output)


def test_audio_goes_on_in_second_track_of_matroska(tmp_path: Path) -> None:
    clip, output = tmp_path / "two.mkv", tmp_path / "reel.mp4"
    low, high = (("-f", "lavfi", "-i", f"sine=f={hertz}:r=48000:d=2") for hertz in (500, 1000))
    video = ("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=4")
    maps = ("-map", "0", "-map", "1", "-map", "2")
    run_ffmpeg(*video, *low, "-itsoffset", "2", *high, *maps, *CODED, "-c:a", "pcm_s16le", clip)
    result = make_reel(output, [clip], config_of(size="64x36", fps="25"))
    assert not result.warnings
    assert_goes_on(output)


@pytest.mark.parametrize(
    ("how", "offset"),
    [(NEW_BOTH, 12), (NEW_VIDEO, 12), (NEW_TABLE, 12), (NEW_PROGRAMME, 12), (NEW_TABLE, 10)],
    ids=["both", "video", "table", "programme", "clock"],
)
def test_video_under_new_identifier_is_refused_with_hint_that_mends(
    tmp_path: Path, how: tuple[str, ...], offset: int
) -> None:
    clip = two_parts(tmp_path, *how, offset=offset)
    for scan in (False, True):
        with pytest.raises(ProbeError) as refusal:
            probe(clip, scan=scan)
        assert refusal.value.code is IssueCode.DATA_NOT_READ
        assert "2.0 s are in track 2, the others in track 1" in refusal.value.issue.message
    hint = str(refusal.value.issue.hint)
    command = hint[hint.index("ffmpeg ") :].replace("IN", str(clip)).replace('"', "").split()[1:]
    outputs = re.findall(r"\w+\.mkv", hint)
    run_ffmpeg(*(str(tmp_path / word) if word in outputs else word for word in command))
    output = tmp_path / "reel.mp4"
    result = make_reel(output, [tmp_path / name for name in outputs], config_of(size="64x36", fps="25"))
    assert result.success, result.errors
    assert_goes_on(output)


def test_video_that_changes_back_is_refused(tmp_path: Path) -> None:
    parts = [part(tmp_path / f"{n}.ts", 500, 10 + 2 * n, *(NEW_BOTH if n == 1 else ())) for n in range(3)]
    with pytest.raises(ProbeError) as refusal:
        probe(joined(tmp_path, *parts), scan=True)
    assert refusal.value.code is IssueCode.DATA_NOT_READ
    assert "2.0 s are in track 2, the others in track 1" in refusal.value.issue.message


@pytest.mark.parametrize("name", ["scenes.mov", "scenes.mkv"])
def test_film_with_a_track_for_each_scene_is_refused(tmp_path: Path, name: str) -> None:
    clip = tmp_path / name
    run_ffmpeg(*PICTURE, "-itsoffset", "2", *PICTURE, "-map", "0", "-map", "1", *CODED, clip)
    with pytest.raises(ProbeError) as refusal:
        probe(clip, scan=False)
    assert refusal.value.code is IssueCode.DATA_NOT_READ

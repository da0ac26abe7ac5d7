"""What a container crops off its pictures is not in a reel, and is cropped once."""

from __future__ import annotations

from fractions import Fraction
from struct import pack
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, ProbeError
from mpt_cli.model.media_info import Crop
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg
from tests.patched import box, inside_entry, replaced_in, with_pixel_crop

if TYPE_CHECKING:
    from pathlib import Path

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
RED = 76
"""Luma of red in BT.601 or BT.709, as stored: 81 or 63; what is not red is black, 16."""


def clip(path: Path, *options: str, source: str = "color=red:s=96x48", pad: str = "pad=96:96:0:24:black") -> Path:
    chain = f"{pad},setsar=1"
    run_ffmpeg("-f", "lavfi", "-i", f"{source}:r=25:d=0.4", "-vf", chain, *X264, *options, path)
    return path


def clap(wide: int, high: int, right: tuple[int, int] = (0, 1), down: tuple[int, int] = (0, 1)) -> bytes:
    return box(b"clap", pack(">4I iI iI", wide, 1, high, 1, *right, *down))


def cropped(path: Path, target: Path, aperture: bytes) -> Path:
    target.write_bytes(inside_entry(path.read_bytes(), aperture))
    return target


def luma_range(reel: Path) -> tuple[int, int]:
    low, high = 255, 0
    for frame in reader.frames(reel):
        gray = frame.to_ndarray(format="gray")
        low, high = min(low, int(gray.min())), max(high, int(gray.max()))
    return low, high


def assert_red_everywhere(path: Path, folder: Path, size: str = "96x48") -> None:
    reel = folder / "reel.mp4"
    assert make_reel(reel, [path], config_of(size=size, fps="25", crf=5)).success
    low, high = luma_range(reel)
    assert high - low <= 8
    assert low > 40


@pytest.mark.core
def test_an_aperture_of_mp4_is_cropped_once(tmp_path: Path) -> None:
    path = cropped(clip(tmp_path / "bars.mp4"), tmp_path / "part.mp4", clap(96, 48))
    assert probe(path, scan=True).video.crop == Crop(0, 24, Dimensions(96, 48))
    assert_red_everywhere(path, tmp_path)


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_pixels_cropped_by_matroska_are_cropped_once(tmp_path: Path, suffix: str) -> None:
    codec = ("-write_crc32", "0") if suffix == ".mkv" else ("-c:v", "libvpx", "-deadline", "realtime")
    path = tmp_path / f"crop{suffix}"
    path.write_bytes(with_pixel_crop(clip(tmp_path / f"bars{suffix}", *codec).read_bytes(), top=24, bottom=24))
    assert probe(path, scan=True).video.dimensions == Dimensions(96, 48)
    assert_red_everywhere(path, tmp_path)


def test_an_aperture_beside_the_middle_is_found(tmp_path: Path) -> None:
    bars = clip(tmp_path / "bars.mp4", source="color=red:s=48x48", pad="pad=96:96:8:40:black")
    path = cropped(bars, tmp_path / "part.mp4", clap(48, 48, (-16, 1), (32, 2)))
    assert probe(path, scan=True).video.crop == Crop(8, 40, Dimensions(48, 48))
    assert_red_everywhere(path, tmp_path, "48x48")


def test_a_turned_clip_is_cropped_as_it_is_stored(tmp_path: Path) -> None:
    bars = clip(tmp_path / "bars.mp4")
    run_ffmpeg("-display_rotation", "90", "-i", bars, "-c", "copy", tmp_path / "turned.mp4")
    path = cropped(tmp_path / "turned.mp4", tmp_path / "part.mp4", clap(96, 48))
    assert probe(path, scan=True).video.display == Dimensions(48, 96)
    assert_red_everywhere(path, tmp_path, "48x96")


def test_an_interlaced_clip_is_cropped_once(tmp_path: Path) -> None:
    bars = clip(tmp_path / "bars.mp4", "-flags", "+ilme+ildct", pad="pad=96:96:0:24:black,setfield=tff")
    path = cropped(bars, tmp_path / "part.mp4", clap(96, 44))
    assert_red_everywhere(path, tmp_path, "96x44")


def test_pixels_of_a_cropped_clip_without_a_word_are_square(tmp_path: Path) -> None:
    """A track of the cropped size, and no pixel shape: libav takes the shape from that and the whole size."""
    data = inside_entry(clip(tmp_path / "bars.mp4").read_bytes(), clap(96, 48))
    data = replaced_in(data, b"pasp", b"free")
    data = replaced_in(data, pack(">II", 96 << 16, 96 << 16), pack(">II", 96 << 16, 48 << 16))
    path = tmp_path / "part.mp4"
    path.write_bytes(data)
    video = probe(path, scan=True).video
    assert (video.sar, video.dimensions) == (Fraction(1), Dimensions(96, 48))


@pytest.mark.parametrize(
    "aperture",
    [
        clap(96, 96),
        clap(200, 96),
        clap(96, 48, down=(60, 1)),
        clap(96, 48, down=(0, 0)),
        clap(0, 0),
        box(b"clap", bytes(8)),
        box(b"clap", b"\xff" * 32),
    ],
)
def test_an_aperture_that_makes_no_sense_crops_nothing(tmp_path: Path, aperture: bytes) -> None:
    path = cropped(clip(tmp_path / "bars.mp4"), tmp_path / "part.mp4", aperture)
    assert probe(path, scan=True).video.crop is None
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="96x96", fps="25")).success
    gray = next(iter(reader.frames(reel))).to_ndarray(format="gray")
    assert np.abs(gray[:20].astype(int) - 16).max() < 24
    assert gray[40:56].min() > 40


def test_a_cropped_clip_is_not_copied_uncropped(tmp_path: Path) -> None:
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    bars = clip(tmp_path / "bars.mp4", pad=f"pad=96:96:0:24:black,{tags}")
    path = cropped(bars, tmp_path / "part.mp4", clap(96, 48))
    config = config_of(size="96x96", fps="25")
    config = config.model_copy(update={"concat": ConcatConfig.model_validate({"copy": "compatible"})})
    result = make_reel(tmp_path / "reel.mp4", [path, bars], config)
    assert result.success
    assert [each.action for each in result.clips] == [Action.ENCODE, Action.COPY]
    assert "its container crops its pictures" in result.clips[0].reasons
    assert b"clap" not in (tmp_path / "reel.mp4").read_bytes()


def test_cropped_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    """ffmpeg would crop all by the first size, and show what lies in memory behind a smaller one."""
    parts = [clip(tmp_path / f"{size}.ts", pad=f"scale={size}:96") for size in (96, 48)]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    run_ffmpeg("-i", tmp_path / "both.ts", "-c", "copy", tmp_path / "both.mp4")
    path = cropped(tmp_path / "both.mp4", tmp_path / "part.mp4", clap(90, 90))
    with pytest.raises(ProbeError, match="change their size") as raised:
        probe(path, scan=True)
    assert raised.value.code is IssueCode.PROBE_FAILED

"""A display matrix of any kind means the same for one clip and for a join, and the reel has none."""

from __future__ import annotations

import math
from struct import pack
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg
from tests.patched import place_of

if TYPE_CHECKING:
    from pathlib import Path

ONE, LAST = 1 << 16, 1 << 30


def turned(degrees: float) -> tuple[int, ...]:
    cosine, sine = (round(ONE * part(math.radians(degrees))) for part in (math.cos, math.sin))
    return (cosine, sine, 0, -sine, cosine, 0, 0, 0, LAST)


MATRICES = {
    "zeros": (0,) * 9,
    "oblique": turned(10),
    "more oblique": turned(50),
    "moved": (ONE, 0, 0, 0, ONE, 0, 160 * ONE, 0, LAST),
    "scaled": (2 * ONE, 0, 0, 0, 2 * ONE, 0, 0, 0, LAST),
    "slanted": (ONE, 0, 0, ONE // 2, ONE, 0, 0, 0, LAST),
    "flipped": (ONE, 0, 0, 0, -ONE, 0, 0, 90 * ONE, LAST),
}
BRIGHT = {"more oblique": (True, False), "flipped": (False, True)}
"""Where the bright quarter, top left as stored, is shown: right, at the bottom."""
SAID = {"zeros", "oblique", "more oblique", "slanted"}


def clip_of(path: Path, matrix: tuple[int, ...]) -> Path:
    corner = "drawbox=0:0:80:45:white:fill"
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    source = f"color=red:s=160x90:r=25:d=0.4,{corner},{tags}"
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-pix_fmt", "yuv420p")
    run_ffmpeg("-f", "lavfi", "-i", source, *codec, "-video_track_timescale", "12800", path)
    data = bytearray(path.read_bytes())
    begin, _ = place_of(bytes(data), b"moov", b"trak", b"tkhd")
    data[begin + 48 : begin + 84] = pack(">9i", *matrix)
    path.write_bytes(data)
    return path


def bright_quarter(reel: Path) -> tuple[bool, bool]:
    gray = next(iter(reader.frames(reel))).to_ndarray(format="gray")
    middle, centre = gray.shape[0] // 2, gray.shape[1] // 2
    quarters = {
        (right, low): gray[middle + (8 if low else -8), centre + (8 if right else -8)]
        for right in (False, True)
        for low in (False, True)
    }
    assert sum(value > 200 for value in quarters.values()) == 1
    return max(quarters, key=lambda quarter: quarters[quarter])


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.core(1)
def test_one_clip_and_a_join_show_a_matrix_alike(tmp_path: Path, kind: str) -> None:
    path = clip_of(tmp_path / "a.mp4", MATRICES[kind])
    copying = ConcatConfig.model_validate({"copy": "compatible"})
    for clips in ([path], [path, path]):
        reel = tmp_path / f"{len(clips)}.mp4"
        config = config_of(size="160x90", fps="25").model_copy(update={"concat": copying})
        result = make_reel(reel, clips, config)
        assert result.success
        assert result.concatenation is not None
        assert result.concatenation.stream_copy
        assert Action.COPY not in {clip.action for clip in result.clips}
        assert bright_quarter(reel) == BRIGHT.get(kind, (False, False))


@pytest.mark.parametrize("kind", MATRICES)
def test_what_a_matrix_asks_for_in_vain_is_a_warning(tmp_path: Path, kind: str) -> None:
    said = {issue.code for issue in probe(clip_of(tmp_path / "a.mp4", MATRICES[kind]), scan=True).warnings}
    assert (IssueCode.ORIENTATION_GUESSED in said) is (kind in SAID)

"""Files are read to their end, whatever stands beside their video and audio."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from tests.integration.reels import config_of, make_reel
from tests.integration.test_damage import spoiled
from tests.media import MediaFolder, Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

NOISE = Recipe(
    codec="mpeg2video",
    suffix=".ts",
    seconds=2.4,
    fps="25",
    size="320x180",
    filters=("noise=alls=100:allf=t",),
    sound=Tone(codec="mp2"),
    options=("-b:v", "20M", "-q:v", "1"),
)
"""More bytes than libav reads to find out which streams there are."""


def test_stream_that_begins_late_is_passed_over(media: MediaFolder, tmp_path: Path) -> None:
    first, last = media.make(NOISE), media.make(NOISE, start=3.0)
    middle = media.make(NOISE, start=2.4, seconds=0.6, options=("-map", "0", "-map", "1", "-map", "1", "-q:v", "1"))
    late = tmp_path / "late.ts"
    late.write_bytes(b"".join(path.read_bytes() for path in (first, middle, last)))
    assert probe(late, scan=True).duration == pytest.approx(5.4, abs=0.1)
    start = VideoClip(late, end=Fraction(1, 2))
    assert make_reel(tmp_path / "reel.mp4", [start], config_of()).success


@pytest.mark.core
def test_damaged_clip_with_latin_1_title_is_used(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(Recipe(suffix=".mkv", seconds=2.0, size="320x180", keyframe_interval=12, sound=None))
    named = tmp_path / "named.mkv"
    run_ffmpeg("-i", whole, "-c", "copy", "-metadata", os.fsdecode(b"title=\xe4\xf6"), named)
    hurt = spoiled(named, tmp_path / "hurt.mkv", 0.4, 0.5)
    result = make_reel(tmp_path / "reel.mp4", [hurt], config_of())
    assert [issue.code for issue in result.warnings] == [IssueCode.DAMAGED]
    assert result.output is not None
    assert result.output.duration == Fraction(2)

"""Trims and rates: every frame of a reel is the one that the written rule names.

Output frame k of a clip shows the last source frame whose nearest place on the reel's grid, counted
from the trim's start, is k or earlier; half a frame is late. Source frame i is shown at i / rate,
however coarsely its container writes that.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.model.clips import VideoClip
from tests import reader
from tests.integration.reels import config_of, finished_reel
from tests.marks import draw_number
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (128, 64)
RATES = tuple(map(Fraction, ("24000/1001", "24", "25", "30000/1001", "30", "50", "60")))
FRAMES = 48
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "12")
_REORDERED = (*_H264, "-bf", "2")


@dataclass(frozen=True, slots=True)
class Kind:
    """A container and the codec in it; ``{rate}`` in an option is the whole number above the source's rate."""

    suffix: str
    options: tuple[str, ...]


KINDS = {
    "avi": Kind(".avi", ("-c:v", "mpeg4", "-q:v", "2")),
    "mov": Kind(".mov", _REORDERED),
    "mp4, a tick a frame": Kind(".mp4", (*_H264, "-bf", "0", "-video_track_timescale", "{numerator}")),
    "mp4, 90 kHz": Kind(".mp4", (*_REORDERED, "-video_track_timescale", "90000")),
    "mkv": Kind(".mkv", _REORDERED),
    "mxf": Kind(".mxf", ("-c:v", "mpeg2video", "-q:v", "2", "-g", "12")),
    "ts": Kind(".ts", _REORDERED),
    "flv": Kind(".flv", _REORDERED),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A source clip, known by its number, and the part of it that is used."""

    number: int
    kind: str
    rate: Fraction
    start: Fraction
    end: Fraction

    def wanted(self, rate: Fraction) -> list[int]:
        """Return the numbers of the source frames that a reel of this rate shows."""
        places = [floor((n / self.rate - self.start) * rate + Fraction(1, 2)) for n in range(FRAMES)]
        count = max(1, floor((self.end - self.start) * rate + Fraction(1, 2)))
        return [max((n for n, place in enumerate(places) if place <= k), default=0) for k in range(count)]


def source(folder: Path, case: Case) -> Path:
    """Return the clip of a case, made if it is not there: frame n carries ``case.number`` and n."""
    kind = KINDS[case.kind]
    path = folder / f"{case.number:03d}{kind.suffix}"
    if not path.exists():
        raw = b"".join(draw_number(SIZE, case.number, n).tobytes() for n in range(FRAMES))
        options = [option.format(numerator=case.rate.numerator) for option in kind.options]
        size = f"{SIZE[0]}x{SIZE[1]}"
        grey = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", str(case.rate), "-i", "pipe:0")
        tagged = ("-vf", "scale=out_range=tv,format=yuv420p")
        run_ffmpeg(*grey, *tagged, *options, path, stdin=np.frombuffer(raw, np.uint8).tobytes())
    return path


def cases(count: int, seed: int) -> list[Case]:
    """Return seeded cases: trims at zero, on ticks, at half frames, and anywhere."""
    chance = random.Random(seed)
    sources = [(kind, rate) for rate in RATES for kind in KINDS]
    found = []
    for _ in range(count):
        number = chance.randrange(len(sources))
        kind, rate = sources[number]
        whole = Fraction(chance.randrange(FRAMES // 2)) / rate
        start = chance.choice([
            Fraction(0), whole, whole + 1 / (2 * rate), Fraction(chance.randrange(800), 1000),
            Fraction(chance.randrange(8), 10),
        ])  # fmt: skip
        length = chance.choice([Fraction(chance.randrange(1, 12)) / rate, Fraction(chance.randrange(20, 700), 1000)])
        found.append(Case(number, kind, rate, start, min(start + length, FRAMES / rate)))
    return found


def output_rate(rate: Fraction, chance: random.Random) -> Fraction:
    """Return a rate for a reel of clips of this rate: the same, twice, half, or another one."""
    others = [one for one in (rate, 2 * rate, rate / 2) if 10 <= one <= 120]
    return chance.choice([*others, *RATES])


def wrong(reel: Path, parts: list[Case], rate: Fraction) -> list[str]:
    """Return a line for each clip of a reel whose frames are not those that the rule names."""
    shown = [(found.clip_id, found.number) for found in reader.pictures(reel, [SIZE])]
    lines, at = [], 0
    for part in parts:
        wanted = [(part.number, n) for n in part.wanted(rate)]
        found = shown[at : at + len(wanted)]
        at += len(wanted)
        if found != wanted:
            lines.append(f"{part} at {rate}: shows {[n for _, n in found]}, not {[n for _, n in wanted]}")
    return lines if at == len(shown) else [*lines, f"{len(shown)} frames, not {at}"]


def check(tmp_path: Path, clips_a_reel: int, seed: int) -> None:
    chance = random.Random(seed)
    parts = cases(clips_a_reel, seed)
    rate = output_rate(parts[0].rate, chance)
    clips = [VideoClip(source(tmp_path, part), part.start, part.end) for part in parts]
    config = config_of(size=f"{SIZE[0]}x{SIZE[1]}", fps=str(rate))
    reel = finished_reel(tmp_path / f"reel-{seed}.mp4", clips, config)
    assert wrong(reel, parts, rate) == []


@pytest.mark.parametrize("seed", range(3))
def test_trimmed_clips_of_every_clock_show_each_frame_in_place(tmp_path: Path, seed: int) -> None:
    check(tmp_path, 10, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_trims_and_rates_show_each_frame_in_place(tmp_path: Path) -> None:
    for seed in range(1000, 1040):
        check(tmp_path, 25, seed)

"""Audio of a recorder whose clock drifts or trembles has no holes and stays in step; a real gap stays a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.model.clips import Evidence
from tests.audio_clips import RATE, clip, played, silences
from tests.builders import clip_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TREMBLE = "0.04+0.015*(mod(N*7919\\,13)/6-1)"


def recorded(path: Path, late: str, seconds: float, *, rate: int = 8000, codec: str = "pcm_s16le") -> Path:
    """A clip in packets of 120 ms that come late; its tone is 500 Hz, and 1000 Hz from one second before the end."""
    packet = rate * 12 // 100 if codec.startswith("pcm") else 1024
    tone = f"aevalsrc=exprs=0.25*sin(2*PI*(500+500*gte(t\\,{seconds - 1:g}))*t):s={rate}:d={seconds:g}:n={packet}"
    audio = ("-f", "lavfi", "-i", tone)
    return clip(path, audio, "-c:a", codec, "-strict", "-2", "-bsf:a", f"setts=ts=TS+({late})/TB", seconds=seconds)


def change(pcm: NDArray[np.float64]) -> float:
    """When the tone becomes the higher one, in seconds."""
    step = RATE // 1000
    wave = np.exp(-2j * np.pi * 1000 * np.arange(4 * step) / RATE)
    parts = np.lib.stride_tricks.sliding_window_view(pcm[0], 4 * step)[::step]
    strong = np.abs(parts @ wave) / (2 * step) > 0.125
    return (int(np.argmax(strong)) * step + 2 * step) / RATE


@pytest.mark.parametrize(
    ("late", "seconds", "end"),
    [
        (TREMBLE, 5, 4.04),
        ("0.04*mod(N\\,2)", 5, 4.02),
        ("TS*TB*0.003", 12, 11.033),
        ("-TS*TB*0.003", 12, 10.967),
        (f"TS*TB*0.002+{TREMBLE}", 12, 11.062),
    ],
    ids=["tremble", "to and fro", "slow", "fast", "both"],
)
@pytest.mark.core(1)
def test_no_hole_and_in_step(tmp_path: Path, late: str, seconds: float, end: float) -> None:
    pcm, done = played(recorded(tmp_path / "clip.mkv", late, seconds), tmp_path)
    assert not done.warnings
    holes = [begin for begin, _ in silences(pcm[:, RATE // 10 : round((seconds - 0.2) * RATE)])]
    assert not holes
    assert change(pcm) == pytest.approx(end, abs=0.02)


@pytest.mark.parametrize("late", ["0", "0.01*mod(N\\,2)", TREMBLE], ids=["steady", "10 ms", "tremble"])
def test_a_real_gap_stays(tmp_path: Path, late: str) -> None:
    gap = f"{late}+if(gt(N\\,20)\\,0.5\\,0)"
    pcm, _ = played(recorded(tmp_path / "clip.mkv", gap, 5), tmp_path)
    holes = silences(pcm[:, RATE // 10 : 5 * RATE])
    assert [round(length, 1) for _, length in holes] == [0.5]
    assert change(pcm) == pytest.approx(4.54, abs=0.05)


@pytest.mark.parametrize("codec", ["aac", "flac", "libvorbis", "dca", "truehd", "adpcm_ms"])
def test_coded_audio_whose_clock_trembles_has_no_hole(tmp_path: Path, codec: str) -> None:
    rate = 48_000 if codec in ("dca", "truehd") else 44_100
    path = recorded(tmp_path / "clip.mkv", "0.03*mod(N*7919\\,13)/12", 5, rate=rate, codec=codec)
    pcm, done = played(path, tmp_path)
    assert not silences(pcm[:, RATE // 5 : round(4.8 * RATE)])
    assert change(pcm) == pytest.approx(4.015, abs=0.04)
    assert clip_of(done).verified.audio is Evidence.PROVEN


@pytest.mark.parametrize("codec", ["flac", "libvorbis"])
def test_coded_audio_whose_clock_drifts_has_no_hole(tmp_path: Path, codec: str) -> None:
    path = recorded(tmp_path / "clip.mkv", "TS*TB*0.003", 12, rate=44_100, codec=codec)
    pcm, _ = played(path, tmp_path)
    assert not silences(pcm[:, RATE // 5 : round(11.8 * RATE)])
    assert change(pcm) == pytest.approx(11.033, abs=0.04)


@pytest.mark.parametrize("codec", ["flac", "libvorbis"])
def test_real_gap_of_coded_audio_stays(tmp_path: Path, codec: str) -> None:
    late = "0.03*mod(N*7919\\,13)/12+if(gt(TS*TB\\,2)\\,0.5\\,0)"
    pcm, _ = played(recorded(tmp_path / "clip.mkv", late, 5, rate=44_100, codec=codec), tmp_path)
    holes = silences(pcm[:, RATE // 10 : 5 * RATE], least=0.02)
    assert [round(length, 1) for _, length in holes] == [0.5]


def test_a_trim_of_a_drifting_clock_is_in_step(tmp_path: Path) -> None:
    path = recorded(tmp_path / "clip.mkv", "TS*TB*0.004", 12)
    pcm, _ = played(path, tmp_path, start=9.5, end=11.9)
    assert not silences(pcm[:, RATE // 10 :])
    assert change(pcm) == pytest.approx(11.044 - 9.5, abs=0.02)

"""Audio packets with equal timestamps are heard one after another, at the level of their source; gaps stay gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.clips import Evidence
from mpt_cli.model.errors import IssueCode
from tests.audio_clips import RATE, clip, played, silences
from tests.builders import clip_of
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SECONDS = 6
LEVEL = -15.05
"""Root mean square, in dB, of a tone of a quarter of full scale."""


def recorded(path: Path, time: str, *, codec: str = "aac", seconds: float = SECONDS, rate: int = RATE) -> Path:
    """A clip whose audio packets are stamped so; its tone is 500 Hz, and 1000 Hz in its last second."""
    tone = f"aevalsrc=exprs=0.25*sin(2*PI*(500+500*gte(t\\,{seconds - 1:g}))*t):s={rate}:d={seconds:g}"
    plain = clip(path.with_name("plain.mkv"), ("-f", "lavfi", "-i", tone), "-c:a", codec, seconds=seconds)
    run_ffmpeg("-i", plain, "-c", "copy", "-bsf:a", f"setts=ts={time}", path)
    return path


def level_of(pcm: NDArray[np.float64]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(pcm[0] ** 2)) + 1e-9))


def change(pcm: NDArray[np.float64]) -> float:
    """When the tone becomes the higher one, in seconds."""
    step = RATE // 1000
    wave = np.exp(-2j * np.pi * 1000 * np.arange(4 * step) / RATE)
    parts = np.lib.stride_tricks.sliding_window_view(pcm[0], 4 * step)[::step]
    return (int(np.argmax(np.abs(parts @ wave) / (2 * step) > 0.125)) * step + 2 * step) / RATE


@pytest.mark.parametrize(
    ("time", "codec"),
    [
        ("0", "aac"),
        ("floor(PTS/150)*150", "aac"),
        ("floor(PTS/250)*250", "pcm_s16le"),
        ("floor(PTS/250)*250", "flac"),
        ("floor(PTS/500)*500", "aac"),
        ("floor(PTS/400)*400+mod(PTS\\,400)/100", "aac"),
    ],
)
def test_samples_follow_each_other(tmp_path: Path, time: str, codec: str) -> None:
    pcm, done = played(recorded(tmp_path / "clip.mkv", time, codec=codec), tmp_path)
    assert not silences(pcm[:, RATE // 10 : round((SECONDS - 0.1) * RATE)])
    assert level_of(pcm[:, RATE // 10 : (SECONDS - 1) * RATE]) == pytest.approx(LEVEL, abs=0.3)
    assert change(pcm) == pytest.approx(SECONDS - 1, abs=0.04)
    assert clip_of(done).verified.audio is Evidence.PROVEN


@pytest.mark.parametrize("length", [150, 500])
def test_gap_stays_a_gap(tmp_path: Path, length: int) -> None:
    late = "(PTS+1000*gte(PTS\\,3000))"
    pcm, _ = played(recorded(tmp_path / "clip.mkv", f"floor({late}/{length})*{length}"), tmp_path)
    holes = silences(pcm[:, RATE // 10 : (SECONDS + 1) * RATE - RATE // 10], least=0.05)
    assert [round(seconds, 1) for _, seconds in holes] == [1.0]
    assert change(pcm) == pytest.approx(SECONDS, abs=0.04)


def test_trim_is_in_step(tmp_path: Path) -> None:
    path = recorded(tmp_path / "clip.mkv", "floor(PTS/500)*500")
    pcm, _ = played(path, tmp_path, start=4.2, end=5.8)
    assert not silences(pcm[:, :-4800])
    assert change(pcm) == pytest.approx(SECONDS - 1 - 4.2, abs=0.04)


def test_equal_stamps_of_a_transport_stream(tmp_path: Path) -> None:
    plain = recorded(tmp_path / "clip.mkv", "PTS")
    run_ffmpeg("-i", plain, "-c", "copy", tmp_path / "clip.ts")
    data = bytearray((tmp_path / "clip.ts").read_bytes())
    _stamp_audio_alike(data)
    (tmp_path / "equal.ts").write_bytes(data)
    pcm, _ = played(tmp_path / "equal.ts", tmp_path)
    assert not silences(pcm[:, RATE // 10 : round((SECONDS - 0.1) * RATE)])
    assert level_of(pcm[:, RATE // 10 : (SECONDS - 1) * RATE]) == pytest.approx(LEVEL, abs=0.3)


def _stamp_audio_alike(data: bytearray) -> None:
    """Give each audio packet of a transport stream the timestamp of the first."""
    first = b""
    for place in range(0, len(data) - 187, 188):
        head = place + 4 + (1 + data[place + 4] if data[place + 3] & 0x20 else 0)
        if data[place + 1] & 0x40 and data[head : head + 3] == b"\0\0\1" and data[head + 3] & 0xE0 == 0xC0:
            first = first or bytes(data[head + 9 : head + 14])
            data[head + 9 : head + 14] = first
    assert first


@pytest.mark.parametrize("time", ["0", "floor(PTS/200)*200"])
def test_repair_is_told(tmp_path: Path, time: str) -> None:
    found = probe(recorded(tmp_path / "clip.mkv", time), scan=True)
    (warning,) = found.warnings
    assert warning.code is IssueCode.TIMESTAMPS_REPAIRED
    assert "audio track 1 (aac)" in warning.message
    assert found.duration == pytest.approx(SECONDS, abs=0.05)


def test_overlap_is_left_out_behind_equal_stamps(tmp_path: Path) -> None:
    path = recorded(tmp_path / "clip.mkv", "PTS-250*gte(PTS\\,3000)")  # which the muxer makes equal ones
    pcm, _ = played(path, tmp_path)
    assert change(pcm) == pytest.approx(SECONDS - 1.25, abs=0.04)

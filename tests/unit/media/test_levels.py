"""Loudness as ffmpeg says it, and the commands that level a reel."""

from __future__ import annotations

import struct
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from mpt_cli.media.ffmpeg.levels import level_arguments, measure_track_arguments, measured, readings
from mpt_cli.media.reel_audio import ReelAudio
from mpt_cli.media.reel_levels import in_steps, is_finite, with_gains
from mpt_cli.model.audio_form import AudioForm, SampleFormat
from mpt_cli.model.clips import ProcessedClip, Segment, TargetForm
from mpt_cli.model.loudness import Loudness
from mpt_cli.model.media_info import AudioStreamInfo
from tests.builders import form_of

SAID = """
[Parsed_ebur128_0 @ 0x7f] Summary:

  Integrated loudness:
    I:         {lufs} LUFS
    Threshold: -35.1 LUFS

  Loudness range:
    LRA:         0.1 LU
    Threshold: -45.1 LUFS

  True peak:
    Peak:      {peak} dBFS
"""


@pytest.mark.parametrize(
    ("lufs", "peak", "found"),
    [
        ("-23.0", "-13.7", Loudness(-23.0, -13.7)),
        ("-70.0", "-16.1", Loudness(None, -16.1)),
        ("-70.0", "-inf", Loudness(None, None)),
        ("0.4", "3.1", Loudness(0.4, 3.1)),
    ],
)
def test_figures_are_read_from_what_ffmpeg_says(lufs: str, peak: str, found: Loudness) -> None:
    assert measured(SAID.format(lufs=lufs, peak=peak)) == found


def test_no_figures_are_an_error() -> None:
    with pytest.raises(ValueError, match="no loudness"):
        measured("Conversion failed!")


def test_readings_are_the_lines_of_momentary_loudness() -> None:
    lines = ["frame:0    pts:0       pts_time:0\n", "lavfi.r128.M=-120.691\n", "frame:1\n", "lavfi.r128.M=-25.2\n"]
    assert list(readings(lines)) == [-120.691, -25.2]


@pytest.mark.parametrize(("rate", "steps"), [(48_000, 2), (96_000, 2), (44_100, 2), (8000, 2), (192_000, 0)])
def test_limiter_is_oversampled_to_192_khz(rate: int, steps: int) -> None:
    audio = AudioForm(sample_rate=rate)
    line = " ".join(level_arguments(audio, audio.samples, 6.0, -1.0, 1000, Path("/a.pcm")))
    assert line.count("aresample") == steps
    assert "alimiter=latency=1:level=disabled:limit=0.891251" in line
    assert "volume=6.00dB" in line
    assert "atrim=end_sample=1000" in line


def test_no_limiter_without_a_ceiling() -> None:
    audio = AudioForm()
    assert "alimiter" not in " ".join(level_arguments(audio, audio.samples, -3.0, None, 1000, Path("/a.pcm")))


def test_track_of_a_file_is_measured_as_in_a_stereo_reel() -> None:
    track = AudioStreamInfo(3, "aac", ("FC",), "mono", 44_100)
    line = " ".join(measure_track_arguments(Path("/a.mp4"), track, 500))
    assert "pan=stereo|c0=1*c0|c1=1*c0,ebur128=peak=true" in line
    assert "-map 0:3" in line
    assert "-i subfile,,start,0,end,500,,:file:/a.mp4" in line


PACKED = {
    SampleFormat.S16: lambda value: struct.pack("<h", round(value * 32767)),
    SampleFormat.S24: lambda value: struct.pack("<i", round(value * 8388607))[:3],
    SampleFormat.S32: lambda value: struct.pack("<i", round(value * 2147483647)),
    SampleFormat.F32: lambda value: struct.pack("<f", value),
    SampleFormat.F64: lambda value: struct.pack("<d", value),
}


def silent(folder: Path, index: int, form: TargetForm, frames: int) -> ProcessedClip:
    """A clip without audio."""
    segment, seconds = Segment(index, 0, frames), frames / form.frame_rate
    return ProcessedClip(
        index, folder / "a.mp4", folder / "a", None, form.dimensions, segment, seconds, 0, "", b"", True
    )


def loud(folder: Path, index: int, form: TargetForm, values: list[float]) -> ProcessedClip:
    """A clip of 10 frames with these values over and over, the same in both channels."""
    count = 10 * form.audio.sample_rate // int(form.frame_rate) + 1
    whole = b"".join(PACKED[form.audio.samples](value) * 2 for value in values) * (count // len(values) + 1)
    path = folder / f"{index}.pcm"
    path.write_bytes(whole[: count * form.audio.frame_bytes])
    return replace(silent(folder, index, form, 10), audio_path=path)


@pytest.mark.parametrize("samples", list(PACKED))
def test_each_clip_has_its_own_gain_and_nothing_clips(tmp_path: Path, samples: SampleFormat) -> None:
    form = replace(form_of(rate="25"), audio=AudioForm(samples=samples, sample_rate=8000))
    clips = [loud(tmp_path, index, form, [0.5, -0.25]) for index in range(2)]
    fed = b"".join(with_gains(ReelAudio(clips, form), form.audio, {1: 20.0}))
    heard = array("d" if samples in (SampleFormat.S32, SampleFormat.F64) else "f", fed)
    assert len(heard) == 2 * 2 * 3200
    assert list(heard[:4]) == pytest.approx([0.5, 0.5, -0.25, -0.25], abs=1e-4)
    assert list(heard[6400:6404]) == pytest.approx([5.0, 5.0, -2.5, -2.5], rel=1e-3)


def test_each_clip_begins_with_a_whole_step(tmp_path: Path) -> None:
    form = replace(form_of(rate="30"), audio=AudioForm(sample_rate=8000, layout="mono"))
    clips = [silent(tmp_path, index, form, 7) for index in range(2)]
    fed = b"".join(in_steps(ReelAudio(clips, form), form.audio))
    assert len(fed) == 2 * 2 * (3200 + 1600)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_sample_that_is_no_number_is_found(tmp_path: Path, value: float) -> None:
    form = replace(form_of(rate="25"), audio=AudioForm(samples=SampleFormat.F32, sample_rate=8000))
    clip = loud(tmp_path, 0, form, [0.5, 0.25])
    assert is_finite(ReelAudio([clip], form), form.audio)
    data = bytearray((tmp_path / "0.pcm").read_bytes())
    data[800:804] = struct.pack("<f", value)
    (tmp_path / "0.pcm").write_bytes(data)
    assert not is_finite(ReelAudio([clip], form), form.audio)

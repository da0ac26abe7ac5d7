"""Commands that measure the loudness of audio and change its level, and what they say (pure).

``loudnorm`` is not used: it falls back to changing gains over time without a word, and emits NaN on silence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import ffmpeg

from mpt_cli.media.ffmpeg.audio_chain import raw_options
from mpt_cli.media.ffmpeg.downmix import pan_expression
from mpt_cli.media.open_options import DEMUXERS, file_url, protocols
from mpt_cli.model.loudness import SILENCE_LUFS, Loudness

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from mpt_cli.model.audio_form import AudioForm, SampleFormat
    from mpt_cli.model.media_info import AudioStreamInfo

_MEASURING = ("-hide_banner", "-nostdin", "-y", "-nostats", "-progress", "pipe:1", "-stats_period", "0.25")
_SAID, _QUIET = ("-v", "info"), ("-v", "error")
"""The filter says its result at the end, at this level."""
_METER = "ebur128"
_READING = "lavfi.r128.M="
_READING_RATE = 48_000
_OVERSAMPLED_RATE = 192_000
_NOTHING = {"f": "null"}


def measure_pcm_arguments(audio: AudioForm, samples: SampleFormat | None = None) -> list[str]:
    """Return the arguments that measure loudness and true peak of raw PCM from stdin."""
    return [*_MEASURING, *_SAID, *_measured(_piped(audio, samples)).get_args()]


def measure_file_arguments(path: Path) -> list[str]:
    """Return the arguments that measure loudness and true peak of the audio of a reel."""
    reel = ffmpeg.input(file_url(path), protocol_whitelist="file", format_whitelist=DEMUXERS)["a:0"]
    return [*_MEASURING, *_SAID, *_measured(reel).get_args()]


def measure_track_arguments(path: Path, track: AudioStreamInfo, end: int | None) -> list[str]:
    """Return the arguments that measure an audio track of a clip as it is in a stereo reel.

    Args:
        path: The file.
        track: The track.
        end: Offset in the file before which it is read; None for all of it.
    """
    source = ["-format_whitelist", DEMUXERS, "-protocol_whitelist", protocols(end), "-i", file_url(path, end)]
    pan = pan_expression(track.channels, "stereo", is_part=track.is_part)  # which ffmpeg-python would escape
    filters = f"aformat=sample_fmts=fltp,pan={pan},{_METER}=peak=true:framelog=verbose"
    return [*_MEASURING, *_SAID, *source, "-map", f"0:{track.index}", "-af", filters, "-f", "null", "-"]


def readings_arguments(audio: AudioForm, name: str) -> list[str]:
    """Return the arguments that write the momentary loudness of raw PCM from stdin, ten readings a second.

    At 48 kHz, where a tenth of a second is a whole number of samples.

    Args:
        audio: Format of the PCM.
        name: Plain name of the file to write, in the folder that ffmpeg runs in.
    """
    meter = _piped(audio).filter("aresample", _READING_RATE).filter(_METER, metadata=1, framelog="verbose")
    written = meter.filter("ametadata", mode="print", key=_READING.partition("=")[0], file=name)
    return [*_MEASURING, *_QUIET, *ffmpeg.output(written, "-", **_NOTHING).get_args()]


def level_arguments(
    audio: AudioForm, fed: SampleFormat, gain_db: float, ceiling_db: float | None, samples: int, output: Path
) -> list[str]:
    """Return the arguments that give PCM from stdin one gain, and write it as raw PCM of the target format.

    Args:
        audio: Target format.
        fed: Format of the samples on stdin.
        gain_db: The gain.
        ceiling_db: Highest peak, held by a limiter that sees the peaks between samples too; None for no limiter.
        samples: Number of samples to write.
        output: Path of the file.
    """
    stream = _piped(audio, fed).filter("aformat", sample_fmts="dbl")
    stream = stream.filter("volume", volume=f"{gain_db:.2f}dB", precision="double")
    if ceiling_db is not None:
        times = max(1, _OVERSAMPLED_RATE // audio.sample_rate)
        if times > 1:
            stream = stream.filter("aresample", audio.sample_rate * times)
        # Without level=disabled the limiter raises all of it to full scale, past its own limit.
        stream = stream.filter("alimiter", limit=f"{10 ** (ceiling_db / 20):.6f}", level="disabled", latency=1)
        if times > 1:
            stream = stream.filter("aresample", audio.sample_rate)
    stream = stream.filter("apad").filter("atrim", end_sample=samples)
    written = stream.output(file_url(output), **{"c:a": f"pcm_{audio.samples}", "f": str(audio.samples)})
    return [*_MEASURING, *_QUIET, *written.get_args()]


def _piped(audio: AudioForm, samples: SampleFormat | None = None) -> Any:
    return ffmpeg.input("pipe:0", **raw_options(audio, samples), protocol_whitelist="pipe")["a:0"]


def _measured(stream: Any) -> Any:
    return ffmpeg.output(stream.filter(_METER, peak="true", framelog="verbose"), "-", **_NOTHING)


def measured(said: str) -> Loudness:
    """Return the loudness that ffmpeg said at its end.

    Raises:
        ValueError: It said none.
    """
    lufs, peaks = (re.findall(rf"^ *{name}: +(\S+) {unit}", said, re.MULTILINE) for name, unit in _FIGURES)
    if not lufs or not peaks:
        raise ValueError("ffmpeg said no loudness")
    loudness, peak = float(lufs[-1]), float(peaks[-1])
    return Loudness(loudness if loudness > SILENCE_LUFS else None, peak if peak > float("-inf") else None)


_FIGURES = (("I", "LUFS"), ("Peak", "dBFS"))


def readings(lines: Iterable[str]) -> Iterator[float]:
    """Yield the momentary loudness from the lines that ffmpeg wrote."""
    yield from (float(line.removeprefix(_READING)) for line in lines if line.startswith(_READING))

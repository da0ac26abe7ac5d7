"""What work costs: memory, disk and time of clips before they are worked on (pure).

Figures in bytes, seconds and pixels; each constant names where it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.models import Codec

if TYPE_CHECKING:
    from mpt_cli.models import MediaInfo, TargetForm

BASE_BYTES = 90 * 2**20
"""What an ffmpeg with one decoder and one encoder thread needs beside its pictures (measured)."""
_LOOKAHEAD = {"ultrafast": 4, "superfast": 6, "veryfast": 18, "faster": 26, "fast": 34, "medium": 44, "slow": 56}
"""Pictures of the target's size that x264 holds, by preset; from peaks at 1080x1920 (performance notes)."""
_MOST_LOOKAHEAD = 64
"""Also what x265 and SVT-AV1 hold with fast presets: 330 to 390 MB in all (measured)."""
_THREAD_PICTURES = 12
_SOURCE_PICTURES = 10
_BYTES_PER_PIXEL_8 = Fraction(3, 2)
_PIXELS_PER_SECOND = 100e6
"""Decoded plus encoded pixels a second of one core at x264 veryfast (benchmark reel, 2 cores)."""
_PRESET_SPEED = {
    "ultrafast": 2.5,
    "superfast": 1.6,
    "veryfast": 1.0,
    "faster": 0.8,
    "fast": 0.6,
    "medium": 0.5,
    "slow": 0.3,
}
_JOIN_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to work with."""

    cores: int
    memory_bytes: int


def concurrency(clip_count: int, machine: Machine, need_bytes: int) -> tuple[int, int]:
    """Clips at a time and encoder threads of each: clips x threads is about cores + 1.

    Two clips with one thread each beat one clip with all threads (CPU 42 s against 47 s, measured),
    so threads are added only where there are fewer clips than cores.
    """
    cores = max(1, machine.cores)
    by_memory = max(1, machine.memory_bytes // max(1, need_bytes))
    jobs = max(1, min(clip_count, cores, by_memory))
    threads = 1 if jobs >= cores else max(1, (cores + 1) // jobs)
    return jobs, min(threads, 16)


def need_bytes(media: MediaInfo, form: TargetForm) -> int:
    """Memory that encoding a clip is predicted to need: decoded pictures, and the encoder's lookahead."""
    video = media.video
    deep = 2 if video.bit_depth > 8 else 1
    source = video.dimensions.pixels * _BYTES_PER_PIXEL_8 * deep * (_SOURCE_PICTURES + form.encoder.threads)
    held = _lookahead(form) + _THREAD_PICTURES * form.encoder.threads
    floats = 12 * form.dimensions.pixels * 4 if video.hdr else 0
    return BASE_BYTES + int(source) + int(form.dimensions.pixels * _BYTES_PER_PIXEL_8 * held) + floats


def disk_bytes(
    form: TargetForm, *, encoded_frames: int, copied_bytes: int, written_bytes: int, seconds: Fraction
) -> tuple[int, int]:
    """Predicted bytes of temporary files and of the output.

    Pictures at 0.12 bits a pixel, which no preset at its usual CRF passes on phone footage; PCM is
    exact. Of what is copied, ``written_bytes`` are also written into segments.
    """
    pictures = int(encoded_frames * form.dimensions.pixels * Fraction(12, 100) / 8)
    sound = int(seconds * form.sample_rate * form.channels * 2)
    return pictures + written_bytes + sound, pictures + copied_bytes + int(seconds * form.audio_bitrate / 8)


def run_seconds(form: TargetForm, jobs: int, *, pixels: int, seconds: Fraction) -> float:
    """Rough wall seconds of a run: pixels to decode and encode at the speed of one core here.

    The join and the proof add a share of the reel's duration. It is a guess for people who decide
    whether to wait; nothing depends on it.
    """
    speed = _PIXELS_PER_SECOND * _PRESET_SPEED.get(_preset(form), 1.0)
    return pixels / (speed * jobs) + _JOIN_SHARE * float(seconds)


def _lookahead(form: TargetForm) -> int:
    if form.encoder.hardware is None and form.encoder.codec is not Codec.H264:
        return _MOST_LOOKAHEAD
    return _LOOKAHEAD.get(_preset(form), _MOST_LOOKAHEAD)


def _preset(form: TargetForm) -> str:
    """The encoder's preset; a device is quick, and holds its pictures in memory of its own."""
    if form.encoder.hardware is not None:
        return "ultrafast"
    return form.encoder.options[form.encoder.options.index("-preset") + 1]

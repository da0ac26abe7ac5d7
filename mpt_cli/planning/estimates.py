"""Estimates: memory, disk and time that clips will cost (pure).

Figures in bytes, seconds and pixels; each constant names where it was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Codec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mpt_cli.model.clips import EncoderSettings, TargetForm
    from mpt_cli.model.media_info import MediaInfo

COPY_BYTES = 45 * 2**20
"""Memory of an ffmpeg that only moves packets, or decodes and encodes audio (measured: 37 MiB)."""
_OWN_BYTES = 75 * 2**20
"""Memory of mpt itself while it waits for clips (measured: 65 to 80 MiB)."""
_BASE_BYTES = 58 * 2**20
"""Memory of an ffmpeg with a decoder and an encoder, without its frames (measured)."""
_THREAD_FRAMES: Mapping[Codec, int] = {Codec.H264: 12, Codec.HEVC: 4, Codec.AV1: 35}
"""Frames that each further thread of an encoder holds (measured with 2 and 4)."""
_SOURCE_FRAMES = 10
_BYTES_PER_PIXEL_8 = Fraction(3, 2)
_PIXELS_PER_SECOND = 100e6
"""Decoded plus encoded pixels a second of one core at x264 veryfast (benchmark reel, 2 cores)."""
_AUDIO_WORK = 1_000_000
"""Work of a second of audio, in pixels: it is decoded at some hundred times real time."""
_START_SECONDS = 0.5
_JOIN_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class _Preset:
    """Memory of an encoder, in frames of the target's size, and its speed relative to x264 veryfast.

    From peaks and CPU times at 720x1280 to 1080x1920 with one thread (ffmpeg 9); presets that were not
    measured are interpolated.
    """

    held: int
    speed: float


_PRESETS: Mapping[Codec, Mapping[str, _Preset]] = {
    Codec.H264: {
        "ultrafast": _Preset(11, 2.0),
        "superfast": _Preset(35, 1.35),
        "veryfast": _Preset(52, 1.0),
        "faster": _Preset(73, 0.75),
        "fast": _Preset(96, 0.6),
        "medium": _Preset(119, 0.5),
        "slow": _Preset(146, 0.35),
        "slower": _Preset(160, 0.2),
    },
    Codec.HEVC: {
        "ultrafast": _Preset(80, 0.75),
        "superfast": _Preset(94, 0.6),
        "veryfast": _Preset(116, 0.45),
        "faster": _Preset(120, 0.42),
        "fast": _Preset(125, 0.38),
        "medium": _Preset(133, 0.28),
        "slow": _Preset(160, 0.15),
    },
    Codec.AV1: {
        "13": _Preset(96, 2.0),
        "12": _Preset(96, 1.9),
        "11": _Preset(96, 1.7),
        "10": _Preset(96, 1.5),
        "9": _Preset(105, 1.25),
        "8": _Preset(113, 1.0),
        "7": _Preset(163, 0.7),
        "6": _Preset(163, 0.5),
        "5": _Preset(180, 0.3),
    },
}
"""By codec and preset, fastest first; the last one also stands for slower ones."""
_HARDWARE = _Preset(11, 2.5)
"""A device is fast, and holds its frames in memory of its own."""
_BITS_PER_PIXEL: Mapping[Codec, tuple[float, int, float]] = {
    Codec.H264: (0.11, 21, 6),
    Codec.HEVC: (0.05, 25, 6),
    Codec.AV1: (0.06, 34, 9),
}
"""Bits per pixel at a CRF, without bars, and the CRF step that halves them. Ten real clips took 0.4 to
2.5 times as many (H.264: 0.03 to 0.16, HEVC 0.01 to 0.11, AV1 0.02 to 0.16)."""
_FAST_H264 = {"ultrafast": 1.8, "superfast": 1.35}
"""Factor of bits that x264 spends at the same CRF in its fastest presets (measured: 1.3 and 1.9)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores and memory of a machine."""

    cores: int
    memory_bytes: int


def concurrency(clip_count: int, machine: Machine, need_bytes: int) -> tuple[int, int]:
    """Return how many clips run at a time, and encoder threads of each: clips x threads is about cores + 1.

    Two clips with one thread each beat one clip with all threads (CPU 42 s against 47 s, measured),
    so threads are added only where there are fewer clips than cores.
    """
    cores = max(1, machine.cores)
    by_memory = max(1, machine.memory_bytes // max(1, need_bytes))
    jobs = max(1, min(clip_count, cores, by_memory))
    threads = 1 if jobs >= cores else max(1, (cores + 1) // jobs)
    return jobs, min(threads, 16)


def audio_work(seconds: Fraction) -> int:
    """Return the work of decoding audio, in pixels."""
    return int(_AUDIO_WORK * seconds)


def need_bytes(media: MediaInfo, form: TargetForm) -> int:
    """Return the memory that encoding a clip is predicted to need: decoded frames, and lookahead of the encoder."""
    video = media.video
    deep = 2 if video.bit_depth > 8 else 1
    source = video.dimensions.pixels * _BYTES_PER_PIXEL_8 * deep * (_SOURCE_FRAMES + form.encoder.threads)
    held = _preset(form.encoder).held + _THREAD_FRAMES[form.encoder.codec] * (form.encoder.threads - 1)
    floats = 12 * form.dimensions.pixels * 4 if video.hdr else 0
    wide = 1 if form.encoder.pixel_format == "yuv420p" else 2
    return _BASE_BYTES + int(source) + int(form.dimensions.pixels * _BYTES_PER_PIXEL_8 * held * wide) + floats


def peak_bytes(needs: Sequence[int], jobs: int) -> int:
    """Return the memory that a run is predicted to need: its largest clips side by side, and mpt itself."""
    return _OWN_BYTES + max(COPY_BYTES, sum(sorted(needs, reverse=True)[:jobs]))


def disk_bytes(
    form: TargetForm,
    *,
    encoded_pixels: int,
    copied_bytes: int,
    written_bytes: int,
    stored_seconds: Fraction,
    seconds: Fraction,
) -> tuple[int, int]:
    """Return the predicted bytes of temporary files and of the output.

    Args:
        form: The target format.
        encoded_pixels: Pixels of all encoded frames, without bars, which cost nothing.
        copied_bytes: Bytes of copied frames in the output.
        written_bytes: Bytes of copied frames that are also written into segments.
        stored_seconds: Seconds of audio that are stored as PCM.
        seconds: Length of the reel.
    """
    pictures = int(encoded_pixels * _bits_per_pixel(form.encoder) / 8)
    sound = int(stored_seconds * form.audio.sample_rate * form.audio.frame_bytes)
    return pictures + written_bytes + sound, pictures + copied_bytes + int(seconds * form.audio.coded_bitrate / 8)


def run_seconds(form: TargetForm, jobs: int, *, pixels: int, seconds: Fraction) -> float:
    """Return roughly the wall seconds of a run: pixels to decode and encode, at the measured speed of one core.

    The join and the proof add a share of the reel's duration. The figure is for people who decide whether
    to wait, on an idle machine; nothing depends on it.
    """
    speed = _PIXELS_PER_SECOND * _preset(form.encoder).speed
    return _START_SECONDS + pixels / (speed * jobs) + _JOIN_SHARE * float(seconds)


def _preset(encoder: EncoderSettings) -> _Preset:
    if encoder.hardware is not None:
        return _HARDWARE
    presets = _PRESETS[encoder.codec]
    return presets.get(encoder.named_options.get("-preset", ""), list(presets.values())[-1])


def _bits_per_pixel(encoder: EncoderSettings) -> float:
    """Return bits per pixel; for hardware, which has other scales, those of the default CRF."""
    bits, usual, halving = _BITS_PER_PIXEL[encoder.codec]
    crf = None if encoder.hardware is not None else encoder.named_options.get("-crf")
    more = _FAST_H264.get(encoder.named_options.get("-preset", ""), 1.0) if encoder.codec is Codec.H264 else 1.0
    return float(bits * more * 2 ** ((usual - int(crf or usual)) / halving))

"""Frames, samples and ticks of a reel, in exact rationals (pure; no float enters or leaves).

Every rule about time stands here once; the docstring of each function gives its derivation.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

from mpt_cli.model.limits import MOST_TICKS

if TYPE_CHECKING:
    from collections.abc import Sequence


SAMPLE_RATE = 48_000
CODEC_PADDING = Fraction(1, 10)
"""Seconds: audio that outlasts the video by less is taken for the padding of its codec."""
AUTO_RATES = tuple(
    sorted(
        Fraction(rate)
        for rate in (
            *range(10, 26),
            *("12000/1001", "25/2", "15000/1001", "24000/1001"),
            *("30000/1001", 30, "48000/1001", 48, 50, "60000/1001", 60),
        )
    )
)
"""Rates that ``auto`` may choose, in order: those of film and television, their halves, and whole ones below them."""
_MICROSECOND = 1_000_000
_LEAST_TICKS = 10_000
_RATE_TOLERANCE = Fraction(1, 1000)


def round_half_up(value: Fraction) -> int:
    """Return the nearest integer, halves upwards (Python's ``round`` goes to the even one)."""
    return floor(value + Fraction(1, 2))


def clip_duration(zero: Fraction, video_end: Fraction, audio_end: Fraction | None) -> Fraction:
    """Return the seconds from ``zero`` to the end of the longer of video and audio.

    Audio that outlasts the video by less than :data:`CODEC_PADDING` does not count.
    """
    end = video_end
    if audio_end is not None and audio_end - video_end >= CODEC_PADDING:
        end = audio_end
    return end - zero


def frame_count(duration: Fraction, frame_rate: Fraction) -> int:
    """Return the number of output frames of a clip: the nearest to its duration, at least one."""
    return max(1, round_half_up(duration * frame_rate))


def sample_boundary(frames: int, frame_rate: Fraction, sample_rate: int = SAMPLE_RATE) -> int:
    """Return the number of samples that belong to the first ``frames`` frames of a reel.

    A clip owns the difference of two boundaries. Rounding each clip by itself would drift: at
    30000/1001 with 31 frames a clip, 1,120 samples in 1,000 clips.
    """
    return round_half_up(frames * sample_rate / frame_rate)


def stored_samples(frames: int, frame_rate: Fraction, sample_rate: int = SAMPLE_RATE) -> int:
    """Return the samples to keep for a clip whose index in the reel is unknown: all it may own, and one to spare."""
    return floor(frames * sample_rate / frame_rate) + 1


def sample_counts(frames: Sequence[int], frame_rate: Fraction, sample_rate: int = SAMPLE_RATE) -> list[int]:
    """Return the number of samples that each clip of a reel owns, from the clips' frames in order."""
    bounds = [sample_boundary(total, frame_rate, sample_rate) for total in accumulate(frames, initial=0)]
    return [end - start for start, end in pairwise(bounds)]


def timescale(frame_rate: Fraction) -> int:
    """Return a number of ticks a second, 10,000 to :data:`MOST_TICKS`, that makes a frame a whole number of ticks.

    30 gives 15,360 and 30000/1001 gives 30,000, as in the common muxers.

    Raises:
        ValueError: The numerator of the rate alone is larger than :data:`MOST_TICKS`.
    """
    scale = frame_rate.numerator
    while scale < _LEAST_TICKS:
        scale *= 2
    if scale > MOST_TICKS:
        raise ValueError(f"no timescale up to {MOST_TICKS} divides {frame_rate}")
    return scale


def ticks_per_frame(frame_rate: Fraction) -> int:
    """Return the duration of a frame in ticks of :func:`timescale`."""
    ticks = timescale(frame_rate) / frame_rate
    return ticks.numerator


def microsecond_durations(frames: Sequence[int], frame_rate: Fraction) -> list[int]:
    """Return the microseconds of each clip for a concat list, as differences of rounded exact ends.

    The list's ``duration`` lines are microseconds. Rounding each clip by itself puts nine frames
    in ten off the grid over 1,000 clips; differences of ends put none off over 3,000.
    """
    ends = [round_half_up(_MICROSECOND * total / frame_rate) for total in accumulate(frames, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def nominal_rate(measured: Fraction) -> Fraction:
    """Return the standard rate (whole, or N x 1000/1001) within half a thousandth of a rate, else the rate itself.

    A rate that is not standard is kept with a denominator of at most 1,001; below one frame a
    second its gap is, because the rate would become zero.
    """
    whole = Fraction(max(1, round(measured)))
    for standard in (whole, whole * Fraction(1000, 1001)):
        if abs(measured - standard) <= standard * _RATE_TOLERANCE / 2:
            return standard
    if measured < 1:
        return 1 / (1 / measured).limit_denominator(1001)
    return measured.limit_denominator(1001)


def average_rate(frames: int, seconds: Fraction) -> Fraction:
    """Return the frames a second of a variable rate, to a thousandth."""
    return Fraction(round(1000 * frames / seconds), 1000)


def auto_rate(rate: Fraction) -> Fraction:
    """Return the rate that ``auto`` chooses for a clip's rate: the nearest of :data:`AUTO_RATES`.

    A rate outside their range is brought into it by a whole factor first, so that its cadence stays
    even: 5 becomes 10, 120 becomes 60.
    """
    rate = nominal_rate(rate)
    if rate < AUTO_RATES[0]:
        rate *= ceil(AUTO_RATES[0] / rate)
    elif rate > AUTO_RATES[-1]:
        rate /= ceil(rate / AUTO_RATES[-1])
    return min(AUTO_RATES, key=lambda standard: abs(standard - rate))


AAC_FRAME = 1024
"""Samples of an AAC packet, and of the priming that ffmpeg's encoder puts first."""

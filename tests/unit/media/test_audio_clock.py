"""A clock of audio packets that drifts or trembles is told from one that is steady, with or without gaps."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.audio.clock import AudioClock

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, SAMPLES, SIZE = 48_000, 1024, 300
PACKETS = 2000


def tremble(late: Callable[[int], float], *, time_base: Fraction = Fraction(1, 90_000), codec: str = "aac") -> float:
    """What is told of packets that are late by so many milliseconds; 0 for a steady clock."""
    clock = AudioClock(codec, time_base)
    for number in range(PACKETS):
        seconds = Fraction(number * SAMPLES, RATE) + Fraction(late(number)) / 1000
        clock.add(round(seconds / time_base), SIZE)
    return float(clock.tremble(RATE, SAMPLES, SIZE) or 0) * 1000


@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 90_000), Fraction(1, 48_000)])
def test_a_steady_clock_is_told_as_such(time_base: Fraction) -> None:
    assert tremble(lambda _: 5, time_base=time_base) == 0


@pytest.mark.parametrize(
    "late",
    [
        lambda n: 500 if n > 900 else 0,
        lambda n: 25 * (n // 20),
        lambda n: -64 if n > 1000 else 0,
        lambda n: 40 if n >= PACKETS - 2 else 0,
        lambda n: n % 2 * 9,
        lambda n: n * 0.005,
    ],
    ids=["a gap", "many gaps", "an overlap", "a gap at the end", "9 ms to and fro", "a drift of 10 ms in all"],
)
def test_gaps_and_what_nobody_hears_are_no_tremble(late: Callable[[int], float]) -> None:
    assert tremble(late) == 0


@pytest.mark.parametrize(
    ("late", "least", "most"),
    [
        (lambda n: 15 * (n * 2 % 13 / 6 - 1), 29, 31),
        (lambda n: 40 * (n % 2 * 2 - 1), 79, 81),
        (lambda n: 15 * (n * 2 % 13 / 6 - 1) + (500 if n > 900 else 0), 29, 61),
        (lambda n: n * 0.02133, 0.1, 1),
        (lambda n: n * -0.02133, 0.1, 1),
        (lambda n: 5000 if n == 700 else 0, 200, 200),
    ],
    ids=["15 ms to and fro", "40 ms to and fro", "with a gap", "a slow clock", "a fast clock", "one wrong time"],
)
def test_a_clock_that_trembles_or_drifts_is_told(late: Callable[[int], float], least: float, most: float) -> None:
    assert least <= tremble(late) <= most


def test_packets_that_hold_other_numbers_of_samples_are_no_drift() -> None:
    assert tremble(lambda n: n * 10) == 0


def test_pcm_is_counted_by_its_bytes() -> None:
    clock = AudioClock("pcm_s16le", Fraction(1, 1000))
    done = 0
    for number in range(500):
        size = (100 + number % 7 * 50) * 4
        clock.add(done * 1000 // 8000, size)
        done += size // 4
    assert clock.tremble(8000, 100, 400) is None


def test_codecs_of_unknown_packets_are_taken_as_they_are() -> None:
    assert tremble(lambda n: 40 * (n % 2), codec="vorbis") == 0

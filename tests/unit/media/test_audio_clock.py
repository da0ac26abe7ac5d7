"""A clock of audio packets that drifts or trembles is told from one that is steady, with or without gaps."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.audio.clock import STEADY, AudioClock

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
    return float(clock.findings(RATE, SAMPLES, SIZE).tremble or 0) * 1000


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
    assert clock.findings(8000, 100, 400) == STEADY


def test_codec_of_uneven_packets_is_counted_by_what_they_decode_to() -> None:
    def found(late: Callable[[int], float]) -> float:
        clock, done = AudioClock("vorbis", Fraction(1, 1000)), 0
        for number in range(500):
            samples = 128 if number % 5 == 0 else 1024
            clock.add(round(done / RATE * 1000 + late(number)), SIZE, samples)
            done += samples
        return float(clock.findings(RATE, 1024, SIZE).tremble or 0) * 1000

    assert found(lambda n: 500 if n > 200 else 0) == 0
    assert found(lambda n: 30 * (n % 2)) == pytest.approx(30, abs=2)
    assert found(lambda n: n * 0.08) > 0


def anchors_of(time: Callable[[float], float]) -> list[tuple[int, float]]:
    """From which packets on audio follows its times, in milliseconds, where packets that begin then are stamped so."""
    clock = AudioClock("aac", Fraction(1, 1000))
    for number in range(PACKETS):
        clock.add(round(time(number * SAMPLES / RATE * 1000)), SIZE)
    return [(packet, when / 1000) for packet, when in clock.findings(RATE, SAMPLES, SIZE).anchors]


@pytest.mark.parametrize(
    ("time", "first"),
    [
        (lambda _: 40, 40),
        (lambda t: t // 300 * 300, 0),
        (lambda t: (t + 150) // 300 * 300, 150),
        (lambda t: t // 300 * 300 if t > 20_000 else t, 0),
        (lambda t: t % 64, 0),
        (lambda t: t % 170, 0),
        (lambda t: min(t, 9000), 0),
        (lambda t: 300 * (t // 300) if t < 20_000 else 20_000 + (t - 20_000) * 0.5 // 300 * 300, 0),
    ],
    ids=["all equal", "bursts", "late bursts", "bursts at the end", "to and fro", "back again", "stuck", "too fast"],
)
def test_packets_with_equal_times_follow_each_other(time: Callable[[float], float], first: float) -> None:
    found = anchors_of(time)
    assert [packet for packet, _ in found] == [0]
    assert found[0][1] == pytest.approx(first, abs=25)


def test_gap_between_bursts_is_one() -> None:
    first, gap = anchors_of(lambda t: (t + (700 if t > 12_000 else 0)) // 300 * 300)
    assert first[1] == pytest.approx(0, abs=25)
    assert gap[1] == pytest.approx(12_700, abs=350)
    assert gap[1] - gap[0] * SAMPLES / RATE * 1000 == pytest.approx(700, abs=25)


@pytest.mark.parametrize(
    "time",
    [
        lambda t: t,
        lambda t: t + (500 if t > 9000 else 0),
        lambda t: t - (280 if t > 9000 else 0),
        lambda t: t + 40 * (round(t / 21.333) % 2 * 2 - 1),
        lambda t: t // 40 * 40,
        lambda t: t + (5000 if 9000 < t < 9021 else 0),
    ],
    ids=["steady", "gap", "overlap", "to and fro", "pairs", "stray"],
)
def test_times_that_lose_little_are_believed(time: Callable[[float], float]) -> None:
    assert not anchors_of(time)

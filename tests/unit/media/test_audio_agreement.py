"""Short pieces of audio are compared: time, level and sides; what shows nothing is no failure."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from mpt_cli.media.audio_agreement import RATE, agreement, piece_samples, reach_samples

PIECE_SAMPLES, REACH_SAMPLES = piece_samples(RATE), reach_samples(RATE)
LENGTH = PIECE_SAMPLES + 2 * REACH_SAMPLES
MS = RATE // 1000
NEAR = 0.005


def noise(seed: int, level: float = 0.2) -> list[float]:
    """Random samples, a little smoothed as sound is."""
    draw = random.Random(seed)
    values = [draw.uniform(-1, 1) for _ in range(LENGTH + 1)]
    return [level * (one + other) / 2 for one, other in pairwise(values)]


def tone(hertz: float, level: float = 0.2) -> list[float]:
    """A steady tone."""
    return [level * math.sin(2 * math.pi * hertz * number / RATE) for number in range(LENGTH)]


def made(source: list[float], *, late: int = 0, gain: float = 1.0) -> list[int]:
    """The piece in the midst of a source, so many samples later, as it is stored."""
    first = REACH_SAMPLES - late
    return [round(32767 * gain * value) for value in source[first : first + PIECE_SAMPLES]]


LEFT, RIGHT, SILENCE = noise(1), noise(2), [0.0] * LENGTH


@pytest.mark.parametrize("late", [0, 1, -1, 4 * MS, -4 * MS])
def test_audio_in_step_agrees(late: int) -> None:
    found = agreement((LEFT, RIGHT), (made(LEFT, late=late), made(RIGHT, late=late)), NEAR)
    assert (found.compared, found.problem) == (True, None)


@pytest.mark.parametrize(("late", "words"), [(10, "+10 ms"), (-10, "-10 ms"), (25, "+25 ms")])
def test_shifted_audio_is_a_problem(late: int, words: str) -> None:
    found = agreement((LEFT, RIGHT), (made(LEFT, late=late * MS), made(RIGHT, late=late * MS)), NEAR)
    assert found.problem == f"is {words} off its time on the left"


def test_one_shifted_side_is_a_problem() -> None:
    found = agreement((LEFT, RIGHT), (made(LEFT), made(RIGHT, late=10 * MS)), NEAR)
    assert found.problem == "is +10 ms off its time on the right"


def test_swapped_sides_are_a_problem() -> None:
    assert agreement((LEFT, RIGHT), (made(RIGHT), made(LEFT)), NEAR).problem == "has left and right swapped"
    steady = tone(500), tone(1000)
    assert agreement(steady, (made(steady[1]), made(steady[0])), NEAR).problem == "has left and right swapped"


def test_silent_side_is_a_problem() -> None:
    assert agreement((LEFT, RIGHT), (made(LEFT), made(SILENCE)), NEAR).problem == "is silent on the right"
    assert agreement((LEFT, RIGHT), (made(SILENCE),) * 2, NEAR).problem == "is silent on the left"


def test_audio_where_the_source_is_silent_is_a_problem() -> None:
    found = agreement((SILENCE, RIGHT), (made(LEFT), made(RIGHT)), NEAR)
    assert found.problem == "has audio where the source is silent on the left"


@pytest.mark.parametrize(("gain", "fine"), [(0.95, True), (1.05, True), (0.84, False), (1.19, False), (0.1, False)])
def test_level_is_compared_to_one_decibel(gain: float, fine: bool) -> None:
    found = agreement((LEFT, RIGHT), (made(LEFT, gain=gain), made(RIGHT, gain=gain)), NEAR)
    assert (found.problem is None) == fine


def test_limiter_may_lower_a_level_but_not_raise_it() -> None:
    def problem(gain: float) -> str | None:
        pieces = made(LEFT, gain=gain), made(RIGHT, gain=gain)
        return agreement((LEFT, RIGHT), pieces, NEAR, limited=True).problem

    assert problem(0.7) is None
    assert problem(1.3) == "is +2.3 dB off its level on the left"


def test_tone_that_is_shifted_by_periods_shows_nothing() -> None:
    steady = tone(500)
    assert agreement((steady,) * 2, (made(steady, late=10 * MS),) * 2, NEAR).problem is None


def test_other_audio_shows_nothing() -> None:
    found = agreement((LEFT, RIGHT), (made(noise(3)), made(noise(4))), NEAR)
    assert (found.compared, found.problem, found.silent) == (False, None, False)


def test_silence_stays_silent() -> None:
    found = agreement((SILENCE,) * 2, (made(SILENCE),) * 2, NEAR)
    assert (found.compared, found.problem, found.silent) == (False, None, True)

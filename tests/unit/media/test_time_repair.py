"""Times of frames that are missing, equal or in disorder, in ticks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from mpt_cli.media.inspect.times.packet_times import PacketTimes, StreamFacts, Timeline
from mpt_cli.media.inspect.times.repair import Repair, film_rate
from mpt_cli.model.frame_times import Timing

MS = Fraction(1, 1000)


def told(*values: object) -> str:
    return ", ".join(map(str, values))


def timeline(
    stamps: list[int | None],
    *,
    base: Fraction = MS,
    duration: int = 0,
    guessed: int | None = None,
    timeless: bool = False,
    reorders: bool = False,
    fields: bool = False,
    **facts: Any,
) -> Timeline:
    times = PacketTimes(base)
    for stamp in stamps:
        times.add(stamp, stamp, duration)
    rate = Fraction(guessed) if guessed else None
    return times.timeline(StreamFacts(guessed_rate=rate, timeless=timeless, reorders=reorders, fields=fields, **facts))


def test_frames_without_any_time_play_at_the_rate_of_the_header() -> None:
    found = timeline([None] * 10, guessed=50)
    assert told(found.repair, found.frame_rate, found.end) == told(Repair.NO_TIMES, 50, Fraction(1, 5))


@pytest.mark.parametrize("guessed", [None, 60_000])
def test_frames_without_time_and_believable_header_play_at_25(guessed: int | None) -> None:
    assert timeline([None] * 10, guessed=guessed).frame_rate == 25


def test_times_of_a_container_without_times_begin_at_zero() -> None:
    found = timeline([40, 80, 120, 160], timeless=True)
    assert told(found.first, found.frame_rate, found.times.timing) == told(0, 25, Timing.COUNTED)


@pytest.mark.parametrize("last", [None, 400])
def test_missing_times_of_an_even_clip_are_counted(last: int | None) -> None:
    found = timeline([200, None, None, None, None, last, None, None], duration=40)
    assert told(found.pictures, found.first, found.end) == told(8, Fraction(1, 5), Fraction(1, 5) + Fraction(8, 25))


def test_first_frames_without_time_come_before_the_first_with_one() -> None:
    found = timeline([None, None, 80, 120, 160, 200], duration=40)
    assert told(found.pictures, found.first, found.repair) == told(6, 0, Repair.MISSING)


def test_missing_times_of_an_uneven_clip_lie_between_their_neighbors() -> None:
    found = timeline([0, 40, None, 5040, 5080, 9000, 9040, 9080], duration=40)
    assert found.times.ticks() == [0, 40, 2540, 5040, 5080, 9000, 9040, 9080]
    assert found.times.timing is Timing.STAMPED


def test_second_fields_without_time_are_no_frames() -> None:
    assert timeline([0, None, 40, None, 80, None], fields=True).pictures == 3


def test_equal_times_alone_play_at_the_rate_of_the_header() -> None:
    found = timeline([7] * 6, guessed=30)
    assert told(found.repair, found.frame_rate, found.times.timing) == told(Repair.EQUAL, 30, Timing.COUNTED)


def test_equal_times_in_an_even_clip_are_counted() -> None:
    found = timeline([0, 40, 40, 120, 160, 200])
    assert told(found.repair, found.frame_rate, found.end) == told(Repair.EQUAL, 25, Fraction(6, 25))


@pytest.mark.parametrize("frames", [149, 150])
@pytest.mark.parametrize("first", [0, 1])
def test_times_that_were_rounded_to_pairs_are_counted_at_the_true_rate(frames: int, first: int) -> None:
    found = timeline([(first + number) * 40 // 80 * 80 for number in range(frames)])
    assert told(found.repair, found.frame_rate, found.pictures) == told(Repair.EQUAL, 25, frames)


def test_equal_times_in_an_uneven_clip_stay() -> None:
    found = timeline([0, 40, 40, 5000, 9000, 9040])
    assert told(found.repair, found.times.timing, found.end) == told(Repair.EQUAL, Timing.STAMPED, Fraction(9080, 1000))


def test_times_in_reverse_are_counted_in_the_order_of_frames() -> None:
    found = timeline([200, 160, 120, 80, 40, 0])
    assert told(found.repair, found.first, found.frame_rate) == told(Repair.DISORDER, 0, 25)
    assert found.times.timing is Timing.COUNTED


def test_reordered_frames_are_in_no_disorder() -> None:
    found = timeline([0, 120, 40, 80, 240, 160, 200], reorders=True)
    assert told(found.repair, found.frame_rate) == told(None, 25)


def test_frames_that_come_in_another_order_than_their_times_are_counted() -> None:
    found = timeline([0, 40, 80, 120], reorders=True, misleads=True, hidden=2)
    assert told(found.repair, found.first, found.pictures, found.end) == told(Repair.DISORDER, 0, 6, Fraction(6, 25))


def test_times_that_no_decoder_reorders_are_in_disorder() -> None:
    times: list[int | None] = [number * 40 + 130 * (number == 5) for number in range(20)]
    found = timeline(times, reorders=True, holds_back=False)
    assert told(found.repair, found.frame_rate, found.pictures) == told(Repair.DISORDER, 25, 20)


@pytest.mark.parametrize(("two", "three", "base"), [(3003, 4504, 90_000), (33, 50, 1000), (2, 3, 60)])
def test_two_and_three_fields_in_turn_are_film(two: int, three: int, base: int) -> None:
    times = [0]
    for number in range(61):
        times.append(times[-1] + (two, three)[number % 2])
    rate = film_rate(times, Fraction(1, base))
    assert rate == (24 if base == 60 else pytest.approx(Fraction(24_000, 1001), rel=1e-2))


def test_an_even_clip_is_no_film() -> None:
    assert film_rate(list(range(0, 4000, 40)), MS) is None


def test_a_variable_rate_is_no_film() -> None:
    assert film_rate([0, 33, 66, 100, 150, 183, 216, 266, 300], MS) is None

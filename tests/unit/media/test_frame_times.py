"""FrameTimes and FrameClock: times of frames are exact, however they are kept and counted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.ffmpeg.frame_clock import FrameClock
from mpt_cli.model.frame_times import FrameTimes, Timing
from tests.builders import media_of

MILLISECOND = Fraction(1, 1000)


def times_of(ticks: list[int], *, base: Fraction = MILLISECOND, timing: Timing, rate: str = "25") -> FrameTimes:
    return FrameTimes.of(ticks, time_base=base, timing=timing, rate=Fraction(rate))


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=50))
def test_timestamps_come_back_as_they_were_kept(ticks: list[int]) -> None:
    ordered = sorted(ticks)
    assert times_of(ordered, timing=Timing.STAMPED).ticks() == ordered


def test_film_in_milliseconds_is_shown_on_its_grid() -> None:
    rate = Fraction(24_000, 1001)
    ticks = [round(1000 * n / rate) for n in range(100)]
    times = times_of(ticks, timing=Timing.GRID, rate=str(rate))
    assert [times.shown_at(n, tick) for n, tick in enumerate(ticks)] == [n / rate for n in range(100)]


def test_frames_that_are_counted_ignore_their_timestamps() -> None:
    times = times_of([7, 7, 7], timing=Timing.COUNTED)
    assert times.last_shown == 7 * MILLISECOND + Fraction(2, 25)


def clock_of(times: FrameTimes, *, origin: str = "0", rate: str = "25") -> FrameClock:
    return FrameClock(replace(media_of(), frame_times=times), Fraction(origin), Fraction(rate))


@pytest.mark.parametrize("origin", ["0", "1/2", "12345/1000", "59857/3"])
@pytest.mark.parametrize("rate", ["24000/1001", "25", "60"])
@pytest.mark.parametrize("base", [Fraction(1, 24), Fraction(1, 1000), Fraction(1, 90_000), Fraction(1001, 30_000)])
def test_clock_divides_every_time_that_occurs(origin: str, rate: str, base: Fraction) -> None:
    ticks = clock_of(times_of([0, 1], base=base, timing=Timing.STAMPED), origin=origin, rate=rate).ticks_per_second
    assert all((ticks * time).denominator == 1 for time in (Fraction(origin), 1 / Fraction(rate), base))
    assert ticks < 2**30


def test_clock_stays_small_where_nothing_divides_all() -> None:
    ticks = clock_of(times_of([0, 1], base=Fraction(1, 999_983), timing=Timing.STAMPED), rate="24000/1001")
    assert ticks.ticks_per_second <= 2**30
    assert (ticks.ticks_per_second * Fraction(1001, 24_000)).denominator == 1

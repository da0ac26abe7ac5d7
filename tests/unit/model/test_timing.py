"""Frames, samples and ticks: exact sums, no drift, and rates that are what they seem."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mpt_cli.model import timing
from mpt_cli.model.limits import MOST_TICKS

NTSC = Fraction(30000, 1001)
RATES = st.sampled_from(  # those that have a timescale
    [Fraction(n) for n in (1, 12, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144, 240)]
    + [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120, 240)]
    + [Fraction(25, 2), Fraction(1000, 33), Fraction(500, 17)]
)
FRAMES = st.lists(st.integers(1, 10_000), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("value", "nearest"), [("1/2", 1), ("3/2", 2), ("-1/2", 0), ("-3/2", -1), ("49/100", 0), ("7", 7)]
)
def test_a_half_is_rounded_upwards(value: str, nearest: int) -> None:
    assert timing.round_half_up(Fraction(value)) == nearest


@pytest.mark.parametrize(
    ("duration", "frames"),
    [("0", 1), ("1/100", 1), ("1", 30), ("61/60", 31), ("1016/1000", 30), ("119/60", 60), ("86400", 2_592_000)],
)
def test_frame_count_is_the_nearest_and_at_least_one(duration: str, frames: int) -> None:
    assert timing.frame_count(Fraction(duration), Fraction(30)) == frames


@pytest.mark.parametrize(
    ("picture_end", "sound_end", "duration"),
    [
        ("5", None, "4"),  # no sound
        ("5", "3", "4"),  # shorter sound
        ("5", "509/100", "4"),  # padding of the codec
        ("5", "51/10", "41/10"),  # exactly a tenth is sound
        ("5", "9", "8"),
    ],
)
def test_duration_is_that_of_the_longer_one_without_padding(
    picture_end: str, sound_end: str | None, duration: str
) -> None:
    end = None if sound_end is None else Fraction(sound_end)
    assert timing.clip_duration(Fraction(1), Fraction(picture_end), end) == Fraction(duration)


@given(FRAMES, RATES, st.sampled_from([44_100, 48_000]))
def test_samples_of_all_clips_sum_to_the_end_of_the_reel(frames: list[int], rate: Fraction, sample_rate: int) -> None:
    counts = timing.sample_counts(frames, rate, sample_rate)
    exact = sum(frames) * sample_rate / rate
    assert sum(counts) == timing.sample_boundary(sum(frames), rate, sample_rate)
    assert abs(sum(counts) - exact) <= Fraction(1, 2)
    assert all(
        0 < got <= timing.stored_samples(own, rate, sample_rate) for got, own in zip(counts, frames, strict=True)
    )


def test_a_thousand_clips_do_not_drift() -> None:
    clips = [31] * 1000
    sound = list(accumulate(timing.sample_counts(clips, NTSC)))
    assert all(abs(have - 31 * k * 48_000 / NTSC) <= Fraction(1, 2) for k, have in enumerate(sound, start=1))
    alone = timing.sample_boundary(31, NTSC)
    assert abs(1000 * alone - 31_000 * 48_000 / NTSC) > 200  # what is avoided here


@given(RATES)
def test_timescale_is_in_range_and_a_frame_is_whole(rate: Fraction) -> None:
    scale = timing.timescale(rate)
    assert 10_000 <= scale <= MOST_TICKS
    assert timing.ticks_per_frame(rate) == scale / rate


@pytest.mark.parametrize(
    ("rate", "scale"),
    [("30", 15_360), ("30000/1001", 30_000), ("25", 12_800), ("120000/1001", 120_000), ("240000/1001", 240_000)],
)
def test_timescale_is_what_common_muxers_take(rate: str, scale: int) -> None:
    assert timing.timescale(Fraction(rate)) == scale


def test_a_rate_that_no_timescale_divides_is_refused() -> None:
    with pytest.raises(ValueError, match="no timescale"):
        timing.timescale(Fraction(240_001, 2000))


@given(FRAMES, RATES)
def test_ends_in_microseconds_are_never_off_by_more_than_half_of_one(frames: list[int], rate: Fraction) -> None:
    ends = accumulate(timing.microsecond_durations(frames, rate))
    for end, total in zip(ends, accumulate(frames), strict=True):
        assert abs(end - 1_000_000 * total / rate) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("measured", "nominal"),
    [
        ("30", "30"),
        ("2997/100", "30000/1001"),
        ("2398/100", "24000/1001"),
        ("23976/1000", "24000/1001"),
        ("5994/100", "60000/1001"),
        ("30001/1000", "30"),
        ("25/2", "25/2"),
        ("1000/33", "1000/33"),
        ("1/2", "1/2"),
        ("1/10", "1/10"),
        ("1/2500", "1/2500"),
        ("3/100000", "3/100000"),
    ],
)
def test_nominal_rate_is_the_standard_one_where_there_is_one_near(measured: str, nominal: str) -> None:
    assert timing.nominal_rate(Fraction(measured)) == Fraction(nominal)


@given(st.fractions(min_value=Fraction(1, 100_000), max_value=1000))
@example(Fraction(1, 2500))
def test_nominal_rate_stays_near_and_above_zero(measured: Fraction) -> None:
    nominal = timing.nominal_rate(measured)
    assert nominal > 0
    assert abs(nominal - measured) <= max(measured / 1000, Fraction(1, 1000))


@pytest.mark.parametrize(
    ("rate", "auto"),
    [
        ("24000/1001", "24000/1001"),
        ("24", "24"),
        ("25", "25"),
        ("30000/1001", "30000/1001"),
        ("48", "48"),
        ("60", "60"),
        ("15", "15"),
        ("10", "10"),
        ("12", "12"),
        ("25/2", "25/2"),
        ("15000/1001", "15000/1001"),
    ],
)
def test_auto_rate_keeps_a_standard_rate(rate: str, auto: str) -> None:
    assert timing.auto_rate(Fraction(rate)) == Fraction(auto)


@pytest.mark.parametrize(
    ("rate", "auto"),
    [
        ("120", "60"),
        ("240", "60"),
        ("144", "48"),
        ("120000/1001", "60000/1001"),
        ("5", "10"),
        ("7", "14"),
        ("1", "10"),
        ("1/10", "10"),
        ("1/2500", "10"),
    ],
)
def test_auto_rate_brings_others_into_range_by_whole_factors(rate: str, auto: str) -> None:
    assert timing.auto_rate(Fraction(rate)) == Fraction(auto)


@pytest.mark.parametrize(
    ("rate", "auto"),
    [
        ("28767/1000", "30000/1001"),
        ("54909/1000", "50"),
        ("1000/33", "30"),
        ("40000/1001", "48000/1001"),
        ("27", "25"),
        ("141/10", "14"),
        ("300803/1001", "50"),
    ],
)
def test_auto_rate_snaps_what_is_not_standard_to_the_nearest(rate: str, auto: str) -> None:
    assert timing.auto_rate(Fraction(rate)) == Fraction(auto)


@given(st.fractions(min_value=Fraction(1, 3600), max_value=10_000))
def test_auto_rate_is_always_a_standard_one_with_a_timescale(rate: Fraction) -> None:
    auto = timing.auto_rate(rate)
    assert auto in timing.AUTO_RATES
    assert 10 <= auto <= 60
    assert 10_000 <= timing.timescale(auto) <= MOST_TICKS

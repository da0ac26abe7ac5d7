"""Find the times of frames whose timestamps are missing, equal or in disorder (pure).

One rule serves them all: frames are never left out for their timestamps. Where those that are there
agree with an even count, the frames are counted: frame n is shown n frames after the first. Where
there are none, the rate is the one that the header names. Only where the rest is uneven are missing
times spread between their neighbors, and frames that share a time are shown one for the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING

from mpt_cli.model.timing import AUTO_RATES, nominal_rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MISSING = -(2**63)
"""Stands for the time of a frame that has none; libav writes it so too."""
MOST_REORDERED = 16
"""Frames that may be decoded before one that is shown before them, in any codec."""
LEAST_GAP = Fraction(1, 2000)
"""Seconds; no camera takes frames that are closer."""
_SAME_TICKS = 4
_LEAST_PAIRS, _FILM_SHARE = 3, Fraction(19, 20)
"""Of neighboring gaps: as many are of two and three fields where film was flagged to be shown as video."""
_STANDARD_PARTS = (1, 1001)
"""Denominators of rates that cameras have."""
_OFF_GRID = Fraction(1, 4)
"""Of a frame: as far from its place an even count may be."""


class Repair(StrEnum):
    """Why times of frames are not those of their packets."""

    NO_TIMES = "no times"
    MISSING = "missing"
    EQUAL = "equal"
    STRAY = "stray"
    DISORDER = "in disorder"


@dataclass(frozen=True, slots=True)
class Count:
    """An even count of frames: the tick of the first, and the rate."""

    first: int
    rate: Fraction


def film_rate(times: Sequence[int], base: Fraction) -> Fraction | None:
    """Return the rate of film whose frames are flagged to last two and three fields in turn, else None.

    Gaps of that kind are neither a variable rate nor that of any of them: 24000/1001 frames a second
    are stored, and shown as 60000/1001 fields.
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    both = [one + other for one, other in pairwise(gaps)]
    if len(both) < _LEAST_PAIRS or min(gaps) <= 0:
        return None
    pair = sorted(both)[len(both) // 2]
    slack = min(5 * _SAME_TICKS, pair // 4)
    fields = [round(Fraction(5 * gap, pair)) for gap in gaps]
    if any(abs(5 * gap - count * pair) > slack for gap, count in zip(gaps, fields, strict=True)):
        return None
    film = [sum(gap) for gap, count in zip(pairwise(gaps), pairwise(fields), strict=True) if set(count) == {2, 3}]
    return nominal_rate(2 * len(film) / (sum(film) * base)) if len(film) >= _FILM_SHARE * len(both) else None


def count_between(times: Sequence[int], base: Fraction, likely: Sequence[Fraction | None]) -> Count | None:
    """Return the even count that the times agree with, given in order of decoding; None where there is none.

    Rates that are likely are tried first. Frames that are decoded before their turn are off their
    place in this order, so a few frames of difference are no disagreement.
    """
    known = [(number, time) for number, time in enumerate(times) if time != MISSING]
    (begin, first), (end, last) = known[0], known[-1]
    average = nominal_rate((end - begin) / ((last - first) * base)) if last > first else None
    for rate in (*likely, average):
        if rate is None:
            continue
        step = 1 / (rate * base)
        places = [(time - first) / step for _, time in known]
        nearest = list(map(round, places))
        early = [place - (number - begin) for (number, _), place in zip(known, nearest, strict=True)]
        even = all(abs(place - near) <= _OFF_GRID for place, near in zip(places, nearest, strict=True))
        if even and len(set(nearest)) == len(nearest) and max(early) - min(early) <= MOST_REORDERED:
            return Count(first - round(begin * step), rate)
    return None


def count_of(ordered: Sequence[int], base: Fraction, likely: Sequence[Fraction | None]) -> Count | None:
    """Return the even count of which no time is a frame away, given in order of showing; else None."""
    for rate in (*likely, *_rates_of(ordered, base)):
        if rate is None:
            continue
        step = 1 / (rate * base)
        if all(abs(time - ordered[0] - number * step) <= step for number, time in enumerate(ordered)):
            return Count(ordered[0], rate)
    return None


def _rates_of(ordered: Sequence[int], base: Fraction) -> Iterator[Fraction]:
    """Yield the rates that times may have: of equal ones the last may stand for later ones, or the first for earlier.

    So 25 frames a second whose times were rounded to 80 ms are 25, and not the 25.17 of their first and last times.
    """
    span = (ordered[-1] - ordered[0]) * base
    if not span:
        return
    gaps = [gap for earlier, later in pairwise(ordered) if (gap := later - earlier)]
    average, group = (len(ordered) - 1) / span, median_low(gaps) * base
    if len(gaps) < len(ordered) - 1:
        even = nominal_rate(len(ordered) / (span + group))
        if even.denominator in _STANDARD_PARTS:
            yield even
        least, most = ((len(ordered) - 1) / length for length in (span + group, max(span - group, span / 2)))
        yield from sorted((rate for rate in AUTO_RATES if least <= rate <= most), key=lambda rate: abs(rate - average))
    yield nominal_rate(average)


def spread(times: Sequence[int], step: int) -> list[int]:
    """Return the times, in order of decoding, with missing ones spread evenly between their neighbors."""
    known = [number for number, time in enumerate(times) if time != MISSING]
    found = list(times)
    found[: known[0]] = [times[known[0]] - step * (known[0] - number) for number in range(known[0])]
    for begin, end in pairwise(known):
        gap = times[end] - times[begin]
        found[begin + 1 : end] = [times[begin] + gap * k // (end - begin) for k in range(1, end - begin)]
    found[known[-1] + 1 :] = [times[known[-1]] + step * k for k in range(1, len(times) - known[-1])]
    return found

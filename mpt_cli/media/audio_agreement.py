"""Comparison of short pieces of audio: offset, level and channels (pure).

In plain Python: a piece takes 1 ms, as most are decided by a look at a few lags. To import numpy
takes a hundred times as long in each process that opens files (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, combinations
from math import log10, sqrt
from operator import mul
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Samples = Sequence[float]

RATE = 48_000
_COARSE_RATE = 8000
"""Rate of all comparisons of time, for which samples are summed: an offset of a sample leaves them alike."""
_NEAR = 5
"""Steps in which most pieces agree: 0.6 ms, the rounding of clocks in milliseconds."""
_BETTER = 1 + 1e-6
_SAME, _CLEARLY = 0.8, 0.2
"""Correlation of equal pieces, and the margin by which a better one is clearly better."""
_SILENT, _AUDIBLE = 0.003, 0.012
"""Levels (root of the mean square): -50 and -38 dB of full scale."""
_MOST_DECIBELS, _FULL_SCALE = 1.0, 32_768
_SIDES = {"FL": "left", "FR": "right"}
"""Words for the channels of stereo."""


def piece_samples(rate: int) -> int:
    """Return the samples of a piece: a tenth of a second."""
    return rate // 10


def reach_samples(rate: int) -> int:
    """Return how many samples more the source has on each side: a shift by less than that is found."""
    return rate * 6 // 100


@dataclass(frozen=True, slots=True)
class Agreement:
    """Result of a comparison.

    Attributes:
        compared: True if anything could be compared.
        problem: Text about a difference, or None.
        silent: True if both are silent.
    """

    compared: bool
    problem: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    """Best match of a processed side in the source: correlation, and its lag in steps."""

    correlation: float
    lag: int


def agreement(
    source: Sequence[Samples],
    made: Sequence[Samples],
    tolerance_seconds: float,
    *,
    limited: bool = False,
    rate: int = RATE,
    channels: Sequence[str] = ("FL", "FR"),
    full_scale: float = _FULL_SCALE,
) -> Agreement:
    """Compare a processed piece with the source around it, which begins :func:`reach_samples` earlier.

    A piece that is equal after a shift of one period is not shifted: a steady tone proves no offset.

    Args:
        source: Samples of each channel of the source, from -1 to 1.
        made: Samples of each channel of the processed piece.
        tolerance_seconds: Largest offset that counts as none.
        limited: True for audio whose peaks a limiter may have lowered.
        rate: Samples per second.
        channels: Names of the channels.
        full_scale: Value of a processed sample that is 1 in the source.

    Returns:
        The result.
    """
    sides = [_Side(*pair, rate, full_scale) for pair in zip(source, made, strict=True)]
    names = [_SIDES.get(name, name) if len(channels) == 2 else name for name in channels]
    others: list[Agreement | None] = []
    findings = [side.finding(_NEAR, limited=limited) for side in sides]
    if all(found is not None and found.problem is None for found in findings):
        return _joined(findings)
    tolerance = max(_NEAR, round(tolerance_seconds * rate / max(1, rate // _COARSE_RATE)))
    for one, other in combinations(range(len(sides)), 2):
        if _are_swapped((sides[one], sides[other]), tolerance):
            return Agreement(compared=True, problem=f"has {names[one]} and {names[other]} swapped")
    for name, side in zip(names, sides, strict=True):
        found = side.finding(tolerance, limited=limited) or side.shift(tolerance)
        if found.problem is not None:
            where = f" on the {name}" if len(names) == 2 else f" on {name}" if len(names) > 2 else ""
            return Agreement(compared=True, problem=f"{found.problem}{where}")
        others.append(found)
    return _joined(others)


def _joined(findings: Iterable[Agreement | None]) -> Agreement:
    known = [found for found in findings if found is not None]
    return Agreement(any(found.compared for found in known), silent=all(found.silent for found in known))


class _Side:
    """One side of the source, and the same side of the processed piece."""

    def __init__(self, source: Samples, made: Samples, rate: int, full_scale: float) -> None:
        self._source, self._made_level, self._rate = source, _level(made) / full_scale, rate
        self._step, self._reach = max(1, rate // _COARSE_RATE), reach_samples(rate)
        self.made = _coarse(made, self._step)

    def finding(self, tolerance: int, *, limited: bool) -> Agreement | None:
        """Return the result if an offset of at most ``tolerance`` steps explains it; else None."""
        levels = [self._source_level(lag) for lag in ((-tolerance, 0, tolerance) if tolerance > _NEAR else (0,))]
        if self._made_level < _SILENT:
            missing = "is silent" if min(levels) > _AUDIBLE else None
            return Agreement(compared=False, problem=missing, silent=max(levels) < _SILENT)
        if max(levels) < _SILENT and self._made_level > _AUDIBLE:
            return Agreement(compared=False, problem="has audio where the source is silent")
        if max(levels) < _AUDIBLE:
            return Agreement(compared=False)
        match = self.match(self.made, tolerance)
        if match.correlation < _SAME:
            return None
        decibels = 20 * log10(self._made_level / max(self._source_level(match.lag), 1e-6))
        off = decibels > _MOST_DECIBELS or (decibels < -_MOST_DECIBELS and not limited)
        return Agreement(compared=True, problem=f"is {decibels:+.1f} dB off its level" if off else None)

    def shift(self, tolerance: int) -> Agreement:
        """Return a result with the offset of the side, where that is clear."""
        near, best = self.match(self.made, tolerance), self.match(self.made, self._reach // self._step)
        if best.correlation < max(_SAME, near.correlation + _CLEARLY):
            return Agreement(compared=False)
        return Agreement(compared=True, problem=f"is {-best.lag * 1000 * self._step / self._rate:+.0f} ms off its time")

    def match(self, made: list[float], reach: int) -> _Match:
        """Return the best match of a processed side in this one of the source."""
        energy, best = sum(map(mul, made, made)), _Match(0.0, 0)
        first, end = self._reach - reach * self._step, self._reach + (len(made) + reach) * self._step
        around = _coarse(self._source[first:end], self._step)
        energies = list(accumulate(map(mul, around, around), initial=0.0))
        for lag in sorted(range(-reach, reach + 1), key=abs):
            first = reach + lag
            both = energy * (energies[first + len(made)] - energies[first])
            product = sum(map(mul, around[first : first + len(made)], made))
            if product > best.correlation * sqrt(both) * _BETTER:
                best = _Match(product / sqrt(both), lag)
        return best

    def _source_level(self, lag: int) -> float:
        first = self._reach + lag * self._step
        return _level(self._source[first : first + len(self.made) * self._step])


def _are_swapped(sides: Sequence[_Side], tolerance: int) -> bool:
    left, right = sides
    straight = max(left.match(left.made, tolerance).correlation, right.match(right.made, tolerance).correlation)
    crossed = min(left.match(right.made, tolerance).correlation, right.match(left.made, tolerance).correlation)
    return crossed >= _SAME and straight <= crossed - _CLEARLY


def _coarse(samples: Samples, step: int) -> list[float]:
    return list(map(sum, zip(*[iter(samples)] * step, strict=False)))


def _level(samples: Samples) -> float:
    return sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0

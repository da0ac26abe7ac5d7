"""Comparison of short pieces of stereo audio: offset, level and sides (pure).

In plain Python: a piece takes 1 ms, as most are decided by a look at a few lags. To import numpy
takes a hundred times as long in each process that opens files (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import log10, sqrt
from operator import mul
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Samples = Sequence[float]
    Stereo = tuple[Samples, Samples]

RATE = 48_000
PIECE_SAMPLES = RATE // 10
REACH_SAMPLES = RATE * 6 // 100
"""Samples that the source has more on each side: a shift by less than that is found."""
_STEP = 6
"""Samples that are summed to one for all comparisons of time: 8 kHz, which an offset of a sample leaves alike."""
_NEAR = 5
"""Steps in which most pieces agree: 0.6 ms, the rounding of clocks in milliseconds."""
_BETTER = 1 + 1e-6
_SAME, _CLEARLY = 0.8, 0.2
"""Correlation of equal pieces, and the margin by which a better one is clearly better."""
_SILENT, _AUDIBLE = 0.003, 0.012
"""Levels (root of the mean square): -50 and -38 dB of full scale."""
_MOST_DECIBELS, _FULL_SCALE = 1.0, 32_768
_SIDES = ("left", "right")


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


def agreement(source: Stereo, made: Stereo, tolerance_seconds: float, *, limited: bool = False) -> Agreement:
    """Compare a processed piece with the source around it, which begins :data:`REACH_SAMPLES` earlier.

    A piece that is equal after a shift of one period is not shifted: a steady tone proves no offset.

    Args:
        source: Left and right samples of the source, from -1 to 1.
        made: Left and right samples of the processed piece, 16 bits.
        tolerance_seconds: Largest offset that counts as none.
        limited: True for audio whose peaks a limiter may have lowered.

    Returns:
        The result.
    """
    sides = [_Side(source[number], made[number]) for number in (0, 1)]
    findings = [side.finding(_NEAR, limited=limited) for side in sides]
    if all(found is not None and found.problem is None for found in findings):
        return _joined(findings)
    tolerance = max(_NEAR, round(tolerance_seconds * RATE / _STEP))
    if _are_swapped(sides, tolerance):
        return Agreement(compared=True, problem="has left and right swapped")
    for name, side in zip(_SIDES, sides, strict=True):
        found = side.finding(tolerance, limited=limited) or side.shift(tolerance)
        if found.problem is not None:
            return Agreement(compared=True, problem=f"{found.problem} on the {name}")
        findings.append(found)
    return _joined(findings[2:])


def _joined(findings: Iterable[Agreement | None]) -> Agreement:
    known = [found for found in findings if found is not None]
    return Agreement(any(found.compared for found in known), silent=all(found.silent for found in known))


class _Side:
    """One side of the source, and the same side of the processed piece."""

    def __init__(self, source: Samples, made: Samples) -> None:
        self._source, self._made_level = source, _level(made) / _FULL_SCALE
        self.made = _coarse(made)

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
        near, best = self.match(self.made, tolerance), self.match(self.made, REACH_SAMPLES // _STEP)
        if best.correlation < max(_SAME, near.correlation + _CLEARLY):
            return Agreement(compared=False)
        return Agreement(compared=True, problem=f"is {-best.lag * 1000 * _STEP / RATE:+.0f} ms off its time")

    def match(self, made: list[float], reach: int) -> _Match:
        """Return the best match of a processed side in this one of the source."""
        energy, best = sum(map(mul, made, made)), _Match(0.0, 0)
        around = _coarse(self._source[REACH_SAMPLES - reach * _STEP : REACH_SAMPLES + (len(made) + reach) * _STEP])
        energies = list(accumulate(map(mul, around, around), initial=0.0))
        for lag in sorted(range(-reach, reach + 1), key=abs):
            first = reach + lag
            both = energy * (energies[first + len(made)] - energies[first])
            product = sum(map(mul, around[first : first + len(made)], made))
            if product > best.correlation * sqrt(both) * _BETTER:
                best = _Match(product / sqrt(both), lag)
        return best

    def _source_level(self, lag: int) -> float:
        first = REACH_SAMPLES + lag * _STEP
        return _level(self._source[first : first + len(self.made) * _STEP])


def _are_swapped(sides: Sequence[_Side], tolerance: int) -> bool:
    left, right = sides
    straight = max(left.match(left.made, tolerance).correlation, right.match(right.made, tolerance).correlation)
    crossed = min(left.match(right.made, tolerance).correlation, right.match(left.made, tolerance).correlation)
    return crossed >= _SAME and straight <= crossed - _CLEARLY


def _coarse(samples: Samples) -> list[float]:
    return list(map(sum, zip(*[iter(samples)] * _STEP, strict=False)))


def _level(samples: Samples) -> float:
    return sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0

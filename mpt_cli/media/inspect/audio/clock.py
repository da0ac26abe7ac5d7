"""Tell whether the packets of an audio track come when the samples before them end."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import accumulate, pairwise, repeat
from operator import sub

_MICROSECOND = 1_000_000
_NOTICED = 20_000
"""Microseconds by which audio may be late before silence is put in (or early, before some is left out)."""
_EVEN = 2_000
_STAYS = 16
"""So many packets a gap must last to be one; what comes back earlier is a clock that trembles."""
_BLOCK = 32
_WORST = 200_000
"""A clock that trembles more is not followed: most likely some times are wrong."""
_MOST_DRIFT = 10_000
"""Microseconds a second; no clock is so wrong: packets do not hold as many samples as was thought."""
_FIXED = frozenset({
    "aac", "aac_latm", "ac3", "eac3", "mp1", "mp2", "mp3", "opus", "alac", "amrnb", "amrwb", "wmav1", "wmav2"
})  # fmt: skip
"""Codecs of which each packet holds as many samples as another."""


class AudioClock:
    """Times and sizes of the packets of a track."""

    def __init__(self, codec: str, time_base: Fraction) -> None:
        """Start with none."""
        self._is_pcm, self._is_fixed = codec.startswith("pcm_"), codec in _FIXED
        self._time_base = time_base
        self._ticks, self._bytes = array("q"), array("q")

    def add(self, ticks: int, size: int) -> None:
        """Note the time of a packet, after the moves of the clock of its file."""
        if self._is_pcm or self._is_fixed:
            self._ticks.append(ticks)
            self._bytes.append(size)

    def tremble(self, sample_rate: int, samples: int, size: int) -> Fraction | None:
        """Return by how many seconds packets come too late and too early, where silence would be put between them.

        None for a clock that keeps step with its samples, but for real gaps: most do. ``samples`` are those of
        a packet of ``size`` bytes.
        """
        if len(self._ticks) < _STAYS or not samples or not size or self._is_even(sample_rate, samples, size):
            return None
        late = _without_gaps(self._lateness(sample_rate, samples, size))
        seconds = Fraction(samples * len(late), sample_rate)
        if max(late) - min(late) <= _NOTICED or abs(late[-1] - late[0]) > _MOST_DRIFT * seconds:
            return None
        blocks = [late[begin : begin + _BLOCK] for begin in range(0, len(late), _BLOCK)]
        return Fraction(min(_WORST, max(max(block) - min(block) for block in blocks)), _MICROSECOND)

    def _is_even(self, sample_rate: int, samples: int, size: int) -> bool:
        """Whether the times are nearly an even row, as most are: a look that costs nothing."""
        if self._is_pcm and set(self._bytes[:-1]) != {size}:
            return False
        gaps: list[int] = list(map(sub, self._ticks[1:], self._ticks))
        most = Fraction(_EVEN, _MICROSECOND) / self._time_base
        drift = sum(gaps) * self._time_base - Fraction(len(gaps) * samples, sample_rate)
        return bool(max(gaps) - min(gaps) <= most and abs(drift) * _MICROSECOND <= _EVEN)

    def _lateness(self, sample_rate: int, samples: int, size: int) -> list[int]:
        """Return how much later each packet comes than the samples before it end, in microseconds."""
        per_tick = self._time_base * _MICROSECOND
        if self._is_pcm:
            before = accumulate((each * samples // size for each in self._bytes), initial=0)
        else:
            before = accumulate(repeat(samples, len(self._ticks)), initial=0)
        return [
            ticks * per_tick.numerator // per_tick.denominator - done * _MICROSECOND // sample_rate
            for ticks, done in zip(self._ticks, before, strict=False)
        ]


def _without_gaps(late: list[int]) -> list[int]:
    """Return the same without the steps that stay: audio that is really missing, or there twice."""
    moved, steps = 0, [late[0]]
    for number, (before, now) in enumerate(pairwise(late), 1):
        step = now - before
        if abs(step) > _NOTICED:
            earlier, later = late[max(0, number - _STAYS) : number], late[number : number + _STAYS]
            if min(later) - max(earlier) > _NOTICED or max(later) - min(earlier) < -_NOTICED:
                moved += step
        steps.append(now - moved)
    return steps

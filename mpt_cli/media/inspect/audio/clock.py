"""Tell whether the packets of an audio track come when the samples before them end."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise, repeat
from operator import sub
from typing import TYPE_CHECKING

from mpt_cli.media.inspect.audio.anchors import anchors
from mpt_cli.media.inspect.times.repair import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mpt_cli.media.inspect.audio.anchors import Anchors

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
_BY_BYTES = ("pcm_", "adpcm_")
"""Codecs of which each packet holds as many samples for its bytes as another."""
_FIXED = frozenset({
    "aac", "aac_latm", "ac3", "eac3", "mp1", "mp2", "mp3", "opus", "alac", "amrnb", "amrwb", "wmav1", "wmav2",
    "flac", "tta", "wavpack", "dts", "truehd", "mlp",
})  # fmt: skip
"""Codecs of which each packet holds as many samples as another; packets of all others are decoded to count them."""


@dataclass(frozen=True, slots=True)
class ClockFindings:
    """What is wrong with the times of a track, if anything.

    Attributes:
        tremble: By how many seconds packets come too late and too early, where silence would be put between them.
        anchors: Where audio follows its times, where those in between are wrong.
        begins: When the packets begin by the samples before them; only where there are anchors.
    """

    tremble: Fraction | None = None
    anchors: Anchors = ()
    begins: tuple[int, ...] = ()

    def time_of(self, packet: int) -> int:
        """Return when a packet is heard, in microseconds; the number of packets for the end."""
        number, time = max(anchor for anchor in self.anchors if anchor[0] <= packet)
        return time + self.begins[packet] - self.begins[number]


STEADY = ClockFindings()


class AudioClock:
    """Times and sizes of the packets of a track."""

    def __init__(self, codec: str, time_base: Fraction) -> None:
        """Start with none."""
        self._by_bytes = codec.startswith(_BY_BYTES)
        self.is_decoded = not self._by_bytes and codec not in _FIXED
        """Whether each packet must be decoded to know how many samples it holds."""
        self._time_base = time_base
        self._ticks, self._bytes, self._decoded = array("q"), array("q"), array("q")
        self._missing = 0

    def __len__(self) -> int:
        """Return the number of packets."""
        return len(self._ticks)

    @property
    def size(self) -> int:
        """Bytes of all packets."""
        return sum(self._bytes)

    def add(self, ticks: int | None, size: int, samples: int = 0) -> None:
        """Note the time of a packet, after the moves of the clock of its file, and how many samples it decodes to."""
        self._missing += ticks is None
        self._ticks.append(MISSING if ticks is None else ticks)
        self._bytes.append(size)
        if self.is_decoded:
            self._decoded.append(samples)

    def findings(self, sample_rate: int, samples: int, size: int) -> ClockFindings:
        """Return what is wrong with the clock; most keep step with their samples, but for real gaps.

        ``samples`` are those of a packet of ``size`` bytes.
        """
        known = len(self) - self._missing
        if known < 2 or not samples or not size or self._is_even(sample_rate, samples, size):
            return STEADY
        begins = [done * _MICROSECOND // sample_rate for done in accumulate(self._counts(samples, size), initial=0)]
        per_tick = self._time_base * _MICROSECOND
        up, down = per_tick.numerator, per_tick.denominator
        times = [MISSING if ticks == MISSING else ticks * up // down for ticks in self._ticks]
        if found := anchors(times, begins):
            return ClockFindings(anchors=found, begins=tuple(begins))
        late = [time - begin for time, begin in zip(times, begins, strict=False) if time != MISSING]
        return ClockFindings(_tremble(late, begins[-1])) if known >= _STAYS else STEADY

    def _is_even(self, sample_rate: int, samples: int, size: int) -> bool:
        """Return whether the times are nearly an even row, as most are: a look that costs nothing."""
        if self._missing or self.is_decoded or (self._by_bytes and set(self._bytes[:-1]) != {size}):
            return False
        gaps: list[int] = list(map(sub, self._ticks[1:], self._ticks))
        most = Fraction(_EVEN, _MICROSECOND) / self._time_base
        drift = sum(gaps) * self._time_base - Fraction(len(gaps) * samples, sample_rate)
        return bool(max(gaps) - min(gaps) <= most and abs(drift) * _MICROSECOND <= _EVEN)

    def _counts(self, samples: int, size: int) -> Iterable[int]:
        """Return how many samples each packet holds."""
        if self.is_decoded:
            return self._decoded
        return (each * samples // size for each in self._bytes) if self._by_bytes else repeat(samples, len(self))


def _tremble(late: list[int], length: int) -> Fraction | None:
    """Return by how many seconds packets come too late and too early; None for a steady clock."""
    late = _without_gaps(late)
    if max(late) - min(late) <= _NOTICED or abs(late[-1] - late[0]) * _MICROSECOND > _MOST_DRIFT * length:
        return None
    blocks = [late[begin : begin + _BLOCK] for begin in range(0, len(late), _BLOCK)]
    return Fraction(min(_WORST, max(max(block) - min(block) for block in blocks)), _MICROSECOND)


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

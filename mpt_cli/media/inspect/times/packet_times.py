"""When the pictures of a stream are shown, from the timestamps of its packets (pure)."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from statistics import median_low
from typing import TYPE_CHECKING

from mpt_cli.media.inspect.times.repair import (
    LEAST_GAP,
    MISSING,
    MOST_REORDERED,
    Count,
    Repair,
    count_between,
    count_of,
    film_rate,
    spread,
)
from mpt_cli.model.cut_points import CutPoints
from mpt_cli.model.frame_times import FrameTimes, Timing, nearest_index
from mpt_cli.model.timing import nominal_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FALLBACK_RATE = Fraction(25)
_HIGHEST_GUESS = 240
_SNAP = Fraction(1, 2000)
_FIELDS_SHARE = 3
"""Of all packets at least that part are second fields, where a packet is a field."""
_LEAST_HOLD, _MOST_HOLD = Fraction(5), 10
"""A last frame lasts as long as others where its packet says more seconds, and that many times the longest gap."""
_JITTER_TICKS = 2
_JITTER_SHARE = Fraction(1, 10)
"""Gaps that differ from the usual one by at most this much are the same gap, written coarsely."""
_OFF_GRID_SHARE = Fraction(1, 4)
"""Of a frame: as far from the grid, and no farther, a picture is still nearest to its own place on it."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Pictures of a stream: how many, from when to when (seconds in the file's clock), how evenly."""

    pictures: int
    first: Fraction
    last: Fraction
    end: Fraction
    frame_rate: Fraction
    variable: bool
    on_grid: bool
    """Whether some grid of the rate has every picture within two ticks of its place, none missing."""
    exact: bool
    """Whether nothing need be rounded: shown and decoded from the first on in steps of a frame, to half a tick."""
    delay: int
    """How many pictures, at most, are stored before one that is shown before them."""
    times: FrameTimes
    """When each of them is shown, from the first that decodes on."""
    told_end: Fraction | None = None
    """When the last frame ends by its packet, where that is beyond belief."""
    repair: Repair | None = None
    """What was wrong with the timestamps, where something was."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream besides the timestamps of its packets."""

    first_shown: Fraction | None = None
    """Timestamp of the first frame that really decoded."""
    guessed_rate: Fraction | None = None
    """What libav makes of the header."""
    timeless: bool = False
    """Whether its container stores no times: what libav gives for them says where frames are in a row, at best."""
    reorders: bool = True
    """Whether its codec may store frames in another order than that of showing."""
    holds_back: bool = True
    """Whether its decoder holds frames back for those that are stored behind them and shown before."""
    misleads: bool = False
    """Whether frames come out of the decoder in another order than that of their timestamps."""
    hidden: int = 0
    """Frames before the first one that are hidden for such a timestamp, and shown."""
    in_stored_order: bool = False
    """Whether timestamps only say in which order frames are stored, which is not that of showing (B-frames in AVI)."""
    fields: bool = False
    """Whether a packet may be a field, the second of which has no time of its own."""
    joints: tuple[Fraction, ...] = ()
    """Where another piece of the recording begins, in seconds: as far behind the last frame as its audio went on."""


_LONG = 4


class PacketTimes:
    """Collects the timestamps of one stream; 16 bytes a packet, so that 24 hours fit."""

    def __init__(self, time_base: Fraction) -> None:
        """Start empty."""
        self.time_base = time_base
        self._times = array("q")
        self._decode_times = array("q")
        self._durations: dict[int, int] = {}
        self._has_pts = True
        self._missing = self._strays = 0
        self._last: int | None = None
        self._last_duration = 0

    def add(self, pts: int | None, dts: int | None, duration: int | None) -> None:
        """Note one shown frame. AVI has no pts for frames out of order: there dts must serve."""
        time = pts if pts is not None else dts
        duration = duration or 0
        self._durations[duration] = self._durations.get(duration, 0) + 1
        if time is None:
            self._missing += 1
            self._times.append(MISSING)
            return
        self._has_pts = self._has_pts and pts is not None
        self._times.append(time)
        if dts is not None:
            self._decode_times.append(dts)
        if self._last is None or time >= self._last:
            self._last, self._last_duration = time, duration

    def add_stray(self, duration: int | None) -> None:
        """Note one shown frame whose time is that of no other near it."""
        self._strays += 1
        self.add(None, None, duration)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._times)

    @property
    def has_pts(self) -> bool:
        """Whether every frame so far says when it is shown."""
        return self._has_pts and not self._missing

    @property
    def long_last(self) -> int | None:
        """The time of the last frame, where it is to be shown for much longer than all others; else None."""
        common = max(self._durations, key=self._durations.__getitem__, default=0)
        least = max(Fraction(_LONG * common), 1 / self.time_base)
        return self._last if self._has_pts and self._last_duration > least else None

    def forget_last_duration(self) -> None:
        """Let the last frame last as long as others: it does not decode, so that its packet says nothing."""
        self._last_duration = 0

    @property
    def ascend(self) -> bool:
        """Whether every frame is shown later than those that are stored before it, as without reordering."""
        return self.has_pts and all(earlier < later for earlier, later in itertools.pairwise(self._times))

    def before(self, tick: int) -> list[int]:
        """Return the times of frames that are shown before this one."""
        return [time for time in self._times if MISSING < time < tick]

    def cut_points(self, keyframes: Sequence[int]) -> CutPoints | None:
        """Return where a part can be copied out of the stream; None where frames have no times of their own.

        Args:
            keyframes: Times of the frames at which decoding can begin.
        """
        if not self.has_pts or not len(self):
            return None
        if self.ascend:
            return CutPoints.of([bisect_left(self._times, time) for time in sorted(set(keyframes))], None)
        shown = sorted(self._times)
        latest = itertools.accumulate(self._times, max)
        ends = [number for number, (late, time) in enumerate(zip(latest, shown, strict=True), 1) if late == time]
        open_at = {0, *ends}
        starts = (bisect_left(shown, time) for time in sorted(set(keyframes)))
        return CutPoints.of([at for at in starts if at in open_at and self._times[at] == shown[at]], ends)

    def timeline(self, facts: StreamFacts) -> Timeline:
        """Return the timeline. The last frame lasts its packet's duration, else the usual gap."""
        if facts.fields and self._missing * _FIELDS_SHARE >= len(self):
            self._leave_out_second_fields()
        times = sorted(self._times)[self._missing :]
        least = max(1, floor(LEAST_GAP / self.time_base))
        gaps = [gap for earlier, later in itertools.pairwise(times) if (gap := later - earlier) >= least]
        rate = _rate(times, gaps, self.time_base, facts.guessed_rate)
        repair = self._repair(times, gaps, facts)
        if (count := self._count(times, rate, repair, facts)) is not None:
            in_row = repair is None and facts.in_stored_order and not facts.holds_back
            return self._counted(count, repair, facts, on_grid=in_row and _is_near_grid(times, self.time_base, rate))
        if self._missing:
            usual = median_low(gaps) if gaps else round(1 / (rate * self.time_base))
            times = sorted(spread(self._times, usual))
        return self._stamped(times, gaps, rate, repair, facts)

    def _leave_out_second_fields(self) -> None:
        self._times = array("q", (time for time in self._times if time != MISSING))
        self._missing = 0

    def _repair(self, times: list[int], gaps: list[int], facts: StreamFacts) -> Repair | None:
        """Return what is wrong with the timestamps; None where each frame has its own, in order."""
        if facts.timeless or not times:
            return Repair.NO_TIMES
        if self._missing:
            return Repair.STRAY if self._strays else Repair.MISSING
        if len(gaps) < len(times) - 1:
            return Repair.EQUAL
        delay = self._delay(times)
        if facts.misleads or delay > (MOST_REORDERED if facts.reorders else 0):
            return Repair.DISORDER
        in_disorder = delay and not facts.holds_back and count_of(times, self.time_base, (facts.guessed_rate,))
        return Repair.DISORDER if in_disorder else None

    def _count(self, times: list[int], rate: Fraction, repair: Repair | None, facts: StreamFacts) -> Count | None:
        """Return the even count that takes the place of the timestamps; None where they stay."""
        base = self.time_base
        film = film_rate(times, base)
        match repair:
            case Repair.NO_TIMES:
                return Count(0, film or rate)
            case Repair.MISSING | Repair.STRAY:
                usual = max(self._durations, key=lambda duration: self._durations[duration])
                stored = nominal_rate(1 / (usual * base)) if usual else None
                count = count_between(self._times, base, (stored, facts.guessed_rate))
                return count or (Count(times[0], rate) if self._strays else None)
            case Repair.EQUAL if times[0] == times[-1]:
                return Count(times[0], rate)
            case Repair.EQUAL:
                return count_of(times, base, (facts.guessed_rate,))
            case Repair.DISORDER:
                return count_of(times, base, (facts.guessed_rate,)) or Count(times[0], rate)
            case None if facts.in_stored_order:
                return count_of(times, base, (facts.guessed_rate,))
        return count_of(times, base, (film,)) if film else None

    def _counted(self, count: Count, repair: Repair | None, facts: StreamFacts, *, on_grid: bool) -> Timeline:
        base, frames, first, rate = self.time_base, len(self) + facts.hidden, count.first, count.rate
        step = 1 / (rate * base)
        if repair is not Repair.NO_TIMES and repair is not Repair.DISORDER and facts.first_shown is not None:
            lost = min(max(0, round((facts.first_shown / base - first) / step)), frames - 1)
            first, frames = first + round(lost * step), frames - lost
        ticks = [first + round(number * step) for number in range(frames)]
        begin = first * base
        return Timeline(
            pictures=frames,
            first=begin,
            last=begin + (frames - 1) / rate,
            end=begin + frames / rate,
            frame_rate=rate,
            variable=False,
            on_grid=on_grid,
            exact=False,
            delay=0,
            times=FrameTimes.of(ticks, time_base=base, timing=Timing.COUNTED, rate=rate),
            repair=repair,
        )

    def _stamped(
        self,
        times: list[int],
        gaps: list[int],
        rate: Fraction,
        repair: Repair | None,
        facts: StreamFacts,
    ) -> Timeline:
        base, shift, first_shown = self.time_base, Fraction(0), facts.first_shown
        if not self._has_pts and first_shown is not None:
            shift = first_shown - times[0] * base
        first = times[0] * base + shift
        last = times[-1] * base + shift
        usual = Fraction(median_low(gaps)) * base if gaps else None
        length, longest = self._last_duration * base or usual or 1 / rate, max(gaps, default=0) * base
        told_end = last + length if length > max(_LEAST_HOLD, _MOST_HOLD * longest) and usual else None
        length = usual if told_end is not None and usual is not None else length
        decodes = first_shown is None or not self._has_pts or first_shown <= first
        on_grid, delay = decodes and _is_near_grid(times, base, rate), self._delay(times)
        return Timeline(
            pictures=len(times),
            first=max(first, first_shown) if first_shown is not None and first_shown <= last else first,
            last=last,
            end=last + length,
            told_end=told_end,
            frame_rate=rate,
            variable=not on_grid and _varies(_within_pieces(times, gaps, base, facts.joints), base, 1 / rate),
            on_grid=on_grid,
            exact=on_grid and self._is_exact(times, 1 / (rate * base), delay),
            delay=delay,
            times=self._frame_times(times, rate, shift, first_shown),
            repair=repair,
        )

    def _frame_times(
        self, times: list[int], rate: Fraction, shift: Fraction, first_shown: Fraction | None
    ) -> FrameTimes:
        """Return the times of all frames but those before the first that decodes."""
        base, late = self.time_base, shift / self.time_base
        ticks = [time + round(late) for time in times] if late else times
        if first_shown is not None and self._has_pts:
            begin = ceil(first_shown / base)
            ticks = [tick for tick in ticks if tick >= begin] or ticks[-1:]
        timing = Timing.GRID if _fits_grid(ticks, base, rate) else Timing.STAMPED
        return FrameTimes.of(ticks, time_base=base, timing=timing, rate=rate)

    def _delay(self, shown: list[int]) -> int:
        """Pictures that are stored earlier than they are shown, counted at the one that is worst."""
        return max((number - bisect_left(shown, time) for number, time in enumerate(self._times)), default=0)

    def _is_exact(self, shown: list[int], ticks: Fraction, delay: int) -> bool:
        """Return whether picture k is shown at k frames, and the k-th one decoded ``delay`` frames before that."""
        decoded = self._decode_times if len(self._decode_times) == len(shown) else ()  # Matroska stores none
        return all(
            2 * max(map(abs, _distances(row, shown[0], ticks, begin)), default=0) <= ticks.denominator
            for row, begin in ((shown, 0), (decoded, -delay))
        )


def _rate(times: list[int], gaps: list[int], base: Fraction, guessed: Fraction | None) -> Fraction:
    """Return the constant rate where there is one, else that of the usual gap, else what libav guessed.

    Over a short clip of coarse time base 24 and 24000/1001 look the same; then libav's guess, which
    knows the header, decides.
    """
    guessed = guessed if guessed and guessed <= _HIGHEST_GUESS else None
    if not gaps:
        return guessed or _FALLBACK_RATE
    span = (times[-1] - times[0]) * base
    average = (len(times) - 1) / span
    constant = nominal_rate(average)
    if guessed and abs(guessed - average) <= average * (base / span + _SNAP):
        constant = nominal_rate(guessed)
    whole = Fraction(max(1, round(average)))
    for likely in (constant, whole, whole * Fraction(1000, 1001)):  # ends that are off make a short clip's average so
        if _is_near_grid(times, base, likely):
            return likely
    if not _varies(gaps, base, 1 / constant):
        return constant
    usual: int = median_low(gaps)
    alike = [gap for gap in gaps if abs(gap - usual) <= max(Fraction(1), usual * _JITTER_SHARE)]
    return nominal_rate(len(alike) / (sum(alike) * base))


def _within_pieces(times: list[int], gaps: list[int], base: Fraction, joints: Sequence[Fraction]) -> list[int]:
    """Return the gaps without those in which another piece of the recording begins."""
    within = gaps.copy()
    for joint in joints:
        later = bisect_left(times, joint / base)
        if 0 < later < len(times) and (gap := times[later] - times[later - 1]) in within:
            within.remove(gap)
    return within


def _varies(gaps: list[int], base: Fraction, usual: Fraction) -> bool:
    slack = max(min(_JITTER_TICKS * base, usual / 2), usual * _JITTER_SHARE)
    return bool(gaps) and (max(gaps) * base - usual > slack or usual - min(gaps) * base > slack)


def _is_near_grid(times: list[int], base: Fraction, rate: Fraction) -> bool:
    """Return whether there is a grid that no picture is off by more than two ticks.

    The first picture may itself be off, so the grid is not hung on it: what counts is how far the
    pictures' distances from one that is are apart.
    """
    ticks = 1 / (rate * base)
    lowest = highest = 0
    for distance in _distances(times, times[0], ticks):
        if distance < lowest:
            lowest = distance
        elif distance > highest:
            highest = distance
    spread = highest - lowest
    return spread <= 2 * _JITTER_TICKS * ticks.denominator and spread < 2 * _OFF_GRID_SHARE * ticks.numerator


def _fits_grid(times: list[int], base: Fraction, rate: Fraction) -> bool:
    """Return whether each time is that of a place on one grid, some of which may be empty, written coarsely."""
    ticks = 1 / (rate * base)
    scale, step = ticks.denominator, ticks.numerator
    places = [nearest_index(time - times[0], ticks) for time in times]
    if any(later <= earlier for earlier, later in itertools.pairwise(places)):
        return False
    off = [(time - times[0]) * scale - place * step for time, place in zip(times, places, strict=True)]
    spread = max(off) - min(off)
    return spread <= 2 * _JITTER_TICKS * scale and spread < 2 * _OFF_GRID_SHARE * step


def _distances(times: Iterable[int], first: int, ticks: Fraction, begin: int = 0) -> Iterator[int]:
    """Yield the distance of each time from its frame on an even grid, in parts of a tick that are whole numbers."""
    return (
        (time - first) * ticks.denominator - number * ticks.numerator for number, time in enumerate(times, start=begin)
    )

"""Find from which packets on audio follows its timestamps, where those in between would throw samples away (pure).

A recorder that stamps packets when it gets to it gives many the same time, and some muxers give all of
them one. Each packet holds samples of its own all the same, and they belong one after another. Times
are microseconds here; those of packets that have none are :data:`MISSING`.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING

from mpt_cli.media.inspect.times.repair import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Anchors = tuple[tuple[int, int], ...]
    """Numbers of packets, and when those are heard; each packet between them follows the one before it."""

_BURST = 50_000
"""So much more than their times say hold packets that were stamped together; of less a resampler takes care."""
_TOGETHER, _BACK = 4, 1_000
"""Stamped together are packets that come within that part of the length of one, or back by a tick."""
_WINDOW = 1_000_000
"""Of so many samples times may cover half or more: an overlap of 0.3 s is one, more of it is another clock."""
_LEAST_GAP = 20_000
_STAYS = 3
"""So many packets in a row that come after a pause must be late for a gap."""
_MOST_DRIFT = 100
"""That part of audio, at most, is left out to follow a clock that is faster than its samples."""
_MOST_OVERLAP, _EVEN = 300_000, 16
"""So much is left out, at most, where so many packets behind it come evenly: what was recorded there twice."""


def anchors(times: Sequence[int], begins: Sequence[int]) -> Anchors:
    """Return where audio follows its times again, from the first packet on; empty where all may be trusted.

    Args:
        times: The timestamp of each packet.
        begins: When each begins, and the last one ends, where all samples follow each other from zero on.
    """
    if not (_has_bursts(times, begins) or _covers_little(times, begins)):
        return ()
    heads = _heads(times, begins)
    late = [times[head] - begins[head] for head in heads]
    lengths = [end - begin for begin, end in pairwise(begins)]
    steps = [abs(now - before) for before, now in pairwise(late)]
    least = max(_LEAST_GAP + median_low(lengths), 3 * median_low(steps) if steps else 0)
    shift, since = median_low(late[:_STAYS]), begins[0]
    found = [(0, begins[0] + shift)]
    for number, head in enumerate(heads):
        next_ones = late[number : number + _STAYS]
        ahead = shift - max(next_ones)
        may_lose = (begins[head] - since) // _MOST_DRIFT
        if ahead > may_lose and _is_even(heads[number : number + _EVEN], late[number : number + _EVEN]):
            may_lose = _MOST_OVERLAP
        if min(next_ones) - shift > least or least < ahead <= may_lose:
            shift, since = median_low(next_ones), begins[head]
            found.append((head, begins[head] + shift))
    return tuple(found)


def _is_even(heads: Sequence[int], late: Sequence[int]) -> bool:
    """Return whether these are many packets, one after another, that each come when the one before ends."""
    return len(heads) == _EVEN == heads[-1] - heads[0] + 1 and max(late) - min(late) <= _LEAST_GAP


def _has_bursts(times: Sequence[int], begins: Sequence[int]) -> bool:
    """Return whether packets that come together hold much more than their times say."""
    first = last = None
    for number, time in enumerate(times):
        if time == MISSING:
            continue
        if first is None or last is None:
            first = last = number
            continue
        step, length = time - times[last], begins[number] - begins[last]
        if not -_BACK <= step < length / _TOGETHER:
            first = number
        elif begins[number] - begins[first] - (time - times[first]) > _BURST:
            return True
        last = number
    return False


def _covers_little(times: Sequence[int], begins: Sequence[int]) -> bool:
    """Return whether times throw half of some second away, as those do that go back again and again."""
    row: list[tuple[int, int]] = []
    first = 0
    for number, time in enumerate(times):
        if time != MISSING:
            row.append((time, time + begins[number + 1] - begins[number]))
        if begins[number + 1] - begins[first] >= _WINDOW:
            if 2 * _covered(row) < sum(end - begin for begin, end in row):
                return True
            row, first = [], number + 1
    return False


def _covered(row: list[tuple[int, int]]) -> int:
    """Return how much time spans take together, what several share counted once."""
    covered, reached = 0, MISSING
    for begin, end in sorted(row):
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return covered


def _heads(times: Sequence[int], begins: Sequence[int]) -> list[int]:
    """Return the packets that come clearly after all before them; the first one in any case."""
    found: list[int] = []
    latest = MISSING
    for number, time in enumerate(times):
        if time == MISSING:
            continue
        if not found or time - latest > (begins[number] - begins[number - 1]) / _TOGETHER:
            found.append(number)
        latest = max(latest, time)
    return found

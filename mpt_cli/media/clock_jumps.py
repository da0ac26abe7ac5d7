"""Clock of a file that was joined from several: later times are moved where the clock jumps.

Streams for broadcast and live recordings are joined byte for byte, by recorders that were restarted
and by tools that download in pieces; each piece has a clock of its own. A clock that goes back is
another one. One that goes ahead may only have stood still, as slides do: it is another one where the
other tracks go ahead too, where the packets of a transport stream do not follow each other, or where
nothing at all would be shown for hours.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import TYPE_CHECKING, Any

from mpt_cli.model.errors import IssueCode, ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from av.packet import Packet

_JOINED = ("mpegts", "mpeg", "flv", "live_flv")
"""Containers in which all tracks together may go ahead: in others a gap is meant by the recorder."""
_WRAPPING, _WRAP = ("mpegts", "mpeg"), Fraction(2**33, 90_000)
"""Containers whose times restart after that many seconds: libav takes a clock that goes back for one that wrapped."""
_WITHOUT_DECODE_TIMES = "matroska"
_BACK, _AHEAD, _ABSURD = Fraction(3, 10), Fraction(10), Fraction(3600)
"""Seconds by which a clock must jump to be another one."""
_UNUSUAL = 100
"""Factor by which a gap of hours must exceed every other gap to be a jump."""
_NONE = Fraction(0)
_MOST_STRAYS = 64
"""Packets in a row that may have times far from all others."""
_MOST_MOVES = 100
_MOST_JUMPS = 10 * _MOST_MOVES


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump in the times of a track: before its packet with this number, at this byte of the file."""

    packet: int
    before: Fraction
    after: Fraction
    position: int | None

    @property
    def seconds(self) -> Fraction:
        """Size of the jump; negative for back."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Jumps:
    """Jumps of a file that was read once: numbers of packets in each track, by the index of its stream."""

    pieces: Mapping[int, frozenset[int]]
    """Packets with which another clock begins."""
    strays: Mapping[int, frozenset[int]]
    """Packets whose time fits no other near them."""

    def __bool__(self) -> bool:
        """Return True if there are any."""
        return any((*self.pieces.values(), *self.strays.values()))

    @property
    def in_one_track(self) -> bool:
        """True if only one track jumps: it continues at its own time, whatever the others hold by then."""
        return sum(map(bool, self.pieces.values())) == 1


@dataclass(slots=True)
class _Track:
    """State of a track: packets, last time in ticks and its gaps; certain jumps, and a possible one."""

    base: Fraction
    back: int
    ahead: int
    packets: int = 0
    last: int | None = None
    longest: int = 0
    doubtful: Jump | None = None
    jumps: list[Jump] = field(default_factory=list)
    strays: set[int] = field(default_factory=set)
    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_MOST_STRAYS + 1))
    """Numbers and times of the last packets but strays."""
    piece: int = 0
    gap: Fraction = Fraction(0)


class Clock:
    """Tracks the clock of a file: in a first pass to find its jumps, in a second to make its times continuous."""

    def __init__(self, container: str, known: Jumps | None = None) -> None:
        """Start with a file that libav opened as this container, of which jumps may be known."""
        self._joined, self._wraps = container in _JOINED, container in _WRAPPING
        self._by_keyframes = container.startswith(_WITHOUT_DECODE_TIMES)
        self._known = known
        self.moves: list[Fraction] = []  # for each jump, the seconds that are added to all times behind it
        self.jumps: list[Jump] = []  # those of the moves, their times in the one row
        self._tracks: dict[int, _Track] = {}
        self._end = Fraction(0)

    def shift_of(self, packet: Packet[Any]) -> Fraction | None:
        """Return the seconds to add to the times of a packet; None where its times are meaningless."""
        track = self._tracks.get(packet.stream_index)
        if track is None:
            base = Fraction(packet.time_base)
            track = self._tracks[packet.stream_index] = _Track(base, round(_BACK / base), round(_AHEAD / base))
        number, track.packets = track.packets, track.packets + 1
        time = packet.pts if packet.dts is None or self._by_keyframes else packet.dts
        if time is None:
            return _NONE
        if self._known is not None:
            return self._placed(packet, track, number, time * track.base)
        if self._by_keyframes and not packet.is_keyframe and track.last is not None and time < track.last:
            return _NONE  # shown before one that was stored earlier
        _watch(track, number, time, packet)
        return _NONE

    def _placed(self, packet: Packet[Any], track: _Track, number: int, now: Fraction) -> Fraction | None:
        assert self._known is not None
        index = packet.stream_index
        if number in self._known.strays.get(index, ()):
            return None
        last = now if track.last is None else track.last * track.base
        if number in self._known.pieces.get(index, ()):
            track.piece += 1
            if track.piece > len(self.moves):
                self._add(Jump(number, last, now, packet.pos), self._begin_of_piece(track, last))
        elif now > last:
            track.gap = now - last
        track.last = round(now / track.base)
        shift = sum(self.moves[: track.piece], Fraction(0))
        length = (packet.duration or 0) * track.base
        self._end = max(self._end, now + shift + (length if 0 < length < _AHEAD else track.gap))
        return shift

    def _begin_of_piece(self, track: _Track, last: Fraction) -> Fraction:
        assert self._known is not None
        own = last + track.gap + sum(self.moves, Fraction(0))
        return own if self._known.in_one_track else self._end

    def _add(self, jump: Jump, begin: Fraction) -> None:
        if len(self.moves) >= _MOST_MOVES:
            # ffmpeg makes the times of these containers one row, and those of no others (AVFMT_TS_DISCONT).
            hint = "write it anew: ffmpeg -i IN -c copy OUT.mkv" if self._wraps else "cut it where its clock jumps"
            raise ProbeError(IssueCode.PROBE_FAILED, f"has a clock that jumps more than {_MOST_MOVES} times", hint=hint)
        step = jump.seconds - (_WRAP if self._wraps and jump.seconds > _WRAP / 2 else 0)
        self.jumps.append(Jump(jump.packet, begin, begin + step, jump.position))
        self.moves.append(begin - jump.after - sum(self.moves))

    def found(self, is_torn: Callable[[int], bool]) -> Jumps | None:
        """Return the jumps after all packets were read once; None where there are none, or they are known.

        ``is_torn`` returns True if packets of a transport stream do not follow each other at a byte of the file.
        """
        if self._known is not None:
            return None
        for track in self._tracks.values():
            if track.doubtful is not None:
                track.jumps.append(track.doubtful)
        jumps = {index: frozenset(self._real(index, is_torn)) for index in self._tracks}
        found = Jumps(jumps, {index: frozenset(track.strays) for index, track in self._tracks.items()})
        return found or None

    def _real(self, index: int, is_torn: Callable[[int], bool]) -> Iterator[int]:
        track = self._tracks[index]
        usual = track.longest * track.base
        others = [jump for other, each in self._tracks.items() if other != index for jump in each.jumps]
        for jump in track.jumps:
            shared = self._joined and _is_shared(jump, others)
            torn = self._wraps and jump.position is not None and is_torn(jump.position)
            if jump.seconds < 0 or shared or torn or _is_absurd(jump, usual):
                yield jump.packet


def _watch(track: _Track, number: int, time: int, packet: Packet[Any]) -> None:
    """Record a jump in the time of a packet; packets that are alone with their times are strays."""
    doubtful = track.doubtful
    if doubtful is not None:
        before = round(doubtful.before / track.base)
        if track.last is not None and abs(time - before) < abs(time - track.last):
            _stray(track, [doubtful.packet], before)
        elif len(track.jumps) < _MOST_JUMPS:
            track.jumps.append(doubtful)
        track.doubtful = None
    if track.last is not None and abs(time - track.last) > track.back and (apart := _apart(track, time)):
        _stray(track, [packet_number for packet_number, _ in apart], time)
    last, track.last = track.last, time
    track.recent.append((number, time))
    if last is None:
        return
    gap = time - last
    if gap < -track.back or gap > track.ahead:
        track.doubtful = Jump(number, last * track.base, time * track.base, packet.pos)
    elif gap > track.longest:
        track.longest = gap


def _stray(track: _Track, numbers: Sequence[int], last: int) -> None:
    """Take the last packets for strays, and go on as if another time had been the last one."""
    track.strays.update(numbers)
    track.jumps = [jump for jump in track.jumps if jump.packet not in track.strays]
    for _ in numbers:
        track.recent.pop()
    track.last = last


def _apart(track: _Track, time: int) -> list[tuple[int, int]]:
    """Return the packets whose times are far from a row that goes on where it would be now without them."""
    recent = list(track.recent)
    steps = [later - earlier for (_, earlier), (_, later) in pairwise(recent) if 0 < later - earlier <= track.back]
    if not steps:
        return []
    usual = median_low(steps)
    for count in range(1, len(recent)):
        _, begin = recent[-count - 1]
        apart = recent[-count:]
        is_broken = abs(apart[0][1] - begin) > track.back
        goes_on = (count + 1) * usual <= 2 * (time - begin) and time - begin <= (count + 2) * usual
        if is_broken and goes_on and not any(begin <= other <= time for _, other in apart):
            return apart
    return []


def _is_absurd(jump: Jump, usual: Fraction) -> bool:
    return jump.seconds > _ABSURD and 0 < usual * _UNUSUAL < jump.seconds


def _is_shared(jump: Jump, others: Sequence[Jump]) -> bool:
    """Return True if another track has nothing in this gap either, and continues behind it."""
    return any(
        min(jump.after, other.after) - max(jump.before, other.before) > jump.seconds / 2
        for other in others
        if other.seconds > 0
    )


class OneRow:
    """Makes the times of one track continuous: those of frames in presentation order, or of packets in decode order."""

    def __init__(self, moves: Sequence[Fraction]) -> None:
        """Use the moves that were found before."""
        self._moves = moves
        self._last: Fraction | None = None
        self._piece = 0

    def shift_at(self, time: Fraction) -> Fraction:
        """Return the seconds to add to a time, which is the next one in the order."""
        if self._last is not None and self._piece < len(self._moves):
            back, ahead = _bounds(self._moves[self._piece])
            step = time - self._last
            self._piece += step < back if back is not None else step > (ahead or 0)
        self._last = time
        return sum(self._moves[: self._piece], Fraction(0))


def jump_expression(moves: Sequence[Fraction]) -> str:
    """Return the ``setpts`` expression that is 1 at the next of these jumps; its register 0 counts them."""
    conditions = []
    for number, move in enumerate(moves):
        back, ahead = _bounds(move)
        step = (
            f"lt(T-PREV_INT,{expression(back)})" if back is not None else f"gt(T-PREV_INT,{expression(ahead or move)})"
        )
        conditions.append(f"eq(ld(0),{number})*{step}")
    return "+".join(conditions)


def _bounds(move: Fraction) -> tuple[Fraction, None] | tuple[None, Fraction]:
    """Return the step between frames beyond which a clock jumped that this move corrects: back, or ahead.

    The tracks do not jump by the same, and a clock that jumps ahead may also stand still.
    """
    return (-move / 2, None) if move > 0 else (None, -move - 1)


def one_row_expression(moves: Sequence[Fraction], added: Iterable[object], *, unit: str) -> str:
    """Return the ``setpts`` expression of continuous times for a stream whose clock jumps.

    Args:
        moves: Seconds that are added at each jump.
        added: The same amounts as text.
        unit: Divisor that converts these to ticks.
    """
    sums = "+".join(f"gte(ld(0),{number})*{amount}" for number, amount in enumerate(added, 1))
    return f"PTS+0*st(0,ld(0)+{jump_expression(moves)})+({sums})/{unit}"


def expression(value: Fraction) -> str:
    """Return an exact rational in ffmpeg's expression language."""
    return f"({value.numerator}/{value.denominator})"

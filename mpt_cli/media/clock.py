"""The clock of a stream that was put together from several: where it jumps, later times are moved to go on.

Transport and program streams are joined byte for byte, by recorders that were restarted and by
whoever downloads in pieces; each piece has a clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpt_cli.errors import IssueCode, ProbeError

if TYPE_CHECKING:
    from av.packet import Packet

_STREAMED = ("mpegts", "mpeg")
_JOINED = ("gxf", "nut")
"""Containers of which libav reads a second movie behind the first one."""
_BACK, _AHEAD = Fraction(3, 10), Fraction(10)
"""Seconds by which a clock must jump to be another one; the second is ffmpeg's threshold too."""
_MOST_MOVES = 100
SHOWN_BACK, SHOWN_AHEAD = Fraction(1, 10), Fraction(19, 2)
"""The same for decoded pictures and sound, whose times differ a little from the decode times of packets."""


@dataclass(slots=True)
class _Track:
    """Where a stream is: its last raw time, and the piece that this was in."""

    last: Fraction
    piece: int = 0
    gap: Fraction = Fraction(0)


class Clock:
    """Follows the packets of a file, and finds the moves that make its times one row."""

    def __init__(self, container: str, *, joined: bool = False) -> None:
        """Begin with a file that libav opened as this container; of most kinds the clock never jumps.

        ``joined`` says that the file holds several movies, of which each begins its times anew.
        """
        self._streamed = container in _STREAMED
        self._joined = joined or self._streamed or container in _JOINED
        self.moves: list[Fraction] = []  # for each jump, the seconds that are added to all times behind it
        self._tracks: dict[int, _Track] = {}
        self._end = Fraction(0)

    def shift_of(self, packet: Packet[Any]) -> Fraction:
        """What must be added to the times of a packet, in seconds."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None or not self._joined:
            return Fraction(0)
        base = Fraction(packet.time_base)
        now = time * base
        track = self._tracks.setdefault(packet.stream_index, _Track(now, len(self.moves)))
        if self._jumps(now, track):
            track.piece += 1
            if track.piece > len(self.moves):
                self._add(self._end - now)
        elif now > track.last:
            track.gap = now - track.last
        track.last = now
        shift = sum(self.moves[: track.piece], Fraction(0))
        self._end = max(self._end, now + shift + ((packet.duration or 0) * base or track.gap))
        return shift

    def _add(self, shift: Fraction) -> None:
        if len(self.moves) >= _MOST_MOVES:
            hint = "write it anew, for example with ffmpeg -i IN -c copy OUT.mkv"
            raise ProbeError(IssueCode.PROBE_FAILED, f"has a clock that jumps more than {_MOST_MOVES} times", hint=hint)
        self.moves.append(shift - sum(self.moves))

    def _jumps(self, now: Fraction, track: _Track) -> bool:
        if now < track.last - _BACK:
            return True
        if not self._streamed:
            return False  # a frame may be shown for long
        newest = max(other.last for other in self._tracks.values() if other.piece == track.piece)
        return now > newest + _AHEAD


class Shown:
    """The same for the decoded pictures of one stream, in the order in which they are shown."""

    def __init__(self, clock: Clock) -> None:
        """Use the moves that this clock has found by then."""
        self._clock = clock
        self._last: Fraction | None = None
        self._piece = 0

    def time_of(self, time: Fraction) -> Fraction:
        """The time, in seconds, in the one row."""
        if self._last is not None and not -SHOWN_BACK <= time - self._last <= SHOWN_AHEAD:
            self._piece += 1
        self._last = time
        return time + sum(self._clock.moves[: self._piece], Fraction(0))

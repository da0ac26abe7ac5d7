"""Tell from the order of packets whether video tracks are beside each other, or one goes on in another."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.packet import Packet

_PART_PACKETS, _MOST_PARTS = 5, 4
"""So many packets of a track in a row are a part of a recording: of tracks that are shown together one or two
are, and of a transport stream the last ones of a track, which come out at the end of the file only."""


@dataclass(slots=True)
class _Run:
    """From when to when a video track is, how many packets it has, and in how many parts they stand alone."""

    begin: Fraction | None = None
    end: Fraction | None = None
    packets: int = 0
    parts: int = 0
    in_parts: int = 0


class TrackOrder:
    """In what order the video tracks of a file have their packets."""

    def __init__(self) -> None:
        """Start with none."""
        self.runs: dict[int, _Run] = {}
        self._last: int | None = None
        self._in_row = 0

    def note(self, packet: Packet[Any]) -> None:
        """Note the next packet of a video track."""
        run = self.runs.setdefault(packet.stream_index, _Run())
        run.packets += 1
        self._in_row = self._in_row + 1 if packet.stream_index == self._last else 1
        self._last = packet.stream_index
        if self._in_row >= _PART_PACKETS:
            first = self._in_row == _PART_PACKETS
            run.parts += first
            run.in_parts += _PART_PACKETS if first else 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            now = time * Fraction(packet.time_base)
            run.begin = now if run.begin is None else min(run.begin, now)
            run.end = now if run.end is None else max(run.end, now)

    def taking_turns(self, others: Iterable[int]) -> list[int]:
        """Return those of the tracks that are not beside another one, but before, behind or between it."""
        runs = ((other, self.runs[other]) for other in others if other in self.runs)
        return [other for other, run in runs if 0 < run.parts <= _MOST_PARTS and run.in_parts * 2 > run.packets]

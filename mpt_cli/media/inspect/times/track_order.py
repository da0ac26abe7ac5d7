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
    """From when to when a video track is, in ticks, how many packets it has, and in how many parts they stand alone."""

    base: Fraction
    begin: int | None = None
    end: int | None = None
    packets: int = 0
    parts: int = 0
    in_parts: int = 0

    @property
    def seconds(self) -> Fraction:
        """From the first frame to the last one; 0 where they have no times."""
        return Fraction(0) if self.begin is None or self.end is None else (self.end - self.begin) * self.base


class TrackOrder:
    """In what order the video tracks of a file have their packets."""

    def __init__(self) -> None:
        """Start with none."""
        self.runs: dict[int, _Run] = {}
        self._last: int | None = None
        self._in_row = 0

    def note(self, packet: Packet[Any]) -> None:
        """Note the next packet of a video track."""
        run = self.runs.get(packet.stream_index)
        if run is None:
            run = self.runs[packet.stream_index] = _Run(Fraction(packet.time_base))
        run.packets += 1
        self._in_row = self._in_row + 1 if packet.stream_index == self._last else 1
        self._last = packet.stream_index
        if self._in_row >= _PART_PACKETS:
            first = self._in_row == _PART_PACKETS
            run.parts += first
            run.in_parts += _PART_PACKETS if first else 1
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            run.begin = time if run.begin is None else min(run.begin, time)
            run.end = time if run.end is None else max(run.end, time)

    def taking_turns(self, others: Iterable[int]) -> list[int]:
        """Return those of the tracks that are not beside another one, but before, behind or between it."""
        runs = ((other, self.runs[other]) for other in others if other in self.runs)
        return [other for other, run in runs if 0 < run.parts <= _MOST_PARTS and run.in_parts * 2 > run.packets]

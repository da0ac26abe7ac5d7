"""Whether the packets of a transport stream follow each other (ISO/IEC 13818-1, 2.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SYNC, _PACKET_BYTES = 0x47, 188
_SPACINGS = (188, 192, 204)
"""Bytes from one packet to the next."""
_BEFORE, _BEHIND = 400_000, 40_000
"""Bytes that are looked at: tables come ten times a second."""


def is_torn_at(path: Path, position: int) -> bool:
    """Return whether a counter of some track or table does not go on at a byte of a transport stream."""
    start = max(0, position - _BEFORE)
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(position - start + _BEHIND)
    counters: dict[int, int] = {}
    for place, track, counter in _counted_packets(data):
        last = counters.get(track)
        torn = last is not None and counter not in (last, (last + 1) % 16)
        if torn and start + place >= position - _BEHIND // 2:
            return True
        counters[track] = counter
    return False


def _counted_packets(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield place, track and counter of each packet with a payload."""
    spacing, place = _first_packet(data)
    while spacing and place + _PACKET_BYTES <= len(data) and data[place] == _SYNC:
        track = (data[place + 1] & 0x1F) << 8 | data[place + 2]
        if data[place + 3] & 0x10 and track != 0x1FFF:
            yield place, track, data[place + 3] & 0x0F
        place += spacing


def _first_packet(data: bytes) -> tuple[int, int]:
    """Return the bytes from packet to packet and where the first one begins; 0 where there is none."""
    for spacing in _SPACINGS:
        for place in range(spacing):
            if all(data[at] == _SYNC for at in range(place, min(len(data), place + 5 * spacing), spacing)):
                return spacing, place
    return 0, 0

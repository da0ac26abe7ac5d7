"""Read from the first bytes of a coded audio packet what tells its rate and its channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

_BYTES = 7


@dataclass(frozen=True, slots=True)
class AudioHeader:
    """Where rate and channels stand in the first bytes of each packet of a codec."""

    sync_bits: int
    sync: int
    bits: int

    def read(self, packet: Packet[Any]) -> int:
        """Return a number that is another one where rate or channels are others; 0 for a packet without header."""
        word = int.from_bytes(memoryview(packet)[:_BYTES], "big")
        return word & self.bits if word & self.sync_bits == self.sync else 0


_MPEG = AudioHeader(0xFFE0_00_00_00_00_00, 0xFFE0_00_00_00_00_00, 0x001E_0C_C0_00_00_00)  # version, layer, rate, mode
_AC3 = AudioHeader(0xFFFF_00_00_00_00_00, 0x0B77_00_00_00_00_00, 0x0000_00_00_C0_F8_FF)  # rate, version, channels
_E_AC3 = AudioHeader(0xFFFF_00_00_00_00_00, 0x0B77_00_00_00_00_00, 0x0000_00_00_FF_00_00)  # rate, blocks, channels
_ADTS = AudioHeader(0xFFF6_00_00_00_00_00, 0xFFF0_00_00_00_00_00, 0x0000_FD_C0_00_00_00)  # profile, rate, channels
HEADERS = {"mp1": _MPEG, "mp2": _MPEG, "mp3": _MPEG, "ac3": _AC3, "eac3": _E_AC3, "aac": _ADTS}
"""By codec; AAC has one in transport streams only."""

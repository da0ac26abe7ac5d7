"""AAC packets with ADTS headers, which hold the length of each packet (ISO/IEC 13818-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER_BYTES = 7
_SYNC = 0xFFF
SILENT_PACKET = bytes.fromhex("fff14c40017ffc01182007")
"""Packet of silence, 48 kHz mono: the audio of a file that only carries chapters."""


def packets(file: BinaryIO) -> Iterator[bytes]:
    """Yield each packet whole, header included.

    Raises:
        ValueError: The file holds anything else, or ends within a packet.
    """
    while head := file.read(_HEADER_BYTES):
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if len(head) == _HEADER_BYTES else 0
        if length < _HEADER_BYTES or int.from_bytes(head[:2]) >> 4 != _SYNC:
            raise ValueError("not an AAC packet")
        packet = head + file.read(length - _HEADER_BYTES)
        if len(packet) < length:
            raise ValueError("an AAC packet is cut off")
        yield packet

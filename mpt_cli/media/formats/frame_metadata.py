"""Metadata inside coded frames: detection and removal (pure; no file is opened).

Cameras write locations, times and serial numbers between the slices of a frame, broadcasters captions.
The units to keep are listed, and all else is removed, so that the next kind of metadata is removed too.
Sources: ITU-T H.264 tables 7-1 and D.1, H.265 tables 7-1 and D.1, AV1 bitstream specification 6.2
and 6.7.1.
"""

from __future__ import annotations

import re
import struct
from itertools import starmap
from typing import TYPE_CHECKING

from mpt_cli.media.formats.bitstream import HVCC_FIXED, annex_b, hvcc_arrays, length_prefixed, length_size, obus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_H264_SEI, _HEVC_SEI = frozenset((6,)), frozenset((39, 40))
_H264_KEPT = frozenset((*range(1, 6), *range(7, 12), *range(13, 16), *range(19, 22)))
"""Slices, parameter sets, delimiters and ends: not fillers (12), nor the unspecified types (24 to 31)."""
_HEVC_KEPT = frozenset(range(38))
"""The same for HEVC; 62 and 63 hold Dolby Vision, whose configuration a reel does not have."""
_KEPT_MESSAGES = frozenset((0, 1, 6, 19, 45, 47, 128, 129, 130, 131, 132, 134, 137, 144, 147, 165, 176))
"""Messages that decoding, timing or display may need: buffering, frame timing, recovery points, film grain, frame
packing, orientation, structure, checksums, refresh, light levels, transfer, alpha and views.

Not 4 and 5, which are user data, nor 136, the time of day, nor 133, which may hold any other.
"""
_H264_FRAME_TIMING = 1
"""May hold the time of day too. It is removed, but does not cause a removal: most hold none, and a decoded frame
shows it.
"""
_USER_DATA, _UUID_BYTES = 5, 16
_ENCODERS = (b"x264 - core ", b"x265 (build ", b"Lavc")
"""Beginnings of user data in which an encoder writes its own settings."""
_AV1_KEPT = frozenset((1, 2, 3, 4, 6, 7, 8))
_AV1_METADATA, _AV1_KEPT_METADATA = 5, (b"\x01", b"\x02", b"\x03")
"""Light levels, mastering display and scalability; not 4, ITU-T T.35, nor 5, the time of day."""


_START_CODE = b"\x00\x00\x00\x01"
_STOP_BIT = b"\x80"


class FrameMetadata:
    """Finds and removes metadata in the packets of one stream of H.264, HEVC or AV1."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        """Read packets according to a decoder configuration."""
        self._codec, self._extradata = codec, extradata
        self._length_size = length_size(codec, extradata)
        self._sei = _H264_SEI if codec == "h264" else _HEVC_SEI
        self._kept = _H264_KEPT if codec == "h264" else _HEVC_KEPT
        self._kept_messages = _KEPT_MESSAGES - {_H264_FRAME_TIMING} if codec == "h264" else _KEPT_MESSAGES
        self._header_bytes = 1 if codec == "h264" else 2

    def is_in(self, packet: bytes | memoryview) -> bool:
        """Return True if a packet holds more metadata than the settings of an encoder."""
        if self._codec == "av1":
            return any(not _is_kept_obu(kind, unit) for kind, unit in obus(memoryview(packet)))
        if not self._length_size:
            return any(map(self._has_metadata, annex_b(bytes(packet))))
        view, size, start = memoryview(packet), self._length_size, self._length_size
        while start < len(view):  # few frames hold anything but slices: one look at each unit (1 us, measured)
            end = start + int.from_bytes(view[start - size : start], "big")
            if self._kind(view[start]) not in self._kept and self._has_metadata(view[start:end]):
                return True
            start = end + size
        return False

    def is_in_configuration(self) -> bool:
        """Return True if the decoder configuration holds such metadata."""
        if self._codec == "av1":
            return self.is_in(self._extradata[4:])
        if not self._length_size:
            return self.is_in(self._extradata)
        return any(self._has_metadata(unit) for _, units in self._arrays() for unit in units)

    def removed(self, packet: bytes) -> bytes:
        """Return a packet without its metadata; its slices are the same bytes."""
        if self._codec == "av1":
            return b"".join(unit for kind, unit in obus(packet) if _is_kept_obu(kind, unit))
        return b"".join(self._delimited(unit) for unit in self._cleaned(self._units(packet)))

    def cleaned_configuration(self) -> bytes:
        """Return the decoder configuration without metadata."""
        if self._codec == "av1":
            return self._extradata[:4] + self.removed(self._extradata[4:])
        if not self._length_size:
            return self.removed(self._extradata)
        arrays = [(head, units) for head, array in self._arrays() if (units := self._cleaned(array))]
        if not arrays:
            return self._extradata
        return self._extradata[: HVCC_FIXED - 1] + bytes([len(arrays)]) + b"".join(starmap(_hvcc_array, arrays))

    def _arrays(self) -> list[tuple[int, list[bytes]]]:
        """Return the arrays of an hvcC; an avcC holds nothing but parameter sets."""
        try:
            return list(hvcc_arrays(self._extradata)) if self._codec == "hevc" else []
        except (IndexError, struct.error):
            return []

    def _units(self, packet: bytes) -> Iterator[bytes]:
        return length_prefixed(packet, self._length_size) if self._length_size else annex_b(packet)

    def _delimited(self, unit: bytes) -> bytes:
        return (len(unit).to_bytes(self._length_size, "big") if self._length_size else _START_CODE) + unit

    def _kind(self, first_byte: int) -> int:
        return first_byte & 31 if self._codec == "h264" else first_byte >> 1 & 63

    def _has_metadata(self, unit: bytes | memoryview) -> bool:
        if not unit or (kind := self._kind(unit[0])) in self._kept:
            return False
        if kind not in self._sei:
            return True
        messages = _messages(bytes(unit[self._header_bytes :]))
        return messages is None or any(starmap(_is_foreign, messages))

    def _cleaned(self, units: Iterable[bytes]) -> list[bytes]:
        return [cleaned for unit in units if unit and (cleaned := self._without_metadata(unit))]

    def _without_metadata(self, unit: bytes) -> bytes:
        """Return a unit without its metadata, possibly empty."""
        if (kind := self._kind(unit[0])) in self._kept:
            return unit
        messages = (_messages(unit[self._header_bytes :]) or []) if kind in self._sei else []
        kept = [message for message in messages if message[0] in self._kept_messages]
        if not kept or len(kept) == len(messages):
            return unit if kept else b""
        return unit[: self._header_bytes] + _written(kept)


def _is_foreign(kind: int, payload: bytes) -> bool:
    """Return True if a message is metadata other than an encoder's own settings."""
    return kind not in _KEPT_MESSAGES and not (kind == _USER_DATA and payload[_UUID_BYTES:].startswith(_ENCODERS))


def _is_kept_obu(kind: int, unit: bytes | memoryview) -> bool:
    if kind != _AV1_METADATA:
        return kind in _AV1_KEPT
    header = 2 if unit[0] & 4 else 1
    size_bytes = next((n for n, byte in enumerate(unit[header:], 1) if byte < 128), 0) if unit[0] & 2 else 0
    return bytes(unit[header + size_bytes :][:1]) in _AV1_KEPT_METADATA


def _messages(body: bytes) -> list[tuple[int, bytes]] | None:
    """Return type and payload of each message of a unit behind its header, None where it is damaged."""
    raw = re.sub(rb"\x00\x00\x03", b"\0\0", body).rstrip(b"\0")
    position, end, found = 0, len(raw) - 1, []
    while position < end:
        kind, position = _number(raw, position)
        size, position = _number(raw, position)
        if position + size > end:
            return None
        found.append((kind, raw[position : position + size]))
        position += size
    return found if raw.endswith(_STOP_BIT) else None


def _number(raw: bytes, position: int) -> tuple[int, int]:
    """Read a number that is stored as bytes of 255 and a rest; return it and the offset of its end."""
    end = position
    while raw[end : end + 1] == b"\xff":
        end += 1
    return 255 * (end - position) + int.from_bytes(raw[end : end + 1], "big"), end + 1


def _written(messages: list[tuple[int, bytes]]) -> bytes:
    """Return the body of a unit that holds these messages."""
    raw = b"".join(_stored(kind) + _stored(len(payload)) + payload for kind, payload in messages) + _STOP_BIT
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", raw)


def _stored(number: int) -> bytes:
    return b"\xff" * (number // 255) + bytes([number % 255])


def _hvcc_array(head: int, units: list[bytes]) -> bytes:
    return struct.pack(">BH", head, len(units)) + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)

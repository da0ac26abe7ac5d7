"""Coded frames as bytes: NAL units, OBUs and parameter sets (pure; no file is opened here).

Two results matter: the parameter sets that a stream declares, which decide if clips can be joined
without encoding, and a CRC over coded frame data alone, which is the same for a frame before and
after it was copied into another file. Sources: ISO/IEC 14496-15 (avcC, hvcC),
ITU-T H.264 table 7-1, H.265 table 7-1, AV1 bitstream specification 5.3 and 6.2.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from typing import TYPE_CHECKING, TypeVar

from mpt_cli.media.formats.coded_headers import decodes_alone, header_units
from mpt_cli.media.formats.containers import NAL_CODECS

if TYPE_CHECKING:
    from collections.abc import Iterator

Data = TypeVar("Data", bytes, memoryview)
"""Bytes of a packet, or a view of them, which copies nothing."""

_H264_IDR, _H264_SETS = 5, (7, 8)
_HEVC_IDR, _HEVC_SETS = (19, 20), (32, 33, 34)
_H264_DELIMITER, _HEVC_DELIMITER = 9, 35
_HEVC_IDR_WITHOUT_LEADING = 20
_HEVC_FIRST_NON_VCL = 32
_AV1_SEQUENCE_HEADER = 1
_AV1_FRAME_OBUS = (3, 4, 6, 7, 8)
_FORBIDDEN_BIT = 0x80
_OBU_RESERVED = 0x81
_LONG_ZEROS = bytes(24)
"""Longer than any run of zeros from arithmetic coding, but once in 2^180 times."""
_START_CODE = re.compile(rb"\x00\x00[\x00-\x02]")
_ANNEX_B = (b"\x00\x00\x01", b"\x00\x00\x00\x01")
_AVCC_FIXED, HVCC_FIXED = 6, 23


class FrameData:
    """Reader for the packets of one stream.

    Args:
        codec: Canonical name of the codec. Frames of H.264, HEVC and AV1 are separated from the rest; of others
            every packet counts whole.
        extradata: Decoder configuration of the stream.
    """

    def __init__(self, codec: str, extradata: bytes) -> None:
        """Read packets according to a decoder configuration."""
        self.codec = codec
        self._length_size = length_size(codec, extradata)

    def crc(self, packet: bytes, start: int = 0) -> int:
        """Return the CRC-32 over the coded frame data of a packet, continued from ``start``."""
        for unit in self._frames(packet):
            start = zlib.crc32(unit, start)
        return start

    def parameter_sets(self, packet: bytes) -> list[bytes]:
        """Return the parameter sets inside a packet."""
        if self.codec == "av1":
            return [unit for kind, unit in obus(packet) if kind == _AV1_SEQUENCE_HEADER]
        if self.codec not in NAL_CODECS:
            return header_units(self.codec, packet)
        return [unit for unit in self.units(packet) if _is_parameter_set(self.codec, unit)]

    def has_sets(self, packet: memoryview) -> bool:
        """Return True if a packet of H.264 or HEVC holds parameter sets."""
        if not self._length_size:
            return bool(self.parameter_sets(bytes(packet)))
        size, start = self._length_size, self._length_size
        while start < len(packet):  # only the first byte of each unit is read
            if _is_parameter_set(self.codec, packet[start : start + 1]):
                return True
            start += int.from_bytes(packet[start - size : start], "big") + size
        return False

    def is_well_formed(self, packet: bytes | memoryview) -> bool:
        """Return True if a packet is a sequence of units that an encoder could have written.

        Lengths add up, and no frame holds what only stands between units (ITU-T H.264 7.4.1, H.265 7.4.2):
        so a run of wrong bytes over the edge of a unit is noticed, and zeros anywhere; a few wrong bytes
        inside a frame are not. Costs 1 ms for 1 MB, where decoding takes 40 and more.
        """
        if self.codec == "av1":
            return _are_whole_obus(packet)
        if self.codec not in NAL_CODECS or not self._length_size:
            return True
        offset, size, end = 0, self._length_size, len(packet)
        while offset < end:
            length = int.from_bytes(packet[offset : offset + size], "big")
            offset += size
            unit = packet[offset : offset + length]
            if not length or len(unit) != length or unit[0] & _FORBIDDEN_BIT:
                return False
            if self._is_frame(unit[0]) and _has_start_code(unit):
                return False
            offset += length
        return True

    def _is_frame(self, head: int) -> bool:
        return 1 <= head & 31 <= _H264_IDR if self.codec == "h264" else (head >> 1 & 63) < _HEVC_FIRST_NON_VCL

    def is_clean_start(self, packet: bytes) -> bool:
        """Return True if decoding can begin at this packet and nothing after it refers to anything before it."""
        if self.codec == "av1":
            return any(kind == _AV1_SEQUENCE_HEADER for kind, _ in obus(packet))
        if self.codec not in NAL_CODECS:
            return decodes_alone(self.codec, packet)
        kinds = {_kind(self.codec, unit) for unit in self.units(packet) if unit}
        return _H264_IDR in kinds if self.codec == "h264" else bool(kinds & set(_HEVC_IDR))

    def is_shown_first(self, packet: bytes) -> bool:
        """Return True if this packet decodes by itself, and none after it is shown before it."""
        if self.codec == "hevc":
            return any(unit and _kind("hevc", unit) == _HEVC_IDR_WITHOUT_LEADING for unit in self.units(packet))
        return self.codec in ("h264", "av1") and self.is_clean_start(packet)

    def _frames(self, packet: bytes) -> Iterator[bytes]:
        if self.codec == "av1":
            return (unit for kind, unit in obus(packet) if kind in _AV1_FRAME_OBUS)
        if self.codec not in NAL_CODECS:
            return iter((packet,))
        return (unit for unit in self.units(packet) if _is_frame_unit(self.codec, unit))

    def units(self, packet: bytes) -> Iterator[bytes]:
        """Yield the NAL units of a packet of H.264 or HEVC."""
        if self._length_size:
            return length_prefixed(packet, self._length_size)
        return annex_b(packet)


def configured_sets(codec: str, extradata: bytes) -> list[bytes]:
    """Return the parameter sets of a decoder configuration (avcC, hvcC, av1C, or Annex B), in order.

    Of MPEG-2 and MPEG-4 part 2 these are its headers, of FFV1 the whole; others have none.
    """
    if codec == "av1":
        return [unit for kind, unit in obus(extradata[4:]) if kind == _AV1_SEQUENCE_HEADER]
    if codec not in NAL_CODECS:
        return [extradata] if codec == "ffv1" and extradata else header_units(codec, extradata)
    if not extradata or extradata.startswith(_ANNEX_B):
        return [unit for unit in annex_b(extradata) if _is_parameter_set(codec, unit)]
    try:
        if codec == "h264":
            units = list(_avcc_sets(extradata))
        else:
            units = [unit for _, array in hvcc_arrays(extradata) for unit in array]
        return [unit for unit in units if _is_parameter_set(codec, unit)]
    except (IndexError, struct.error):
        return []


def digest(sets: list[bytes]) -> str:
    """Return a digest of a list of parameter sets; empty for an empty list."""
    if not sets:
        return ""
    joined = b"".join(len(unit).to_bytes(4, "big") + unit for unit in sets)
    return hashlib.sha256(joined).hexdigest()


def length_size(codec: str, extradata: bytes) -> int:
    """Return the bytes of a NAL unit's length field; 0 for streams with start codes."""
    if extradata.startswith(_ANNEX_B) or not extradata:
        return 0
    if codec == "h264" and len(extradata) >= _AVCC_FIXED:
        return (extradata[4] & 3) + 1
    if codec == "hevc" and len(extradata) >= HVCC_FIXED:
        return (extradata[21] & 3) + 1
    return 0


def _has_start_code(unit: bytes | memoryview) -> bool:
    """Return True if a unit holds a start code; zeros at its end, which some writers leave there, are none."""
    found = _START_CODE.search(unit)
    return found is not None and any(unit[found.start() :])


def _kind(codec: str, unit: bytes | memoryview) -> int:
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def _is_frame_unit(codec: str, unit: bytes) -> bool:
    if not unit:
        return False
    kind = _kind(codec, unit)
    return 1 <= kind <= _H264_IDR if codec == "h264" else kind < _HEVC_FIRST_NON_VCL


def _is_parameter_set(codec: str, unit: bytes | memoryview) -> bool:
    return len(unit) > 0 and _kind(codec, unit) in (_H264_SETS if codec == "h264" else _HEVC_SETS)


def length_prefixed(packet: bytes, size: int) -> Iterator[bytes]:
    """Yield NAL units that follow their lengths."""
    position = 0
    while position + size <= len(packet):
        length = int.from_bytes(packet[position : position + size], "big")
        position += size
        yield packet[position : position + length]
        position += length


def annex_b(packet: bytes) -> Iterator[bytes]:
    """Yield NAL units between start codes, without the zeros that may trail them."""
    for piece in packet.split(b"\x00\x00\x01")[1:]:
        yield piece.rstrip(b"\x00")


def without_units(codec: str, packet: bytes, units: frozenset[bytes]) -> bytes:
    """Return a packet with start codes without these NAL units, and without delimiters of frames."""
    delimiter = _H264_DELIMITER if codec == "h264" else _HEVC_DELIMITER
    kept = (unit for unit in annex_b(packet) if unit and unit not in units and _kind(codec, unit) != delimiter)
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in kept)


def _avcc_sets(extradata: bytes) -> Iterator[bytes]:
    position = 5
    for mask in (31, 255):
        count = extradata[position] & mask
        position += 1
        for _ in range(count):
            (length,) = struct.unpack_from(">H", extradata, position)
            yield extradata[position + 2 : position + 2 + length]
            position += 2 + length


def hvcc_arrays(extradata: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield first byte and NAL units of each array of an hvcC.

    Raises:
        IndexError, struct.error: The configuration is damaged.
    """
    position = HVCC_FIXED
    for _ in range(extradata[22]):
        head, count = struct.unpack_from(">BH", extradata, position)
        position += 3
        units = []
        for _ in range(count):
            (length,) = struct.unpack_from(">H", extradata, position)
            units.append(extradata[position + 2 : position + 2 + length])
            position += 2 + length
        yield head, units


def obus(packet: Data) -> Iterator[tuple[int, Data]]:
    """Yield type and whole bytes of each OBU; one without a size field runs to the end."""
    position = 0
    while position < len(packet):
        start, header = position, packet[position]
        position += 2 if header & 4 else 1
        length = len(packet) - position
        if header & 2:
            length, position = _leb128(packet, position)
        position += length
        yield header >> 3 & 15, packet[start:position]


def _are_whole_obus(packet: bytes | memoryview) -> bool:
    position = 0
    while position < len(packet):
        header = packet[position]
        if header & _OBU_RESERVED or not header >> 3 or (header & 4 and position + 1 >= len(packet)):
            return False
        position += 2 if header & 4 else 1
        length = len(packet) - position
        if header & 2:
            length, position = _leb128(packet, position)
        if header >> 3 & 15 in _AV1_FRAME_OBUS and _LONG_ZEROS in bytes(packet[position : position + length]):
            return False
        position += length
    return position == len(packet)


def _leb128(data: bytes | memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    return value, position

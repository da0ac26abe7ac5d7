"""What says the size and colours of a keyframe in its coded bytes, so that one like those before is not decoded.

Sources: RFC 6386, 9.1 (VP8); VP9 bitstream specification, 6.2; ITU-T H.262, 6.2.2 (MPEG-1 and MPEG-2);
ISO/IEC 14496-2, 6.2.3 (MPEG-4); ITU-T H.263, 5.1; ITU-T T.81, B.2.2 (JPEG); SMPTE RDD 36, 5.1
(ProRes); SMPTE ST 2019-1 (DNxHD); PNG 3rd edition, 11.2.1; SMPTE 421M, 6.1 (VC-1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mpt_cli.media.formats.bits import Bits

if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE_HEADER, _SEQUENCE_BYTES = b"\0\0\1\xb3", 4
_DISPLAY_EXTENSION, _DISPLAY_REACH = re.compile(rb"\x00\x00\x01\xb5[\x20-\x2f].{3}", re.DOTALL), 512
_OBJECT_LAYER = re.compile(rb"\x00\x00\x01[\x20-\x2f](.*?)(?=\x00\x00\x01|$)", re.DOTALL)
_VC1_SEQUENCE, _VC1_BYTES = b"\0\0\1\x0f", 8
_JPEG_SIZES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_MOST_SEGMENTS = 64
_EXTENDED_H263 = 7


def size_mark(codec: str, data: bytes) -> bytes:
    """Return the part of a keyframe that differs where its size does; nothing where it has no such part."""
    read = _MARKS.get(codec)
    return read(data) if read else b""


def _mpeg(data: bytes) -> bytes:
    _, found, rest = data.partition(_SEQUENCE_HEADER)
    colors = _DISPLAY_EXTENSION.search(rest, 0, _DISPLAY_REACH)
    return found and rest[:_SEQUENCE_BYTES] + (colors[0] if colors else b"")


def _mpeg4(data: bytes) -> bytes:
    found = _OBJECT_LAYER.search(data)
    return found[1] if found else b""


def _vc1(data: bytes) -> bytes:
    _, found, rest = data.partition(_VC1_SEQUENCE)
    return found and rest[:_VC1_BYTES]


def _h263(data: bytes) -> bytes:
    """Return the source format, and all that follows where it is one of its own."""
    bits = Bits(data[:16])
    bits.fixed(35)
    form = bits.fixed(3)
    return bytes([form]) + (data[4:16] if form == _EXTENDED_H263 else b"")


def _sorenson(data: bytes) -> bytes:
    bits = Bits(data[:10])
    bits.fixed(30)
    form = bits.fixed(3)
    return bytes([form]) + bits.fixed({0: 16, 1: 32}.get(form, 0)).to_bytes(4)


def _jpeg(data: bytes) -> bytes:
    """Return height and width out of a frame header."""
    place = 2
    for _ in range(_MOST_SEGMENTS):
        while data[place : place + 2] == b"\xff\xff":
            place += 1
        if data[place : place + 1] != b"\xff" or place + 4 > len(data):
            return b""
        if data[place + 1] in _JPEG_SIZES:
            return data[place + 5 : place + 9]
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return b""


def _part(start: int, end: int) -> Callable[[bytes], bytes]:
    return lambda data: data[start:end]


_MARKS: dict[str, Callable[[bytes], bytes]] = {
    "vp8": _part(3, 10),
    "vp9": _part(1, 9),
    "prores": _part(16, 25),
    "dnxhd": _part(24, 28),
    "png": _part(16, 24),
    "mpeg1video": _mpeg,
    "mpeg2video": _mpeg,
    "mpeg4": _mpeg4,
    "vc1": _vc1,
    "h263": _h263,
    "flv1": _sorenson,
    "mjpeg": _jpeg,
}
"""By codec; VP8 and VP9 behind flags that differ from one keyframe to the next."""

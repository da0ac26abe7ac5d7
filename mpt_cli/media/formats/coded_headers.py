"""Headers of coded frames of MPEG-2, MPEG-4 part 2, VP8 and VP9 (pure; nothing is decoded).

Sources: ITU-T H.262 6.2.2 and 6.2.3, ISO/IEC 14496-2 6.2.2 to 6.2.5, RFC 6386 9.1, VP9 bitstream specification
6.2 and annex B.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_CODE = b"\x00\x00\x01"
_MPEG2_SEQUENCE, _MPEG2_EXTENSION, _MPEG2_PICTURE, _MPEG2_GROUP = 0xB3, 0xB5, 0x00, 0xB8
_MPEG2_FRAME = 3
_MPEG4_HEADERS = (*range(0x30), 0xB0, 0xB5)
"""Video objects, their layers, the sequence and the visual object; not user data (B2)."""
_MPEG4_PLANE = 0xB6
_INTRA_MPEG2, _INTRA_MPEG4 = 1, 0
_JPEG_METADATA = re.compile(rb"\xff[\xe1-\xed]|\xff\xfe..(?!Lavc)", re.DOTALL)
"""Segments of applications (Exif, XMP, makers' notes) and comments, but those of an encoder."""
_JPEG_SCAN = b"\xff\xda"


def header_units(codec: str, data: bytes) -> list[bytes]:
    """Return the units of MPEG-2 or MPEG-4 that configure a decoder, without user data.

    Args:
        codec: ``mpeg2video`` or ``mpeg4``; others have no such units.
        data: A packet or a decoder configuration; it is read up to its first frame.
    """
    if codec not in ("mpeg2video", "mpeg4"):
        return []
    found = []
    for kind, unit in _units(data):
        if kind in ((_MPEG2_PICTURE, _MPEG2_GROUP) if codec == "mpeg2video" else (_MPEG4_PLANE,)):
            break
        if kind in ((_MPEG2_SEQUENCE, _MPEG2_EXTENSION) if codec == "mpeg2video" else _MPEG4_HEADERS):
            found.append(unit)
    return found


def decodes_alone(codec: str, data: bytes) -> bool:
    """Return True if a keyframe needs nothing that was stored before it, and configures its decoder itself."""
    if codec == "mpeg2video":
        pictures = [unit for kind, unit in _units(data) if kind == _MPEG2_PICTURE and len(unit) > 2]
        has_sequence = data.startswith(_START_CODE + bytes([_MPEG2_SEQUENCE]))
        return has_sequence and bool(pictures) and pictures[0][2] >> 3 & 7 == _INTRA_MPEG2
    if codec == "mpeg4":
        planes = [unit for kind, unit in _units(data) if kind == _MPEG4_PLANE and len(unit) > 1]
        return bool(planes) and planes[0][1] >> 6 == _INTRA_MPEG4
    if codec == "vp8":
        return bool(data) and not data[0] & 1
    if codec == "vp9":
        return _vp9_frame(data)[0]
    return True


def obstacle(codec: str, data: bytes) -> str | None:
    """Return why a packet cannot stand for exactly one frame, with nothing else in it; None where it can."""
    if codec == "mpeg4" and sum(kind == _MPEG4_PLANE for kind, _ in _units(data)) != 1:
        return "several of its frames share a packet"
    if codec == "mpeg2video" and not _holds_whole_frame(data):
        return "its fields are packets of their own"
    if (codec == "vp8" and data and not data[0] >> 4 & 1) or (codec == "vp9" and not _vp9_frame(data)[1]):
        return "some of its packets hold no frame that is shown"
    if codec == "mjpeg" and _JPEG_METADATA.search(data, 0, max(0, data.find(_JPEG_SCAN))):
        return "metadata in its frames cannot be taken out"
    return None


def _holds_whole_frame(data: bytes) -> bool:
    """Return True if a packet of MPEG-2 holds one frame: a frame picture, or two fields."""
    structures = [
        unit[3] & 3
        for kind, unit in _units(data)
        if kind == _MPEG2_EXTENSION and len(unit) > 3 and unit[1] >> 4 == 8  # of a picture
    ]
    return structures in ([], [_MPEG2_FRAME]) or (len(structures) == 2 and _MPEG2_FRAME not in structures)


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and bytes of each unit behind a start code."""
    for piece in data.split(_START_CODE)[1:]:
        if piece:
            yield piece[0], piece.rstrip(b"\x00") or piece[:1]


def _vp9_frame(data: bytes) -> tuple[bool, bool]:
    """Return if the first frame of a packet is a keyframe, and if the packet shows a frame.

    A superframe holds frames that are not shown, and then one that is.
    """
    if not data:
        return False, False
    bits = f"{data[0]:08b}" + (f"{data[1]:08b}" if len(data) > 1 else "")
    start = 5 if bits[2:4] == "11" else 4
    shows_existing, is_inter, is_shown = (bits[start + n : start + n + 1] == "1" for n in range(3))
    return not shows_existing and not is_inter, shows_existing or is_shown or _is_superframe(data)


def _is_superframe(data: bytes) -> bool:
    """Return True if a packet of VP9 ends with an index of the frames in it."""
    mark = data[-1]
    index_bytes = 2 + ((mark >> 3 & 3) + 1) * ((mark & 7) + 1)
    return mark & 0xE0 == 0xC0 and len(data) >= index_bytes and data[-index_bytes] == mark

"""Image files that hold several frames: whether they play, by the structure behind their first bytes.

Sources: PNG 3rd edition, 11.3.6 (``acTL``); WebP container specification ("ANMF"); ITU-T T.81, B.1
(markers); CIPA DC-007 (``MPF``, several images that are no motion); ISO/IEC 23008-12, 10 (brands).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.model.errors import IssueCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEQUENCE_BRANDS = (b"avis", b"msf1", b"hevc", b"hevx", b"heis")
"""Of AVIF and HEIF with a track that plays beside, or instead of, a still."""
_MOTION_JPEG = (".mjpeg", ".mjpg")
"""Names by which libav knows one; under those of a still it takes the first image alone."""
_MISNAMED = (IssueCode.STILL_IMAGE, "is a still image by its name, and several JPEG images inside", "name it .mjpeg")
_PROBED = 2000
_MOST_CHUNKS = 10_000
_LARGEST_IMAGE = 64 << 20
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""In coded data ``FF`` stands only before zeros and restarts."""
_JPEG_START, _JPEG_END, _JPEG_SCAN = b"\xff\xd8", 0xD9, 0xDA
_JPEG_SIZES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_SEVERAL_STILLS = b"MPF\0"


Refusal = tuple[IssueCode, str, str]
"""A code, a message and a hint."""


def verdict(path: Path, file: BinaryIO, kind: str) -> Refusal | bool:
    """Return whether an image file of this kind plays, or why it does not although it moves."""
    if kind == "PNG":
        return _png(file)
    if kind == "JPEG":
        moves = _is_motion_jpeg(file)
        return moves if not moves or path.suffix.lower() in _MOTION_JPEG else _MISNAMED
    if kind == "WebP" and _webp_frames(file) > 1:
        return _not_read("WebP", needs=" (by ffmpeg 9 or newer)")
    return kind in ("AVIF", "HEIC", "HEIF") and _has_sequence(file)


def _not_read(kind: str, *, needs: str = "", options: str = "") -> Refusal:
    hint = f"convert it first, without loss{needs}: ffmpeg {options}-i IN -c:v ffv1 OUT.mkv"
    return IssueCode.UNSUPPORTED_CODEC, f"is an animated {kind}, which is not read", hint


def _png(file: BinaryIO) -> Refusal | bool:
    """Look for an ``acTL`` in front of the image data; libav finds it only near the beginning."""
    file.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        size, kind = int.from_bytes(head[:4]), head[4:]
        if kind == b"acTL":
            near = file.tell() < _PROBED
            frames = int.from_bytes(file.read(4))
            return (near or _not_read("PNG with long texts in front", options="-f apng ")) if frames > 1 else False
        if len(head) < 8 or kind == b"IDAT":
            return False
        file.seek(size + 4, 1)
    return False


def _webp_frames(file: BinaryIO) -> int:
    return sum(kind == b"ANMF" for kind in _riff_chunks(file))


def _riff_chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        yield head[:4]
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)


def _is_motion_jpeg(file: BinaryIO) -> bool:
    """Return whether another image of the same size follows the first one, and no index of stills announces it."""
    file.seek(0)
    data = file.read(_LARGEST_IMAGE)
    first = _jpeg(data, 0)
    if first is None or _SEVERAL_STILLS in data[: first[1]]:
        return False
    following = data.find(_JPEG_START, first[1], first[1] + 4096)
    second = _jpeg(data, following) if following >= 0 else None
    return second is not None and second[0] == first[0] and not data[first[1] : following].strip(b"\0\xff")


def _jpeg(data: bytes, start: int) -> tuple[bytes, int] | None:
    """Return the size, as its bytes, of the image that starts here, and where the image ends; None where none is."""
    place, size, in_scan = start + 2, b"", False
    while data.startswith(_JPEG_START, start):
        found = _JPEG_MARKER.search(data, place) if in_scan else _JPEG_MARKER.match(data, place)
        if found is None:
            return None
        marker, place = found.group()[1], found.end()
        if marker == _JPEG_END:
            return (size, place) if size else None
        if marker in _JPEG_SIZES:
            size = data[place + 3 : place + 7]
        in_scan = in_scan or marker == _JPEG_SCAN
        place += int.from_bytes(data[place : place + 2])
    return None


def _has_sequence(file: BinaryIO) -> bool:
    """Return whether one of the brands of a file promises frames in time."""
    file.seek(0)
    size = int.from_bytes(file.read(4))
    brands = file.read(min(max(0, size - 4), 4096))[4:]
    return any(brands[at : at + 4] in _SEQUENCE_BRANDS for at in range(0, len(brands), 4))

"""Files changed by hand: boxes of MP4 and MOV, and elements of Matroska, that ffmpeg does not write."""

from __future__ import annotations

import re
from struct import pack, pack_into, unpack_from

_VIDEO_ELEMENT = re.compile(rb"\xe0[\x81-\xfe]\xb0\x81", re.DOTALL)
"""Matroska's settings of pictures, which begin with the width in one byte."""
_TO_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    inner = b"".join(parts)
    return pack(">I4s", 8 + len(inner), kind) + inner


def place_of(data: bytes, *kinds: bytes) -> tuple[int, int]:
    """Where a box begins and ends, by the boxes around it; the first of each kind."""
    start, begin, end = 0, 0, len(data)
    for kind in kinds:
        begin = start
        while unpack_from(">4s", data, begin + 4)[0] != kind:
            begin += unpack_from(">I", data, begin)[0]
        end = begin + unpack_from(">I", data, begin)[0]
        start = begin + 8
    return begin, end


def grown(data: bytes, place: int, new: bytes, around: tuple[bytes, ...]) -> bytes:
    """The data with something put in; the boxes around it, which must lie behind the pictures, grow."""
    changed = bytearray(data)
    for depth in range(1, len(around) + 1):
        at, _ = place_of(data, *around[:depth])
        pack_into(">I", changed, at, unpack_from(">I", data, at)[0] + len(new))
    changed[place:place] = new
    return bytes(changed)


def inside_entry(data: bytes, new: bytes) -> bytes:
    """A file with one more box in the first sample entry of its first track; its index comes last."""
    begin, _ = place_of(data, *_TO_ENTRIES)
    entry = begin + 16
    size = unpack_from(">I", data, entry)[0]
    changed = bytearray(grown(data, entry + size, new, _TO_ENTRIES))
    pack_into(">I", changed, entry, size + len(new))
    return bytes(changed)


def replaced_in(data: bytes, old: bytes, new: bytes) -> bytes:
    """Bytes that stand once in a file, replaced by as many others."""
    assert data.count(old) == 1
    assert len(old) == len(new)
    return data.replace(old, new)


def with_pixel_crop(data: bytes, *, top: int, bottom: int) -> bytes:
    """A Matroska file of ffmpeg (with ``-write_crc32 0``) whose first track crops rows of its pictures.

    The void element that ffmpeg leaves in front of the tracks shrinks by as much as they grow, so
    that what lies behind them stays in its place.
    """
    new = b"\x54\xbb\x82" + pack(">H", top) + b"\x54\xaa\x82" + pack(">H", bottom)
    changed = bytearray(data)
    void = data.index(b"\xec")
    tracks = data.index(b"\x16\x54\xae\x6b", void)
    track = _content(data, tracks, 4)
    video = next(_VIDEO_ELEMENT.finditer(data, _content(data, track, 1))).start()
    for place, identifier, more in (
        (void, 1, -len(new)),
        (tracks, 4, len(new)),
        (track, 1, len(new)),
        (video, 1, len(new)),
    ):
        _resize(changed, place + identifier, more)
    at = _content(data, video, 1)
    changed[at:at] = new
    end = _content(data, void, 1) + _size(data, void + 1)[0]
    del changed[end - len(new) : end]
    return bytes(changed)


def _size(data: bytes | bytearray, place: int) -> tuple[int, int]:
    """The size that stands here by RFC 8794, and how many bytes say it."""
    length = 9 - data[place].bit_length()
    return int.from_bytes(data[place : place + length]) & ((1 << 7 * length) - 1), length


def _content(data: bytes, place: int, identifier: int) -> int:
    """Where the content of an element begins whose identifier has so many bytes."""
    return place + identifier + _size(data, place + identifier)[1]


def _resize(data: bytearray, place: int, more: int) -> None:
    size, length = _size(data, place)
    data[place : place + length] = (size + more | 1 << 7 * length).to_bytes(length)

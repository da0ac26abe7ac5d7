"""Read from the elements of a Matroska or WebM file how far its movie goes, and where another one begins."""

from __future__ import annotations

import io
import math
import mmap
import os
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.media.formats.boxes import read_element
from mpt_cli.media.inspect.container.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
_INFO, _DURATION, _SCALE = 0x1549A966, 0x4489, 0x2AD7B1
_TRACKS, _ENTRY = 0x1654AE6B, 0xAE
_NUMBER, _CODEC, _PRIVATE, _VIDEO, _AUDIO = 0xD7, 0x86, 0x63A2, 0xE0, 0xE1
EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_BLOCK_HEAD = 4
"""Bytes of a block before its data, which libav does not count."""
_BEHIND_BLOCKS = {
    0xA3, 0x9B, 0x75A2, 0xFB, 0x75A1, 0xA4, 0xE7, 0xAB, 0xA7, 0xEC, 0xBF, 0x1C53BB6B, 0x1254C367,
    0x114D9B74, 0x1941A469, 0x1043A770, 0x1549A966, _CLUSTER, _BLOCK_GROUP,
}  # fmt: skip
"""Elements that may follow a block, in its group, its cluster or behind that."""
_GARBAGE = 16
"""Bytes at most of an element of which not even the head is whole."""


def extent_of_elements(file: BinaryIO, size: int) -> Extent:
    """Return how far the first segment goes in a Matroska file of this many bytes."""
    file.seek(0)
    end: int | None = None
    while (head := read_element(file)) is not None:
        begin = file.tell()
        if head[0] == _SEGMENT:
            end = None if head[1] is None else begin + head[1]
            break
        if head[1] is None:
            return Extent(size)
        file.seek(begin + head[1])
    following = _find(file, EBML_MAGIC, end or 64, size)
    if following is None:
        return Extent(size, end)
    return Extent(size, None, next_movie=following, reads_on=_same_tracks(file, following, size))


def _find(file: BinaryIO, magic: bytes, start: int, size: int) -> int | None:
    """Return where the next EBML head of Matroska or WebM begins, from a position on."""
    if start >= size:
        return None
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        while (start := data.find(magic, start)) >= 0:
            if any(name in data[start : start + 64] for name in (b"matroska", b"webm")):
                return start
            start += 1
    return None


def _same_tracks(file: BinaryIO, second: int, size: int) -> bool:
    """Return whether all heads say the same of their tracks: then libav reads the later ones rightly."""
    first, next_head = _tracks(file, 0), second
    while next_head is not None:
        if _tracks(file, next_head) != first:
            return False
        following = _find(file, EBML_MAGIC, next_head + 4, size)
        if following is None:
            break
        next_head = following
    return bool(first)


def segment_seconds(head: bytes) -> Fraction:
    """Return how long the segment that begins with these bytes is by its head; 0 where that does not tell."""
    file = io.BytesIO(head)
    while (found := read_element(file)) is not None and found[0] != _INFO:
        file.seek(0 if found[0] == _SEGMENT else found[1] or 0, os.SEEK_CUR)
    if found is None:
        return Fraction(0)
    facts = dict(_children(file.read(found[1] or 0)))
    length, nanoseconds = facts.get(_DURATION, b""), int.from_bytes(facts.get(_SCALE, b"")) or 1_000_000
    if len(length) not in (4, 8):
        return Fraction(0)
    (ticks,) = struct.unpack(">f" if len(length) == 4 else ">d", length)
    return Fraction(ticks) * nanoseconds / 1_000_000_000 if math.isfinite(ticks) else Fraction(0)


def _tracks(file: BinaryIO, head: int) -> list[tuple[tuple[int, bytes], ...]]:
    """Return what decoding the tracks of the segment behind a head takes: number, codec, its setup, size or rate."""
    file.seek(head)
    while (found := read_element(file)) is not None:
        identifier, length = found
        if identifier == _TRACKS and length is not None:
            entries = _children(file.read(length))
            return [
                tuple(
                    (kind, data)
                    for kind, data in _children(entry)
                    if kind in (_NUMBER, _CODEC, _PRIVATE, _VIDEO, _AUDIO)
                )
                for kind, entry in entries
                if kind == _ENTRY
            ]
        if identifier == _SEGMENT:
            continue
        if length is None or identifier == _CLUSTER:
            break
        file.seek(length, os.SEEK_CUR)
    return []


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield identifier and content of the elements in a row."""
    file = io.BytesIO(data)
    while (head := read_element(file)) is not None and head[1] is not None:
        yield head[0], file.read(head[1])


def ends_within_element(path: Path, position: int) -> bool:
    """Return whether a Matroska file ends before the end of an element, of those behind a block's data."""
    size = path.stat().st_size
    position += _BLOCK_HEAD
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = read_element(file)
            if head is None or head[0] not in _BEHIND_BLOCKS:
                return head is None and size - position < _GARBAGE
            begin = file.tell()
            if head[0] in (_CLUSTER, _BLOCK_GROUP) or head[1] is None:
                position = begin
            elif begin + head[1] > size:
                return True
            else:
                position = begin + head[1]
    return False

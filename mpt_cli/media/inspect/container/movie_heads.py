"""Read from the heads of a file how far its movie should go, and where another one begins behind it.

Nothing is decoded, and of most files only a few heads are read. What libav says of a length is of no
use for this: of a file that was cut off it makes the length smaller, or takes the header's for true.
"""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.media.inspect.container.box_heads import extent_of_boxes
from mpt_cli.media.inspect.container.element_heads import EBML_MAGIC, extent_of_elements, segment_seconds
from mpt_cli.media.inspect.container.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_WTV_HEADER = bytes.fromhex("b7d800203749da11a64e0007e95ead8d")
_MXF_PARTITION = bytes.fromhex("060e2b34020501010d010201")
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))
"""Bytes of a packet, and where in it the sync byte stands."""
_MOST_SECONDS = 1_000_000
_MOST_HEAD = 1 << 20
_OGG_HEAD = 27
_RM_SLACK = 10
"""Bytes that ffmpeg's own writer says too many of."""


def extent_of(path: Path) -> Extent:
    """Return how far the movie in a file goes; of an unknown container only its size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(1024)
        reader = next((reader for fits, reader in _READERS if fits(head)), None)
        return reader(file, size) if reader is not None else Extent(size)


def second_head(path: Path, position: int) -> int | None:
    """Return where another movie begins not far behind a position, of containers that libav reads no further in."""
    with path.open("rb") as file:
        file.seek(position)
        tail = file.read(_MOST_HEAD)
    places = [tail.find(magic) for magic in (b"FLV\x01", b"YUV4MPEG2", _ASF_HEADER, _WTV_HEADER)]
    return position + min(found) if (found := [place for place in places if place >= 0]) else None


def told_seconds(path: Path, position: int) -> Fraction | None:
    """Return how long the movie that begins at a position is by its head; None where it does not tell."""
    with path.open("rb") as file:
        file.seek(position)
        head = file.read(1 << 16)
    if head.startswith(_ASF_HEADER):
        return _asf_length(head)[1]
    if head.startswith(b"FLV\x01") and (place := head.find(b"\0\x08duration\0")) >= 0:
        (seconds,) = struct.unpack_from(">d", head, place + 11)
        return Fraction(seconds) if 0 < seconds < _MOST_SECONDS else None
    if head.startswith(EBML_MAGIC):
        seconds = segment_seconds(head)
        return seconds if 0 < seconds < _MOST_SECONDS else None
    if head.startswith(b"DKIF"):
        rate, scale, frames = struct.unpack_from("<III", head, 16)
        return Fraction(frames * scale, rate) if rate and 0 < frames * scale < rate * _MOST_SECONDS else None
    return None


def _of_riff(file: BinaryIO, size: int) -> Extent:
    start, promised, heads = 0, None, list[tuple[int, bytes]]()
    while start + 12 <= size:
        file.seek(start)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] not in (b"RIFF", b"JUNK", b"idx1") or (length in (0, 0xFFFFFFFF) and head[:4] == b"RIFF"):
            break
        if head[:4] == b"RIFF" and head[8:] == b"AVI ":
            heads.append((start, _stream_heads(file.read(4096))))
        promised = start + 8 + length + length % 2
        start = promised
    if promised is not None and promised == size + 1:
        promised = size  # the byte that makes the last chunk even
    if len(heads) < 2:
        return Extent(size, promised)
    alike = all(head == heads[0][1] for _, head in heads)
    return Extent(size, promised, next_movie=heads[1][0], reads_on=alike)


def _stream_heads(head: bytes) -> bytes:
    """Kinds, clocks and formats of the streams in the head of an AVI: what libav decodes them by."""
    found, place = b"", 0
    while (place := head.find(b"strh", place)) >= 0:
        found += head[place + 8 : place + 16] + head[place + 28 : place + 36]
        setup = head.find(b"strf", place)
        if setup >= 0:
            found += head[setup + 8 : setup + 8 + int.from_bytes(head[setup + 4 : setup + 8], "little")]
        place += 4
    return found


def _of_asf(file: BinaryIO, size: int) -> Extent:
    file.seek(0)
    promised, seconds = _asf_length(file.read(1 << 16))
    if promised is None:
        return Extent(size)
    file.seek(promised)
    follows = promised < size and file.read(16) == _ASF_HEADER
    return Extent(size, promised, promised_seconds=seconds, next_movie=promised if follows else None)


def _asf_length(head: bytes) -> tuple[int | None, Fraction | None]:
    """Bytes and seconds of an ASF file; None where its head was never completed."""
    place = head.find(_ASF_FILE)
    if place < 0 or len(head) < place + 92:
        return None, None
    size, packets = struct.unpack_from("<Q8xQ", head, place + 40)
    length, _, preroll, flags = struct.unpack_from("<QQQI", head, place + 64)
    if flags & 1 or not packets:  # a broadcast
        return None, None
    seconds = Fraction(length, 10_000_000) - Fraction(preroll, 1000)
    return size, seconds if seconds > 0 else None


def _of_rm(file: BinaryIO, size: int) -> Extent:
    start, promised, following = 0, None, None
    while start + 8 <= size:
        file.seek(start)
        kind, length = struct.unpack(">4sI", file.read(8))
        if kind not in (b".RMF", b"PROP", b"MDPR", b"CONT", b"DATA", b"INDX") or length < 8:
            break
        start += length
        promised = start - _RM_SLACK
    file.seek(max(0, start - 2 * _RM_SLACK))
    place = file.read(4 * _RM_SLACK).find(b".RMF")
    if place >= 0:
        following = max(0, start - 2 * _RM_SLACK) + place
    return Extent(size, promised, next_movie=following)


def _of_mxf(file: BinaryIO, size: int) -> Extent:
    file.seek(16)
    length = file.read(1)[0]
    if length & 128:
        file.seek(length & 127, os.SEEK_CUR)
    place = file.read(32)
    footer = int.from_bytes(place[24:32])
    return Extent(size, ends_early=footer >= size)


def _of_ivf(file: BinaryIO, size: int) -> Extent:
    file.seek(4)
    _, start = struct.unpack("<HH", file.read(4))
    while start + 12 <= size:
        file.seek(start)
        head = file.read(12)
        if head.startswith(b"DKIF"):
            return Extent(size, next_movie=start)
        start += 12 + int.from_bytes(head[:4], "little")
    return Extent(size, ends_early=start != size)


def _of_flv(file: BinaryIO, size: int) -> Extent:
    file.seek(0)
    head = file.read(4096)
    place = head.find(b"\0\x08filesize\0")
    if place < 0:
        return Extent(size)
    (promised,) = struct.unpack_from(">d", head, place + 11)
    return Extent(size, int(promised) if size < promised < 1 << 62 else None)


def _of_ts(file: BinaryIO, size: int) -> Extent:
    file.seek(0)
    head = file.read(1024)
    packet = next((length for length, first in _TS_PACKETS if head[first::length][:4] == b"GGGG"), None)
    return Extent(size, ends_early=packet is not None and size % packet != 0)


def _of_gif(file: BinaryIO, size: int) -> Extent:
    file.seek(max(0, size - 64))
    ended = file.read().rstrip(b"\0").endswith(b";")
    return Extent(size, ends_early=not ended)


def _of_ogg(file: BinaryIO, size: int) -> Extent:
    """By its pages: streams begin together, and one that begins behind others is another movie's."""
    start, has_data = 0, False
    while start + _OGG_HEAD <= size:
        file.seek(start)
        head = file.read(_OGG_HEAD)
        if not head.startswith(b"OggS"):
            return Extent(size)
        if head[5] & 2 and has_data:
            return Extent(size, next_movie=start)
        has_data = has_data or not head[5] & 2
        start += _OGG_HEAD + head[26] + sum(file.read(head[26]))
    return Extent(size, ends_early=start != size)


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[BinaryIO, int], Extent]], ...] = (
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"), extent_of_boxes),
    (lambda head: head.startswith(EBML_MAGIC), extent_of_elements),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"AVI ", _of_riff),
    (lambda head: head.startswith(_ASF_HEADER), _of_asf),
    (lambda head: head.startswith(b".RMF"), _of_rm),
    (lambda head: head.startswith(_MXF_PARTITION), _of_mxf),
    (lambda head: head.startswith(b"DKIF"), _of_ivf),
    (lambda head: head.startswith(b"FLV\x01"), _of_flv),
    (lambda head: head.startswith(b"GIF8"), _of_gif),
    (lambda head: head.startswith(b"OggS"), _of_ogg),
    (lambda head: any(head[first::length][:4] == b"GGGG" for length, first in _TS_PACKETS), _of_ts),
)
"""How a container is known by its first bytes, and what reads its heads."""

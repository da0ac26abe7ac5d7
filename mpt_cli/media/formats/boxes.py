"""The order of a container's parts: is the index in front, is there an edit list, is a track shown turned.

Walks ISO/IEC 14496-12 boxes and EBML elements without decoding anything.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.model.choices import Container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEGMENT, _CUES, _CLUSTER = 0x18538067, 0x1C53BB6B, 0x1F43B675
_QUICKTIME = b"qt  "
"""Brand of a MOV; one from before there were brands is a MOV too (QuickTime File Format, "ftyp")."""
_REEL_BOXES: dict[tuple[bytes, ...], frozenset[bytes]] = {
    (): frozenset({b"ftyp", b"moov", b"mdat", b"free", b"wide"}),
    (b"moov",): frozenset({b"mvhd", b"trak", b"udta"}),
    (b"moov", b"trak"): frozenset({b"tkhd", b"edts", b"mdia"}),
    (b"moov", b"trak", b"edts"): frozenset({b"elst"}),
    (b"moov", b"udta"): frozenset({b"meta", b"\xa9swr"}),
}
"""Boxes of an MP4 or MOV that ffmpeg writes, by the boxes around them; only these are looked into."""
_TRACK_HEADER = (b"moov", b"trak", b"tkhd")
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""The matrix of a track that is shown as it is stored."""


def layout_problem(path: Path, container: Container) -> str | None:
    """What is wrong with the layout of a published file, or None."""
    with path.open("rb") as file:
        if container is Container.MKV:
            order = list(_ebml_order(file))
            return None if _before(order, _CUES, _CLUSTER) else "its index is not in front"
        size = path.stat().st_size
        top = [kind for kind, _, _ in boxes_within(file, 0, size)]
        if not _before(top, b"moov", b"mdat"):
            return "its index is not in front"
        if (_brand(file) == _QUICKTIME) is not (container is Container.MOV):
            return f"its brand is not that of {container}"
        if any(matrix != _UPRIGHT for _, matrix in _matrices(file, size)):
            return "it is shown turned"
        return "it has an edit list" if has_edit_list(file, size) else None


def has_edit_list(file: BinaryIO, size: int) -> bool:
    """Whether any track of an MP4 or MOV of this many bytes has an edit list."""
    return any(place[-1] == b"elst" for place, _ in _places(file, 0, size))


def set_upright(path: Path) -> None:
    """Let an MP4 be shown as it is stored.

    Of a clip whose stored pictures were turned upright ffmpeg 5.1 keeps the matrix that says how to
    turn them, and no option of its takes that away (measured). A file that is missing stays so.
    """
    with suppress(FileNotFoundError), path.open("r+b") as file:
        for place, matrix in list(_matrices(file, path.stat().st_size)):
            if matrix != _UPRIGHT:
                file.seek(place)
                file.write(_UPRIGHT)


def _matrices(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Where the matrix of each track stands, and what it is."""
    for place, inner in _places(file, 0, size):
        if place == _TRACK_HEADER:
            file.seek(inner)
            start = inner + (52 if file.read(1) == b"\x01" else 40)
            file.seek(start)
            yield start, file.read(len(_UPRIGHT))


def has_foreign_boxes(path: Path) -> bool:
    """Whether an MP4 or MOV holds boxes that no reel has: XMP, makers' notes, fragments and the like."""
    with path.open("rb") as file:
        places = _places(file, 0, path.stat().st_size)
        return any(place[-1] not in _REEL_BOXES[place[:-1]] for place, _ in places)


def _brand(file: BinaryIO) -> bytes:
    """The major brand of an MP4 or MOV, which says for which of them it was written."""
    file.seek(0)
    head = file.read(12)
    return head[8:] if head[4:8] == b"ftyp" else _QUICKTIME


def _before(order: list[bytes] | list[int], first: bytes | int, second: bytes | int) -> bool:
    kinds: list[object] = list(order)
    return first in kinds and second in kinds and kinds.index(first) < kinds.index(second)


def _places(
    file: BinaryIO, start: int, end: int, above: tuple[bytes, ...] = ()
) -> Iterator[tuple[tuple[bytes, ...], int]]:
    """Each box as the kinds of those around it and its own, and where its content starts."""
    for kind, inner, after in boxes_within(file, start, end):
        place = (*above, kind)
        yield place, inner
        if place in _REEL_BOXES:
            yield from _places(file, inner, after, place)


def boxes_within(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and end of each box between two positions; none ends behind the second."""
    while start + 8 <= end:
        kind, inner, after = read_box(file, start, end)
        after = min(end, after)
        if after < inner:
            return
        yield kind, inner, after
        start = after


def read_box(file: BinaryIO, start: int, end: int) -> tuple[bytes, int, int]:
    """Kind, start of the content and claimed end of the box that begins at a position; ``end`` if it has none."""
    file.seek(start)
    head, header = file.read(8), 8
    size, kind = int.from_bytes(head[:4]), head[4:]
    if size == 1:
        size, header = int.from_bytes(file.read(8)), 16
    return kind, start + header, start + size if size else end


def _ebml_order(file: BinaryIO) -> Iterator[int]:
    """Identifiers of the top elements of a Matroska segment, in order; none behind one that is cut off."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    while head := read_element(file):
        identifier, size = head
        if identifier == _SEGMENT:
            continue
        yield identifier
        if size is None or identifier == _CLUSTER or size > end:
            return
        file.seek(size, 1)


def read_element(file: BinaryIO) -> tuple[int, int | None] | None:
    """Identifier and size (None: unknown) of the EBML element that begins here; None where none does."""
    identifier = _vint(file, keep_marker=True)
    size = _vint(file, keep_marker=False)
    if identifier is None or size is None:
        return None
    return identifier[0], None if size[0] == (1 << 7 * size[1]) - 1 else size[0]


def _vint(file: BinaryIO, *, keep_marker: bool) -> tuple[int, int] | None:
    """A variable-length integer of RFC 8794 and its number of bytes."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    value = first[0] if keep_marker else first[0] & ((1 << 8 - length) - 1)
    return int.from_bytes(bytes([value]) + rest, "big"), length

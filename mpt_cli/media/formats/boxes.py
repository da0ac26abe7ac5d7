"""Box order of MP4 and MOV and element order of Matroska: index, edit lists, display matrix.

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

    from mpt_cli.model.clips import Dimensions, Orientation

_SEGMENT, _CUES, _CLUSTER = 0x18538067, 0x1C53BB6B, 0x1F43B675
_QUICKTIME = b"qt  "
"""Brand of a MOV; a file from before there were brands is a MOV too (QuickTime File Format, "ftyp")."""
_REEL_BOXES: dict[tuple[bytes, ...], frozenset[bytes]] = {
    (): frozenset({b"ftyp", b"moov", b"mdat", b"free", b"wide"}),
    (b"moov",): frozenset({b"mvhd", b"trak", b"udta"}),
    (b"moov", b"trak"): frozenset({b"tkhd", b"edts", b"mdia"}),
    (b"moov", b"trak", b"edts"): frozenset({b"elst"}),
    (b"moov", b"udta"): frozenset({b"meta", b"\xa9swr"}),
}
"""Boxes of an MP4 or MOV that ffmpeg writes, by the boxes around them; only these are opened."""
_TRACK_HEADER = (b"moov", b"trak", b"tkhd")
_UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""Matrix of a track that is shown as it is stored."""


def layout_problem(path: Path, container: Container, *, matrix: bytes = _UPRIGHT) -> str | None:
    """Return a text about the wrong layout of a published file, or None.

    Args:
        path: Path of the file.
        container: Its container.
        matrix: Display matrix of its video, where the container has one; see :func:`display_matrix`.
    """
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
        if {found for _, found in _matrices(file, size)} - {_UPRIGHT} != {matrix} - {_UPRIGHT}:
            return "it is shown turned" if matrix == _UPRIGHT else "it is not shown turned as its clips are"
        return "it has an edit list" if has_edit_list(file, size) else None


def has_edit_list(file: BinaryIO, size: int) -> bool:
    """Return True if any track of an MP4 or MOV of this many bytes has an edit list."""
    return any(kinds[-1] == b"elst" for kinds, _ in _nested_boxes(file, 0, size))


def set_upright(path: Path) -> None:
    """Set the display matrix of an MP4 to the identity.

    For a clip whose stored frames were turned upright ffmpeg 5.1 keeps the matrix that turns
    them, and no option of its takes that away (measured). A missing file is ignored.
    """
    with suppress(FileNotFoundError), path.open("r+b") as file:
        for offset, matrix in list(_matrices(file, path.stat().st_size)):
            if matrix != _UPRIGHT:
                file.seek(offset)
                file.write(_UPRIGHT)


def set_display_matrix(path: Path, matrix: bytes) -> None:
    """Set the display matrix of the video of an MP4 or MOV.

    ffmpeg 5.1 has no option that does, and what the concat demuxer takes along from its first file differs.

    Args:
        path: Path of the file.
        matrix: The matrix; see :func:`display_matrix`.

    Raises:
        ValueError: The file has no video.
    """
    with path.open("r+b") as file:
        for offset, _ in list(_matrices(file, path.stat().st_size)):
            file.seek(offset + len(matrix))
            if any(file.read(8)):  # only video has a size
                file.seek(offset)
                file.write(matrix)
                return
    raise ValueError(f"{path} has no video")


def display_matrix(orientation: Orientation, stored: Dimensions) -> bytes:
    """Return the matrix of ISO/IEC 14496-12, 6.2.2 that turns frames of this size, and moves them to the origin."""
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[orientation.rotation]
    a, b = (-cos, -sin) if orientation.mirrored else (cos, sin)
    c, d = -sin, cos
    left = min(0, a * stored.width) + min(0, c * stored.height)
    top = min(0, b * stored.width) + min(0, d * stored.height)
    return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, -left << 16, -top << 16, 1 << 30)


def _matrices(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of the matrix of each track."""
    for kinds, inner in _nested_boxes(file, 0, size):
        if kinds == _TRACK_HEADER:
            file.seek(inner)
            start = inner + (52 if file.read(1) == b"\x01" else 40)
            file.seek(start)
            yield start, file.read(len(_UPRIGHT))


def has_foreign_boxes(path: Path) -> bool:
    """Return True if an MP4 or MOV holds boxes that no reel has: XMP, makers' notes, fragments and the like."""
    with path.open("rb") as file:
        found = _nested_boxes(file, 0, path.stat().st_size)
        return any(kinds[-1] not in _REEL_BOXES[kinds[:-1]] for kinds, _ in found)


def _brand(file: BinaryIO) -> bytes:
    """Return the major brand of an MP4 or MOV, which names the format it was written for."""
    file.seek(0)
    head = file.read(12)
    return head[8:] if head[4:8] == b"ftyp" else _QUICKTIME


def _before(order: list[bytes] | list[int], first: bytes | int, second: bytes | int) -> bool:
    kinds: list[object] = list(order)
    return first in kinds and second in kinds and kinds.index(first) < kinds.index(second)


def _nested_boxes(
    file: BinaryIO, start: int, end: int, above: tuple[bytes, ...] = ()
) -> Iterator[tuple[tuple[bytes, ...], int]]:
    """Yield each box as the kinds of the boxes around it and its own, and the offset of its content."""
    for kind, inner, after in boxes_within(file, start, end):
        kinds = (*above, kind)
        yield kinds, inner
        if kinds in _REEL_BOXES:
            yield from _nested_boxes(file, inner, after, kinds)


def boxes_within(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of each box between two offsets; none ends behind the second."""
    while start + 8 <= end:
        kind, inner, after = read_box(file, start, end)
        after = min(end, after)
        if after < inner:
            return
        yield kind, inner, after
        start = after


def read_box(file: BinaryIO, start: int, end: int) -> tuple[bytes, int, int]:
    """Return kind, start of the content and claimed end of the box at an offset; ``end`` if it claims none."""
    file.seek(start)
    head, header = file.read(8), 8
    size, kind = int.from_bytes(head[:4]), head[4:]
    if size == 1:
        size, header = int.from_bytes(file.read(8)), 16
    return kind, start + header, start + size if size else end


def _ebml_order(file: BinaryIO) -> Iterator[int]:
    """Yield identifiers of the top elements of a Matroska segment, in order; none behind one that is cut off."""
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
    """Return identifier and size (None: unknown) of the EBML element at the file's position, or None."""
    identifier = _vint(file, keep_marker=True)
    size = _vint(file, keep_marker=False)
    if identifier is None or size is None:
        return None
    return identifier[0], None if size[0] == (1 << 7 * size[1]) - 1 else size[0]


def _vint(file: BinaryIO, *, keep_marker: bool) -> tuple[int, int] | None:
    """Return a variable-length integer of RFC 8794 and its number of bytes, or None."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    value = first[0] if keep_marker else first[0] & ((1 << 8 - length) - 1)
    return int.from_bytes(bytes([value]) + rest, "big"), length

"""The order of a container's parts: is the index in front, is there an edit list.

Walks ISO/IEC 14496-12 boxes and EBML elements without decoding anything.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.models import Container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEGMENT, _CUES, _CLUSTER = 0x18538067, 0x1C53BB6B, 0x1F43B675
_PARENTS = (b"moov", b"trak", b"edts")


def layout_problem(path: Path, container: Container) -> str | None:
    """What is wrong with the layout of a published file, or None."""
    with path.open("rb") as file:
        if container is Container.MKV:
            order = list(_ebml_order(file))
            return None if _before(order, _CUES, _CLUSTER) else "its index is not in front"
        size = path.stat().st_size
        top = [kind for kind, _, _ in _boxes(file, 0, size)]
        if not _before(top, b"moov", b"mdat"):
            return "its index is not in front"
        return "it has an edit list" if has_edit_list(file, size) else None


def has_edit_list(file: BinaryIO, size: int) -> bool:
    """Whether any track of an MP4 or MOV of this many bytes has an edit list."""
    return any(kind == b"elst" for kind in _inner_kinds(file, 0, size))


def _before(order: list[bytes] | list[int], first: bytes | int, second: bytes | int) -> bool:
    kinds: list[object] = list(order)
    return first in kinds and second in kinds and kinds.index(first) < kinds.index(second)


def _inner_kinds(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    for kind, inner, after in _boxes(file, start, end):
        yield kind
        if kind in _PARENTS:
            yield from _inner_kinds(file, inner, after)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and end of each box between two positions."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        after = end if size == 0 else start + size
        if after < start + header:
            return
        yield kind, start + header, after
        start = after


def _ebml_order(file: BinaryIO) -> Iterator[int]:
    """Identifiers of the top elements of a Matroska segment, in order."""
    while head := _element(file):
        identifier, size = head
        if identifier == _SEGMENT:
            continue
        yield identifier
        if size is None or identifier == _CLUSTER:
            return
        file.seek(size, 1)


def _element(file: BinaryIO) -> tuple[int, int | None] | None:
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

"""Whether a Dolby Vision stream has pictures that a player without Dolby Vision can show.

PyAV does not tell, so the record is read from the container: "Dolby Vision Streams Within the ISO
Base Media File Format" (3.2, ``DOVIDecoderConfigurationRecord`` in the box ``dvcC``, ``dvvC`` or
``dvwC`` of a sample entry), and for Matroska the same bytes as a ``BlockAdditionMapping`` (Matroska
Media Container Codec Specifications, "Dolby Vision"). What does not read as one says nothing.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.media.boxes import boxes_within, read_element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Part = tuple[object, int, int]
    Walk = Callable[[BinaryIO, int, int], Iterator[Part]]

_ALONE = 5
"""The profile that never has a base layer."""
_EITHER = (8, 10, 20)
"""Profiles that come with and without one: HEVC, AV1 and MV-HEVC."""
_RECORD_BYTES = 5
_MOST_PARTS = 20_000
"""Boxes or elements that are looked at in a file."""

_KINDS = (b"dvcC", b"dvvC", b"dvwC")
_TRACKS = ((b"moov", 0), (b"trak", 0))
_ENTRIES = ((b"mdia", 0), (b"minf", 0), (b"stbl", 0), (b"stsd", 8), (None, 78))
"""Boxes from a track to its sample entries, each with the bytes before the boxes in it; None is any."""

_SEGMENT, _ALL_TRACKS, _TRACK = 0x18538067, 0x1654AE6B, 0xAE
_MAPPING, _MAPPING_TYPE, _MAPPING_DATA = 0x41E4, 0x41E7, 0x41ED


def lacks_base_layer(path: Path, container: str, track: int) -> bool:
    """Whether the n-th track of a file, in libav's name of its container, can be shown by Dolby Vision alone."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        reader = _Reader(file)
        if container.startswith("mov"):
            records = reader.of_mp4(end)
        elif container.startswith("matroska"):
            records = reader.of_matroska(end)
        else:
            return False
        return _stands_alone(next(islice(records, track, None), b""))


def _stands_alone(record: bytes) -> bool:
    """Whether a record is of a stream without a base layer: by its profile (7 bits), or its compatibility (4 bits)."""
    if len(record) < _RECORD_BYTES:
        return False
    profile, compatibility = record[2] >> 1, record[4] >> 4
    return profile == _ALONE or (profile in _EITHER and compatibility == 0)


class _Reader:
    """Finds records in a file; it looks at so many parts of it and no more."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = iter(range(_MOST_PARTS))

    def of_mp4(self, end: int) -> Iterator[bytes]:
        """The record of each track of an MP4 or MOV, empty where it has none."""
        for track in self._inside(boxes_within, 0, end, _TRACKS):
            yield next(self._records_of_entries(*track), b"")

    def _records_of_entries(self, start: int, end: int) -> Iterator[bytes]:
        for entry in self._inside(boxes_within, start, end, _ENTRIES):
            for kind, inner, after in self._parts(boxes_within, *entry):
                if kind in _KINDS:
                    yield self._bytes(inner, after)

    def of_matroska(self, end: int) -> Iterator[bytes]:
        """The record of each track of a Matroska file, empty where it has none."""
        for track in self._inside(_elements, 0, end, ((_SEGMENT, 0), (_ALL_TRACKS, 0), (_TRACK, 0))):
            mappings = self._inside(_elements, *track, ((_MAPPING, 0),))
            held = ({kind: self._bytes(*place) for kind, *place in self._parts(_elements, *at)} for at in mappings)
            yield next((found.get(_MAPPING_DATA, b"") for found in held if found.get(_MAPPING_TYPE) in _KINDS), b"")

    def _inside(
        self, walk: Walk, start: int, end: int, steps: tuple[tuple[object, int], ...]
    ) -> Iterator[tuple[int, int]]:
        """Where the content of each part lies to which these steps lead."""
        (wanted, skipped), further = steps[0], steps[1:]
        for kind, inner, after in self._parts(walk, start, end):
            if wanted not in (None, kind):
                continue
            if further:
                yield from self._inside(walk, inner + skipped, after, further)
            else:
                yield inner + skipped, after

    def _parts(self, walk: Walk, start: int, end: int) -> Iterator[Part]:
        for _, part in zip(self._left, walk(self._file, start, end), strict=False):
            yield part

    def _bytes(self, start: int, end: int) -> bytes:
        """The first bytes of a part."""
        self._file.seek(start)
        return self._file.read(min(_RECORD_BYTES, max(0, end - start)))


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[Part]:
    """Identifier, start of the content and end of each EBML element between two positions."""
    while start < end:
        file.seek(start)
        head = read_element(file)
        if head is None:
            return
        inner = file.tell()
        start = end if head[1] is None else min(end, inner + head[1])
        yield head[0], inner, start

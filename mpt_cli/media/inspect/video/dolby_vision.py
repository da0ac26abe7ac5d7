"""Whether a Dolby Vision stream has pictures that a player without Dolby Vision can show.

PyAV does not tell, so the record is read from the container: "Dolby Vision Streams Within the ISO
Base Media File Format" (3.2, ``DOVIDecoderConfigurationRecord`` in the box ``dvcC``, ``dvvC`` or
``dvwC`` of a sample entry), and for Matroska the same bytes as a ``BlockAdditionMapping`` (Matroska
Media Container Codec Specifications, "Dolby Vision"). What does not read as one says nothing.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from mpt_cli.media.formats.boxes import boxes_within
from mpt_cli.media.inspect.container.header_parts import (
    MATROSKA_TRACKS,
    MP4_ENTRIES,
    MP4_TRACKS,
    HeaderParts,
    matroska_elements,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ALONE = 5
"""The profile that never has a base layer."""
_EITHER = (8, 10, 20)
"""Profiles that come with and without one: HEVC, AV1 and MV-HEVC."""
_RECORD_BYTES = 5
_KINDS = (b"dvcC", b"dvvC", b"dvwC")
_MAPPING, _MAPPING_TYPE, _MAPPING_DATA = 0x41E4, 0x41E7, 0x41ED


def lacks_base_layer(path: Path, container: str, track: int) -> bool:
    """Return whether the n-th track of a file, in libav's name of its container, can be shown by Dolby Vision alone."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        header = HeaderParts(file)
        if container.startswith("mov"):
            records = _of_mp4(header, end)
        elif container.startswith("matroska"):
            records = _of_matroska(header, end)
        else:
            return False
        return _stands_alone(next(islice(records, track, None), b""))


def _stands_alone(record: bytes) -> bool:
    """Return whether a stream has no base layer: by the profile (7 bits) or compatibility (4 bits) of its record."""
    if len(record) < _RECORD_BYTES:
        return False
    profile, compatibility = record[2] >> 1, record[4] >> 4
    return profile == _ALONE or (profile in _EITHER and compatibility == 0)


def _of_mp4(header: HeaderParts, end: int) -> Iterator[bytes]:
    """Yield the record of each track of an MP4 or MOV, empty where it has none."""
    for track in header.inside(boxes_within, 0, end, MP4_TRACKS):
        yield next(_records_of_entries(header, *track), b"")


def _records_of_entries(header: HeaderParts, start: int, end: int) -> Iterator[bytes]:
    for entry in header.inside(boxes_within, start, end, MP4_ENTRIES):
        for kind, inner, after in header.parts(boxes_within, *entry):
            if kind in _KINDS:
                yield header.first_bytes(inner, after, most=_RECORD_BYTES)


def _of_matroska(header: HeaderParts, end: int) -> Iterator[bytes]:
    """Yield the record of each track of a Matroska file, empty where it has none."""
    for track in header.inside(matroska_elements, 0, end, MATROSKA_TRACKS):
        mappings = header.inside(matroska_elements, *track, ((_MAPPING, 0),))
        held = (_values(header, *at) for at in mappings)
        yield next((found.get(_MAPPING_DATA, b"") for found in held if found.get(_MAPPING_TYPE) in _KINDS), b"")


def _values(header: HeaderParts, start: int, end: int) -> dict[object, bytes]:
    """Yield the first bytes of each element between two offsets."""
    parts = header.parts(matroska_elements, start, end)
    return {kind: header.first_bytes(inner, after, most=_RECORD_BYTES) for kind, inner, after in parts}

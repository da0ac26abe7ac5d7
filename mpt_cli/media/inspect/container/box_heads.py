"""Read from the top boxes of an MP4 or MOV how far its movie goes, and where another one begins."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.media.formats.boxes import read_box
from mpt_cli.media.inspect.container.extent import Extent

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_HEAD = 1 << 20


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, start, start of the content and claimed end of each top box, also of one that is cut off."""
    start = 0
    while start + 8 <= size:
        kind, inner, end = read_box(file, start, size)
        if end < inner or not all(32 <= letter < 127 or letter == 0xA9 for letter in kind):
            return
        yield kind, start, inner, end
        start = end


def extent_of_boxes(file: BinaryIO, size: int) -> Extent:
    """Return how far the first movie goes in an MP4 or MOV of this many bytes."""
    boxes = list(_boxes(file, size))
    promised = max((end for kind, _, _, end in boxes if kind in (b"mdat", b"moof", b"moov")), default=None)
    movies = [number for number, box in enumerate(boxes) if box[0] == b"moov"]
    others = [number for number in movies[1:] if not _goes_on(file, boxes, movies[0], number)]
    if not others:
        return Extent(size, promised)
    first, other = movies[0], others[0]
    heads = [start for kind, start, _, _ in boxes[first:other] if kind == b"ftyp"]
    media_first = any(kind == b"mdat" for kind, _, _, _ in boxes[:first])
    begin = heads[-1] if heads else boxes[first + 1 if media_first else other][1]
    seconds = sum((_movie_seconds(file, *boxes[number][2:]) for number in others), Fraction(0))
    return Extent(size, promised, next_movie=begin, next_seconds=seconds or None)


def _goes_on(file: BinaryIO, boxes: list[tuple[bytes, int, int, int]], first: int, number: int) -> bool:
    """Return whether a later head repeats the first one and fragments go on behind it, as in joined segments."""
    heads = []
    for _, _, content, end in (boxes[first], boxes[number]):
        file.seek(content)
        heads.append(file.read(min(end - content, _MOST_HEAD)))
    fragment = next((box for box in boxes[number:] if box[0] == b"moof"), None)
    if heads[0] != heads[1] or fragment is None:
        return False
    file.seek(fragment[2])
    inside = file.read(min(fragment[3] - fragment[2], _MOST_HEAD))
    track, time = inside.find(b"tfhd"), inside.find(b"tfdt")
    placed_in_file = track < 0 or inside[track + 7] & 1
    return not placed_in_file and time >= 0 and any(inside[time + 8 : time + (16 if inside[time + 4] else 12)])


def _movie_seconds(file: BinaryIO, start: int, end: int) -> Fraction:
    """Return the length in the header of a movie; 0 where it is unknown, as in fragmented files."""
    file.seek(start)
    content = file.read(min(end - start, 128))
    place = content.find(b"mvhd")
    if place < 0 or len(content) < place + 36:
        return Fraction(0)
    wide = content[place + 4] == 1
    scale, length = struct.unpack_from(">IQ" if wide else ">II", content, place + (24 if wide else 16))
    return Fraction(length, scale) if scale else Fraction(0)

"""Find parts of a container's header that PyAV does not tell of: boxes of an MP4 or MOV, elements of Matroska."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from mpt_cli.media.formats.boxes import boxes_within, read_element

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Part = tuple[object, int, int]
    Walk = Callable[[BinaryIO, int, int], Iterator[Part]]
    Steps = tuple[tuple[object, int], ...]

_MOST_PARTS = 20_000
"""Boxes or elements that are looked at in a file."""

MP4_TRACKS: Steps = ((b"moov", 0), (b"trak", 0))
MP4_ENTRIES: Steps = ((b"mdia", 0), (b"minf", 0), (b"stbl", 0), (b"stsd", 8), (None, 78))
"""Boxes from a track to its sample entries, each with the bytes before the boxes in it; None is any."""
MATROSKA_TRACKS: Steps = ((0x18538067, 0), (0x1654AE6B, 0), (0xAE, 0))


class HeaderParts:
    """Walks one file, up to a limited number of parts."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin with nothing looked at."""
        self._file = file
        self._left = iter(range(_MOST_PARTS))

    def inside(self, walk: Walk, start: int, end: int, steps: Steps) -> Iterator[tuple[int, int]]:
        """Return where the content of each part lies to which these steps lead."""
        (wanted, skipped), further = steps[0], steps[1:]
        for kind, inner, after in self.parts(walk, start, end):
            if wanted not in (None, kind):
                continue
            if further:
                yield from self.inside(walk, inner + skipped, after, further)
            else:
                yield inner + skipped, after

    def parts(self, walk: Walk, start: int, end: int) -> Iterator[Part]:
        """Return kind, start of the content and end of each part between two places."""
        for _, part in zip(self._left, walk(self._file, start, end), strict=False):
            yield part

    def first_bytes(self, start: int, end: int, *, most: int) -> bytes:
        """Return the first bytes of a part, at most ``most``."""
        self._file.seek(start)
        return self._file.read(min(most, max(0, end - start)))


def mp4_track(header: HeaderParts, end: int, track_id: int) -> tuple[int, int] | None:
    """Return where the content of a track lies, by the number that libav names its stream by."""
    for track in header.inside(boxes_within, 0, end, MP4_TRACKS):
        for at in header.inside(boxes_within, *track, ((b"tkhd", 0),)):
            data = header.first_bytes(*at, most=24)
            place = 20 if data[:1] == b"\1" else 12  # of a version with longer times
            if int.from_bytes(data[place : place + 4]) == track_id:
                return track
    return None


def matroska_elements(file: BinaryIO, start: int, end: int) -> Iterator[Part]:
    """Return identifier, start of the content and end of each EBML element between two places."""
    while start < end:
        file.seek(start)
        head = read_element(file)
        if head is None:
            return
        inner = file.tell()
        start = end if head[1] is None else min(end, inner + head[1])
        yield head[0], inner, start

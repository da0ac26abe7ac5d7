"""What a container crops off its pictures: ``clap`` of MP4 and MOV, ``PixelCrop`` of Matroska.

Neither PyAV nor ffmpeg before 7.1 knows of it, and later ones crop in front of all filters. What is
read here is what these read, so that a filter can crop where ffmpeg did not.

Sources: ISO/IEC 14496-12, 12.1.4 (``CleanApertureBox``); Matroska Media Container Format, 5.1.4.1.28.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from mpt_cli.media.formats.boxes import boxes_within
from mpt_cli.media.inspect.container.header_parts import (
    MATROSKA_TRACKS,
    MP4_ENTRIES,
    HeaderParts,
    matroska_elements,
    mp4_track,
)
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.media_info import Crop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_ENTRY_SIZE = struct.Struct(">HH")
_ENTRY_SIZE_BEFORE_BOXES = 54
_APERTURE = struct.Struct(">4I iI iI")
_VIDEO: tuple[tuple[object, int], ...] = ((0xE0, 0),)
_TOP, _BOTTOM, _LEFT, _RIGHT = 0x54BB, 0x54AA, 0x54CC, 0x54DD
_LONGEST_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Margins:
    """Rows and columns that are not shown, on each side."""

    left: int
    right: int
    top: int
    bottom: int


def crop_of(path: Path, container: str, stream: VideoStream, frame: VideoFrame) -> Crop | None:
    """Return which part of a decoded picture the container shows; None for all of it."""
    margins = _margins(path, container, stream)
    if margins is None:
        return None
    whole = Dimensions(frame.width, frame.height)
    across, down = _chroma_step(frame.format.chroma_width(8)), _chroma_step(frame.format.chroma_height(8))
    width = (whole.width - margins.left - margins.right) // across * across
    height = (whole.height - margins.top - margins.bottom) // down * down
    if width <= 0 or height <= 0 or (width, height) == (whole.width, whole.height):
        return None
    return Crop(margins.left, margins.top, Dimensions(width, height))


def _chroma_step(samples_of_eight: int) -> int:
    """Return how many luma samples share one of chroma."""
    return 8 // samples_of_eight if samples_of_eight else 1


def _margins(path: Path, container: str, stream: VideoStream) -> Margins | None:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        header = HeaderParts(file)
        if container.startswith("mov"):
            return _of_mp4(header, end, stream.id)
        if container.startswith("matroska"):
            return _of_matroska(header, end, stream.index)
    return None


def _of_mp4(header: HeaderParts, end: int, track_id: int) -> Margins | None:
    """Return the margins of the last aperture of a track that makes sense, which is the one that ffmpeg takes."""
    track = mp4_track(header, end, track_id)
    found = [margins for margins in _apertures(header, *track) if margins is not None] if track else []
    return found[-1] if found else None


def _apertures(header: HeaderParts, start: int, end: int) -> Iterator[Margins | None]:
    for inner, after in header.inside(boxes_within, start, end, MP4_ENTRIES):
        for kind, place, end_of_box in header.parts(boxes_within, inner, after):
            if kind == b"clap":
                data = header.first_bytes(place, end_of_box, most=_APERTURE.size)
                size = header.first_bytes(inner - _ENTRY_SIZE_BEFORE_BOXES, after, most=_ENTRY_SIZE.size)
                yield _of_aperture(data, *_ENTRY_SIZE.unpack(size)) if len(data) == _APERTURE.size else None


def _of_aperture(data: bytes, width: int, height: int) -> Margins | None:
    """Return the margins around an aperture, rounded as ffmpeg does it; None of one that is not in the picture."""
    values = _APERTURE.unpack(data)
    if not all(values[1::2]):
        return None
    wide, high, right_by, down_by = (Fraction(*values[n : n + 2]) for n in range(0, 8, 2))
    left, right = _sides(width, wide, right_by)
    top, bottom = _sides(height, high, down_by)
    if min(left, right, top, bottom) < 0 or left + right >= width or top + bottom >= height:
        return None
    return Margins(left, right, top, bottom) if left or right or top or bottom else None


def _sides(length: int, shown: Fraction, offset: Fraction) -> tuple[int, int]:
    """Return what is cut before and behind the shown part of a side, whose middle is moved by an offset."""
    middle, half = Fraction(length - 1, 2) + offset, (shown - 1) / 2
    before, last = middle - half, middle + half
    return floor(before), length - 1 - floor(last)


def _of_matroska(header: HeaderParts, end: int, number: int) -> Margins | None:
    for index, track in enumerate(header.inside(matroska_elements, 0, end, MATROSKA_TRACKS)):
        if index < number:
            continue
        for video in header.inside(matroska_elements, *track, _VIDEO):
            found = {
                kind: int.from_bytes(header.first_bytes(inner, after, most=_LONGEST_NUMBER))
                for kind, inner, after in header.parts(matroska_elements, *video)
                if kind in (_TOP, _BOTTOM, _LEFT, _RIGHT)
            }
            if any(found.values()):
                return Margins(*(found.get(side, 0) for side in (_LEFT, _RIGHT, _TOP, _BOTTOM)))
        return None
    return None

"""Read the static metadata of HDR from a decoded frame: its mastering display and its light levels."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from av.sidedata.sidedata import Type

from mpt_cli.media.inspect.video.side_data import side_data_of
from mpt_cli.model.samples import HdrMetadata

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_DISPLAY = struct.Struct("20i2i")
"""``AVMasteringDisplayMetadata``: rationals of red, green, blue and white, of the least and the most light; whether
the colours and the light are told."""
_LIGHT = struct.Struct("2I")
_PLACES, _NITS = 50_000, 10_000


def hdr_metadata_of(frame: VideoFrame) -> HdrMetadata | None:
    """Return the static metadata of a frame; None where it carries none."""
    display = _display(side_data_of(frame, Type.MASTERING_DISPLAY_METADATA))
    light = side_data_of(frame, Type.CONTENT_LIGHT_LEVEL)
    levels = _LIGHT.unpack_from(light) if len(light) >= _LIGHT.size else (0, 0)
    found = HdrMetadata(display, (levels[0], levels[1]) if any(levels) else None)
    return None if found == HdrMetadata() else found


def _display(data: bytes) -> tuple[int, ...] | None:
    """Return a mastering display in the units of the standard, green first; None where not all of it is told."""
    if len(data) < _DISPLAY.size:
        return None
    *numbers, colors, light = _DISPLAY.unpack_from(data)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not (colors and light) or any(below <= 0 for _, below in pairs):
        return None
    red, green, blue, white = (pairs[n : n + 2] for n in range(0, 8, 2))
    places = (round(over * _PLACES / below) for over, below in (*green, *blue, *red, *white))
    least, most = (round(over * _NITS / below) for over, below in pairs[8:])
    return (*places, most, least)

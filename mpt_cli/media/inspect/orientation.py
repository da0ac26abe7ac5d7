"""How stored pictures must be turned, from the display matrix of a decoded picture."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from av.sidedata.sidedata import Type

from mpt_cli.media.inspect.side_data import side_data_of
from mpt_cli.mediainfo import Orientation

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_MATRIX = struct.Struct("=9i")
_QUARTER = 90


def orientation_of(frame: VideoFrame) -> Orientation:
    """The orientation of a decoded picture; upright where nothing says otherwise."""
    raw = side_data_of(frame, Type.DISPLAYMATRIX)
    return orientation_from_matrix(_MATRIX.unpack(raw)) if len(raw) == _MATRIX.size else Orientation()


def orientation_from_matrix(matrix: tuple[int, ...]) -> Orientation:
    """The orientation that a 3x3 matrix of ISO/IEC 14496-12 (row vectors, y downwards) stands for.

    A point is shown at ``(a x + c y, b x + d y)`` with a, b in the first row and c, d in the
    second. A negative determinant mirrors; taking the mirror out, the first row of what remains is
    the cosine and sine of the clockwise angle, which is taken to the nearest quarter turn.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    quarters = round(math.degrees(math.atan2(b, a)) / _QUARTER)
    return Orientation(rotation=quarters % 4 * _QUARTER, mirrored=mirrored)

"""How stored pictures must be turned, from the display matrix of a decoded picture."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from av.sidedata.sidedata import Type

from mpt_cli.media.inspect.video.side_data import side_data_of
from mpt_cli.model.clips import Orientation

if TYPE_CHECKING:
    from fractions import Fraction

    from av.video.frame import VideoFrame

_MATRIX = struct.Struct("=9i")
_QUARTER = 90
_PLAIN = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""Of a picture that is shown as it is stored."""
_LEAST_OBLIQUE, _LEAST_UNEVEN = 1.0, 0.01
"""Degrees, and share of a side, from which on a matrix says more than a turn by quarters."""


def matrix_of(frame: VideoFrame) -> tuple[int, ...]:
    """Return the display matrix of a decoded picture; the plain one where there is none."""
    raw = side_data_of(frame, Type.DISPLAYMATRIX)
    return _MATRIX.unpack(raw) if len(raw) == _MATRIX.size else _PLAIN


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return the orientation of a decoded frame; upright where nothing says otherwise."""
    return orientation_from_matrix(matrix_of(frame))


def is_plain(matrix: tuple[int, ...]) -> bool:
    """Return whether a matrix says nothing at all: what is copied would keep any other."""
    return matrix == _PLAIN


def doubt(matrix: tuple[int, ...], pixel_shape: Fraction) -> str | None:
    """Return what a matrix asks for that is not done, and what is done instead.

    Done are turns by quarters and mirroring, and what libav takes for the shape of a pixel where the
    file has no other word on that.
    """
    if is_plain(matrix):
        return None
    orientation = orientation_from_matrix(matrix)
    done = f"turned by {orientation.rotation} degrees" if orientation.rotation else "not turned"
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    across, down = math.hypot(a, b), math.hypot(c, d)
    if not a * d - b * c:
        return f"has a display matrix by which nothing can be shown: its frames are {done}"
    if abs(a * c + b * d) > _LEAST_UNEVEN * across * down:
        return f"has a display matrix that slants: its frames are {done} and not slanted"
    side = -1 if orientation.mirrored else 1
    degrees = math.degrees(math.atan2(side * b, side * a))
    if abs(degrees - round(degrees / _QUARTER) * _QUARTER) >= _LEAST_OBLIQUE:
        return f"is to be shown turned by {degrees:.0f} degrees, which is no right angle: its frames are {done}"
    wider = math.hypot(a, c) / math.hypot(b, d)
    if abs(wider - 1) > _LEAST_UNEVEN and abs(wider / pixel_shape - 1) > _LEAST_UNEVEN:
        return f"has a display matrix that makes it {wider:.2f} times as wide: its frames keep their shape"
    return None


def orientation_from_matrix(matrix: tuple[int, ...]) -> Orientation:
    """Return the orientation that a 3x3 matrix of ISO/IEC 14496-12 (row vectors, y downwards) stands for.

    A point is shown at ``(a x + c y, b x + d y)`` with a, b in the first row and c, d in the
    second. A negative determinant mirrors; taking the mirror out, the first row of what remains is
    the cosine and sine of the clockwise angle, which is taken to the nearest quarter turn. A matrix
    that leaves no area turns nothing.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if not a * d - b * c:
        return Orientation()
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    quarters = round(math.degrees(math.atan2(b, a)) / _QUARTER)
    return Orientation(rotation=quarters % 4 * _QUARTER, mirrored=mirrored)

"""Slices of H.264: whether they are of fields, and predicted from both sides (pure; nothing is decoded).

Sources: ITU-T H.264 7.3.2.1.1 and 7.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.media.formats.bits import Bits, without_emulation

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEQUENCE, _SLICES, _SLICE_HEAD = 7, (1, 5), 24
_SLICE_TYPES, _BIDIRECTIONAL = 5, 1
_WITH_CHROMA_FORMAT = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles whose parameter sets say more of the samples."""


def frame_number_bits(unit: bytes) -> int | None:
    """Return the bits of a frame number by a sequence parameter set that allows fields.

    None for other units, where only whole frames are allowed, and where the set cannot be read.
    """
    if not unit or unit[0] & 31 != _SEQUENCE:
        return None
    bits = Bits(without_emulation(unit[1:]))
    profile = bits.fixed(24) >> 16
    bits.golomb()
    if profile in _WITH_CHROMA_FORMAT:
        _skip_sample_format(bits)
    number_bits = bits.golomb() + 4
    _skip_picture_order(bits)
    bits.golomb()  # references
    bits.fixed(1)
    bits.golomb()  # width and height
    bits.golomb()
    return number_bits if not bits.fixed(1) and not bits.is_spent else None


@dataclass(frozen=True, slots=True)
class LoneField:
    """Field that is alone in its packet: number of its frame, and True if it holds the lower lines."""

    frame: int
    bottom: bool

    def is_followed_by(self, second: LoneField) -> bool:
        """Return True if both are the fields of one frame."""
        return self.frame == second.frame and self.bottom is not second.bottom


def lone_field(units: Iterable[bytes], number_bits: int) -> LoneField | None:
    """Return the field that the NAL units of a packet hold without the other; None for a frame, or both fields.

    Args:
        units: NAL units of one packet.
        number_bits: Bits of a frame number; see :func:`frame_number_bits`.
    """
    firsts = [field for unit in units if (field := _first_slice(unit, number_bits)) is not None]
    return firsts[0][1] if len(firsts) == 1 else None


def is_bidirectional(unit: bytes) -> bool:
    """Return True if a NAL unit is a slice that is predicted from both sides."""
    if not unit or unit[0] & 31 not in _SLICES:
        return False
    bits = Bits(unit[1:_SLICE_HEAD])
    bits.golomb()
    return bits.golomb() % _SLICE_TYPES == _BIDIRECTIONAL


def _first_slice(unit: bytes, number_bits: int) -> tuple[bool, LoneField | None] | None:
    """Return whether a unit is the first slice of a field, and of which; None for any other unit."""
    if not unit or unit[0] & 31 not in _SLICES:
        return None
    bits = Bits(without_emulation(unit[1:_SLICE_HEAD]))
    if bits.golomb():  # its first macroblock
        return None
    bits.golomb()
    bits.golomb()
    frame = bits.fixed(number_bits)
    return (True, LoneField(frame, bits.fixed(1) == 1)) if bits.fixed(1) else (False, None)


def _skip_sample_format(bits: Bits) -> None:
    """Pass chroma format, depths and scaling lists."""
    chroma = bits.golomb()
    if chroma == 3:
        bits.fixed(1)
    bits.golomb()
    bits.golomb()
    bits.fixed(1)
    if not bits.fixed(1):
        return
    for number in range(12 if chroma == 3 else 8):
        if bits.fixed(1):
            _skip_scaling_list(bits, 16 if number < 6 else 64)


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _skip_picture_order(bits: Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.fixed(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()

"""Signs in coded pictures that some are interlaced, read from headers without decoding anything.

The first picture says nothing of those behind it: a recording may change from progressive to
interlaced, and some encoders flag their first picture wrongly. MPEG-2, ProRes and DNxHD say it with
every picture. H.264 and VC-1 only say in a header whether pictures may be interlaced; what they are
takes decoding, so that ``possible`` is all that is known.

Sources: ITU-T H.262 6.2.2.3 and 6.2.3.1, H.264 7.3.2.1.1, SMPTE 421M 6.1, RDD 36 5.1, ST 2019-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpt_cli.media.formats.bits import Bits, without_emulation
from mpt_cli.media.formats.h264_slices import frame_number_bits, lone_field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

    from mpt_cli.media.formats.h264_slices import LoneField

_MPEG2_EXTENSION, _MPEG2_HEAD = b"\0\0\1\xb5", 1024
_SEQUENCE, _PICTURE = 1, 8
"""Kinds of an extension of MPEG-2."""
_FRAME = 3
_VC1_SEQUENCE, _VC1_ADVANCED, _VC1_INTERLACE_BIT = b"\0\0\1\x0f", 3, 41


_FIELD_ORDERS = {2: "tt", 3: "bb", 4: "tb", 5: "bt"}
"""Values of libavcodec's enum of field orders that are not progressive."""


def field_order_of(context: VideoCodecContext) -> str | None:
    """Return the field order that a stream declares, None for progressive frames and where it does not say."""
    return _FIELD_ORDERS.get(int(context.field_order))


class FieldSigns:
    """What the headers of one stream say so far."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        """Look at the headers that stand before the pictures."""
        self._codec = codec
        self._number_bits = set[int]()
        self._first_field: LoneField | None = None
        self._leading_parity: bool | None = None
        self.has_pairs = self.is_second_field = False
        """Whether some frames are two packets of H.264, and whether the last one was the second of two."""
        self.seen = False
        """Whether a picture is interlaced."""
        self.possible = codec == "vc1" and _vc1_allows_fields(extradata)
        """Whether pictures may be, as far as headers tell."""

    def take_sets(self, sets: Iterable[bytes]) -> None:
        """Look at parameter sets that were not seen before."""
        if self._codec == "h264":
            self._number_bits |= {bits for unit in sets if (bits := frame_number_bits(unit)) is not None}
            self.possible = bool(self._number_bits)

    def pairing_obstacle(self, units: Iterable[bytes]) -> str | None:
        """Note the NAL units of a packet of H.264; return why it is no frame, nor a field of one beside the other."""
        before, self.is_second_field = self._first_field, False
        if len(self._number_bits) != 1:
            return "its parameter sets count frames in several ways" if self._number_bits else None
        field = lone_field(units, *self._number_bits)
        if before is None:
            self._first_field = field
            self._leading_parity = field.bottom if field and self._leading_parity is None else self._leading_parity
            fine = field is None or field.bottom is self._leading_parity
        else:
            self._first_field, self.is_second_field, self.has_pairs = None, True, True
            fine = field is not None and before.is_followed_by(field)
        return None if fine else "a field of its frames is missing"

    @property
    def is_open(self) -> bool:
        """Whether the last packet was the first of two fields."""
        return self._first_field is not None

    def take(self, packet: Packet[Any]) -> None:
        """Look at the header of a coded picture, where it has one."""
        if self.seen or self._codec not in _OF_PICTURE:
            return
        head = bytes(memoryview(packet)[:_MPEG2_HEAD])
        self.seen = _OF_PICTURE[self._codec](head)


def _is_mpeg2_interlaced(head: bytes) -> bool:
    """Return whether an extension says that a picture is a field, or of two fields."""
    for piece in head.split(_MPEG2_EXTENSION)[1:]:
        kind = piece[0] >> 4 if piece else 0
        if kind == _SEQUENCE and len(piece) > 1 and piece[1] & 8:
            return False  # a progressive sequence
        if kind == _PICTURE and len(piece) > 4:
            return piece[2] & 3 != _FRAME or not piece[4] & 0x80
    return False


def _is_prores_interlaced(head: bytes) -> bool:
    return head[4:8] == b"icpf" and len(head) > 20 and bool(head[20] >> 2 & 3)


def _is_dnxhd_interlaced(head: bytes) -> bool:
    return len(head) > 5 and bool(head[5] & 2)


_OF_PICTURE = {
    "mpeg2video": _is_mpeg2_interlaced,
    "prores": _is_prores_interlaced,
    "dnxhd": _is_dnxhd_interlaced,
}


def _vc1_allows_fields(extradata: bytes) -> bool:
    """Return whether a sequence header of the advanced profile has its interlace flag."""
    _, found, header = extradata.partition(_VC1_SEQUENCE)
    bits = Bits(without_emulation(header))
    if not found or bits.fixed(2) != _VC1_ADVANCED:
        return False
    bits.fixed(_VC1_INTERLACE_BIT - 2)
    return bits.fixed(1) == 1

"""Alpha channel of HEVC streams, a second layer that older decoders do not read (pure).

Source: ITU-T H.265, 7.3.5 and F.14.2.8, the message "alpha channel information".
"""

from __future__ import annotations

import struct
from itertools import chain
from typing import TYPE_CHECKING

from mpt_cli.media.formats.bitstream import HVCC_FIXED, annex_b, hvcc_arrays, length_prefixed, length_size

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX_SEI, _FIRST_NON_VCL = 39, 32
_ALPHA_CHANNEL_INFORMATION = 165
PREMULTIPLIED = 1
"""Value of ``alpha_channel_use_idc`` for colours that are already multiplied by the alpha."""


def alpha_use(extradata: bytes, keyframe: bytes) -> int | None:
    """Return ``alpha_channel_use_idc`` of a stream; None where there is no alpha."""
    for unit in chain(_configured(extradata), _before_frame(extradata, keyframe)):
        if len(unit) > 2 and unit[0] >> 1 & 63 == _PREFIX_SEI:
            for kind, content in _messages(bytes(unit[2:]).replace(b"\0\0\3", b"\0\0")):
                if kind == _ALPHA_CHANNEL_INFORMATION and content and not content[0] >> 7:
                    return content[0] >> 4 & 7
    return None


def _configured(extradata: bytes) -> Iterator[bytes]:
    if not length_size("hevc", extradata):
        yield from annex_b(extradata)
    elif len(extradata) >= HVCC_FIXED:
        try:
            yield from (unit for _, array in hvcc_arrays(extradata) for unit in array)
        except (IndexError, struct.error):
            return


def _before_frame(extradata: bytes, packet: bytes) -> Iterator[bytes]:
    size = length_size("hevc", extradata)
    for unit in length_prefixed(packet, size) if size else annex_b(packet):
        if unit and unit[0] >> 1 & 63 < _FIRST_NON_VCL:
            return
        yield unit


def _messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each message of an SEI unit."""
    position = 0
    while position + 2 <= len(payload):
        numbers = []
        for _ in range(2):
            value = 0
            while position < len(payload) and payload[position] == 255:
                value, position = value + 255, position + 1
            if position >= len(payload):
                return
            numbers.append(value + payload[position])
            position += 1
        kind, length = numbers
        yield kind, payload[position : position + length]
        position += length

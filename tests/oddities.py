"""Clips that no encoder makes: damaged ones, of single fields, with sound that never comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from pathlib import Path


_START = b"\0\0\0\1"
_MACROBLOCKS = 2
"""Of a field: 32x16 samples."""
_PCM = bytes([128]) * 384
_I_SLICE, _P_SLICE, _AS_SAMPLES = 7, 5, 25


class _Bits:
    """Bits in a row."""

    def __init__(self) -> None:
        self._text = ""

    def fixed(self, value: int, count: int) -> _Bits:
        """A number of this many bits."""
        self._text += f"{value:0{count}b}"
        return self

    def golomb(self, *values: int) -> _Bits:
        """Unsigned Exp-Golomb numbers."""
        for value in values:
            binary = f"{value + 1:b}"
            self._text += "0" * (len(binary) - 1) + binary
        return self

    def raw(self, data: bytes) -> _Bits:
        """Whole bytes, after zeros up to the next boundary."""
        self._text += "0" * (-len(self._text) % 8) + "".join(f"{byte:08b}" for byte in data)
        return self

    def unit(self, header: int) -> bytes:
        """The NAL unit, with the bytes that keep start codes out of it."""
        text = f"{self._text}1"
        text += "0" * (-len(text) % 8)
        data, zeros = bytearray(), 0
        for byte in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros == 2 and byte <= 3:
                data.append(3)
                zeros = 0
            data.append(byte)
            zeros = 0 if byte else zeros + 1
        return _START + bytes([header]) + bytes(data)


def _sequence(fields_per_second: int) -> bytes:
    sps = _Bits().fixed(77, 8).fixed(0, 8).fixed(30, 8).golomb(0, 0, 0, 4, 1).fixed(0, 1)
    # Width and height, fields allowed but not mixed in a picture, inference for 8x8 blocks, no cropping.
    sps.golomb(1, 0).fixed(0b0010, 4)
    sps.fixed(1, 1).fixed(0b00001, 5)  # VUI with nothing but times
    sps.fixed(1, 32).fixed(fields_per_second, 32).fixed(1, 1).fixed(0, 4)
    pps = _Bits().golomb(0, 0).fixed(0, 2).golomb(0, 0, 0).fixed(0, 3).golomb(0, 0, 0).fixed(0b100, 3)
    return sps.unit(0x67) + pps.unit(0x68)


def _field(picture: int, *, bottom: bool) -> bytes:
    raw, start = picture == 0, picture == 0 and not bottom
    field = _Bits().golomb(0, _I_SLICE if raw else _P_SLICE, 0).fixed(picture % 16, 4).fixed(1, 1).fixed(bottom, 1)
    if start:
        field.golomb(0)
    field.fixed((2 * picture + bottom) % 256, 8)
    # References: of an instant refresh two flags, of others one, and two before it that change no list.
    field.fixed(0, 2 if start else 1 if raw else 3).golomb(0, 1)  # no other quantizer, no deblocking
    for _ in range(_MACROBLOCKS if raw else 0):
        field.golomb(_AS_SAMPLES).raw(_PCM)
    return (field if raw else field.golomb(_MACROBLOCKS)).unit(0x65 if start else 0x61)


def field_stream(pictures: int, fields_per_second: int) -> bytes:
    """A raw stream of H.264 with this many pictures, each of two fields, as camcorders write them.

    By ITU-T Rec. H.264 (7.3), as plain as it can be: 32x32, the fields of the first picture as raw
    samples, all others as copies of what was before.
    """
    fields = b"".join(_field(k, bottom=bottom) for k in range(pictures) for bottom in (False, True))
    return _sequence(fields_per_second) + fields


def damaged(path: Path, *, every: int, first: int = 0) -> bytes:
    """The bytes of a Matroska file with zeros for every n-th picture, from number ``first`` on."""
    whole = path.read_bytes()
    with av.open(str(path)) as container:
        pictures = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for picture in pictures[first::every]:
        assert whole.count(picture) == 1
        whole = whole.replace(picture, bytes(len(picture)))
    return whole


def with_sound_that_never_comes(pictures: Path, path: Path) -> None:
    """Write the pictures of a file beside a track of sound without a packet."""
    with av.open(str(pictures)) as source, av.open(str(path), "w") as output:
        video = output.add_stream_from_template(source.streams.video[0])
        output.add_stream("pcm_s16le", rate=48_000)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                output.mux(packet)
    with av.open(str(path)) as again:
        assert len(again.streams.audio) == 1

"""What headers of coded frames say of a packet: whether it is one frame, and decodes by itself."""

from __future__ import annotations

import pytest

from mpt_cli.media.formats.coded_headers import decodes_alone, header_units, obstacle
from mpt_cli.media.formats.h264_slices import LoneField, frame_number_bits, is_bidirectional, lone_field

START = b"\x00\x00\x01"
SEQUENCE = START + b"\xb3\x16\x00\x90\x13" + START + b"\xb5\x14\x8a"
USER = START + b"\xb2GA94"
EXTENSION = START + b"\xb5\x8f\xff"


def picture(kind: int, structure: int = 3) -> bytes:
    """An MPEG-2 picture of a kind (1 intra, 2, 3) and a structure (1 and 2 are fields)."""
    return START + bytes([0, 0, kind << 3, 0xFF]) + EXTENSION + bytes([0xF0 | structure, 0x80]) + START + b"\x01\x22"


PLANE = {"I": START + b"\xb6\x10", "P": START + b"\xb6\x50"}
LAYER = START + b"\x00" + START + b"\x20\xc8"
SUPERFRAME = b"\x82\x11\x22" + b"\xc1\x01\x01\xc1"


@pytest.mark.parametrize(
    ("codec", "packet", "alone"),
    [
        ("mpeg2video", SEQUENCE + picture(1), True),
        ("mpeg2video", SEQUENCE + picture(2), False),
        ("mpeg2video", picture(1), False),
        ("mpeg4", LAYER + PLANE["I"], True),
        ("mpeg4", LAYER + PLANE["P"], False),
        ("vp8", b"\x10\x00", True),
        ("vp8", b"\x11\x00", False),
        ("vp9", b"\x82\x49", True),
        ("vp9", b"\x86\x00", False),
        ("vp9", b"\xb1\x00", True),
        ("prores", b"anything", True),
    ],
)
def test_a_keyframe_that_needs_others_is_told(codec: str, packet: bytes, *, alone: bool) -> None:
    assert decodes_alone(codec, packet) is alone


@pytest.mark.parametrize(
    ("codec", "packet", "word"),
    [
        ("mpeg2video", SEQUENCE + picture(1), None),
        ("mpeg2video", picture(1, 1) + picture(2, 2), None),
        ("mpeg2video", picture(1, 1), "fields"),
        ("mpeg4", PLANE["P"], None),
        ("mpeg4", PLANE["P"] + PLANE["I"], "share"),
        ("mpeg4", b"", "share"),
        ("vp8", b"\x11\x00", None),
        ("vp8", b"\x01\x00", "hold no frame"),
        ("vp9", b"\x86\x00", None),
        ("vp9", b"\x84\x00", "hold no frame"),
        ("vp9", b"\x88", None),
        ("vp9", b"\x84\x00" + SUPERFRAME[2:], None),
        ("mjpeg", b"\xff\xd8\xff\xe0AVI1\xff\xfe\x00\x10Lavc62\xff\xda\xff\xe1", None),
        ("mjpeg", b"\xff\xd8\xff\xe1\x00\x10Exif\xff\xda", "metadata"),
        ("mjpeg", b"\xff\xd8\xff\xfe\x00\x10here\xff\xda", "metadata"),
        ("h264", b"", None),
    ],
)
def test_a_packet_that_is_not_one_frame_is_told(codec: str, packet: bytes, word: str | None) -> None:
    found = obstacle(codec, packet)
    assert found is None if word is None else word in (found or "")


def test_headers_are_read_without_user_data_and_up_to_the_first_frame() -> None:
    packet = SEQUENCE + USER + START + b"\xb8\x00" + picture(1)
    assert header_units("mpeg2video", packet) == [SEQUENCE[3:8], SEQUENCE[11:]]
    assert header_units("mpeg4", LAYER + USER + PLANE["I"] + LAYER) == [b"\x00", b"\x20\xc8"]
    assert header_units("vp9", packet) == []


# First macroblock 0, type, set 0, number 0 in 4 bits, the bit of a field and that of its parity.
FRAME_P, TOP_P, BOTTOM_P = bytes([1, 0b11100000, 0]), bytes([1, 0b11100001, 0]), bytes([1, 0b11100001, 0x80])
LATER_BOTTOM, SLICE_B = bytes([1, 0b11100011, 0x80]), bytes([1, 0b10101000, 0x80])


def test_fields_are_told_from_frames_and_paired() -> None:
    top, bottom, later = (lone_field([b"\x09\xf0", unit], 4) for unit in (TOP_P, BOTTOM_P, LATER_BOTTOM))
    assert (top, bottom, later) == (LoneField(0, bottom=False), LoneField(0, bottom=True), LoneField(1, bottom=True))
    assert lone_field([FRAME_P], 4) is None
    assert lone_field([TOP_P, BOTTOM_P], 4) is None
    assert top is not None
    assert bottom is not None
    assert later is not None
    assert top.is_followed_by(bottom)
    assert not top.is_followed_by(top)
    assert not top.is_followed_by(later)
    assert frame_number_bits(b"\x68\xce") is None


def test_slices_that_are_predicted_from_both_sides_are_told() -> None:
    assert is_bidirectional(SLICE_B)
    assert not is_bidirectional(TOP_P)
    assert not is_bidirectional(b"\x67\x42")

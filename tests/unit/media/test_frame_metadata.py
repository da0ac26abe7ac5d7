"""Units that carry metadata are found and left out; all others stay as they are."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.media.formats.frame_metadata import FrameMetadata
from tests.frame_metadata import CAPTIONS, REGISTERED, SECRET, UNREGISTERED, UUID, obu, sei, unit, user_data
from tests.media import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

AVCC = bytes.fromhex("01640028ffe100")  # units behind four bytes of length
HVCC = bytes.fromhex("01") + bytes(20) + bytes.fromhex("ff00")
CONFIGURATIONS = {"h264": AVCC, "hevc": HVCC, "av1": b"\x81\0\0\0"}
SLICE = {"h264": unit(b"\x65\x88\x80slice"), "hevc": unit(b"\x26\x01\x80slice"), "av1": obu(6, b"frame")}
X264, X265 = b"x264 - core 165 - options", b"x265 (build 200) - options"
SUFFIX_SEI = b"\x50\x01"

TELLING: dict[str, tuple[str, bytes]] = {
    "captions": ("h264", sei("h264", (REGISTERED, CAPTIONS))),
    "user data": ("h264", user_data("h264")),
    "more than 255 bytes": ("h264", user_data("h264", SECRET * 40)),
    "bytes that need escapes": ("h264", user_data("h264", b"\0\0\0\0\1\0\0\3" + SECRET)),
    "pan-scan rectangle": ("h264", sei("h264", (2, b"\x80"))),
    "unspecified unit": ("h264", unit(b"\x1f" + SECRET)),
    "filler": ("h264", unit(b"\x0c" + SECRET)),
    "broken message": ("h264", unit(b"\x06\x05\x40" + SECRET + b"\x80")),
    "HEVC captions": ("hevc", sei("hevc", (REGISTERED, CAPTIONS))),
    "HEVC user data": ("hevc", user_data("hevc")),
    "HEVC user data behind the slices": ("hevc", sei("hevc", (UNREGISTERED, UUID + SECRET), header=SUFFIX_SEI)),
    "HEVC time of day": ("hevc", sei("hevc", (136, b"\x50\0\0\x80"))),
    "Dolby Vision": ("hevc", unit(b"\x7c\x01" + SECRET)),
    "AV1 captions": ("av1", obu(5, b"\4\xb5\0\x31GA94\3")),
    "AV1 time of day": ("av1", obu(5, b"\5\x80\x80")),
    "AV1 user data": ("av1", obu(5, b"\x1f" + SECRET)),
    "AV1 padding": ("av1", obu(15, SECRET)),
}
NEEDED = {
    "recovery point": ("h264", sei("h264", (6, b"\x84"))),
    "delimiter": ("h264", unit(b"\x09\xf0")),
    "film grain": ("h264", sei("h264", (19, b"\0\0\1\x80"))),
    "HEVC light": ("hevc", sei("hevc", (137, bytes(23) + b"\1"), (144, b"\3\xe8\1\x90"))),
    "HEVC checksum": ("hevc", sei("hevc", (132, b"\0" + bytes(16)), header=SUFFIX_SEI)),
    "HEVC timing": ("hevc", sei("hevc", (1, b"\x11"))),
    "AV1 light": ("av1", obu(5, b"\1\3\xe8\1\x90\x80")),
    "AV1 sequence": ("av1", obu(1, b"sequence")),
}
ENCODER_TEXTS = {"h264": X264, "hevc": X265}


def metadata_of(codec: str) -> FrameMetadata:
    """A reader of packets in MP4."""
    return FrameMetadata(codec, CONFIGURATIONS[codec])


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize("behind", [False, True])
def test_metadata_is_found_and_removed(kind: str, behind: bool) -> None:
    codec, found = TELLING[kind]
    metadata, picture = metadata_of(codec), SLICE[codec]
    packet = picture + found if behind else found + picture
    assert metadata.is_in(packet)
    assert metadata.removed(packet) == picture


@pytest.mark.parametrize("kind", NEEDED)
def test_what_a_decoder_needs_stays(kind: str) -> None:
    codec, needed = NEEDED[kind]
    packet = needed + SLICE[codec]
    assert not metadata_of(codec).is_in(packet)
    assert metadata_of(codec).removed(packet) == packet


@pytest.mark.parametrize("codec", ENCODER_TEXTS)
def test_settings_of_encoder_are_no_reason_to_rewrite(codec: str) -> None:
    packet = sei(codec, (UNREGISTERED, UUID + ENCODER_TEXTS[codec])) + SLICE[codec]
    assert not metadata_of(codec).is_in(packet)
    assert metadata_of(codec).removed(packet) == SLICE[codec]


def test_message_beside_user_data_stays() -> None:
    kept, escaped = (6, b"\x84"), (137, bytes(23) + b"\1")
    packet = sei("h264", kept, (UNREGISTERED, UUID + SECRET), escaped) + SLICE["h264"]
    assert metadata_of("h264").removed(packet) == sei("h264", kept, escaped) + SLICE["h264"]


def test_units_with_start_codes_are_cleaned() -> None:
    start = b"\0\0\0\1"
    sets, frame = start + b"\x67\x64\0\x28" + start + b"\x68\xee", start + b"\x65\x88\x80slice"
    metadata = FrameMetadata("h264", sets + start + user_data("h264")[4:])
    assert metadata.is_in_configuration()
    assert metadata.cleaned_configuration() == sets
    packet = start + user_data("h264")[4:] + frame
    assert metadata.is_in(packet)
    assert metadata.removed(packet) == frame


def test_configuration_of_hevc_is_cleaned() -> None:
    def array(kind: int, *units: bytes) -> bytes:
        head = struct.pack(">BH", kind, len(units))
        return head + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)

    sets, private = array(0xA0, b"\x40\x01vps"), user_data("hevc")[4:]
    plain = HVCC[:22] + b"\1" + sets
    dirty = FrameMetadata("hevc", HVCC[:22] + b"\2" + sets + array(0x27, private))
    assert dirty.is_in_configuration()
    assert dirty.cleaned_configuration() == plain
    assert not FrameMetadata("hevc", plain).is_in_configuration()


def test_configuration_of_av1_is_cleaned() -> None:
    head, sequence = CONFIGURATIONS["av1"], obu(1, b"sequence")
    metadata = FrameMetadata("av1", head + sequence + obu(5, b"\4" + SECRET))
    assert metadata.is_in_configuration()
    assert metadata.cleaned_configuration() == head + sequence


@pytest.mark.parametrize("codec", CONFIGURATIONS)
@pytest.mark.parametrize("garbage", [b"", b"\0", b"\xff" * 9, bytes(40), b"\0\0\0\5\6\5\xff\xff"])
def test_garbage_is_read_without_an_error(codec: str, garbage: bytes) -> None:
    for extradata in (CONFIGURATIONS[codec], CONFIGURATIONS[codec] + garbage, garbage):
        metadata = FrameMetadata(codec, extradata)
        metadata.is_in(garbage)
        metadata.removed(garbage)
        metadata.is_in_configuration()
        metadata.cleaned_configuration()


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_ordinary_clip_holds_no_metadata(media: MediaFolder, codec: str) -> None:
    clip: Path = media.make(Recipe(codec=codec, seconds=0.4))
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        metadata = FrameMetadata(video.codec_context.codec.canonical_name, video.codec_context.extradata or b"")
        assert not metadata.is_in_configuration()
        assert not any(metadata.is_in(bytes(packet)) for packet in container.demux(video) if packet.size)

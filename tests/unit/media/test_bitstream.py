"""Parameter sets and picture data: the same in every container, another for every other stream."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mpt_cli.media.formats.bitstream import FrameData, configured_sets, digest
from tests.media import MediaFolder, Recipe, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
CODECS = st.sampled_from(["h264", "hevc", "av1", "mpeg4", ""])
SHORT = Recipe(seconds=0.8, sound=None, keyframe_interval=12)
CLOSED = ("-x265-params", "open-gop=0:log-level=none")
LEADING = ("-x265-params", "open-gop=0:radl=2:bframes=4:scenecut=0:log-level=none")
"""Of which some pictures are stored behind a keyframe, shown before it, and decodable all the same."""

AVCC = bytes.fromhex("0142c00bff e1 0003 674201 01 0002 68ce")
HVCC = bytes(21) + b"\xff" + b"\x03" + bytes.fromhex("20 0001 0002 4001 21 0001 0002 4201 22 0001 0002 4401")
PICTURE, IDR, SEI = b"\x41abc", b"\x65abc", b"\x06abc"
"""NAL units of H.264."""


@dataclass(frozen=True)
class Found:
    """What a file's coded pictures are, read by the module under test."""

    crc: int
    sets: list[bytes]
    inside: list[bytes]
    clean: list[bool]
    """Of each keyframe, whether decoding can begin there."""


def read(path: Path) -> Found:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec, extradata = stream.codec_context.codec.canonical_name, stream.codec_context.extradata or b""
        data, crc, clean = FrameData(codec, extradata), 0, list[bool]()
        inside: list[bytes] = []
        for packet in container.demux(stream):
            if packet.size:
                crc = data.crc(bytes(packet), crc)
                inside += data.parameter_sets(bytes(packet))
                clean += [data.is_clean_start(bytes(packet))] if packet.is_keyframe else []
        return Found(crc, configured_sets(codec, extradata), inside, clean)


def remuxed(source: Path, target: Path) -> Path:
    run_ffmpeg("-i", source, "-c", "copy", target)
    return target


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_nal_units_are_the_same_after_a_journey_through_all_containers(
    media: MediaFolder, tmp_path: Path, codec: str
) -> None:
    path = media.make(SHORT, codec=ENCODERS[codec])
    original = read(path)
    assert len(original.sets) == (2 if codec == "h264" else 3)
    assert original.inside == []
    for suffix in (".mkv", ".mov", ".ts", ".mp4"):
        path = remuxed(path, tmp_path / f"clip{suffix}")
        found = read(path)
        assert (found.crc, found.sets) == (original.crc, original.sets), suffix
        if suffix == ".ts":  # Annex B: sets stand before every keyframe too
            assert found.inside == original.sets * len(found.clean)


def test_obus_are_the_same_after_a_journey_through_all_containers(media: MediaFolder, tmp_path: Path) -> None:
    path = media.make(SHORT, codec="libsvtav1")
    original = read(path)
    assert len(original.sets) == 1
    assert len(original.inside) == len(original.clean) > 1
    for suffix in (".mkv", ".ivf", ".obu", ".mp4"):
        path = remuxed(path, tmp_path / f"clip{suffix}")
        found = read(path)
        assert (found.crc, found.inside) == (original.crc, original.inside), suffix
        if suffix == ".mkv":
            assert found.sets == original.sets


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("h264", ("-profile:v", "main", "-bf", "0")),
        ("h264", ("-refs", "5")),
        ("hevc", ("-x265-params", "ref=5:log-level=none")),
    ],
)
def test_other_encoder_settings_give_other_sets_and_other_pictures(
    media: MediaFolder, codec: str, options: tuple[str, ...]
) -> None:
    plain = read(media.make(SHORT, codec=ENCODERS[codec], options=("-preset", "veryfast")))
    other = read(media.make(SHORT, codec=ENCODERS[codec], options=("-preset", "veryfast", *options)))
    assert digest(plain.sets) != digest(other.sets)
    assert plain.crc != other.crc


def test_other_encoder_settings_give_other_sequence_headers(media: MediaFolder) -> None:
    slow, fast = (read(media.make(SHORT, codec="libsvtav1", options=("-preset", preset))) for preset in ("6", "12"))
    assert digest(slow.inside[:1]) != digest(fast.inside[:1])


def test_another_picture_changes_the_pictures_and_not_the_sets(media: MediaFolder) -> None:
    plain, other = read(media.make(SHORT)), read(media.make(SHORT, source="testsrc"))
    assert plain.sets == other.sets
    assert plain.crc != other.crc


@pytest.mark.parametrize(
    ("codec", "options", "closed"),
    [
        ("libx264", (), True),
        ("libx264", ("-x264-params", "open-gop=1:bframes=3:scenecut=0"), False),
        ("libx265", (), False),
        ("libx265", CLOSED, True),
        ("libsvtav1", (), True),
    ],
)
def test_keyframes_of_open_gops_are_no_clean_start(
    media: MediaFolder, codec: str, options: tuple[str, ...], closed: bool
) -> None:
    options = ("-preset", "veryfast" if codec == "libx264" else "12", *options) if codec != "libx265" else options
    clean = read(media.make(SHORT, codec=codec, options=options)).clean
    assert len(clean) >= 2
    assert clean[0]
    assert all(clean[1:]) is closed


@pytest.mark.parametrize(
    ("codec", "options", "first"),
    [
        ("libx264", ("-bf", "3"), [True, True]),
        ("libx264", ("-x264-params", "open-gop=1:bframes=3:scenecut=0"), [True, False]),
        ("libx265", CLOSED, [True, True]),
        ("libx265", LEADING, [True, False]),
        ("libsvtav1", (), [True, True]),
    ],
)
def test_a_picture_is_shown_first_where_none_that_follows_is_shown_before_it(
    media: MediaFolder, codec: str, options: tuple[str, ...], first: list[bool]
) -> None:
    path = media.make(SHORT, codec=codec, options=options)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        data = FrameData(video.codec_context.codec.canonical_name, video.codec_context.extradata or b"")
        packets = [packet for packet in container.demux(video) if packet.size]
    said = [data.is_shown_first(bytes(packet)) for packet in packets]
    assert [said[place] for place, packet in enumerate(packets) if packet.is_keyframe][:2] == first
    times = [packet.pts or 0 for packet in packets]
    assert all(times[place] == min(times[place:]) for place, alone in enumerate(said) if alone)


def test_every_packet_of_another_codec_counts_whole() -> None:
    assert FrameData("mpeg4", b"anything").crc(b"abc", 7) == zlib.crc32(b"abc", 7)


def test_only_pictures_count() -> None:
    data = FrameData("h264", b"")
    packet = b"".join(b"\x00\x00\x01" + unit for unit in (SEI, IDR, b"", PICTURE))
    assert data.crc(packet) == zlib.crc32(IDR + PICTURE)


def test_sets_are_read_from_both_decoder_configurations() -> None:
    assert configured_sets("h264", AVCC) == [b"\x67\x42\x01", b"\x68\xce"]
    assert configured_sets("hevc", HVCC) == [b"\x40\x01", b"\x42\x01", b"\x44\x01"]


def test_what_else_stands_in_a_configuration_is_no_set() -> None:
    sei = bytes.fromhex("27 0001 0002 4e01")
    more = HVCC[:22] + b"\x04" + HVCC[23:] + sei
    assert configured_sets("hevc", more) == configured_sets("hevc", HVCC)


def test_a_configuration_that_is_cut_off_declares_nothing() -> None:
    for codec, whole in (("h264", AVCC), ("hevc", HVCC)):
        for length in range(1, len(whole) - 4):
            assert len(configured_sets(codec, whole[:length])) < len(configured_sets(codec, whole)), length
    assert digest([]) == ""


def test_where_one_set_ends_belongs_to_its_digest() -> None:
    assert len({digest(sets) for sets in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"])}) == 3


UNITS = st.lists(st.binary(min_size=1, max_size=30).map(lambda unit: unit.replace(b"\x00", b"\x03")), max_size=6)


@given(UNITS, st.integers(1, 4), st.sampled_from(["h264", "hevc"]), st.integers(3, 4))
def test_start_codes_and_lengths_carry_the_same_units(units: list[bytes], size: int, codec: str, zeros: int) -> None:
    configuration = AVCC[:4] + bytes([0xFC | (size - 1)]) + AVCC[5:] if codec == "h264" else bytearray(HVCC)
    if codec == "hevc":
        configuration[21] = 0xFC | (size - 1)  # type: ignore[index]
    prefixed = FrameData(codec, bytes(configuration))
    packet = b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)
    started = FrameData(codec, b"")
    stream = b"".join(bytes(zeros - 1) + b"\x01" + unit for unit in units)
    assert prefixed.crc(packet) == started.crc(stream)
    assert prefixed.parameter_sets(packet) == started.parameter_sets(stream)
    assert prefixed.is_clean_start(packet) is started.is_clean_start(stream)
    assert prefixed.is_shown_first(packet) is started.is_shown_first(stream)


@given(CODECS, st.binary(max_size=60), st.binary(max_size=60))
@example("av1", b"", b"\x0a" + b"\xff" * 9)  # a length without an end
def test_rubbish_is_read_without_an_error(codec: str, extradata: bytes, packet: bytes) -> None:
    data = FrameData(codec, extradata)
    assert 0 <= data.crc(packet) < 2**32
    assert all(unit in packet for unit in data.parameter_sets(packet))
    assert all(unit in extradata for unit in configured_sets(codec, extradata))
    assert data.is_clean_start(packet) in (True, False)
    assert data.is_shown_first(packet) in (True, False)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 255))
def test_any_changed_byte_of_a_picture_changes_the_crc(body: bytes, place: int, flip: int) -> None:
    data, place = FrameData("h264", AVCC), place % len(body)

    def packet(content: bytes) -> bytes:
        unit = b"\x41" + content
        return len(unit).to_bytes(4, "big") + unit

    changed = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
    assert data.crc(packet(body)) != data.crc(packet(changed))

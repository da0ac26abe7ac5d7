"""Headers that tell that pictures are, or may be, of two fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.media.formats.bits import Bits, without_emulation
from mpt_cli.media.formats.bitstream import configured_sets
from mpt_cli.media.inspect.video.field_signs import FieldSigns
from tests.media import run_ffmpeg
from tests.oddities import field_stream

if TYPE_CHECKING:
    from pathlib import Path

INTERLACED = ("-vf", "setfield=tff", "-flags", "+ilme+ildct")
X264 = ("-c:v", "libx264", "-preset", "ultrafast")


def signs_of(path: Path) -> FieldSigns:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        codec, extradata = context.codec.canonical_name, context.extradata or b""
        signs = FieldSigns(codec, extradata)
        signs.take_sets(configured_sets(codec, extradata))
        for packet in container.demux(video=0):
            if packet.size:
                signs.take(packet)
    return signs


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        (("mpeg2video",), ".ts"),
        (("prores_ks",), ".mov"),
        (("dnxhd", "-b:v", "120M", "-pix_fmt", "yuv422p"), ".mov"),
    ],
)
@pytest.mark.heavy
@pytest.mark.core(1)
def test_pictures_say_themselves_whether_they_are_interlaced(
    tmp_path: Path, codec: tuple[str, ...], suffix: str
) -> None:
    for flags in (), INTERLACED:
        path = tmp_path / f"clip{suffix}"
        run_ffmpeg("-f", "lavfi", "-i", "color=s=1920x1080:r=25:d=0.04", *flags, "-c:v", *codec, path)
        assert signs_of(path).seen is bool(flags)
        assert not signs_of(path).possible


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize("options", [(), ("-profile:v", "high444", "-pix_fmt", "yuv444p"), ("-x264-params", "cqm=jvt")])
@pytest.mark.heavy
def test_h264_says_whether_fields_are_allowed(tmp_path: Path, options: tuple[str, ...], fields: bool) -> None:
    path = tmp_path / "clip.mp4"
    flags = INTERLACED if fields else ()
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x96:r=25:d=0.1", *flags, *X264, "-preset", "veryfast", *options, path)
    assert signs_of(path).possible is fields


def test_pictures_of_single_fields_may_be_interlaced() -> None:
    signs = FieldSigns("h264", b"")
    signs.take_sets(configured_sets("h264", field_stream(1, 50)))
    assert signs.possible


@pytest.mark.parametrize("flag", [0, 1])
def test_vc1_says_whether_fields_are_allowed(flag: int) -> None:
    bits = "11" + "0" * 39 + str(flag) + "0" * 6
    assert FieldSigns("vc1", b"\0\0\1\x0f" + int(bits, 2).to_bytes(6)).possible is bool(flag)


def test_vc1_of_a_simple_profile_has_no_fields() -> None:
    assert not FieldSigns("vc1", b"\0\0\1\x0f" + bytes([0x7F] * 8)).possible


@pytest.mark.parametrize("damaged", [b"", b"\x67", b"\x67\x64", b"\x67" + bytes(2), b"\x67" + b"\xff" * 9])
def test_damaged_parameter_sets_tell_nothing(damaged: bytes) -> None:
    signs = FieldSigns("h264", b"")
    signs.take_sets([damaged])
    assert not signs.possible


def test_bits_are_read_as_specified() -> None:
    bits = Bits(bytes([0b1010_0110, 0b0100_0010, 0b1000_0000]))
    assert [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()] == [0, 1, 2, 3]
    assert bits.signed_golomb() == -2
    assert not bits.is_spent
    bits.fixed(20)
    assert bits.is_spent
    assert without_emulation(b"\0\0\3\1\0\0\3\0") == b"\0\0\1\0\0\0"

"""Side data of decoded frames can be read whatever else a frame carries."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest
from av.sidedata.sidedata import Type

from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.video.side_data import side_data_of
from mpt_cli.model.clips import Orientation
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.heavy

_TIFF = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x010F, 2, 4, 0x6D7074, 0)
EXIF = b"\xff\xe1" + struct.pack(">H", 8 + len(_TIFF)) + b"Exif\0\0" + _TIFF
"""A JPEG segment that holds one tag: the maker."""


def camera_clip(folder: Path, *turn: str) -> Path:
    """MJPEG whose frames carry EXIF, as some cameras write them, shown as ``turn`` says."""
    plain, exif, turned = folder / "plain.mov", folder / "exif.mov", folder / "turned.mov"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x36:d=0.2:r=25", "-c:v", "mjpeg", plain)
    with av.open(str(plain)) as source, av.open(str(exif), "w") as target:
        stream: Any = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                data = bytes(packet)
                other: Any = av.Packet(data[:2] + EXIF + data[2:])
                other.pts, other.dts, other.time_base, other.is_keyframe = (
                    packet.pts,
                    packet.dts,
                    packet.time_base,
                    True,
                )
                other.stream = stream
                target.mux(other)
    run_ffmpeg(*turn, "-i", exif, "-c", "copy", turned)
    return turned


def test_a_frame_with_unnamed_side_data_is_still_read(tmp_path: Path) -> None:
    with av.open(str(camera_clip(tmp_path))) as container:
        frame = next(container.decode(video=0))
    found: Any = list(frame.side_data)
    kinds = [data.type for data in found]
    assert any(kind.name.startswith("UNNAMED") for kind in kinds)
    assert side_data_of(frame, Type.A53_CC) == b""


@pytest.mark.parametrize(
    ("turn", "orientation"),
    [
        (("-display_rotation", "0"), Orientation()),
        (("-display_rotation", "-90"), Orientation(rotation=90)),
        (("-display_hflip",), Orientation(mirrored=True)),
    ],
)
def test_a_clip_with_unnamed_side_data_keeps_its_orientation(
    tmp_path: Path, turn: tuple[str, ...], orientation: Orientation
) -> None:
    found = probe(camera_clip(tmp_path, *turn), scan=True, max_streams=9).video
    assert found.orientation == orientation
    assert found.frame_rate == Fraction(25)

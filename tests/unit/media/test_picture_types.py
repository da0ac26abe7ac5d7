"""B-pictures found in the headers of coded pictures, compared with what the decoder says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest
from av.video.frame import PictureType

from mpt_cli.media.formats.picture_types import may_hold_b_picture
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.heavy
@pytest.mark.parametrize("b_pictures", [0, 2])
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("mpeg1video", ".mpg"), ("mpeg2video", ".ts"), ("mpeg2video", ".mkv"), ("mpeg4", ".avi"), ("mpeg4", ".mp4")],
)
def test_b_pictures_are_found(tmp_path: Path, codec: str, suffix: str, b_pictures: int) -> None:
    clip = tmp_path / f"clip{suffix}"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=160x96:d=1", "-c:v", codec, "-bf", str(b_pictures), clip)
    with av.open(str(clip)) as container:
        kinds = {frame.pict_type for frame in container.decode(video=0)}
    assert (PictureType.B in kinds) == bool(b_pictures)
    with av.open(str(clip)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    assert any(may_hold_b_picture(codec, data) for data in packets) == bool(b_pictures)


@pytest.mark.parametrize("data", [b"", b"\0\0\1", b"\0\0\1\0", b"\0\0\1\xb6", b"no picture at all"])
@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video", "mpeg4", "h264"])
def test_what_cannot_be_read_may_be_one(codec: str, data: bytes) -> None:
    assert may_hold_b_picture(codec, data)

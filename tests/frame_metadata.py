"""Metadata inside of coded frames: units that carry it, clips that hold it, and what a reader finds of it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import av

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UUID = b"-sixteen-bytes-."
SECRET = b"GPS52.5200N13.4050E"
CAPTIONS = bytes.fromhex("b50031") + b"GA94\x03" + bytes.fromhex("41ff") + b"\xfc\xd3\x45\xff"
"""ATSC A/53 closed captions: one pair of letters."""
REGISTERED, UNREGISTERED = 4, 5
_SEI_HEADER = {"h264": b"\x06", "hevc": b"\x4e\x01"}
_MPEG2_USER_DATA, _MPEG2_FIRST_SLICE = b"\0\0\1\xb2", b"\0\0\1\1"


def unit(body: bytes) -> bytes:
    """A NAL unit of these bytes as MP4 and Matroska store it, behind its length."""
    escaped = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", body)
    return len(escaped).to_bytes(4, "big") + escaped


def sei(codec: str, *messages: tuple[int, bytes], header: bytes | None = None) -> bytes:
    """A unit of supplemental enhancement information with these messages, each a type and a payload."""
    body = header or _SEI_HEADER[codec]
    for kind, payload in messages:
        body += b"\xff" * (kind // 255) + bytes([kind % 255])
        body += b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255]) + payload
    return unit(body + b"\x80")


def user_data(codec: str, payload: bytes = SECRET) -> bytes:
    """A unit that holds user data of nobody in particular."""
    return sei(codec, (UNREGISTERED, UUID + payload))


def obu(kind: int, payload: bytes) -> bytes:
    """An AV1 unit with its size."""
    assert len(payload) < 128
    return bytes([kind << 3 | 2, len(payload)]) + payload


def before_slices(packet: bytes, data: bytes) -> bytes:
    """A coded frame of MPEG-2 with user data."""
    place = packet.index(_MPEG2_FIRST_SLICE)
    return packet[:place] + _MPEG2_USER_DATA + data + packet[place:]


def edited(source: Path, target: Path, edit: Callable[[bytes, int], bytes], **options: str) -> Path:
    """The clip with its coded frames as ``edit`` returns them, given their bytes and their number."""
    with av.open(str(source)) as container, av.open(str(target), "w", options=options) as output:
        copies = {stream.index: output.add_stream_from_template(stream, opaque=True) for stream in container.streams}
        number = 0
        for packet in container.demux():
            if not packet.size:
                continue
            copy = packet
            if packet.stream.type == "video":
                copy = av.Packet(edit(bytes(packet), number))
                copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
                copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                number += 1
            copy.stream = copies[packet.stream_index]
            output.mux(copy)
    return target


def found(path: Path) -> Counter[str]:
    """Side data of all frames of a file by its name, without what encoders say of themselves."""
    names: Counter[str] = Counter()
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            kept: Any = [data for data in frame.side_data if b"x264 - core" not in bytes(data)]  # type: ignore[arg-type]
            names.update(data.type.name for data in kept)
    return names

"""Decodes a whole file to see how much of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from mpt_cli.media.commands import DEMUXERS, file_url

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.models import MediaInfo


def decoded_share(path: Path, media: MediaInfo) -> float:
    """The share of a file's pictures, 0 to 1, that decode without damage."""
    whole = packets = 0
    with av.open(file_url(path), options={"protocol_whitelist": "file", "format_whitelist": DEMUXERS}) as container:
        stream = container.streams[media.video.index]
        stream.codec_context.thread_type = "AUTO"
        try:
            for packet in container.demux(stream):
                packets += bool(packet.size) and not packet.is_discard
                try:
                    whole += sum(not getattr(frame, "is_corrupt", False) for frame in packet.decode())
                except (av.FFmpegError, ValueError):
                    continue
        except av.FFmpegError:
            packets += 1  # the rest cannot even be read
    return min(1.0, whole / packets) if packets else 0.0

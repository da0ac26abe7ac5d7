"""Codecs that each container holds, measured with the muxers of ffmpeg 9.0 (pure)."""

from __future__ import annotations

from mpt_cli.model.choices import Container

NAL_CODECS = ("h264", "hevc")
"""Codecs that are coded in NAL units, after lengths or after start codes."""
_ANYWHERE = frozenset((*NAL_CODECS, "mpeg2video", "mpeg4", "mjpeg", "ffv1"))
_HELD = {
    Container.MP4: _ANYWHERE | {"av1", "vp9"},
    Container.MOV: _ANYWHERE | {"prores", "dnxhd"},  # its muxer refuses AV1 and VP9
    Container.MKV: _ANYWHERE | {"av1", "vp9", "vp8", "prores", "dnxhd"},
}
COPIED = _HELD[Container.MKV]
"""Codecs whose coded frames can be copied at all."""


def holds(container: Container, codec: str) -> bool:
    """Return True if ffmpeg can write this codec into this container."""
    return codec in _HELD[container]


def containers_of(codec: str) -> tuple[Container, ...]:
    """Return the containers that hold a codec."""
    return tuple(container for container in Container if holds(container, codec))


def segment_format(codec: str) -> str:
    """Return the muxer of a segment of copied frames: one that keeps times on any grid, and all tags if it can."""
    return next((str(each) for each in (Container.MP4, Container.MOV) if holds(each, codec)), "nut")


def mixes_sets(codec: str, container: Container) -> bool:
    """Return True if frames of different parameter sets can stand in one reel of a codec.

    HEVC in MP4 and MOV is tagged ``hvc1``, which promises that all sets are in the header: ffmpeg 9 drops those
    among the frames, and nothing of other clips decodes. Tagged ``hev1`` it decodes, but Apple's players show nothing.
    In Matroska sets stand among the frames: ffmpeg 4.2 and 9 decode and seek right (measured).
    """
    return codec != "hevc" or container is Container.MKV

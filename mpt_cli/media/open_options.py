"""Options for opening a file with libav, and the containers that may be opened: the same for ffmpeg and PyAV."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,mxf,gxf,gif,dv,nut,ivf,rm,wtv,"
    "h264,hevc,m4v,obu,av1,yuv4mpegpipe,y4m,live_flv,apng,mjpeg"
)
"""Containers that are opened; playlists and protocols disguised as containers are not among them."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS, "scan_all_pmts": "1"}
"""Options with which PyAV opens an untrusted file, so that no other file is opened through it.

The last as in ffmpeg's own program: without it libav finds fewer streams in some transport streams, so
that an index means another stream here than there.
"""


def file_url(path: Path, end: int | None = None) -> str:
    """Return the URL of a path for ffmpeg; with ``end`` only the bytes before that offset are read."""
    part = "" if end is None else f"subfile,,start,0,end,{end},,:"
    return _Url(f"{part}file:{path.absolute()}")


def protocols(end: int | None = None) -> str:
    """Return the protocols that ffmpeg may open such a file with."""
    return "file" if end is None else "file,subfile"


class _Url(str):
    """Text for ffmpeg-python, which creates a key from ``str()`` of it by UTF-8; a path may be other bytes."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the text itself, or one that escapes bytes outside UTF-8."""
        return self.encode(errors="backslashreplace").decode()

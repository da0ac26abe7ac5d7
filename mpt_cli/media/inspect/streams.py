"""Choose the streams of a file that make up the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from av.stream import Disposition

from mpt_cli.errors import IssueCode, ProbeError

if TYPE_CHECKING:
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream


def choose_streams(path: Path, container: InputContainer, limit: int) -> tuple[VideoStream, AudioStream | None]:
    """The video and audio stream to use: the default one, of several the largest or the first."""
    if len(container.streams) > limit:
        raise ProbeError(
            IssueCode.LIMIT_EXCEEDED, f"has {len(container.streams)} streams, more than {limit}", path=path
        )
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise ProbeError(IssueCode.NO_VIDEO_STREAM, "has no video stream", path=path)
    video = max(videos, key=lambda s: (bool(s.disposition & Disposition.default), _pixels(s), -s.index))
    if video.codec_context is None:
        raise ProbeError(
            IssueCode.UNSUPPORTED_CODEC, "its video codec has no decoder", path=path, hint="convert it first"
        )
    sounds = [s for s in container.streams.audio if s.codec_context is not None]
    audio = max(sounds, key=lambda s: (bool(s.disposition & Disposition.default), -s.index), default=None)
    return video, audio


def refuse_giant(path: Path, video: VideoStream, most: int) -> None:
    """What a header of 300 bytes claims must not cost gigabytes."""
    if _pixels(video) > most:
        size = f"{video.codec_context.width}x{video.codec_context.height}"
        message = f"is {size}, larger than {most} pixels"
        raise ProbeError(IssueCode.DIMENSIONS_TOO_LARGE, message, path=path, hint="raise validation.max_pixels")


def _pixels(stream: VideoStream) -> int:
    context = stream.codec_context
    return context.width * context.height if context is not None else 0

"""Choices of a request, spelled as in settings and on the command line."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path


class Codec(StrEnum):
    """Video codecs that mpt can write."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


class Container(StrEnum):
    """Containers that mpt can write; the value is the file extension without its dot."""

    MP4 = "mp4"
    MOV = "mov"
    MKV = "mkv"

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Return the container that a path's extension names, or None for any other extension."""
        extension = path.suffix.lower().removeprefix(".")
        return cls(extension) if extension in set(cls) else None


class Fit(StrEnum):
    """Scaling modes for a frame whose shape differs from the target."""

    CONTAIN = "contain"
    COVER = "cover"
    STRETCH = "stretch"
    BLUR = "blur"


class FormSource(StrEnum):
    """Source of size, rate and codec of a reel: the configuration, or the clips where the configuration is silent."""

    GIVEN = "given"
    AUTO = "auto"


class DynamicRange(StrEnum):
    """Dynamic range of a reel: the one of ordinary displays, HDR by its transfer, or that of most of the clips."""

    SDR = "sdr"
    HLG = "hlg"
    PQ = "pq"
    AUTO = "auto"


class QualityLevel(StrEnum):
    """Named trade-offs between file size, speed and visual quality."""

    DRAFT = "draft"
    BALANCED = "balanced"
    HIGH = "high"


class ConcatenationMode(StrEnum):
    """Whether the clips are joined in their order, or in a random one."""

    SEQUENTIAL = "sequential"
    RANDOM = "random"


class ClipOrder(StrEnum):
    """What decides the order of the clips: their names, the times of their recording, or the request."""

    GIVEN = "given"
    NAME = "name"
    TIME = "time"


class CopyPolicy(StrEnum):
    """Rule for which of the user's clips may be stream-copied."""

    IDENTICAL = "identical"
    COMPATIBLE = "compatible"
    NEVER = "never"


class JoinMethod(StrEnum):
    """Join methods that ``mpt concat`` accepts."""

    AUTO = "auto"
    COPY = "copy"
    REENCODE = "reencode"
    MOVIEPY = "moviepy"


class OnError(StrEnum):
    """Effect of a bad clip on the reel: fail the request, or publish a reel without the clip."""

    FAIL = "fail"
    SKIP = "skip"


AudioTracks = Literal["auto", "first", "mix"] | int
"""Choice of the audio tracks of a clip that are heard; a number selects one track, counted from 1."""


class Action(StrEnum):
    """Work to do on a clip."""

    ENCODE = "encode"
    COPY = "copy"
    REUSE = "reuse"


class Tracks(StrEnum):
    """Tracks of a clip that one step of its processing creates."""

    BOTH = "both"
    FRAMES = "frames"
    AUDIO = "audio"

"""Choices that a request makes, by the words of settings and command line."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from pathlib import Path


class Codec(StrEnum):
    """Video codecs that mpt writes."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


class Container(StrEnum):
    """Containers that mpt writes; the value is the suffix without its dot."""

    MP4 = "mp4"
    MOV = "mov"
    MKV = "mkv"

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """The container that a path's suffix stands for, or None."""
        suffix = path.suffix.lower().removeprefix(".")
        return cls(suffix) if suffix in set(cls) else None


class Fit(StrEnum):
    """How a picture of another shape fills the target."""

    CONTAIN = "contain"
    COVER = "cover"
    STRETCH = "stretch"
    BLUR = "blur"


class FormSource(StrEnum):
    """What sets size, rate and codec of a reel: the configuration, or the clips where that is silent."""

    GIVEN = "given"
    AUTO = "auto"


class QualityLevel(StrEnum):
    """Named trade-offs between size, speed and looks."""

    DRAFT = "draft"
    BALANCED = "balanced"
    HIGH = "high"


class ConcatenationMode(StrEnum):
    """The order of the clips in the reel."""

    SEQUENTIAL = "sequential"
    RANDOM = "random"


class CopyPolicy(StrEnum):
    """Which of the user's clips may be stream-copied."""

    IDENTICAL = "identical"
    COMPATIBLE = "compatible"
    NEVER = "never"


class JoinMethod(StrEnum):
    """How ``mpt concat`` is told to join."""

    AUTO = "auto"
    COPY = "copy"
    REENCODE = "reencode"
    MOVIEPY = "moviepy"


class OnError(StrEnum):
    """What a bad clip does to the reel: there is none, or one without it."""

    FAIL = "fail"
    SKIP = "skip"


AudioTracks = Literal["auto", "first", "mix"] | int
"""Which audio tracks of a clip are heard; a number counts them from 1."""


class Action(StrEnum):
    """What is done with a clip."""

    ENCODE = "encode"
    COPY = "copy"
    REUSE = "reuse"

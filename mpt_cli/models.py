"""The frozen values that flow through mpt: what is asked for, and what is made of it.

Exact quantities (times, rates, aspect ratios) are :class:`~fractions.Fraction`; floats appear only
where something was measured with a clock. This module imports nothing of mpt but extras.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from mpt_cli.extras import NO_EXTRAS, Extras

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from mpt_cli.config import Config, QualitySettings
    from mpt_cli.errors import Issue


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


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Width and height in pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1080x1920``; raises ValueError for anything else."""
        width, separator, height = text.strip().lower().partition("x")
        if not (separator and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise ValueError(f"{text!r} is not a size like 1080x1920")
        return cls(int(width), int(height))

    def __str__(self) -> str:
        """The form that :meth:`parse` reads."""
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def is_even(self) -> bool:
        """Whether 4:2:0 video can have this size."""
        return self.width % 2 == 0 and self.height % 2 == 0

    @property
    def turned(self) -> Dimensions:
        """Width and height swapped."""
        return Dimensions(self.height, self.width)


@dataclass(frozen=True, slots=True)
class VideoClip:
    """One input: a file, and the part of it that is wanted (seconds from its own start)."""

    path: Path
    start: Fraction = Fraction(0)
    end: Fraction | None = None
    mute: bool = False

    @classmethod
    def of(cls, clip: VideoClip | str | os.PathLike[str]) -> VideoClip:
        """A clip from a clip or a path."""
        return clip if isinstance(clip, VideoClip) else cls(Path(clip))


@dataclass(frozen=True, slots=True)
class VideoParams:
    """A request for one reel.

    ``clips`` takes paths as well as :class:`VideoClip`. What is left None comes from ``config``,
    and that, when it is None too, from the configuration of the orchestrator
    (:func:`mpt_cli.config.effective_config`). ``join`` is the method of ``mpt concat``; None means
    the full workflow of ``mpt process``.
    """

    clips: tuple[VideoClip, ...]
    output_path: Path
    overwrite: bool = False
    keep_temp: bool = False
    dimensions: Dimensions | None = None
    frame_rate: Fraction | None = None
    quality: QualitySettings | None = None
    concat_mode: ConcatenationMode | None = None
    config: Config | None = None
    join: JoinMethod | None = None
    extras: Extras = NO_EXTRAS
    problems: tuple[Issue, ...] = ()
    """What was found wrong while the request was made; reported together with everything else."""
    if_changed: bool = False
    """Do nothing where the output is up to date; else replace it, if it is what mpt published there last."""
    evidence: bool = False
    """Say in the result by hashes what the reel was made of."""

    if TYPE_CHECKING:  # what may be given is wider than what then stands in the fields

        def __init__(
            self,
            clips: Sequence[VideoClip | str | os.PathLike[str]],
            output_path: str | os.PathLike[str],
            *,
            overwrite: bool = False,
            keep_temp: bool = False,
            dimensions: Dimensions | None = None,
            frame_rate: Fraction | None = None,
            quality: QualitySettings | None = None,
            concat_mode: ConcatenationMode | None = None,
            config: Config | None = None,
            join: JoinMethod | None = None,
            extras: Extras = ...,
            problems: Sequence[Issue] = (),
            if_changed: bool = False,
            evidence: bool = False,
        ) -> None:
            """What :meth:`__post_init__` makes the fields of."""

    def __post_init__(self) -> None:
        """Turn paths given as text into clips and paths."""
        object.__setattr__(self, "clips", tuple(map(VideoClip.of, self.clips)))
        object.__setattr__(self, "problems", tuple(self.problems))
        object.__setattr__(self, "output_path", Path(self.output_path))


@dataclass(frozen=True, slots=True)
class Segment:
    """The unit of work: output frames ``first_frame`` … ``first_frame + frames - 1`` of a clip.

    Frame k shows the picture that the clip shows ``k / frame_rate`` seconds after its start (the
    trim's start, where there is one).
    """

    clip_index: int
    first_frame: int
    frames: int


@dataclass(frozen=True, slots=True)
class Hardware:
    """What an encoder in hardware needs: its device, in ffmpeg's name, and how many clips it takes at once.

    Pictures go there from memory, or are first loaded into the device where it ``uploads``.
    """

    device: str
    at_once: int
    uploads: bool = False


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """One encoder with everything that decides its bits: the recipe's video half."""

    codec: Codec
    encoder: str
    options: tuple[str, ...]
    pixel_format: str
    threads: int
    hardware: Hardware | None = None
    """None for software."""

    @property
    def named_options(self) -> dict[str, str]:
        """The options by their names, each with its dash."""
        return dict(zip(self.options[::2], self.options[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class TargetForm:
    """The one form that all clips of a reel are brought to."""

    dimensions: Dimensions
    frame_rate: Fraction
    fit: Fit
    background: str
    encoder: EncoderSettings
    container: Container
    sample_rate: int
    channels: int
    audio_codec: str
    audio_bitrate: int


class Evidence(StrEnum):
    """What stands behind a claim about a segment."""

    PROVEN = "proven"
    """It was compared: each frame, or audio at a few places."""
    COPIED = "copied"
    """The coded data is that of the source, bit for bit."""
    PARTIAL = "partial"
    """The source is damaged: what did decode was compared, and the rest cannot be."""
    UNAVAILABLE = "unavailable"
    """The ffmpeg in use does not tell what is needed (5.1 does not tell which frame it encodes), or the source
    shows nothing that can be compared without reading all of it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was proven of a segment beside its form.

    ``frame_map`` is which source frame stands where, ``audio`` that it sounds as the source does, in step;
    None where there is none.
    """

    frame_map: Evidence = Evidence.UNAVAILABLE
    audio: Evidence | None = None


@dataclass(frozen=True, slots=True)
class ProcessedClip:
    """A clip in the target form: coded pictures in a file, and its sound as raw PCM beside it.

    ``vcl_crc`` is the CRC-32 over its coded picture data (:mod:`mpt_cli.media.proof`), by which
    the reel is compared. Only ``owned`` files may ever be deleted: a copied clip *is* the user's
    file. ``audio_path`` is None for silence.
    """

    index: int
    original_path: Path
    processed_path: Path
    audio_path: Path | None
    dimensions: Dimensions
    segment: Segment
    duration: Fraction
    vcl_crc: int
    parameter_sets: str
    extradata: bytes
    owned: bool
    verified: Verified = Verified()

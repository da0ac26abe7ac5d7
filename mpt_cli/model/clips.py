"""The frozen values that flow through mpt: what is asked for, and what is made of it.

Exact quantities (times, rates, aspect ratios) are :class:`~fractions.Fraction`; floats appear only
where something was measured with a clock. This module imports nothing of mpt but extras.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import os

    from mpt_cli.model.choices import Codec, Container, Fit


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

"""Frozen values of requested clips, target formats and processed segments.

Exact quantities (times, rates, aspect ratios) are :class:`~fractions.Fraction`; floats appear only
where something was measured with a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from numbers import Integral
from pathlib import Path  # noqa: TC003 - clips and formats are read back from JSON
from typing import TYPE_CHECKING, Self

from mpt_cli.model.arguments import flag_of, path_of, seconds_of, volume_of
from mpt_cli.model.audio_form import AudioForm  # noqa: TC001 - the same
from mpt_cli.model.choices import Codec, Container, Fit  # noqa: TC001 - the same

if TYPE_CHECKING:
    import os
    from decimal import Decimal

    from mpt_cli.model.frame_times import FrameTimes


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Size of a frame.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
    """

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a size such as ``1080x1920``.

        Args:
            text: Width and height in pixels, separated by ``x``; case and outer spaces do not matter.

        Returns:
            The parsed size.

        Raises:
            ValueError: The text has any other form.
        """
        width, separator, height = text.strip().lower().partition("x")
        if not (separator and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
            raise ValueError(f"{text!r} is not a size like 1080x1920")
        return cls(int(width), int(height))

    @classmethod
    def of(cls, value: object) -> Dimensions:
        """Return a size unchanged, or the size that a pair of whole numbers or a text names.

        Args:
            value: A size, ``(1080, 1920)`` or ``"1080x1920"``.

        Returns:
            The size.

        Raises:
            ValueError: The value is none of these.
        """
        if isinstance(value, str):
            return cls.parse(value)
        pair = (value.width, value.height) if isinstance(value, Dimensions) else value
        if isinstance(pair, tuple | list) and len(pair) == 2 and all(_is_whole(side) for side in pair):
            return value if isinstance(value, Dimensions) else cls(int(pair[0]), int(pair[1]))
        raise ValueError('give a size such as "1080x1920" or (1080, 1920)')

    def __str__(self) -> str:
        """Return the size in the form that :meth:`parse` accepts."""
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        """Number of pixels: width times height."""
        return self.width * self.height

    @property
    def is_even(self) -> bool:
        """True if 4:2:0 video can have this size."""
        return self.width % 2 == 0 and self.height % 2 == 0

    @property
    def turned(self) -> Dimensions:
        """Size with width and height swapped."""
        return Dimensions(self.height, self.width)


def _is_whole(side: object) -> bool:
    return isinstance(side, Integral) and not isinstance(side, bool)


@dataclass(frozen=True, slots=True)
class Color:
    """Colour description of a stream, in ffmpeg's names; None where the file does not say."""

    matrix: str | None = None
    range: str | None = None
    primaries: str | None = None
    transfer: str | None = None

    @property
    def with_range(self) -> Color:
        """The same with a range: players take frames of which none is told for limited."""
        return self if self.range else replace(self, range="tv")


@dataclass(frozen=True, slots=True)
class Orientation:
    """Transformation of stored frames for display: mirror left to right first, then turn clockwise.

    Attributes:
        rotation: 0, 90, 180 or 270 degrees clockwise.
        mirrored: True to mirror left to right.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """True if width and height are swapped."""
        return self.rotation in (90, 270)

    @property
    def is_identity(self) -> bool:
        """True if the stored frame is already upright."""
        return not self.rotation and not self.mirrored


@dataclass(frozen=True, slots=True)
class VideoClip:
    """One input: a file and the part of the file to use.

    Args:
        path: Path of the file. A relative one starts at the working folder of the program when the request runs.
        start: Start of the part, in seconds from the start of the clip: a number, or text such as ``"0.25"``.
        end: End of the part, in seconds from the start of the clip; None for the end of the clip.
        mute: True to replace the audio with silence.
        volume: Gain of the audio in dB, -60 to 24.

    Raises:
        UsageError: An argument has a wrong type; the message names the field. Whether the file can be used, and
            has the part, is found when the request runs.
    """

    path: Path
    start: Fraction = Fraction(0)
    end: Fraction | None = None
    mute: bool = False
    volume: float = 0.0

    if TYPE_CHECKING:  # the arguments accept more types than the fields hold

        def __init__(
            self,
            path: str | os.PathLike[str],
            start: float | str | Fraction | Decimal = ...,
            end: float | str | Fraction | Decimal | None = None,
            mute: bool = False,
            volume: float | str = 0.0,
        ) -> None:
            """Accept numbers and text, which :meth:`__post_init__` turns into exact values."""

    def __post_init__(self) -> None:
        """Turn numbers and text into exact values."""
        object.__setattr__(self, "path", path_of("VideoClip.path", self.path))
        object.__setattr__(self, "start", seconds_of("VideoClip.start", self.start))
        if self.end is not None:
            object.__setattr__(self, "end", seconds_of("VideoClip.end", self.end))
        flag_of("VideoClip.mute", self.mute)
        object.__setattr__(self, "volume", volume_of("VideoClip.volume", self.volume))

    @classmethod
    def of(cls, clip: VideoClip | str | os.PathLike[str]) -> VideoClip:
        """Return a clip unchanged, or a whole clip for a path.

        Args:
            clip: A clip, or the path of a file.

        Returns:
            The clip.

        Raises:
            UsageError: The argument is neither.
        """
        return clip if isinstance(clip, VideoClip) else cls(clip)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """Unit of work: output frames ``first_frame`` … ``first_frame + frames - 1`` of a clip.

    Frame k shows the frame that the clip shows ``k / frame_rate`` seconds after its start (the start of
    the trim, where there is one).
    """

    clip_index: int
    first_frame: int
    frames: int
    coded: int | None = None
    """Number of frames, where only some of the output frames are there: a kept variable rate is on a grid of ticks."""

    @property
    def pictures(self) -> int:
        """Number of frames in the file."""
        return self.frames if self.coded is None else self.coded


@dataclass(frozen=True, slots=True)
class Hardware:
    """Requirements of a hardware encoder: its device, in ffmpeg's name, and how many clips it encodes at once.

    Frames are passed from memory, or are first loaded into the device where it ``uploads``.
    """

    device: str
    at_once: int
    uploads: bool = False


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """One encoder with everything that decides its output bits: the video half of a recipe."""

    codec: Codec
    encoder: str
    options: tuple[str, ...]
    pixel_format: str
    threads: int
    hardware: Hardware | None = None
    """None for a software encoder."""
    color: Color = Color("bt709", "tv", "bt709", "bt709")
    """Colour description that frames are converted to, and tagged with."""

    @property
    def named_options(self) -> dict[str, str]:
        """Options by name, each name with its dash."""
        return dict(zip(self.options[::2], self.options[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class KeptFrames:
    """Form that the coded frames of a reel keep, where all its clips share it and are copied.

    Attributes:
        codec: Codec, in ffmpeg's name; one that mpt cannot encode may be kept too.
        profile: Profile of the codec, in ffmpeg's name.
        pixel_format: Pixel format, in ffmpeg's name.
        sar: Sample aspect ratio.
        color: Colour description.
        orientation: Transformation for display.
        interlaced: True if a frame holds two fields.
        field_order: Order of the fields, in ffmpeg's name; None where the clips do not say, or have none.
        variable: True if frames keep their own times: the rate of the target format is that of the clips' ticks, and
            most output frames are not there.
    """

    codec: str
    profile: str | None
    pixel_format: str
    sar: Fraction
    color: Color
    orientation: Orientation
    interlaced: bool = False
    field_order: str | None = None
    variable: bool = False


@dataclass(frozen=True, slots=True)
class TargetForm:
    """Target format that all clips of a reel are brought to.

    Attributes:
        dimensions: Size of each frame, in pixels.
        frame_rate: Frames per second.
        fit: Scaling mode for clips of another shape.
        background: Colour behind a frame that does not fill the target, in ffmpeg's syntax.
        encoder: Video encoder and its options.
        container: Container of the reel.
        audio: Codec, rate, channels and depth of the audio.
        kept: What the frames keep of their clips where all are copied; None where they are as encoded here.
    """

    dimensions: Dimensions
    frame_rate: Fraction
    fit: Fit
    background: str
    encoder: EncoderSettings
    container: Container
    audio: AudioForm
    kept: KeptFrames | None = None

    @property
    def is_variable(self) -> bool:
        """True if frames keep their own times, on a grid of ticks."""
        return self.kept is not None and self.kept.variable

    @property
    def codec(self) -> str:
        """Codec of the frames, in ffmpeg's name."""
        return str(self.encoder.codec) if self.kept is None else self.kept.codec

    @property
    def pixel_format(self) -> str:
        """Pixel format of the frames, in ffmpeg's name."""
        return self.encoder.pixel_format if self.kept is None else self.kept.pixel_format

    @property
    def color(self) -> Color:
        """Colour description of the frames."""
        return self.encoder.color if self.kept is None else self.kept.color


class Evidence(StrEnum):
    """Evidence for a claim about a segment."""

    PROVEN = "proven"
    """The segment was compared: each frame, or audio at a few offsets."""
    COPIED = "copied"
    """The coded data equals that of the source, bit for bit."""
    PARTIAL = "partial"
    """The source is damaged: everything that decoded was compared, and the rest cannot be."""
    UNAVAILABLE = "unavailable"
    """The ffmpeg in use does not report what is needed (5.1 does not report which frame it encodes), or the source
    shows nothing that can be compared without reading all of it.
    """


@dataclass(frozen=True, slots=True)
class Verified:
    """Verified facts of a segment beside its format.

    Attributes:
        frame_map: Evidence that each output frame shows the right source frame.
        audio: Evidence that the audio equals that of the source, in step; None where there is no audio.
    """

    frame_map: Evidence = Evidence.UNAVAILABLE
    audio: Evidence | None = None


@dataclass(frozen=True, slots=True)
class ProcessedAudio:
    """Audio of a clip as raw PCM, for a clip whose frames are processed in segments.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        path: Path of the raw PCM.
        verified: Evidence that it equals that of the source, in step.
    """

    index: int
    path: Path
    verified: Evidence


@dataclass(frozen=True, slots=True)
class ProcessedClip:
    """A clip, or one segment of it, in the target format: coded frames in a file, and raw PCM beside it.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        original_path: Path of the user's file.
        processed_path: Path of the segment; for a stream copy it may be the user's file.
        audio_path: Path of the raw PCM of the whole clip, from its first output frame on; None for silence.
        dimensions: Size of each frame, in pixels.
        segment: Output frames that the file holds.
        duration: Duration in seconds.
        vcl_crc: CRC-32 over the coded frame data (:mod:`mpt_cli.media.proof`), by which the reel is compared.
        parameter_sets: Digest of the VPS, SPS and PPS, or of the AV1 sequence header.
        extradata: Decoder configuration of the segment.
        owned: True if mpt created the file. Only owned files may be deleted: a copied clip *is* the user's file.
        verified: Evidence for the segment.
        times: Times of its frames where they are not one after another on the grid; else None.
        is_copied: True if the coded frames are those of the user's file.
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
    times: FrameTimes | None = None
    is_copied: bool = False

"""Description of a media file: its streams, their presentation, and what a stream copy needs (frozen values).

Exact quantities (times, rates, aspect ratios) are :class:`~fractions.Fraction`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Self

from mpt_cli.model.audio_form import SampleFormat  # noqa: TC001 - descriptions are read back from JSON
from mpt_cli.model.choices import DynamicRange
from mpt_cli.model.clips import Color, Dimensions, Orientation
from mpt_cli.model.cut_points import CutPoints  # noqa: TC001 - the same
from mpt_cli.model.errors import Issue  # noqa: TC001 - the same
from mpt_cli.model.frame_times import FrameTimes  # noqa: TC001 - the same
from mpt_cli.model.samples import HdrMetadata  # noqa: TC001 - the same

if TYPE_CHECKING:
    from pathlib import Path


_SEEK_SECONDS = 1
"""Seconds to seek before a time: a seek counts decode times, which are earlier than presentation times."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Part of each decoded frame that the container shows.

    Attributes:
        left: Columns of pixels left of the part.
        top: Rows of pixels above the part.
        dimensions: Size of the part, in pixels.
    """

    left: int
    top: int
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class VideoStreamInfo:
    """Description of the video stream of a file; sizes are as stored and cropped unless named ``display``."""

    index: int
    codec: str
    profile: str | None
    dimensions: Dimensions
    sar: Fraction
    orientation: Orientation
    frame_rate: Fraction
    """Nominal rate: the constant rate, or for a variable rate the rate of the usual gap."""
    variable_frame_rate: bool
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    color: Color
    hdr: str | None
    """None, ``pq``, ``hlg`` or ``dolby_vision`` (profile 5, which has no base layer)."""
    interlaced: bool
    """True if a frame is known to hold two fields; other frames of the file may be progressive."""
    may_interlace: bool = False
    """True if headers allow two fields for frames that were not decoded."""
    crop: Crop | None = None
    plain_matrix: bool = True
    """True if the container does not mention turning, moving or scaling frames, not even the identity matrix."""
    changes_size: bool = False
    """True if later frames have another size or pixel format; all other fields describe the first frame."""
    changes_shape: bool = False
    """True if later frames are also shown wider or narrower."""
    shapes: tuple[tuple[Fraction, Fraction], ...] = ()
    """Pairs of a time (seconds in the file's clock) and the frame's width relative to the first frame from then on.

    Empty where the times are not known.
    """
    is_premultiplied: bool = False
    """True if colours are already multiplied by the alpha beside them."""
    field_order: str | None = None
    """``tt``, ``bb``, ``tb`` or ``bt``, in ffmpeg's names: the field that is coded and shown first; None for
    progressive frames, and where the file does not say.
    """
    one_color: bool = True
    """True if all frames carry the same ``color`` themselves, and the container no other."""
    hdr_metadata: HdrMetadata | None = None
    """Static metadata of the first frame of HDR, or None."""

    @property
    def has_fields(self) -> bool:
        """True if each frame must be checked for two fields; HEVC codes a field as a frame of its own."""
        return (self.interlaced or self.may_interlace) and self.codec != "hevc"

    @property
    def display(self) -> Dimensions:
        """Size in square pixels as shown: sample aspect ratio, then rotation applied."""
        width = max(1, round(self.dimensions.width * self.sar))
        shown = Dimensions(width, self.dimensions.height)
        return shown.turned if self.orientation.swaps_sides else shown


@dataclass(frozen=True, slots=True)
class CodedAudio:
    """Packets of an audio track as a decoder takes them, hidden ones included: whether another file goes on with them.

    Attributes:
        first: When the first sample of the first packet is heard, in seconds of the file's clock.
        samples: Number of samples of all packets.
        packet: Number of samples of a packet.
        tick: Unit of the timestamps, in seconds.
        setup: Digest of the decoder configuration.
        in_midst: True if the first packet holds audio that no encoder puts first; None where that is not to be told.
    """

    first: Fraction
    samples: int
    packet: int
    tick: Fraction
    setup: str
    in_midst: bool | None = None


@dataclass(frozen=True, slots=True)
class AudioStreamInfo:
    """Description of an audio track of a file; ``channels`` are names such as FL, FR, FC in order."""

    index: int
    codec: str
    channels: tuple[str, ...]
    layout: str
    sample_rate: int
    irregular: bool = False
    """True if channels, rate or times are such that filters of ffmpeg do not follow: the track is rendered before."""
    tremble: Fraction | None = None
    """Seconds between packets that come late and early, where the clock drifts or trembles; else None."""
    anchors: tuple[tuple[int, int], ...] = ()
    """Numbers of the packets that are heard at their time, in microseconds; all others follow the one before them.

    Empty if each packet is heard at its time.
    """
    number: int = 1
    """Number of the track among the audio tracks of the file, counted from 1."""
    title: str | None = None
    language: str | None = None
    is_version: bool = False
    """True if the file marks it as a dub, a comment or a description: heard instead of another track."""
    level_db: float | None = None
    """Level of the loudest part, root mean square in dB below full scale; None where it was not measured."""
    same_as: int | None = None
    """Index of an earlier track that holds the same samples."""
    is_part: bool = False
    """True if the channels are part of one layout, with those of the tracks that are heard with it."""
    part_of: int | None = None
    """Index of the first of the tracks that form one layout together, if this is one of them."""
    bit_rate: int | None = None
    """Bits per second of its packets; None where not all were read."""
    lossless: SampleFormat | None = None
    """Smallest format of PCM that holds the samples of a codec without loss; None for a codec with loss."""
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(0)
    """Start and end of the audio, in seconds of the file's clock."""
    coded: CodedAudio | None = None
    """Its packets, where each has its own time and follows the one before it."""
    spliced: bool = False
    """True if the track is decoded together with those of the files around."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Description of a media file. Times are exact, in seconds of the file's own clock.

    ``zero`` is the timestamp of the clip's start: the earlier of first shown frame and first
    audio. ``duration`` runs from there to the end of the longer of both (``media.md``, "Time").
    ``scanned`` is True if these come from packets and not from a header's claim.
    """

    container: str
    size_bytes: int
    zero: Fraction
    duration: Fraction
    video: VideoStreamInfo
    audio: AudioStreamInfo | None
    """Audio track that is heard; one of ``audio_tracks``."""
    video_start: Fraction
    last_picture: Fraction
    """Timestamp of the last frame, in seconds of the file's clock."""
    scanned: bool
    seek_points: tuple[Fraction, ...] = ()
    """Timestamps of keyframes that a seek reaches exactly, in order; empty where seeking is not trusted."""
    frame_times: FrameTimes | None = None
    """Presentation time of each frame; None where not all packets were read."""
    copy_traits: CopyTraits | None = None
    suspect: bool = False
    """True if something shows, without decoding, that frames are damaged."""
    clock_moves: tuple[Fraction, ...] = ()
    """Seconds added to all later times, for each jump of the file's clock, so that times are continuous."""
    readable_bytes: int | None = None
    """Offset in the file at which another movie begins, which must not be read; None to read all."""
    shows_hidden: bool = False
    """True to show frames that an edit list hides: the list counts decode times instead of presentation times."""
    warnings: tuple[Issue, ...] = ()
    audio_tracks: tuple[AudioStreamInfo, ...] = ()
    """All audio tracks that belong to the video, the default one first."""
    audio_with: tuple[AudioStreamInfo, ...] = ()
    """Tracks that are mixed with ``audio``."""
    video_end: Fraction | None = None
    recorded: float | None = None
    """Time at which the file says that it was recorded, in seconds since 1970; None where it does not say."""
    modified: float = 0.0
    """Time of the last change of the file, in seconds since 1970."""
    chapter_titles: tuple[str, ...] = ()
    """Titles of the first chapters."""

    @property
    def heard(self) -> tuple[AudioStreamInfo, ...]:
        """Audio tracks that are heard together."""
        return () if self.audio is None else (self.audio, *self.audio_with)

    def seek_point_for(self, time: Fraction) -> Fraction | None:
        """Return the timestamp to seek to before reading all frames from a time on.

        Args:
            time: Time of the first wanted frame, in seconds of the file's clock.

        Returns:
            The timestamp in seconds of the file's clock; None to read from the start.
        """
        before = bisect_right(self.seek_points, time - _SEEK_SECONDS)
        return self.seek_points[before - 1] if before else None

    def named(self, path: Path | None) -> Self:
        """Return a copy whose warnings name this path."""
        return replace(self, warnings=tuple(warning.about(path) for warning in self.warnings))


@dataclass(frozen=True, slots=True)
class Still:
    """One upright image with square pixels.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        rgb: Rows from the top; three bytes (red, green, blue) a pixel.
        dynamic_range: Meaning of the values: those of BT.709, or the signal of HLG or PQ.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"val_json_bytes": "base64"}
    """Encoding of the bytes in the answer of the process that decoded them."""

    width: int
    height: int
    rgb: bytes
    dynamic_range: DynamicRange = DynamicRange.SDR


@dataclass(frozen=True, slots=True)
class CopyTraits:
    """Facts about a file that a stream copy needs beside the format of its frames."""

    # How bytes look where what is known of a file is written down.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    closed_gop: bool
    """True if decoding can begin at each keyframe, and no later frame is shown before it."""
    hides_pictures: bool
    """True if an edit list leaves out some frames, which others may need."""
    on_grid: bool
    """True if all frames are near enough to a grid of the rate to be placed on it."""
    exact: bool
    """True if all frames are on the grid already, and stored in the same steps."""
    leads: bool
    """True if nothing else in the file begins before the frames, and there is no other video, such as a cover."""
    time_base: Fraction
    delay: int
    """Largest number of frames that are stored before one that is shown before them."""
    pictures: int
    carries_metadata: bool
    """True if frames hold user data of the source beside their pixels, see ``media/formats/frame_metadata.py``."""
    level: int | None
    parameter_sets: str
    """Digest of the VPS, SPS and PPS, or of the AV1 sequence header."""
    extradata: bytes
    """Decoder configuration that holds the parameter sets."""
    one_description: bool = True
    """True if the decoder configuration stays the same from the first frame to the last."""
    clean_start: bool = True
    """True if the first packet decodes by itself, and no frame is shown before it."""
    counted: bool = False
    """True if timestamps mean nothing but the order: frame n in file order is shown n frames after the first."""
    field_pairs: bool = False
    """True if the two fields of some frames are packets of their own; ``pictures`` and ``delay`` count frames."""
    obstacle: str | None = None
    """Reason for which a packet is not exactly one shown frame that could be stored as it is; None if each is."""
    cut_points: CutPoints | None = None
    """Where a part can be copied out; None where that is not known."""

"""What a file is: its streams, how they are shown, what a copy of them would need to know (frozen values).

Exact quantities (times, rates, aspect ratios) are :class:`~fractions.Fraction`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Self

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue  # noqa: TC001 - the same
from mpt_cli.model.frame_times import FrameTimes  # noqa: TC001 - the same

if TYPE_CHECKING:
    from pathlib import Path


_SEEK_SECONDS = 1
"""So far before a time a seek for it goes: it counts decode times, which are earlier than those of showing."""


@dataclass(frozen=True, slots=True)
class Color:
    """Colour description of a stream, in ffmpeg's names; None where the file does not say."""

    matrix: str | None = None
    range: str | None = None
    primaries: str | None = None
    transfer: str | None = None


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pictures are shown: mirrored left to right first, then turned clockwise.

    ``rotation`` is 0, 90, 180 or 270 degrees clockwise.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation in (90, 270)

    @property
    def is_identity(self) -> bool:
        """Whether the stored picture already is upright."""
        return not self.rotation and not self.mirrored


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of each decoded picture that the container shows: where it begins, and its size."""

    left: int
    top: int
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class VideoStreamInfo:
    """What the video stream of a file is; sizes as stored and cropped unless they say ``display``."""

    index: int
    codec: str
    profile: str | None
    dimensions: Dimensions
    sar: Fraction
    orientation: Orientation
    frame_rate: Fraction
    """Nominal rate: the constant rate, or for variable rate the one of the usual gap."""
    variable_frame_rate: bool
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    color: Color
    hdr: str | None
    """None, ``pq``, ``hlg`` or ``dolby_vision`` (profile 5, which has no base layer)."""
    interlaced: bool
    """Whether a picture is known to be of two fields; others of the file may be progressive."""
    may_interlace: bool = False
    """Whether headers allow it for pictures that were not decoded."""
    crop: Crop | None = None
    plain_matrix: bool = True
    """Whether the container says nothing of how frames are turned, moved or scaled, not even that they are not."""
    changes_size: bool = False
    """Whether later pictures have another size or other pixels; all else is said of the first."""
    changes_shape: bool = False
    """Whether they are also shown wider or narrower."""
    shapes: tuple[tuple[Fraction, Fraction], ...] = ()
    """From when on (seconds in the file's clock) how many times as wide as the first; empty where not known."""
    is_premultiplied: bool = False
    """Whether colours are multiplied by the alpha beside them already."""
    one_color: bool = True
    """Whether all its frames say the same ``color`` themselves, and the container nothing else."""

    @property
    def has_fields(self) -> bool:
        """Whether each frame must be asked whether it holds two fields; HEVC codes a field as a frame of its own."""
        return (self.interlaced or self.may_interlace) and self.codec != "hevc"

    @property
    def display(self) -> Dimensions:
        """Size in square pixels as shown: sample aspect ratio, then rotation applied."""
        width = max(1, round(self.dimensions.width * self.sar))
        shown = Dimensions(width, self.dimensions.height)
        return shown.turned if self.orientation.swaps_sides else shown


@dataclass(frozen=True, slots=True)
class AudioStreamInfo:
    """What an audio track of a file is; ``channels`` are names such as FL, FR, FC in order."""

    index: int
    codec: str
    channels: tuple[str, ...]
    layout: str
    sample_rate: int
    irregular: bool = False
    """Whether channels or rate change, or the channels have an order of their own: filters of ffmpeg follow neither."""
    tremble: Fraction | None = None
    """Where its clock drifts or trembles: the seconds between packets that come late and early; else None."""
    number: int = 1
    """Which of the audio tracks of the file it is, counted from 1."""
    title: str | None = None
    language: str | None = None
    is_version: bool = False
    """Whether the file says that it is a dub, a comment or a description: heard instead of another track."""
    level_db: float | None = None
    """Level of its loudest part, root mean square below full scale; None where it was not measured."""
    same_as: int | None = None
    """Index of an earlier track that holds the same samples."""
    is_part: bool = False
    """Whether its channels are part of one layout, with those of the tracks that are heard with it."""
    part_of: int | None = None
    """Index of the first of the tracks that hold one layout together, if it is one of these."""
    start: Fraction = Fraction(0)
    end: Fraction = Fraction(0)
    """From when to when it is heard, in the clock of the file."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file holds. Times are exact and counted in the file's own clock.

    ``zero`` is the timestamp of the clip's start: the earlier of first shown picture and first
    sound. ``duration`` runs from there to the end of the longer of both (``media.md``, "Time").
    ``scanned`` says that these come from packets and not from a header's claim.
    """

    container: str
    size_bytes: int
    zero: Fraction
    duration: Fraction
    video: VideoStreamInfo
    audio: AudioStreamInfo | None
    """The audio track that is heard; it is one of ``audio_tracks``."""
    video_start: Fraction
    last_picture: Fraction
    """Timestamp of the last picture, in the clock of the file."""
    scanned: bool
    seek_points: tuple[Fraction, ...] = ()
    """Timestamps of keyframes that a seek lands on exactly, in order; empty where seeking is not trusted."""
    frame_times: FrameTimes | None = None
    """When each frame is shown; None where not all packets were read."""
    copy_traits: CopyTraits | None = None
    suspect: bool = False
    """Whether something shows, without decoding, that frames are damaged."""
    clock_moves: tuple[Fraction, ...] = ()
    """Where the clock of the file jumps, the seconds that are added to all later times to make them one row."""
    readable_bytes: int | None = None
    """Where another movie begins in the file, which must not be read; None where all is."""
    warnings: tuple[Issue, ...] = ()
    audio_tracks: tuple[AudioStreamInfo, ...] = ()
    """All audio tracks that belong to the video, the default one first."""
    audio_with: tuple[AudioStreamInfo, ...] = ()
    """Tracks that are mixed with ``audio``."""
    video_end: Fraction | None = None

    @property
    def heard(self) -> tuple[AudioStreamInfo, ...]:
        """The audio tracks that are heard together."""
        return () if self.audio is None else (self.audio, *self.audio_with)

    def seek_point_for(self, time: Fraction) -> Fraction | None:
        """Where to seek, in the clock of the file, to read all that is shown from ``time`` on; None for its start."""
        before = bisect_right(self.seek_points, time - _SEEK_SECONDS)
        return self.seek_points[before - 1] if before else None

    def named(self, path: Path | None) -> Self:
        """The same with warnings that name this path."""
        return replace(self, warnings=tuple(replace(warning, path=path) for warning in self.warnings))


@dataclass(frozen=True, slots=True)
class Still:
    """One upright picture with square pixels: rows of red, green, blue, a byte each."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"val_json_bytes": "base64"}
    """How the bytes look in the answer of the process that decoded it."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class CopyTraits:
    """What a stream copy needs to know of a file beside the form of its pictures."""

    # How bytes look where what is known of a file is written down.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    closed_gop: bool
    """Whether decoding can begin at each keyframe, and nothing behind it is shown before it."""
    hides_pictures: bool
    """Whether an edit list leaves out some of its pictures, which others may need."""
    on_grid: bool
    """Whether all pictures are so near to a grid of the rate that each can be put on its place."""
    exact: bool
    """Whether they are on it already, and stored in the same steps."""
    leads: bool
    """Whether nothing else in the file begins before its pictures."""
    time_base: Fraction
    delay: int
    """How many pictures, at most, are stored before one that is shown before them."""
    pictures: int
    carries_metadata: bool
    """Whether frames hold user data of the source beside their pixels, see ``media/formats/frame_metadata.py``."""
    level: int | None
    parameter_sets: str
    """Digest of the VPS, SPS and PPS, or of the AV1 sequence header."""
    extradata: bytes
    """The decoder configuration that holds them."""
    one_description: bool = True
    """Whether the decoder configuration stays the same from the first picture to the last."""

"""Types of the data of ``mpt validate``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from mpt_cli.reporting.documents.base import AbsolutePath, IssueData, LeftOutData, Number, Positive, Ratio, Whole


class VideoData(TypedDict):
    """The video stream of a file."""

    codec: str
    profile: str | None
    width: Whole
    height: Whole
    display_width: Whole
    display_height: Whole
    rotation: Annotated[int, WithJsonSchema({"enum": [0, 90, 180, 270], "description": "degrees clockwise"})]
    sar: Ratio
    fps: Ratio
    variable_frame_rate: bool
    pixel_format: str
    bit_depth: Whole
    hdr: Annotated[str | None, WithJsonSchema({"enum": [None, "pq", "hlg", "dolby_vision"]})]
    interlaced: bool


class AudioData(TypedDict):
    """Format of an audio stream."""

    codec: str
    channels: Whole
    layout: str
    sample_rate: Whole


class AudioTrackData(AudioData):
    """An audio track of a file."""

    number: Annotated[Positive, Field(description="as --audio-tracks counts them")]
    used: bool
    title: str | None
    language: str | None
    level_db: Annotated[
        float | None,
        Field(description="root mean square of the loudest second, below full scale; null for the only track"),
    ]


class MediaData(TypedDict):
    """Content of a file."""

    container: str
    duration_seconds: Number
    size_bytes: Whole
    video: VideoData
    audio: Annotated[AudioData | None, Field(description="the audio track that is used")]
    audio_tracks: Annotated[list[AudioTrackData], Field(description="all that belong to the video")]


class FileData(TypedDict):
    """Verdict on a file."""

    path: AbsolutePath
    valid: bool
    errors: list[IssueData]
    warnings: list[IssueData]
    media: MediaData | None
    copy_obstacles: Annotated[
        list[str] | None,
        Field(
            description="why mpt concat would not copy the frames of this clip beside the others; empty where nothing"
            " stands in the way, null where not all packets were read (--deep reads all)"
        ),
    ]
    lufs: Annotated[
        float | None,
        Field(
            description="loudness of its audio in a stereo reel in LUFS; null for silence, for several tracks,"
            " and without --deep"
        ),
    ]


class FileCounts(TypedDict):
    """Number of files by verdict."""

    total: Whole
    valid: Whole
    invalid: Whole
    with_warnings: Whole


class ValidationData(TypedDict):
    """Data of ``mpt validate``."""

    clips: list[FileData]
    summary: FileCounts
    left_out: list[LeftOutData]

"""Types of the data of ``mpt process``, ``mpt concat`` and ``mpt batch``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from mpt_cli.model.choices import Action, Container, DynamicRange
from mpt_cli.model.clips import Evidence
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.reporting.documents.base import AbsolutePath, IssueData, LeftOutData, Number, Positive, Ratio, Share, Whole


class ReelLoudnessData(TypedDict):
    """Loudness of a reel whose levels were changed, after ITU-R BS.1770."""

    target_lufs: Annotated[float | None, Field(description="loudness that was asked for, or null")]
    true_peak_limit_db: Annotated[float, Field(description="dBTP")]
    lufs_before: Annotated[float | None, Field(description="before the gain of the reel; null for silence")]
    true_peak_before_db: float | None
    lufs: Annotated[float | None, Field(description="measured in the finished reel; null for silence")]
    true_peak_db: float | None
    gain_db: Annotated[float, Field(description="the one gain of the reel")]
    limiter_db: Annotated[Number, Field(description="by how much a limiter lowered the highest peak; 0 for none")]


class ClipLoudnessData(TypedDict):
    """Loudness of a clip."""

    lufs: Annotated[float | None, Field(description="as it came; null for silence, or where it was not measured")]
    gain_db: Annotated[float, Field(description="gain of even_out and volume together, before that of the reel")]


class OutputData(TypedDict):
    """A published reel."""

    path: AbsolutePath
    size_bytes: Whole
    container: Container
    duration_seconds: Number
    frames: Whole
    width: Whole
    height: Whole
    fps: Ratio
    video_codec: str
    dynamic_range: Annotated[DynamicRange, WithJsonSchema({"enum": ["sdr", "hlg", "pq"]})]
    audio_codec: str
    audio_sample_rate: Whole
    audio_channels: Whole
    audio_layout: Annotated[str, Field(description="such as mono, stereo or 5.1")]
    loudness: Annotated[ReelLoudnessData | None, Field(description="null where no level was changed")]
    contact_sheet: Annotated[str | None, Field(description="absolute; null if none was requested or written")]
    poster: Annotated[str | None, Field(description="absolute; null if none was requested or written")]


class VerifiedData(TypedDict):
    """Evidence for a clip, beside its frame count, format and duration."""

    frame_map: Annotated[
        Evidence,
        Field(
            description="source frame of each output frame: every one compared (proven), copied bit for bit without"
            " decoding (copied), compared as far as a damaged source decodes (partial), or not reported by this ffmpeg"
            " (5.1)"
        ),
    ]
    audio: Annotated[
        Annotated[Evidence, WithJsonSchema({"enum": ["proven", "partial", "unavailable"]})] | None,
        Field(
            description="audio against that of the source, in time, level and channels: compared at a few offsets,"
            " compared as far as a damaged source decodes, or nothing to compare; null without audio"
        ),
    ]


EncodedFrames = Annotated[
    Whole,
    Field(
        description="number of its frames that an encoder makes, or made for an earlier run: all of a clip that is"
        " encoded or reused, of a copied one those between a trim and the next place where copying can begin or end"
    ),
]


class ClipData(TypedDict):
    """Result of a clip."""

    index: Whole
    path: AbsolutePath
    status: ClipStatus
    action: Action | None
    reasons: list[str]
    start_seconds: Number | None
    duration_seconds: Number | None
    frames: Whole | None
    elapsed_seconds: Number | None
    peak_memory_bytes: Whole | None
    error: IssueData | None
    verified: Annotated[VerifiedData | None, Field(description="null for a clip that is not in the reel")]
    encoded_frames: Annotated[EncodedFrames | None, Field(description="null for a clip outside of the plan")]
    loudness: Annotated[ClipLoudnessData | None, Field(description="null where it was neither measured nor changed")]


class ConcatenationData(TypedDict):
    """The join."""

    method: Annotated[str, WithJsonSchema({"enum": ["FFmpeg", "MoviePy", "DirectCopy"]})]
    stream_copy: bool
    duration_seconds: Number
    memory_used_bytes: Whole | None
    fallback_reason: str | None


class PredictionData(TypedDict):
    """Prediction of the plan."""

    memory_peak_bytes: Whole
    temporary_bytes: Whole
    output_bytes: Whole
    total_duration_seconds: Number


class MilestoneData(TypedDict):
    """A step of the run."""

    name: str
    at_seconds: Number
    progress: Share


class MetricsData(TypedDict):
    """Cost of a run."""

    total_duration_seconds: Number
    processing_efficiency: Annotated[
        float | None,
        Field(description="share of the time of the slots for clips in which they worked; null without a slot"),
    ]
    memory_peak_bytes: Whole | None
    performance_score: Annotated[
        float | None,
        Field(
            description="0 to 100: the mean of the efficiency, if any, and of r / (1 + r) for r seconds of reel per"
            " second"
        ),
    ]
    temporary_bytes: Annotated[Whole | None, Field(description="disk space of the clips until they were joined")]
    predicted: Annotated[PredictionData | None, Field(description="null without a plan")]
    milestones: list[MilestoneData]


class RunData(TypedDict):
    """What a result and a dry run have in common."""

    workflow_id: str
    seed: int | None
    unchanged: Annotated[bool, Field(description="true if the output was up to date, so that nothing was done")]
    clips: list[ClipData]
    concatenation: ConcatenationData | None
    left_out: list[LeftOutData]


class ResultData(RunData):
    """Data of ``mpt process`` and ``mpt concat``."""

    output: OutputData | None
    metrics: MetricsData | None


class StepData(TypedDict):
    """Planned work on a clip."""

    index: Whole
    path: AbsolutePath
    action: Action
    reasons: list[str]
    start_seconds: Number
    duration_seconds: Number
    frames: Positive
    predicted_memory_bytes: Whole
    argv: Annotated[list[str], Field(description="empty where no ffmpeg is needed, or several are")]
    commands: Annotated[
        list[list[str]],
        Field(description="of a clip that is processed in segments: one for each, then that of its audio"),
    ]
    segments: Annotated[list[Positive], Field(description="frames of each segment; empty for a clip in one piece")]
    encoded_frames: EncodedFrames


class PlannedAudioData(TypedDict):
    """Format of the audio of a planned reel."""

    codec: str
    sample_rate: Whole
    channels: Whole
    layout: str
    bitrate: Annotated[Whole | None, Field(description="bits per second; null for a codec without loss")]
    reasons: Annotated[
        list[str], Field(description="where it comes from, and why something is not as in the clips; may be empty")
    ]


class PlanData(TypedDict):
    """Plan of a request."""

    output: AbsolutePath
    container: Container
    width: int
    height: int
    fps: Ratio
    frames: Positive
    duration_seconds: float
    dynamic_range: Annotated[DynamicRange, WithJsonSchema({"enum": ["sdr", "hlg", "pq"]})]
    encoder: str
    audio: PlannedAudioData
    jobs: Positive
    threads: Positive
    seed: int | None
    predicted_memory_bytes: int
    predicted_temporary_bytes: int
    predicted_output_bytes: int
    predicted_seconds: float
    clips: list[StepData]


class DryRunData(RunData):
    """Data with ``--dry-run``: the plan in place of output and metrics."""

    plan: PlanData


class JobData(TypedDict):
    """Name and end of a job of a batch."""

    name: str
    status: RunStatus
    exit_code: Annotated[
        int | None, Field(description="exit code of mpt process for this job; null for a job that was not started")
    ]
    errors: list[IssueData]
    warnings: list[IssueData]


class JobResultData(JobData, ResultData):
    """Result of a job."""


class JobPlanData(JobData, DryRunData):
    """Plan of a job."""


class JobCounts(TypedDict):
    """Number of jobs by status."""

    total: Whole
    succeeded: Whole
    partial: Whole
    failed: Whole
    skipped: Whole
    reused_clips: Whole
    unchanged: Annotated[Whole, Field(description="jobs whose output was up to date; they count as succeeded too")]


class BatchData(TypedDict):
    """Data of ``mpt batch``."""

    workflow_id: Annotated[str, Field(description="id of the batch as a whole")]
    jobs: Annotated[list[JobResultData | JobPlanData], Field(description="in the order of the job files")]
    summary: JobCounts

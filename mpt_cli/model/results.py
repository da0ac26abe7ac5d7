"""Results: verdicts on files, results of clips, of the join and of whole runs (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - reports are read back from JSON, which needs types at run time
from enum import StrEnum
from fractions import Fraction  # noqa: TC003
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Any

from mpt_cli.model.choices import Action, Container, DynamicRange
from mpt_cli.model.clips import Dimensions, Verified  # noqa: TC001
from mpt_cli.model.errors import Issue, IssueCode  # noqa: TC001
from mpt_cli.model.formatting import rate_text
from mpt_cli.model.left_out import LeftOut  # noqa: TC001
from mpt_cli.model.loudness import ClipLoudness, ReelLoudness  # noqa: TC001
from mpt_cli.model.plan_report import PlanReport, Prediction  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.model.clips import ProcessedClip
    from mpt_cli.model.media_info import MediaInfo


class RunStatus(StrEnum):
    """Status of a run, as ``status`` of the envelope."""

    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Status of a job that was not started; a batch as a whole never has it."""


class ClipStatus(StrEnum):
    """Status of a clip at the end of a run."""

    PROCESSED = "processed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class ProcessingResult:
    """Result of the work on one clip: its segments, or an issue.

    Attributes:
        segments: The segments in order, one for most clips; empty after an error.
        elapsed_seconds: Wall-clock time of the work.
        peak_memory_bytes: Largest memory of its processes; None where it was not measured.
        started: True if the work began, so that events reported its start and end.
        action, reasons: Action in the end, and the reasons for it; it may differ from the plan.
        commands: Command lines of the ffmpegs that created the clip; empty where none was needed.
    """

    index: int
    segments: tuple[ProcessedClip, ...]
    error: Issue | None
    elapsed_seconds: float
    peak_memory_bytes: int | None
    warnings: tuple[Issue, ...] = ()
    started: bool = True
    action: Action | None = None
    reasons: tuple[str, ...] | None = None
    commands: tuple[tuple[str, ...], ...] = ()

    @property
    def success(self) -> bool:
        """True if there is a clip."""
        return bool(self.segments)

    @property
    def frames(self) -> int:
        """Number of output frames."""
        return sum(clip.segment.frames for clip in self.segments)

    @property
    def verified(self) -> Verified | None:
        """Evidence for the clip; None after an error."""
        return self.segments[0].verified if self.segments else None


@dataclass(frozen=True, slots=True)
class FileValidationResult:
    """Verdict on one file.

    Attributes:
        path: Path of the file.
        errors: Why the file cannot be used.
        warnings: What is odd about it.
        media: Description of the file; None if it could not be read.
        copy_obstacles: Why ``mpt concat`` would not copy its frames as they are; empty where nothing stands in the
            way, None where that is not known, because not all packets were read.
        lufs: Loudness of its audio; None for silence, and where it was not measured.
    """

    path: Path
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    media: MediaInfo | None = None
    copy_obstacles: tuple[str, ...] | None = None
    lufs: float | None = None
    elapsed_seconds: float = field(default=0.0, compare=False)

    @property
    def is_valid(self) -> bool:
        """True if the file can be used."""
        return not self.errors


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """Verdict on a request, or on an output: its own problems, then the verdict on each file."""

    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    files: tuple[FileValidationResult, ...] = ()

    @property
    def is_valid(self) -> bool:
        """True if neither the request nor any file has an error."""
        return not self.errors and all(file.is_valid for file in self.files)


@dataclass(frozen=True, slots=True)
class ConcatenationResult:
    """Result of the join.

    Attributes:
        method: ``FFmpeg``, ``MoviePy`` or ``DirectCopy``.
        stream_copy: True if the video was joined without encoding.
        duration_seconds: Wall-clock time of the join.
        memory_used_bytes: Largest memory of the join; None where it was not measured.
        fallback_reason: Reason for the fallback to another method, or None.
        clip_loudness: Loudness and gain of each clip that was measured or changed, by its index.
    """

    method: str
    stream_copy: bool
    duration_seconds: float
    memory_used_bytes: int | None
    fallback_reason: str | None = None
    warnings: tuple[Issue, ...] = ()
    clip_loudness: dict[int, ClipLoudness] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """Measured facts of a published reel.

    Attributes:
        duration: Duration in seconds.
        frames: Number of frames.
        dimensions: Size of each frame, in pixels.
        frame_rate: Frames per second.
        video_codec, audio_codec: Codecs, in ffmpeg's names.
        contact_sheet, poster: Paths of the images beside the reel, or None.
        audio_sample_rate: Audio samples per second; the default is that of all earlier reels.
        audio_channels, audio_layout: Number of audio channels, and the name of their layout.
        dynamic_range: Dynamic range of the frames; the default is that of most earlier reels.
        loudness: Loudness of the audio where levels were changed, else None.
    """

    path: Path
    size_bytes: int
    container: Container
    duration: Fraction
    frames: int
    dimensions: Dimensions
    frame_rate: Fraction
    video_codec: str
    audio_codec: str
    contact_sheet: Path | None = None
    poster: Path | None = None
    audio_sample_rate: int = 48_000
    audio_channels: int = 2
    audio_layout: str = "stereo"
    dynamic_range: DynamicRange = DynamicRange.SDR
    loudness: ReelLoudness | None = None

    @property
    def video(self) -> str:
        """Return the frames in words, such as ``1080x1920 at 30 fps, hlg``."""
        hdr = "" if self.dynamic_range is DynamicRange.SDR else f", {self.dynamic_range}"
        return f"{self.dimensions} at {rate_text(self.frame_rate)} fps{hdr}"

    @property
    def audio(self) -> str:
        """Return the audio in words, such as ``aac, 48 kHz, stereo``."""
        return f"{self.audio_codec}, {self.audio_sample_rate / 1000:g} kHz, {self.audio_layout}"


@dataclass(frozen=True, slots=True)
class InputEvidence:
    """Evidence for one clip of a reel: the input file, and the ffmpeg command that processed it.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        sha256: SHA-256 of the file, in hexadecimal; None where the file changed.
        start, end: Part of the clip that was used, in seconds; ``end`` is None for the end of the clip.
        mute: True if the audio was replaced with silence.
        argv: Command line of ffmpeg; empty where none was needed, or several were.
        commands: Command lines of a clip that was processed in segments: one for each, then that of its audio.
        volume: Gain of the audio that was asked for, in dB.
    """

    index: int
    path: Path
    size_bytes: int
    sha256: str | None
    start: Fraction
    end: Fraction | None
    mute: bool
    action: Action
    argv: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...] = ()
    volume: float = 0.0


@dataclass(frozen=True, slots=True)
class ReelEvidence:
    """Evidence for a published reel.

    Attributes:
        sha256: SHA-256 of the reel, in hexadecimal.
        inputs: Evidence for each clip, in the order of the reel.
        method, stream_copy: As in :class:`ConcatenationResult`.
        settings: Settings of the run, by dotted key.
    """

    sha256: str
    inputs: tuple[InputEvidence, ...]
    method: str
    stream_copy: bool
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One line of the result's clip table, in input order.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        action, reasons: Action on the clip, and the reasons for it.
        start, duration: Offset of the clip in the reel and its duration there, in seconds; None outside the reel.
        frames: Number of output frames.
        elapsed_seconds: Wall-clock time of the work.
        peak_memory_bytes: Largest memory of its processes.
        error: The issue that ended the work, or None.
        verified: Evidence for the segment; None where it is not in the reel.
        encoded_frames: Number of frames that were encoded, in this run or an earlier one; None outside the reel.
        loudness: Loudness of the clip and its gain; None where neither was measured nor changed.
    """

    index: int
    path: Path
    status: ClipStatus
    action: Action | None = None
    reasons: tuple[str, ...] = ()
    start: Fraction | None = None
    duration: Fraction | None = None
    frames: int | None = None
    elapsed_seconds: float | None = None
    peak_memory_bytes: int | None = None
    error: Issue | None = None
    verified: Verified | None = None
    encoded_frames: int | None = None
    loudness: ClipLoudness | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step that a workflow reached, with the progress that it stands for (0 to 1)."""

    name: str
    at_seconds: float
    progress: float


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """Measured cost of a workflow; ``PerformanceMonitor`` has the formulas.

    Attributes:
        total_duration_seconds: Wall-clock time.
        processing_efficiency: Share of the slots' time in which clips were processed, 0 to 1.
        memory_peak_bytes: Largest memory of all processes.
        performance_score: Score, 0 to 100.
        milestones: Steps that were reached, in order.
        temporary_bytes: Disk space of the clips until they were joined; None if the run ended before.
        predicted: Prediction of the plan; None if the run ended before it had one.
    """

    workflow_id: str
    total_duration_seconds: float
    processing_efficiency: float | None
    memory_peak_bytes: int | None
    performance_score: float | None
    milestones: tuple[Milestone, ...] = ()
    temporary_bytes: int | None = None
    predicted: Prediction | None = None


@dataclass(frozen=True, slots=True)
class VideoResult:
    """Result of a request. Bad media, a full disk and cancellation are results too, never exceptions.

    Attributes:
        workflow_id, status: Id and status of the run.
        clips, left_out: Result of each clip, in input order; what the folders of the clips hold beside them.
        output, concatenation, metrics: The published reel, the join and the cost of the run; None if not reached.
        plan, seed: Plan, for a dry run; seed of a random order, or None.
        errors, warnings: Issues of the request, its parameters and its clips.
        signal_number: Number of the signal that stopped the run, or None.
        code: Code of the run itself, which decides the exit code; ``errors`` name the clips and parameters beside it.
        ffmpeg: Build string of ffmpeg, once it was asked.
        unchanged: True if the output was up to date, so that nothing was done.
        evidence: Inputs and commands of the output, where they were requested.
    """

    workflow_id: str
    status: RunStatus
    clips: tuple[ClipResult, ...] = ()
    output: OutputInfo | None = None
    concatenation: ConcatenationResult | None = None
    metrics: PerformanceReport | None = None
    plan: PlanReport | None = None
    seed: int | None = None
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    signal_number: int | None = None
    code: IssueCode | None = None
    ffmpeg: str | None = None
    unchanged: bool = False
    evidence: ReelEvidence | None = None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def success(self) -> bool:
        """True if an output was published."""
        return self.output is not None


@dataclass(frozen=True, slots=True)
class JobEnd:
    """End of a job of a batch; the exit code is None for a job that was not started."""

    name: str
    result: VideoResult
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """End of a command.

    Attributes:
        started_at: Start of the command, in UTC.
        duration_seconds: Wall-clock time.
        ffmpeg: Build string of ffmpeg, once it was asked.
        errors: Issues that ended the command.
        ends: End of each request that the command ran.
        verdicts: Verdicts on files that the command only checked.
    """

    command: str
    exit_code: int
    started_at: datetime
    duration_seconds: float
    ffmpeg: str | None = None
    errors: tuple[Issue, ...] = ()
    ends: tuple[JobEnd, ...] = ()
    verdicts: tuple[FileValidationResult, ...] = ()

    def other_errors(self) -> Iterator[Issue]:
        """Yield the errors that belong to no file and to no request."""
        reported = {issue for verdict in self.verdicts for issue in verdict.errors}
        if not self.ends:
            yield from (issue for issue in self.errors if issue not in reported)


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Content and limit of the cache of finished segments."""

    folder: Path
    entries: int
    size_bytes: int
    limit_bytes: int

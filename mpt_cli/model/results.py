"""How things ended: verdicts on files, results of clips, the join and whole runs (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - reports are read back from JSON, which needs types at run time
from enum import StrEnum
from fractions import Fraction  # noqa: TC003
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Any

from mpt_cli.model.choices import Action, Container  # noqa: TC001
from mpt_cli.model.clips import Dimensions, Verified  # noqa: TC001
from mpt_cli.model.errors import Issue, IssueCode  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.model.clips import ProcessedClip
    from mpt_cli.model.media_info import MediaInfo


class RunStatus(StrEnum):
    """How a run ended; the ``status`` of the envelope."""

    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Of a job that did not begin; a batch has other ends."""


class ClipStatus(StrEnum):
    """How a clip ended."""

    PROCESSED = "processed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class ProcessingResult:
    """How the work on one clip ended: a clip, or an issue."""

    index: int
    clip: ProcessedClip | None
    error: Issue | None
    elapsed_seconds: float
    peak_memory_bytes: int | None
    warnings: tuple[Issue, ...] = ()
    started: bool = True
    """Whether work on it began: then its end was told too."""
    action: Action | None = None
    """What was done in the end; a segment that was to be reused may have been damaged."""
    reasons: tuple[str, ...] | None = None
    """Why, where it was done; what was planned may have been finished by another request."""
    argv: tuple[str, ...] = ()
    """The command of the ffmpeg that made it; empty where none was needed."""

    @property
    def success(self) -> bool:
        """Whether there is a clip."""
        return self.clip is not None


@dataclass(frozen=True, slots=True)
class FileValidationResult:
    """Verdict on one file."""

    path: Path
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    media: MediaInfo | None = None
    elapsed_seconds: float = field(default=0.0, compare=False)

    @property
    def is_valid(self) -> bool:
        """Whether the file can be used."""
        return not self.errors


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """Verdict on a request, or on an output: its own problems, then each file's."""

    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    files: tuple[FileValidationResult, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.errors and all(file.is_valid for file in self.files)


@dataclass(frozen=True, slots=True)
class ConcatenationResult:
    """How the join ended. ``method`` is ``FFmpeg``, ``MoviePy`` or ``DirectCopy``."""

    method: str
    stream_copy: bool
    duration_seconds: float
    memory_used_bytes: int | None
    fallback_reason: str | None = None
    warnings: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """The published reel as it was measured."""

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


@dataclass(frozen=True, slots=True)
class InputEvidence:
    """What one clip of a reel was, and the ffmpeg that made it uniform. ``sha256`` is None where it changed."""

    index: int
    path: Path
    size_bytes: int
    sha256: str | None
    start: Fraction
    end: Fraction | None
    mute: bool
    action: Action
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReelEvidence:
    """What a published reel was made of; ``inputs`` in the order of the reel."""

    sha256: str
    inputs: tuple[InputEvidence, ...]
    method: str
    stream_copy: bool
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One line of the result's clip table, in input order."""

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
    """What was proven of it; None where it is not in the reel."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A step of a workflow that was reached, with the progress that it stands for (0 to 1)."""

    name: str
    at_seconds: float
    progress: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the plan of a run said that it would cost."""

    memory_peak_bytes: int
    temporary_bytes: int
    output_bytes: int
    total_duration_seconds: float


@dataclass(frozen=True, slots=True)
class PerformanceReport:
    """What a workflow cost; the formulas stand at ``PerformanceMonitor``.

    ``temporary_bytes`` is what its clips took on the disk until they were joined, and
    ``predicted`` what its plan had said; None for a run that did not come that far.
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
class PlannedStep:
    """What a dry run says of one clip. ``argv`` is what ffmpeg would be given; empty for none."""

    index: int
    path: Path
    action: Action
    reasons: tuple[str, ...]
    start: Fraction
    duration: Fraction
    frames: int
    predicted_memory_bytes: int
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a dry run says of the whole."""

    output: Path
    container: Container
    dimensions: Dimensions
    frame_rate: Fraction
    frames: int
    duration: Fraction
    encoder: str
    jobs: int
    threads: int
    predicted: Prediction
    seed: int | None
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, slots=True)
class VideoResult:
    """How a request ended: never an exception for bad media, always what is known."""

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
    """Which signal stopped the run, where one did."""
    code: IssueCode | None = None
    """The run's own code, by which it ends; ``errors`` name the clips and parameters beside it."""
    ffmpeg: str | None = None
    """Build string of ffmpeg, once it was asked."""
    unchanged: bool = False
    """Whether the output was up to date, so that nothing was done."""
    evidence: ReelEvidence | None = None
    """What the output was made of, where that was asked for."""

    @property
    def success(self) -> bool:
        """Whether an output was published."""
        return self.output is not None


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job of a batch ended; the exit code is None for one that did not begin."""

    name: str
    result: VideoResult
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class CommandEnd:
    """How a command ended: ``ends`` of each request that it ran, ``verdicts`` on files that it only looked at."""

    command: str
    exit_code: int
    started_at: datetime
    duration_seconds: float
    ffmpeg: str | None = None
    errors: tuple[Issue, ...] = ()
    ends: tuple[JobEnd, ...] = ()
    verdicts: tuple[FileValidationResult, ...] = ()

    def other_errors(self) -> Iterator[Issue]:
        """The errors that are not those of a file or of a request."""
        told = {issue for verdict in self.verdicts for issue in verdict.errors}
        if not self.ends:
            yield from (issue for issue in self.errors if issue not in told)


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What the store of finished clips holds, and how much it may."""

    folder: Path
    entries: int
    size_bytes: int
    limit_bytes: int

"""Records of runs and batches, kept for reports: results, with timeline and setup (frozen values).

Seconds are counted from the start of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - reports are read back from JSON, which needs types at run time
from pathlib import Path  # noqa: TC003

from mpt_cli.model.errors import Issue, IssueCode  # noqa: TC001
from mpt_cli.model.results import OutputInfo, RunStatus, VideoResult  # noqa: TC001


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """Time span of the work on a clip.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        started_seconds: Start, in seconds from the start of the run.
        ended_seconds: End, in seconds from the start of the run; None where the run ended first.
    """

    index: int
    started_seconds: float
    ended_seconds: float | None


@dataclass(frozen=True, slots=True)
class ResourcePoint:
    """Resource use of the process tree since the previous point.

    Attributes:
        at_seconds: End of the span, in seconds from the start of the run.
        memory_bytes: Largest memory of the span, so that thinning loses no peak.
        cpu_percent: Mean load of the span; 100 is all cores.
    """

    at_seconds: float
    memory_bytes: int
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Clips of a run, in the order in which they began, and its use of memory and cores.

    Attributes:
        clips: Time span of each clip.
        samples: Resource use over time.
        budget_bytes: Memory that the run may use; None where it is not known.
    """

    clips: tuple[ClipSpan, ...] = ()
    samples: tuple[ResourcePoint, ...] = ()
    budget_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunSetup:
    """Version and settings that a run used.

    The encoder, with its options, and the numbers are None where the run ended before it had a plan.

    Attributes:
        mpt: Version of mpt.
        encoder: Video encoder with its options.
        threads: Encoder threads of each clip.
        jobs: Number of clips processed at once.
        settings: Settings that differ from their defaults, by dotted key.
    """

    mpt: str
    encoder: str | None = None
    threads: int | None = None
    jobs: int | None = None
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run at its end. Runs of older versions have neither setup, timeline nor path of the output.

    Attributes:
        command: ``process`` or ``concat``.
        started_at: Start of the run, in UTC.
        result: Result of the request.
        setup: Version and settings of the run.
        timeline: Course of the run.
        output_path: Path that the reel was to get, also where none was published.
    """

    command: str
    started_at: datetime
    result: VideoResult
    setup: RunSetup | None = None
    timeline: Timeline | None = None
    output_path: Path | None = None

    @property
    def workflow_id(self) -> str:
        """Id of the run."""
        return self.result.workflow_id

    @property
    def wanted_path(self) -> Path | None:
        """Path that the reel was to get; None for a failed run of a version that did not record it."""
        return self.output_path or (self.result.output.path if self.result.output else None)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job of a batch at its end, in brief.

    Attributes:
        name: Name of the job.
        workflow_id: Id of its run, under which its own report is kept.
        exit_code: Exit code of ``mpt process`` for this job; None for a job that was not started.
        output_path: Path that the reel was to get; None for a job that does not say it.
        output: The published reel, or None.
        unchanged: True if the output was up to date, so that nothing was done.
        code: Code of the issue that ended the run, or None.
        started_seconds: Start of its run, in seconds from the start of the batch; None for a job that was not started.
        elapsed_seconds: Wall-clock time of its run; None where it was not measured.
        memory_peak_bytes: Largest memory while it ran, shared with the jobs beside it; None where it was not measured.
        clips: Number of clips by outcome: the action on a processed clip, or the status of another.
        errors, warnings: Issues of its run.
    """

    name: str
    workflow_id: str
    status: RunStatus
    exit_code: int | None
    output_path: Path | None
    output: OutputInfo | None = None
    unchanged: bool = False
    code: IssueCode | None = None
    started_seconds: float | None = None
    elapsed_seconds: float | None = None
    memory_peak_bytes: int | None = None
    clips: dict[str, int] = field(default_factory=dict)
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One batch at its end.

    Attributes:
        workflow_id: Id of the batch as a whole.
        started_at: Start of the batch, in UTC.
        elapsed_seconds: Wall-clock time.
        status, exit_code: End of the command.
        jobs: Jobs in the order of the job files; none was started where the batch was refused as a whole.
        errors: Issues that ended the batch as a whole.
        ffmpeg: Build string of ffmpeg, once it was asked.
    """

    workflow_id: str
    started_at: datetime
    elapsed_seconds: float
    status: RunStatus
    exit_code: int
    jobs: tuple[JobRecord, ...]
    errors: tuple[Issue, ...] = ()
    ffmpeg: str | None = None


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run or a batch as one line of a list.

    Attributes:
        started_at: Start, in UTC.
        code: Code of the issue that ended the run, or None.
        unchanged: True if the output was up to date, so that nothing was done.
        elapsed_seconds: Wall-clock time; None where it was not measured.
        output_path: Path that the reel was to get; None for a batch, and where an older version did not record it.
        jobs: Jobs of a batch; None for a single run.
    """

    workflow_id: str
    command: str
    started_at: datetime
    status: RunStatus
    exit_code: int
    code: IssueCode | None
    unchanged: bool
    elapsed_seconds: float | None
    output_path: Path | None
    jobs: tuple[JobRecord, ...] | None = None

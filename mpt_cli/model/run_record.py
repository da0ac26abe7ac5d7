"""Timeline and setup of a run, kept beside its result for reports (frozen values).

Seconds are counted from the start of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - reports are read back from JSON, which needs types at run time
from pathlib import Path  # noqa: TC003

from mpt_cli.model.results import VideoResult  # noqa: TC001


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

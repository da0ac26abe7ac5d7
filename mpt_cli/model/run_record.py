"""How a run went over time, and with what it was made: kept beside its result for reports (frozen values).

Seconds are counted from the start of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - reports are read back from JSON, which needs types at run time

from mpt_cli.model.results import VideoResult  # noqa: TC001


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """When a clip was worked on; ``ended_seconds`` is None where the run ended first."""

    index: int
    started_seconds: float
    ended_seconds: float | None


@dataclass(frozen=True, slots=True)
class ResourcePoint:
    """What the process tree used until this moment, since the point before.

    Memory is the most of that time, so that thinning loses no peak; ``cpu_percent`` is its mean.
    """

    at_seconds: float
    memory_bytes: int
    cpu_percent: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """The clips of a run, in the order in which they began, and its use of memory and cores."""

    clips: tuple[ClipSpan, ...] = ()
    samples: tuple[ResourcePoint, ...] = ()
    budget_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What a run was made with. ``settings`` are those that differ from their defaults, by dotted key.

    The encoder, with its options, and the numbers are None where the run ended before it had a plan.
    """

    mpt: str
    encoder: str | None = None
    threads: int | None = None
    jobs: int | None = None
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run as it ended. ``command`` is ``process`` or ``concat``; ``started_at`` is in UTC.

    Runs of older versions have neither setup nor timeline.
    """

    command: str
    started_at: datetime
    result: VideoResult
    setup: RunSetup | None = None
    timeline: Timeline | None = None

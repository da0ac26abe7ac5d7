"""Typed events of a run, and the context in which a run happens.

The core emits these through one callback; a display, a JSON writer or a list with ``append``
consumes them. Numbers are raw: seconds, bytes, percent of 100. The ``type`` names and the fields
are the contract of ``--jsonl``; fields are only ever added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from mpt_cli.model.formatting import located_text
from mpt_cli.runtime.cancel import CancelToken

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.errors import Issue


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of every run. ``total_seconds`` is None: no clip was looked at yet (:class:`ValidationFinished`).

    ``total_jobs`` stands only in the event of a batch as a whole, which comes before those of its jobs.
    """

    type: ClassVar[str] = "run-started"
    command: str
    workflow_id: str
    total_clips: int
    total_seconds: float | None = None
    total_jobs: int | None = None


@dataclass(frozen=True, slots=True)
class ValidationFinished:
    """Every input was looked at; ``total_seconds`` is what will be used of the valid ones."""

    type: ClassVar[str] = "validation-finished"
    valid: int
    invalid: int
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClipStarted:
    """Work on a clip began. ``action`` is ``encode``, ``copy`` or ``reuse``."""

    type: ClassVar[str] = "clip-started"
    index: int
    path: Path
    action: str
    total_seconds: float


@dataclass(frozen=True, slots=True)
class ClipProgress:
    """How far a clip is; at most twice a second for each clip."""

    type: ClassVar[str] = "clip-progress"
    index: int
    done_seconds: float
    speed: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class ClipFinished:
    """A started clip ended well."""

    type: ClassVar[str] = "clip-finished"
    index: int
    elapsed_seconds: float
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """A started clip ended badly; ``code`` is an issue code."""

    type: ClassVar[str] = "clip-failed"
    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ClipsRestarted:
    """Clips that ended are worked on again: another encoder takes the place of one that failed.

    So many had ``finished`` and ``failed``, with so many seconds of the reel; each starts once more.
    """

    type: ClassVar[str] = "clips-restarted"
    finished: int
    failed: int
    total_seconds: float


@dataclass(frozen=True, slots=True)
class ConcatStarted:
    """The join began."""

    type: ClassVar[str] = "concat-started"
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ConcatProgress:
    """How far the join is, in seconds of the reel."""

    type: ClassVar[str] = "concat-progress"
    done_seconds: float


@dataclass(frozen=True, slots=True)
class ConcatFinished:
    """The join ended and its output was proven. ``method`` as in the result."""

    type: ClassVar[str] = "concat-finished"
    method: str


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """What the process tree uses, a few times a second; ``cpu_percent`` is the load of all cores."""

    type: ClassVar[str] = "resource-sample"
    memory_bytes: int
    budget_bytes: int
    cpu_percent: float
    free_disk_bytes: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people should read. ``level`` is ``info``, ``warning`` or ``error``.

    ``message`` reads behind "PATH: " and does not hold ``path``, like that of an issue.
    """

    type: ClassVar[str] = "notice"
    level: str
    code: str
    message: str
    index: int | None = None
    path: Path | None = None
    hint: str | None = None

    def text(self, *, name_only: bool = False) -> str:
        """Return what an issue of this path and message returns."""
        return located_text(self.path, self.message, name_only=name_only)


def warning_of(issue: Issue, index: int | None = None) -> Notice:
    """Return the notice of a warning that the result of the run will hold too."""
    return Notice("warning", issue.code.value, issue.message, index, issue.path, issue.hint)


@dataclass(frozen=True, slots=True)
class PicturesStarted:
    """The reel is published; what shows it is made: a contact sheet, a poster."""

    type: ClassVar[str] = "pictures-started"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Last event of every run. ``status`` is that of the envelope, ``code`` the run's own issue code."""

    type: ClassVar[str] = "run-finished"
    status: str
    code: str | None = None


Event = (
    RunStarted
    | ValidationFinished
    | ClipStarted
    | ClipProgress
    | ClipFinished
    | ClipFailed
    | ClipsRestarted
    | ConcatStarted
    | ConcatProgress
    | ConcatFinished
    | ResourceSample
    | PicturesStarted
    | Notice
    | RunFinished
)

Emit = Callable[[Event], object]
"""Receives events, possibly from several threads at once; must not raise and must be quick."""


def ignore(_event: Event) -> None:
    """An :data:`Emit` for callers that want no events."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run needs beside its values: its id, where events go, and how it is stopped."""

    workflow_id: str
    emit: Emit = ignore
    cancel: CancelToken = field(default_factory=CancelToken)
    priority: int = 0
    """Which of several runs gets resources first: the lower number."""
    clips_beside: int = 0
    """How many clips of other runs share the machine with this one's."""
    has_deadline: bool = False
    """Whether a deadline holds for it already: that of a batch is one for all its jobs."""

"""Typed events of a run, and the context in which a run happens.

The core emits these through one callback; a display, a JSON writer or a list with ``append``
consumes them. Numbers are raw: seconds, bytes, percent of 100. The ``type`` names and the fields
are the contract of ``--jsonl``; fields are only ever added.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID, uuid4

from mpt_cli.model.arguments import instance_of, wrong
from mpt_cli.model.formatting import located_text
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.once import Once

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.errors import Issue


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of every run.

    Attributes:
        command: Name of the command.
        workflow_id: Id of the run.
        total_clips: Number of clips in the request.
        total_seconds: Always None, because no clip was inspected yet; see :class:`ValidationFinished`.
        total_jobs: Number of jobs, only in the event of a batch as a whole, which precedes those of its jobs.
    """

    type: ClassVar[str] = "run-started"
    command: str
    workflow_id: str
    total_clips: int
    total_seconds: float | None = None
    total_jobs: int | None = None


@dataclass(frozen=True, slots=True)
class ValidationFinished:
    """End of the validation of all inputs.

    Attributes:
        valid: Number of usable clips.
        invalid: Number of unusable clips.
        total_seconds: Duration of the parts of the valid clips that will be used.
    """

    type: ClassVar[str] = "validation-finished"
    valid: int
    invalid: int
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ClipStarted:
    """Start of the work on a clip.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        path: Path of the file.
        action: ``encode``, ``copy`` or ``reuse``.
        total_seconds: Duration of the clip in the reel.
    """

    type: ClassVar[str] = "clip-started"
    index: int
    path: Path
    action: str
    total_seconds: float


@dataclass(frozen=True, slots=True)
class ClipProgress:
    """Progress of a clip; emitted at most twice a second for each clip.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        done_seconds: Seconds of the clip that are processed.
        speed: Multiple of real time; None where it is not known.
        memory_bytes: Memory of its processes; None where it was not measured.
    """

    type: ClassVar[str] = "clip-progress"
    index: int
    done_seconds: float
    speed: float | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class ClipFinished:
    """Successful end of a started clip.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        elapsed_seconds: Wall-clock time of the work.
        peak_memory_bytes: Largest memory of its processes; None where it was not measured.
    """

    type: ClassVar[str] = "clip-finished"
    index: int
    elapsed_seconds: float
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """Failure of a started clip.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        code: Issue code.
        message: One line for people.
        hint: Advice on what to do, or None.
    """

    type: ClassVar[str] = "clip-failed"
    index: int
    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class ClipsRestarted:
    """Restart of clips that had ended, because another encoder replaces one that failed.

    Each of these clips starts once more.

    Attributes:
        finished: Number of these clips that had finished.
        failed: Number of these clips that had failed.
        total_seconds: Duration of these clips in the reel.
    """

    type: ClassVar[str] = "clips-restarted"
    finished: int
    failed: int
    total_seconds: float


@dataclass(frozen=True, slots=True)
class ConcatStarted:
    """Start of the join; ``total_seconds`` is the duration of the reel, where known."""

    type: ClassVar[str] = "concat-started"
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ConcatProgress:
    """Progress of the join; ``done_seconds`` counts seconds of the reel."""

    type: ClassVar[str] = "concat-progress"
    done_seconds: float


@dataclass(frozen=True, slots=True)
class ConcatFinished:
    """Successful end of the join and of the verification of its output; ``method`` is that of the result."""

    type: ClassVar[str] = "concat-finished"
    method: str


@dataclass(frozen=True, slots=True)
class ResourceSample:
    """Resource use of the process tree; emitted a few times a second.

    Attributes:
        memory_bytes: Memory in use.
        budget_bytes: Memory that the run may use.
        cpu_percent: Load of all cores, 0 to 100.
        free_disk_bytes: Free disk space; None where it is not known.
    """

    type: ClassVar[str] = "resource-sample"
    memory_bytes: int
    budget_bytes: int
    cpu_percent: float
    free_disk_bytes: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Message for people.

    Attributes:
        level: ``info``, ``warning`` or ``error``.
        code: Issue code.
        message: One line, to be read behind the path; it does not hold the path itself.
        index: Index of the clip that it is about, counted from 0, or None.
        path: File that it is about, or None.
        hint: Advice on what to do, or None.
    """

    type: ClassVar[str] = "notice"
    level: str
    code: str
    message: str
    index: int | None = None
    path: Path | None = None
    hint: str | None = None

    def text(self, *, name_only: bool = False) -> str:
        """Return path and message, as :meth:`~mpt_cli.model.errors.Issue.text` does."""
        return located_text(self.path, self.message, name_only=name_only)


def warning_of(issue: Issue, index: int | None = None) -> Notice:
    """Return a notice that reports a warning during the run; the result will hold the warning too.

    Args:
        issue: The warning.
        index: Index of the clip that it is about, counted from 0, or None.

    Returns:
        The notice.
    """
    return Notice("warning", issue.code.value, issue.message, index, issue.path, issue.hint)


@dataclass(frozen=True, slots=True)
class PicturesStarted:
    """Start of the images that show the published reel; ``names`` are those of contact sheet and poster."""

    type: ClassVar[str] = "pictures-started"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """Last event of every run.

    Attributes:
        status: Status of the envelope.
        code: Issue code of the run itself, or None.
    """

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
"""Receives events, possibly from several threads at once; must be quick. An exception of it ends the run."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def ignore(_event: Event) -> None:
    """Discard an event: an :data:`Emit` for callers that want none."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Context of a run beside its values.

    Args:
        workflow_id: Id of the run, a new one by default: up to 64 letters, digits, dots, dashes and underscores.
        emit: Receives the events of the run. An exception that it raises ends the run with ``callback_failed``.
        cancel: Stops the run.
        priority: Order in which several runs get resources: the lowest number first.
        clips_beside: Number of clips of other runs that share the machine with this run's clips.
        has_deadline: True if a deadline applies already: that of a batch is one for all its jobs.
        once: Warnings that the whole command gives once; the jobs of a batch share it.
        job: Name of the job in a batch, for messages about two jobs; None for its number.

    Raises:
        UsageError: An argument has a wrong type; the message names the field.
    """

    workflow_id: str = field(default_factory=lambda: uuid4().hex)
    emit: Emit = ignore
    cancel: CancelToken = field(default_factory=CancelToken)
    priority: int = 0
    clips_beside: int = 0
    has_deadline: bool = False
    once: Once = field(default_factory=Once)
    job: str | None = None

    if TYPE_CHECKING:  # the arguments accept more types than the fields hold

        def __init__(
            self,
            workflow_id: str | UUID = ...,
            emit: Emit = ...,
            cancel: CancelToken = ...,
            priority: int = 0,
            clips_beside: int = 0,
            has_deadline: bool = False,
            once: Once = ...,
            job: str | None = None,
        ) -> None:
            """Accept an UUID too, which :meth:`__post_init__` turns into text."""

    def __post_init__(self) -> None:
        """Turn an UUID into text, and refuse what no run can use: the id becomes a part of file names."""
        given: object = self.workflow_id
        workflow_id = given.hex if isinstance(given, UUID) else given
        if not isinstance(workflow_id, str) or not _ID.fullmatch(workflow_id):
            advice = "give up to 64 letters, digits, dots, dashes and underscores, or nothing for a new id"
            raise wrong("RunContext.workflow_id", given, advice)
        object.__setattr__(self, "workflow_id", workflow_id)
        if not callable(self.emit):
            raise wrong("RunContext.emit", self.emit, "give a function of one event")
        instance_of("RunContext.cancel", self.cancel, CancelToken, "give a CancelToken")

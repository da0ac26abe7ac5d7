"""The small values that displays keep of a run: its phase, its clips as lines, how far it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

KEPT_ENDED = 200


class Phase(IntEnum):
    """Where a run is; the phase of several runs is the earliest of theirs."""

    CHECKING = 0
    ENCODING = 1
    JOINING = 2
    VERIFYING = 3
    PICTURES = 4
    DONE = 5

    @property
    def verb(self) -> str:
        """What is being done, as people say it."""
        return _VERBS[self]


_VERBS = {
    Phase.CHECKING: "checking",
    Phase.ENCODING: "encoding",
    Phase.JOINING: "joining",
    Phase.VERIFYING: "verifying",
    Phase.PICTURES: "making pictures",
    Phase.DONE: "finishing",
}


class ClipState(StrEnum):
    """How a started clip stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(slots=True)
class ClipLine:
    """One started clip. ``name`` and ``note`` are escaped already."""

    index: int
    name: str
    action: str
    total_seconds: float
    state: ClipState = ClipState.RUNNING
    done_seconds: float = 0.0
    speed: float | None = None
    memory_bytes: int | None = None
    elapsed_seconds: float | None = None
    note: str = ""

    @property
    def share(self) -> float | None:
        """Part that is done, 0 to 1; None for a clip of unknown length."""
        return min(1.0, self.done_seconds / self.total_seconds) if self.total_seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Overall:
    """The phase with its progress: ``share`` and ``time_left`` are None while unknown."""

    phase: Phase
    share: float | None
    time_left: float | None


def _latest() -> deque[ClipLine]:
    return deque(maxlen=KEPT_ENDED)


@dataclass(slots=True)
class Rows:
    """The lines of a panel by state: those that run, and the last of those that ended."""

    running: dict[object, ClipLine] = field(default_factory=dict)
    """By what their owner calls them."""
    most_running: int = 0
    finished: deque[ClipLine] = field(default_factory=_latest)
    failed: deque[ClipLine] = field(default_factory=_latest)
    finished_count: int = 0
    failed_count: int = 0

    @property
    def ended_count(self) -> int:
        """How many finished or failed."""
        return self.finished_count + self.failed_count

    def start(self, key: object, line: ClipLine) -> None:
        """Take in a line that runs."""
        self.running[key] = line
        self.most_running = max(self.most_running, len(self.running))

    def end(self, key: object, line: ClipLine) -> None:
        """Move a line from those that run to those that ended as its state says."""
        self.running.pop(key, None)
        if line.state is ClipState.FAILED:
            self.failed.append(line)
            self.failed_count += 1
        else:
            self.finished.append(line)
            self.finished_count += 1

    def restart(self, finished: int, failed: int) -> None:
        """Forget that so many ended; which ones were still shown is not known, so none is."""
        self.finished.clear()
        self.failed.clear()
        self.finished_count = max(0, self.finished_count - finished)
        self.failed_count = max(0, self.failed_count - failed)

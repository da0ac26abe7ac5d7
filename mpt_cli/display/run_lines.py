"""Values that displays keep of a run: phase, rows of clips, overall progress."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

KEPT_ENDED = 200


class Phase(IntEnum):
    """Phase of a run; several runs together are in the earliest of their phases."""

    CHECKING = 0
    ENCODING = 1
    JOINING = 2
    VERIFYING = 3
    PICTURES = 4
    DONE = 5

    @property
    def verb(self) -> str:
        """Verb of the phase for people."""
        return _VERBS[self]


_VERBS = {
    Phase.CHECKING: "checking",
    Phase.ENCODING: "encoding",
    Phase.JOINING: "joining",
    Phase.VERIFYING: "verifying",
    Phase.PICTURES: "creating images",
    Phase.DONE: "finishing",
}


class ClipState(StrEnum):
    """State of a started clip."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(slots=True)
class ClipLine:
    """Row of one started clip; ``name`` and ``note`` are already escaped."""

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
        """Finished share from 0 to 1, or None for a clip of unknown length."""
        return min(1.0, self.done_seconds / self.total_seconds) if self.total_seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Overall:
    """Phase with its progress; ``share`` (0 to 1) and ``time_left`` (seconds) are None while unknown."""

    phase: Phase
    share: float | None
    time_left: float | None


def _latest() -> deque[ClipLine]:
    return deque(maxlen=KEPT_ENDED)


@dataclass(slots=True)
class Rows:
    """Rows of a panel by state: all running ones, and the last ``KEPT_ENDED`` that ended."""

    running: dict[object, ClipLine] = field(default_factory=dict)
    """Running rows by the key of their owner."""
    most_running: int = 0
    finished: deque[ClipLine] = field(default_factory=_latest)
    failed: deque[ClipLine] = field(default_factory=_latest)
    finished_count: int = 0
    failed_count: int = 0

    @property
    def ended_count(self) -> int:
        """Count of finished and failed rows."""
        return self.finished_count + self.failed_count

    def start(self, key: object, line: ClipLine) -> None:
        """Add a running row."""
        self.running[key] = line
        self.most_running = max(self.most_running, len(self.running))

    def end(self, key: object, line: ClipLine) -> None:
        """Move a row from the running to the finished or failed ones, by its state."""
        self.running.pop(key, None)
        if line.state is ClipState.FAILED:
            self.failed.append(line)
            self.failed_count += 1
        else:
            self.finished.append(line)
            self.finished_count += 1

    def restart(self, finished: int, failed: int) -> None:
        """Subtract these counts; clear the ended rows, because the ones to keep are unknown."""
        self.finished.clear()
        self.failed.clear()
        self.finished_count = max(0, self.finished_count - finished)
        self.failed_count = max(0, self.failed_count - failed)

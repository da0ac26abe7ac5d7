"""Stand-ins that tests pass in where the product takes a display, a clock or a program."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mpt_cli.runtime.cancel import CancelToken
from tests.media import ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from mpt_cli.monitoring.memory import MemorySample
    from mpt_cli.runtime.events import Event

Kind = TypeVar("Kind")

MIB = 2**20
PATIENCE = 10
"""Seconds after which a test that waits has failed."""


class ListEmit:
    """A complete display: it keeps every event. May be called from several threads."""

    def __init__(self) -> None:
        """Start with no events."""
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Receive an event."""
        self.events.append(event)

    @property
    def types(self) -> list[str]:
        """The type names of all events, in order."""
        return [event.type for event in self.events]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]


class FakeClock:
    """A clock that only moves when it is told to, or slept on. Call it for the time in seconds."""

    def __init__(self, now: float = 1000.0) -> None:
        """Start at this time."""
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        """The time, as from ``time.monotonic``."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        """Stand in for ``time.sleep``: returns at once, later; remembers how long."""
        self.slept.append(seconds)
        self.advance(seconds)

    def wait(self, seconds: float) -> bool:
        """Stand in for ``Event.wait`` of an event that never comes."""
        self.advance(seconds)
        return False


@dataclass
class FakeReader:
    """A machine whose memory is what the test says."""

    total: int = 10_000 * MIB
    available: int = 10_000 * MIB
    tree: int = 100 * MIB
    limit: int | None = None
    measurements: int = 0

    def total_bytes(self) -> int:
        return self.total

    def available_bytes(self) -> int:
        return self.available

    def tree_rss_bytes(self) -> int:
        self.measurements += 1
        return self.tree

    def cpu_percent(self) -> float:
        return 50.0

    def limit_bytes(self) -> int | None:
        return self.limit


class Counted:
    """A listener that one can wait for."""

    def __init__(self) -> None:
        self._calls = threading.Semaphore(0)

    def __call__(self, _sample: MemorySample) -> None:
        self._calls.release()

    def more(self, count: int = 1) -> bool:
        """Whether it is called so many times more."""
        return all(self._calls.acquire(timeout=PATIENCE) for _ in range(count))

    def anew(self, count: int) -> bool:
        """The same, without the calls that nobody has waited for yet."""
        self._forget()
        return self.more(count)

    def _forget(self) -> None:
        while self._calls.acquire(blocking=False):
            pass

    def ended(self) -> bool:
        """Whether nothing is left that could call it."""
        self._forget()
        return "mpt-memory" not in {thread.name for thread in threading.enumerate()}


class AnnouncingToken(CancelToken):
    """Says when a pool has put its caller into the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.queued = threading.Event()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        with super().waking(wake):
            self.queued.set()
            yield


def stand_in(folder: Path, *lines: str, name: str = "stand-in") -> Path:
    """A program that does these lines of shell and then becomes the packaged ffmpeg, arguments and all."""
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec "{ffmpeg()}" "$@"', ""]))
    path.chmod(0o755)
    return path


_OLD_DOTENV = """
import os, pathlib
def find_dotenv():
    here = pathlib.Path.cwd()
    return next((str(up / ".env") for up in (here, *here.parents) if (up / ".env").exists()), "")
def load_dotenv(path):
    for line in pathlib.Path(path or os.devnull).read_text().splitlines():
        os.environ.setdefault(*line.split("=", 1))
"""
"""What python-dotenv did before it knew of a variable that switches it off."""


def leave_trap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a ``.env`` into a folder that has MoviePy start a program; the mark that the program leaves.

    Children get the environment of this process, with an older python-dotenv in it.
    """
    trap, mark, old = folder / "trap", folder / "mark", folder / "old"
    trap.write_text(f"#!/bin/sh\n: > '{mark}'\n")
    trap.chmod(0o755)
    (folder / ".env").write_text(f"FFMPEG_BINARY={trap}\nFFPLAY_BINARY={trap}\n")
    old.mkdir()
    (old / "dotenv.py").write_text(_OLD_DOTENV)
    monkeypatch.setenv("PYTHONPATH", os.fspath(old))
    return mark

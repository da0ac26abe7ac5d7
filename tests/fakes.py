"""Stand-ins that tests pass in where the product takes a display, a clock or a program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from tests.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from mpt_cli.runtime.events import Event

Kind = TypeVar("Kind")


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

"""What all displays share: their protocol, the console they draw on, and when a panel makes sense."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, Self, TextIO

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from mpt_cli.model.errors import Issue
    from mpt_cli.runtime.events import Event

__all__ = [
    "PIPE_WIDTH",
    "ColorChoice",
    "Console",
    "Display",
    "console",
    "discard",
    "let_go",
    "panel_wanted",
    "width_is_said",
]

ColorChoice = Literal["auto", "always", "never"]

PIPE_WIDTH = 100
"""Columns assumed where neither a terminal nor COLUMNS says; tables may be wider, so that nothing is cut."""


class Display(Protocol):
    """Something that shows a run while it happens; ``emit`` is the core's ``Emit``.

    ``emit`` may be called by several threads, is quick, and never raises. ``job`` names the job of
    a batch that the event belongs to.
    """

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """Stop showing and leave the stream clean, whatever happened."""
        ...

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Show one event."""
        ...

    def has_told(self, warning: Issue, /, *, job: str | None = None) -> bool:
        """Whether people have this warning before their eyes already, and for good."""
        ...


class _Console(Console):
    """A console that goes quiet when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Write no more, and go on: rich would end the program, with the exit code of a bug."""
        self.quiet = True
        discard(self.file)


class _AsideConsole(_Console):
    """A console for what stands beside the answer: where there is no room for it, that costs no answer."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Write, or never write again."""
        try:
            super().print(*objects, **options)
        except OSError:
            self.on_broken_pipe()


def discard(stream: IO[str]) -> None:
    """Send what is still to be written to nowhere: at exit it would be written, and fail, once more."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def let_go(stream: IO[str]) -> None:
    """Discard what a stream still holds if it cannot be written: at exit that would be the exit code."""
    try:
        stream.flush()
    except OSError:
        discard(stream)


def console(stream: TextIO, color: ColorChoice = "auto", *, aside: bool = False) -> Console:
    """Return a console on the stream, for ``--color auto|always|never``.

    ``auto`` colours terminals and follows ``NO_COLOR``; ``always`` colours pipes too and wins over
    ``NO_COLOR``; ``never`` sends no escape sequence at all. Errors of writing are raised, unless what is
    written stands ``aside`` of the answer.
    """
    if isinstance(stream, io.TextIOWrapper):
        # A name with letters that the stream cannot write must not end the run.
        stream.reconfigure(errors="backslashreplace")
    width = None if stream.isatty() or width_is_said() else PIPE_WIDTH
    return (_AsideConsole if aside else _Console)(
        file=stream,
        width=width,
        color_system={"auto": "auto", "always": "standard", "never": None}[color],
        force_terminal=True if color == "always" else None,
        no_color={"auto": None, "always": False, "never": True}[color],
        markup=False,
        emoji=False,
        highlight=False,
    )


def width_is_said() -> bool:
    """Whether ``COLUMNS`` says how wide it may be where there is no terminal to ask."""
    columns = os.environ.get("COLUMNS", "")
    return columns.isdecimal() and int(columns) > 0


def panel_wanted(stream: TextIO, *, quiet: bool = False, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether the live panel may be drawn on the stream (``environ``: ``os.environ``)."""
    env = os.environ if environ is None else environ
    return not quiet and not env.get("CI") and env.get("TERM") != "dumb" and not stream.closed and stream.isatty()

"""Display protocol, consoles, and the condition for a live panel."""

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

    from mpt_cli.model.results import VideoResult
    from mpt_cli.runtime.events import Event

__all__ = [
    "PIPE_WIDTH",
    "ColorChoice",
    "Console",
    "Display",
    "columns_is_set",
    "console",
    "discard",
    "flush_or_discard",
    "panel_wanted",
]

ColorChoice = Literal["auto", "always", "never"]

PIPE_WIDTH = 100
"""Width in columns where neither a terminal nor COLUMNS gives one; a table may be wider, so that nothing is cut."""


class Display(Protocol):
    """Display of a run in progress; its ``emit`` is the ``Emit`` of the core.

    Several threads may call ``emit`` at once; an implementation returns quickly and never raises.
    """

    def __enter__(self) -> Self:
        """Start the display."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """End the display and leave the stream clean, also after an error."""
        ...

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Show one event.

        Args:
            event: The event of the run.
            job: The name of the job in a batch, or None.
        """
        ...

    def unshown(self, result: VideoResult, *, job: str | None = None) -> VideoResult:
        """Return the result without the warnings and skipped clips that lines which stay on the screen show.

        Args:
            result: The result of the run.
            job: The name of the job in a batch, or None.
        """
        ...


class _Console(Console):
    """Console that stops writing once its reader is gone."""

    def on_broken_pipe(self) -> None:
        """Stop writing and continue: rich would end the program with the exit code of a bug."""
        self.quiet = True
        discard(self.file)


class _AsideConsole(_Console):
    """Console for output beside the answer: a failed write must not cost the answer."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; after a failed write stay silent."""
        try:
            super().print(*objects, **options)
        except OSError:
            self.on_broken_pipe()


def discard(stream: IO[str]) -> None:
    """Redirect the stream to the null device, so that a flush at exit cannot fail again."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def flush_or_discard(stream: IO[str]) -> None:
    """Flush the stream, or discard its buffer if that fails: a failure at exit would change the exit code."""
    try:
        stream.flush()
    except OSError:
        discard(stream)


def console(stream: TextIO, color: ColorChoice = "auto", *, aside: bool = False) -> Console:
    """Return a console on the stream.

    Args:
        stream: Standard output or standard error.
        color: ``auto`` colours terminals and follows ``NO_COLOR``; ``always`` also colours pipes and
            ignores ``NO_COLOR``; ``never`` writes no escape sequence.
        aside: True for output beside the answer; such a console never raises for a failed write.
    """
    if isinstance(stream, io.TextIOWrapper):
        # A file name with characters that the stream cannot encode must not end the run.
        stream.reconfigure(errors="backslashreplace")
    width = None if stream.isatty() or columns_is_set() else PIPE_WIDTH
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


def columns_is_set() -> bool:
    """Return True if ``COLUMNS`` gives a width."""
    columns = os.environ.get("COLUMNS", "")
    return columns.isdecimal() and int(columns) > 0


def panel_wanted(stream: TextIO, *, quiet: bool = False, environ: Mapping[str, str] | None = None) -> bool:
    """Return True if the live panel may be drawn on the stream.

    Args:
        stream: The stream of the panel, standard error.
        quiet: True with ``--quiet``.
        environ: Environment variables; None for those of the process.
    """
    env = os.environ if environ is None else environ
    return not quiet and not env.get("CI") and env.get("TERM") != "dumb" and not stream.closed and stream.isatty()

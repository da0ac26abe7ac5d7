"""Text of ``mpt`` and ``mpt --help``; loads no command and not rich."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import COMMANDS, GROUPS
from mpt_cli.model.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

EXITS: tuple[tuple[tuple[int, ...], str], ...] = (
    ((0,), "done"),
    ((1,), "a bug in mpt"),
    ((2,), "wrong usage or settings"),
    ((3,), "a clip or a parameter cannot be used; nothing was written"),
    ((4,), "work or verification failed, or the deadline; nothing published"),
    ((5,), "the reel lacks skipped clips, or a job of a batch failed"),
    ((6,), "a dependency is missing, or mpt health found a failure"),
    ((7,), "memory, disk, threads or open files exhausted (mpt health too)"),
    ((130, 143), "stopped by SIGINT; by SIGTERM or a closed terminal"),
)
"""Meaning of each exit code, by its number: the class of the codes would be loaded for every ``mpt --version``."""

TAGLINE = "join many video clips into one verified file, the reel"
_FIRST_STEPS = (
    ("mpt validate clips/", "which clips can be used"),
    ("mpt process clips/ -o reel.mp4 --dry-run", "the plan; writes nothing"),
    ("mpt process clips/ -o reel.mp4 --preset tiktok", "the reel"),
)
_WHERE_MORE = "mpt COMMAND --help explains a command, mpt --help adds exit codes."
_OPTIONS = (("-h, --help", "this text, or that of a command"), ("--version", "the version"))


def front_page() -> str:
    """Return the front page: the commands on one screen of 24 lines and 80 columns."""
    return "\n".join([f"mpt {__version__}: {TAGLINE}.", "", *_commands(), *_first_steps(), "", _WHERE_MORE])


def help_page() -> str:
    """Return the help page: the front page with options and exit codes."""
    return "\n".join(
        [
            f"{_bold('Usage:')} mpt COMMAND [OPTIONS]",
            "",
            f"{TAGLINE.capitalize()}.",
            "",
            *_commands(),
            *_first_steps(),
            _bold("Options"),
            *(f"  {names:<12} {text}" for names, text in _OPTIONS),
            _bold("Exit codes"),
            *(f"  {', '.join(map(str, codes)):<12} {text}" for codes, text in EXITS),
            "",
            "mpt COMMAND --help explains a command and its options; man mpt has everything.",
        ]
    )


def _commands() -> Iterator[str]:
    """Yield all commands below their headings; a group takes one line."""
    heading, done = "", set[str]()
    for entry in COMMANDS:
        name = entry.words[0]
        if name in done:
            continue
        done.add(name)
        if entry.heading != heading:
            heading = entry.heading
            yield _bold(heading)
        yield f"  {name:<12} {GROUPS.get(name, entry.summary)}"


def _first_steps() -> Iterator[str]:
    yield _bold("First steps")
    yield from (f"  {line:<48} # {text}" for line, text in _FIRST_STEPS)


def _bold(text: str) -> str:
    """Return the text in bold on a terminal that shows it, unless plain text is wanted."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[1m{text}\x1b[0m"

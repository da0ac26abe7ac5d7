"""Messages about options and commands that do not exist: a known name that is alike, or a synonym."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mpt_cli.cli.catalog import COMMANDS, NAMES
from mpt_cli.model.similarity import alike, meant

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_NO_COMMAND = re.compile(r"No such command '(.*)'\.?")
_OPTION = re.compile(r"--[\w-]+")


def explained(error: Any, arguments: Sequence[str]) -> str:
    """Return the message of an error of typer on one line, with what was most likely meant.

    Args:
        error: The error.
        arguments: The command line.
    """
    message = " ".join(error.message.replace("Value error, ", "").split())
    context = getattr(error, "ctx", None)
    if (option := getattr(error, "option_name", None)) is not None and hasattr(error, "possibilities"):
        name = _as_typed(option, arguments)
        known = [] if context is None else [each for one in context.command.get_params(context) for each in one.opts]
        return f"No such option: {name}{_instead(name, known)}"
    if found := _NO_COMMAND.fullmatch(message):
        return message.rstrip(".") + _command_instead(found[1], context)
    return " ".join(error.format_message().replace("Value error, ", "").split())


def _as_typed(option: str, arguments: Sequence[str]) -> str:
    """Return the word of the command line that an option is from: of ``-ss`` typer only reports the ``-s``."""
    if option.startswith("--"):
        return option
    typed = (word for word in arguments if re.match(r"-[^-]", word) and option[1:] in word)
    return next(typed, option)


def _instead(name: str, known: Collection[str]) -> str:
    """Return the end of the message about an option of a command with these options."""
    from mpt_cli.settings.synonyms import SYNONYMS

    bare = name.lstrip("-").partition("=")[0].lower()
    long = [option for option in known if option.startswith("--")]
    if f"--{bare}" in long:
        return f"; did you mean --{bare}?"
    if synonym := SYNONYMS.get(bare.replace("_", "-")):
        if synonym.option and set(_OPTION.findall(synonym.option)) <= {*long, "--method"}:
            return f"; use {synonym.option}"
        if synonym.note:
            return f"; {synonym.note}"
    if not name.startswith("--") and len(bare) == 1:
        return ""
    return meant(bare, long) or _elsewhere(f"--{bare}")


def _elsewhere(option: str) -> str:
    """Return the end of the message about an option that other commands have."""
    from mpt_cli.cli.app import function_of

    having = [
        entry.name
        for entry in COMMANDS
        if any(option in flag.names for flag in getattr(function_of(entry), "flags", ()))
    ]
    named = ", ".join(f"mpt {name}" for name in having)
    return f"; only {named} {'has' if len(having) == 1 else 'have'} it" if having else ""


def _command_instead(word: str, context: Any) -> str:
    """Return the end of the message about a command, at the top or in a group."""
    from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES
    from mpt_cli.settings.synonyms import COMMANDS as FOREIGN

    known = NAMES if context is None or context.parent is None else tuple(context.command.commands)
    if near := alike(word, known):
        return f"; did you mean {' or '.join(near)}?"
    if known == NAMES and word.lower() in FOREIGN:
        return f"; use mpt {FOREIGN[word.lower()]}"
    if word.lower().endswith(tuple(MEDIA_SUFFIXES)):
        return "; name a command first: mpt process"
    return ""

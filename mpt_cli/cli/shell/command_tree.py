"""Command tree as values, for the completion scripts and the man page.

The kind of a value follows from its metavar, which the help shows, and from the choices of an option,
so that nothing is declared twice.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING, get_args

from mpt_cli.cli.app import function_of
from mpt_cli.cli.catalog import COMMANDS
from mpt_cli.cli.commands.completions import Shell
from mpt_cli.config.presets import PRESETS
from mpt_cli.config.sections import Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.settings.layers import FIELDS, dotted

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.cli.options import Flag


class Kind(StrEnum):
    """Kind of a value on the command line."""

    TEXT = auto()
    """Free text, without suggestions."""
    WORDS = auto()
    FILE = auto()
    TOML = auto()
    JOB = auto()
    """Name of a job in the job files on the command line."""
    WORKFLOW = auto()
    ENCODER = auto()


@dataclass(frozen=True, slots=True)
class Value:
    """Value of an option or an argument."""

    metavar: str
    kind: Kind
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """Option; a switch if it has no value."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    panel: str = "Options"
    many: bool = False
    explained: str = ""
    """Help with choices and default."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Positional argument."""

    value: Value
    help: str
    many: bool
    optional: bool


@dataclass(frozen=True, slots=True)
class Command:
    """Command with its arguments and options."""

    name: str
    summary: str
    text: str
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    examples: tuple[tuple[str, str], ...]


HELP = Option(("--help", "-h"), "Show help", None, explained="Show help.")
VERSION = Option(("--version",), "Print the version", None, explained="Print the version.")

_KINDS = {
    "FILE": Kind.FILE,
    "PATH": Kind.FILE,
    "INPUT": Kind.FILE,
    "TOML": Kind.TOML,
    "JOBS": Kind.TOML,
    "JOB": Kind.JOB,
    "RUN": Kind.WORKFLOW,
    "ENCODER": Kind.ENCODER,
}
_WORDS: dict[str, tuple[str, ...]] = {
    "KEY": (*Config.model_fields, *map(dotted, FIELDS)),
    "SHELL": tuple(Shell),
    "RATE": ("auto", "24", "25", "30", "50", "60", "30000/1001"),
    "COLOR": ("black", "white", "gray", "red", "yellow", "green", "blue", "navy"),
    "WxH": tuple(dict.fromkeys(preset["video"]["size"] for preset in PRESETS.values())),
}


def commands() -> tuple[Command, ...]:
    """Return all commands in the order of the help."""
    found = []
    for entry in COMMANDS:
        function = function_of(entry)
        flags: tuple[Flag, ...] = getattr(function, "flags", ())
        found.append(
            Command(
                entry.name,
                entry.summary,
                inspect.getdoc(function) or "",
                _arguments(function, {flag.parameter for flag in flags}),
                (*map(option_of, flags), HELP),
                entry.examples,
            )
        )
    return tuple(found)


def encoders() -> dict[str, tuple[str, ...]]:
    """Return the encoders that mpt supports, by codec."""
    return ModuleFactory.encoder_names()


def option_of(flag: Flag) -> Option:
    """Return the option of a flag."""
    value = None if flag.is_switch else _value(flag.metavar, flag.choices)
    return Option(flag.names, flag.help, value, flag.panel, flag.many, flag.explained)


def _value(metavar: str, choices: tuple[str, ...] = ()) -> Value:
    words = choices or _WORDS.get(metavar) or (tuple(metavar.split("|")) if "|" in metavar else ())
    return Value(metavar, Kind.WORDS if words else _KINDS.get(metavar, Kind.TEXT), tuple(map(str, words)))


def _arguments(function: Callable[..., int], options: set[str]) -> tuple[Argument, ...]:
    found = []
    for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
        if name in options:
            continue
        taken, details = get_args(parameter.annotation)
        if details.metavar and not details.hidden:
            many = "list" in str(taken)
            optional = not many and parameter.default is not parameter.empty
            found.append(Argument(_value(details.metavar), details.help, many, optional))
    return tuple(found)

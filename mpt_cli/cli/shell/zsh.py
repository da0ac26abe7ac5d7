"""Completion script of zsh: one ``_arguments`` call per command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import COMMANDS, GROUPS, NAMES
from mpt_cli.cli.shell.command_tree import HELP, VERSION, Kind, Value, commands, encoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mpt_cli.cli.shell.command_tree import Command, Option

_SCRIPT = r"""#compdef mpt
# Completion of mpt for zsh, made by `mpt completions zsh`. Nothing here but the names of jobs and of
# earlier runs needs mpt to run.

# The names of the jobs in the files that stand on the line.
_mpt_jobs() {
    local -a files names
    files=(${(Q)${(M)words[2,-1]:#*.toml}})
    names=("${(@f)$($program completions jobs --of=${^files} 2>/dev/null)}")
    names=(${names:#})
    (( $#names )) && _wanted jobs expl job compadd -a names
}

_mpt_workflows() {
    local -a names
    names=("${(@f)$($program completions workflows 2>/dev/null)}")
    names=(${names:#})
    (( $#names )) && _wanted -V workflows expl workflow compadd -a names || _files
}

# The encoders of the codec on the line, or all.
_mpt_encoders() {
    local codec=${words[words[(I)--codec]+1]}
    [[ -n ${(M)words:#--codec=*} ]] && codec=${${(M)words:#--codec=*}#--codec=}
    local -a names
    case $codec in
%(encoders)s
    esac
    _wanted encoders expl encoder compadd auto $names
}

_mpt() {
    local curcontext=$curcontext context state state_descr line program=${(Q)words[1]} expl
    typeset -A opt_args
    program=${~program}
    _arguments -C -S \
        %(top)s \
        '1: :->command' '*:: :->arguments'
    case $state in
    command)
        local -a commands=(
%(commands)s
        )
        _describe -t commands command commands
        ;;
    arguments)
        curcontext=${curcontext%%:*}-$words[1]:
        case $words[1] in
%(cases)s
        esac
        ;;
    esac
}

_mpt "$@"
"""
_GROUP = r"""        %(name)s)
            _arguments -C -S \
                %(help)s \
                '1: :->inner' '*:: :->inner-arguments'
            case $state in
            inner)
                local -a inner=(
%(commands)s
                )
                _describe -t commands command inner
                ;;
            inner-arguments)
                case $words[1] in
%(cases)s
                esac
                ;;
            esac
            ;;"""


def script() -> str:
    """Return the script."""
    summaries = {entry.words[0]: GROUPS.get(entry.words[0], entry.summary) for entry in COMMANDS}
    found = {command.name: command for command in commands()}
    cases = [_group(name) if name in GROUPS else _case(name, found[name], 8) for name in NAMES]
    return _SCRIPT % {
        "encoders": "\n".join(_encoders()),
        "top": " ".join(map(_spec, (HELP, VERSION))),
        "commands": _described(summaries.items(), 12),
        "cases": "\n".join(cases),
    }


def _group(group: str) -> str:
    inner = {command.name.split()[1]: command for command in commands() if command.name.startswith(f"{group} ")}
    return _GROUP % {
        "name": group,
        "help": _spec(HELP),
        "commands": _described(((name, command.summary) for name, command in inner.items()), 20),
        "cases": "\n".join(_case(name, command, 16) for name, command in inner.items()),
    }


def _described(words: Iterable[tuple[str, str]], indent: int) -> str:
    return "\n".join(" " * indent + _quoted(f"{word}:{text}") for word, text in words)


def _case(name: str, command: Command, indent: int) -> str:
    margin = " " * indent
    joint = f" \\\n{margin}        "
    return f"{margin}{name})\n{margin}    _arguments -s -S{joint}{joint.join(_specs(command))}\n{margin}    ;;"


def _specs(command: Command) -> Iterator[str]:
    yield from map(_spec, command.options)
    for place, argument in enumerate(command.arguments, 1):
        at = "*" if argument.many else str(place)
        yield _quoted(f"{at}:{_colons(argument.value.metavar)}:{_action(argument.value)}")


def _spec(option: Option) -> str:
    """Return an option as ``_arguments`` takes it: excluded options, names, text, value."""
    text = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    value = f":{_colons(option.value.metavar)}:{_action(option.value)}" if option.value else ""
    names = [name + _joint(name) for name in option.names] if option.value else list(option.names)
    if option is HELP or option is VERSION:
        excluded = "(- : *)"
    else:
        excluded = "*" if option.many else f"({' '.join(option.names)})"
    if len(names) == 1:
        return _quoted(f"{excluded}{names[0]}[{text}]{value}")
    return f"{_quoted(excluded)}{{{','.join(names)}}}{_quoted(f'[{text}]{value}')}"


def _joint(name: str) -> str:
    """Return the mark between a name and its value: ``--fit cover`` or ``--fit=cover``, ``-j 4`` or ``-j4``."""
    return "=" if name.startswith("--") else "+"


def _action(value: Value) -> str:
    actions = {
        Kind.TEXT: " ",
        Kind.WORDS: f"({' '.join(value.words)})",
        Kind.FILE: "_files",
        Kind.TOML: '_files -g "*.toml(-.)"',
        Kind.JOB: "_mpt_jobs",
        Kind.WORKFLOW: "_mpt_workflows",
        Kind.ENCODER: "_mpt_encoders",
    }
    return actions[value.kind]


def _encoders() -> Iterator[str]:
    found = encoders()
    yield from (f"    {codec}) names=({' '.join(names)}) ;;" for codec, names in found.items())
    yield f"    *) names=({' '.join(name for names in found.values() for name in names)}) ;;"


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

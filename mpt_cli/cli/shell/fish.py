"""Completion script of fish: one ``complete`` line per option of each command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import COMMANDS, GROUPS
from mpt_cli.cli.shell.command_tree import HELP, VERSION, Kind, Value, commands, encoders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.cli.shell.command_tree import Command, Option

_SCRIPT = r"""# Completion of mpt for fish, made by `mpt completions fish`. Nothing here but the names of jobs and
# of earlier runs needs mpt to run.

# Whether the command on the line is this one: `__mpt_at config show`; without one, whether there is none yet.
function __mpt_at
    set -l words (commandline -opc)[2..]
    set -l wanted (count $argv)
    if test $wanted -eq 0
        test (count $words) -eq 0
    else
        test (count $words) -ge $wanted; and test "$words[1..$wanted]" = "$argv"
    end
end

# Whether the group on the line still lacks its command.
function __mpt_in
    test (commandline -opc | count) -eq 2; and __mpt_at $argv
end

function __mpt_jobs
    set -l words (commandline -opc)
    set -l files (string match -- '*.toml' $words)
    command -q $words[1]; and $words[1] completions jobs --of=$files 2>/dev/null
end

function __mpt_workflows
    set -l words (commandline -opc)
    command -q $words[1]; and $words[1] completions workflows 2>/dev/null
end

# The encoders of the codec on the line, or all.
function __mpt_encoders
    set -l words (commandline -opc)
    set -l codec (string replace -f -r '^--codec=' '' -- $words)
    if set -l place (contains -i -- --codec $words)
        set codec $words[(math $place + 1)]
    end
    echo auto
    switch "$codec"
%(encoders)s
    end
end

complete -c mpt -f
%(top)s
%(commands)s
"""


def script() -> str:
    """Return the script."""
    return _SCRIPT % {
        "encoders": "\n".join(_encoders()),
        "top": "\n".join(_top()),
        "commands": "\n".join(line for command in commands() for line in _lines(command)),
    }


def _top() -> Iterator[str]:
    yield from (_option_line("__mpt_at", option) for option in (HELP, VERSION))
    seen = set[str]()
    for entry in COMMANDS:
        first = entry.words[0]
        if first not in seen:
            seen.add(first)
            yield f"complete -c mpt -n __mpt_at -a {first} -d {_quoted(GROUPS.get(first, entry.summary))}"
        if first in GROUPS:
            condition = _quoted(f"__mpt_in {first}")
            yield f"complete -c mpt -n {condition} -a {entry.words[1]} -d {_quoted(entry.summary)}"


def _lines(command: Command) -> Iterator[str]:
    yield ""
    condition = f"__mpt_at {command.name}"
    yield from (_option_line(_quoted(condition), option) for option in command.options)
    for argument in command.arguments:
        once = ""
        if argument.value.kind is Kind.WORDS and not argument.many:
            once = f"; and not __fish_seen_subcommand_from {' '.join(argument.value.words)}"
        yield f"complete -c mpt -n {_quoted(condition + once)} {_offer(argument.value)}"


def _option_line(condition: str, option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = f" -r {_offer(option.value)}" if option.value else ""
    return f"complete -c mpt -n {condition} {' '.join(names)}{value} -d {_quoted(option.help)}"


def _offer(value: Value) -> str:
    offers = {
        Kind.TEXT: "-f",
        Kind.WORDS: f"-f -a {_quoted(' '.join(value.words))}",
        Kind.FILE: "-F",
        Kind.TOML: "-k -f -a '(__fish_complete_suffix .toml)'",
        Kind.JOB: "-f -a '(__mpt_jobs)'",
        Kind.WORKFLOW: "-F -k -a '(__mpt_workflows)'",
        Kind.ENCODER: "-f -a '(__mpt_encoders)'",
    }
    return offers[value.kind]


def _encoders() -> Iterator[str]:
    found = encoders()
    for codec, names in found.items():
        yield f"        case {codec}\n            printf '%s\\n' {' '.join(names)}"
    yield f"        case '*'\n            printf '%s\\n' {' '.join(name for names in found.values() for name in names)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

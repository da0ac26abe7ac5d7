"""Completion script of bash, for any bash from 3.2 (macOS) on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import GROUPS, NAMES
from mpt_cli.cli.shell.command_tree import HELP, VERSION, Kind, Value, commands, encoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SCRIPT = r"""# Completion of mpt for bash, made by `mpt completions bash`. Nothing here but the names of jobs and
# of earlier runs needs mpt to run.

# The commands and options that may follow the command $1.
_mpt_words() {
    case $1 in
%(words)s
    esac
}

# What the option or the argument $1 takes: a kind, then words.
_mpt_wanted() {
    case $1 in
%(wanted)s
    esac
}

# The encoders of the codec $1.
_mpt_encoders() {
    case $1 in
%(encoders)s
    esac
}

# Takes as answers the lines of stdin that begin with $1.
_mpt_take() {
    local line
    while IFS= read -r line; do
        if [[ -n $line && $line == "$1"* ]]; then COMPREPLY+=("$(printf %%q "$line")"); fi
    done
}

_mpt() {
    local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} path="" option="" codec="" plain="" each i
    local wanted files=() places=0
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        each=${COMP_WORDS[i]}
        if [[ -n $option ]]; then
            if [[ $each == "=" ]]; then continue; fi # bash splits --fit=cover into three words
            if [[ $option == --codec ]]; then codec=$each; fi
            option=""
        elif [[ -z $path ]]; then
            path=$each
        elif [[ " %(groups)s " == *" $path "* && $each != -* ]]; then
            path+=" $each"
        elif [[ -z $plain && $each == -- ]]; then
            plain=yes
        elif [[ -z $plain && $each == -?* ]]; then
            if [[ -n $(_mpt_wanted "$each") ]]; then option=$each; fi
        else
            files+=("$each")
            places=$((places + 1))
        fi
    done
    if [[ $word == "=" && -n $option ]]; then word=""; fi

    if [[ -n $option ]]; then
        wanted=$(_mpt_wanted "$option")
    elif [[ $word == -* && -z $plain ]]; then
        wanted="words $(_mpt_words "$path" options)"
    elif [[ -z $path || " %(groups)s " == *" $path "* ]]; then
        wanted="words $(_mpt_words "$path")"
    else
        wanted=$(_mpt_wanted "$path $places")
        if [[ -z $wanted ]]; then wanted=$(_mpt_wanted "$path *"); fi
    fi

    case $wanted in
    file*) return ;; # bash itself offers files where there is no answer
    toml*)
        compopt -o filenames 2>/dev/null
        while IFS= read -r each; do COMPREPLY+=("$each"); done < <(
            compgen -d -- "$word"
            compgen -f -X '!*.toml' -- "$word"
        )
        return
        ;;
    job*) _mpt_take "$word" < <("$program" completions jobs "${files[@]/#/--of=}" 2>/dev/null) ;;
    workflow*)
        _mpt_take "$word" < <("$program" completions workflows 2>/dev/null)
        return # or a file: the output of a run
        ;;
    encoder*) COMPREPLY=($(compgen -W "auto $(_mpt_encoders "$codec")" -- "$word")) ;;
    words*) COMPREPLY=($(compgen -W "${wanted#words}" -- "$word")) ;;
    esac
    compopt +o default +o bashdefault 2>/dev/null # no file can stand here
}

complete -o bashdefault -o default -F _mpt mpt
"""


def script() -> str:
    """Return the script."""
    return _SCRIPT % {
        "words": "\n".join(_words()),
        "wanted": "\n".join(_wanted()),
        "encoders": "\n".join(_encoders()),
        "groups": " ".join(GROUPS),
    }


def _words() -> Iterator[str]:
    yield _words_of('""', NAMES, (*HELP.names, *VERSION.names))
    for group in GROUPS:
        inner = [command.name.split()[1] for command in commands() if command.name.startswith(f"{group} ")]
        yield _words_of(shlex.quote(group), inner, HELP.names)
    for command in commands():
        names = [name for option in command.options for name in option.names]
        yield _words_of(_quoted(command.name), (), names)


def _words_of(pattern: str, words: Iterable[str], options: Iterable[str]) -> str:
    plain, dashed = " ".join(words), " ".join(options)
    choice = f'if [[ -n $2 ]]; then echo "{dashed}"; else echo "{plain}"; fi' if plain else f'echo "{dashed}"'
    return f"    {pattern}) {choice} ;;"


def _wanted() -> Iterator[str]:
    """Yield one line per option with a value, shared by all commands, and per argument."""
    seen = dict[str, str]()
    for command in commands():
        for option in command.options:
            if option.value is not None:
                pattern, what = " | ".join(option.names), _what(option.value)
                assert seen.setdefault(pattern, what) == what, f"{pattern} takes other values in another command"
    yield from (f"    {pattern}) echo {shlex.quote(what)} ;;" for pattern, what in seen.items())
    for command in commands():
        for place, argument in enumerate(command.arguments):
            at = "*" if argument.many else str(place)
            yield f"    {_quoted(f'{command.name} {at}')}) echo {shlex.quote(_what(argument.value))} ;;"


def _what(value: Value) -> str:
    return " ".join([value.kind, *(value.words if value.kind is Kind.WORDS else ())])


def _encoders() -> Iterator[str]:
    found = encoders()
    yield from (f'    {codec}) echo "{" ".join(names)}" ;;' for codec, names in found.items())
    yield f'    *) echo "{" ".join(name for names in found.values() for name in names)}" ;;'


def _quoted(text: str) -> str:
    return f'"{text}"'

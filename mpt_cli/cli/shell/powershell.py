"""Completion script of PowerShell: tables, and one block that reads the line with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import COMMANDS, GROUPS
from mpt_cli.cli.shell.command_tree import HELP, VERSION, Kind, Value, commands, encoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mpt_cli.cli.shell.command_tree import Option

_SCRIPT = r"""# Completion of mpt for PowerShell, made by `mpt completions powershell`. Nothing here but the names
# of jobs and of earlier runs needs mpt to run.

Register-ArgumentCompleter -Native -CommandName mpt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # What may follow each command: a word, an equals sign, what it means.
    $words = @{
%(words)s
    }
    # What each option or argument takes: a kind, then words.
    $wanted = @{
%(wanted)s
    }
    $encoders = @{
%(encoders)s
    }

    $line = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $path = ''; $option = ''; $codec = ''; $files = @()
    for ($i = 1; $i -lt $line.Count; $i++) {
        $each = $line[$i]
        if ($option) {
            if ($option -ceq '--codec') { $codec = $each }
            $option = ''
        } elseif (-not $path) { $path = $each }
        elseif ($each -notlike '-*' -and @(%(groups)s) -ccontains $path) { $path = "$path $each" }
        elseif ($each -like '-?*') { if ($wanted.ContainsKey($each)) { $option = $each } }
        else { $files += "--of=$each" }
    }

    $take = @(
        if ($option) { $wanted[$option] }
        elseif ($wordToComplete -like '-*' -or $words.ContainsKey("$path ")) { }
        elseif ($wanted.ContainsKey("$path $($files.Count)")) { $wanted["$path $($files.Count)"] }
        else { $wanted["$path *"] }
    )
    $kind = if ($take.Count) { $take[0] } else { '' }
    $program = $line[0]
    $offers = @(
        if ($kind -eq 'words') { $take | Select-Object -Skip 1 }
        elseif ($kind -eq 'encoder') {
            'auto'
            if ($encoders.ContainsKey($codec)) { $encoders[$codec] } else { $encoders.Values | ForEach-Object { $_ } }
        }
        elseif ($kind -eq 'job') { & $program completions jobs @files 2>$null }
        elseif ($kind -eq 'workflow') { & $program completions workflows 2>$null }
        elseif ($kind) { } # PowerShell itself offers files where there is no answer
        elseif ($wordToComplete -like '-*') { $words[$path] }
        else { $words["$path "] }
    )
    foreach ($offer in $offers) {
        $word, $text = if ($kind) { $offer, $offer } else { $offer -split '=', 2 }
        if ($word -like "$wordToComplete*") {
            $quoted = if ($word -match '\s') { "'$word'" } else { $word }
            [System.Management.Automation.CompletionResult]::new($quoted, $word, 'ParameterValue', $text)
        }
    }
}
"""


def script() -> str:
    """Return the script."""
    return _SCRIPT % {
        "words": "\n".join(_words()),
        "wanted": "\n".join(_wanted()),
        "encoders": "\n".join(f"        {_quoted(codec)} = {_list(names)}" for codec, names in encoders().items()),
        "groups": ", ".join(map(_quoted, GROUPS)),
    }


def _words() -> Iterator[str]:
    """Yield options under the name of their command, and commands under the name of their group and a space."""
    top = {entry.words[0]: GROUPS.get(entry.words[0], entry.summary) for entry in COMMANDS}
    yield _table("", _options((HELP, VERSION)))
    yield _table(" ", top.items())
    for group in GROUPS:
        yield _table(group, _options((HELP,)))
        inner = ((entry.words[1], entry.summary) for entry in COMMANDS if entry.words[0] == group)
        yield _table(f"{group} ", inner)
    for command in commands():
        yield _table(command.name, _options(command.options))


def _options(options: Iterable[Option]) -> Iterator[tuple[str, str]]:
    yield from ((name, option.help) for option in options for name in option.names)


def _table(name: str, words: Iterable[tuple[str, str]]) -> str:
    return f"        {_quoted(name)} = {_list(f'{word}={text}' for word, text in words)}"


def _wanted() -> Iterator[str]:
    values = {
        name: option.value
        for command in commands()
        for option in command.options
        if option.value
        for name in option.names
    }
    for command in commands():
        for place, argument in enumerate(command.arguments):
            values[f"{command.name} {'*' if argument.many else place}"] = argument.value
    yield from (f"        {_quoted(name)} = {_list(_what(value))}" for name, value in values.items())


def _what(value: Value) -> tuple[str, ...]:
    return (str(value.kind), *(value.words if value.kind is Kind.WORDS else ()))


def _list(words: Iterable[str]) -> str:
    return f"@({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""Man page in roff, generated from the command tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.cli.options import COMMON
from mpt_cli.cli.overview import EXITS, TAGLINE
from mpt_cli.cli.shell.command_tree import HELP, commands, option_of
from mpt_cli.model.version import __version__
from mpt_cli.settings.layers import FIELDS, dotted
from mpt_cli.settings.reference import meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mpt_cli.cli.shell.command_tree import Argument, Command, Option

_ABOUT = (
    "mpt takes video clips of any kind, checks them, makes them uniform in parallel under a memory budget, and joins"
    " them into one reel. Before the reel gets its name, mpt reads it back and proves that it is right: every frame,"
    " in order, at its time, with the audio exact to the sample.",
    "INPUT is a file, a folder (its clips in natural order, not its subfolders), a pattern that the shell left alone,"
    " or - for paths on standard input. The answer goes to standard output; progress, warnings and logs go to"
    " standard error.",
)
_LAYERS = (
    "Flags win over a job, a job over the [defaults] of its file, these over MPT_* variables, these over the file of"
    " --config or else ./mpt.toml or else [tool.mpt] in ./pyproject.toml, these over the file of the user, and that"
    " over the defaults. mpt config show prints the source of each value."
)
_FILES = (
    ("./mpt.toml", "settings of a project; mpt config init writes one"),
    ("./pyproject.toml", "the same below [tool.mpt], where there is no mpt.toml"),
    ("~/.config/mpt/config.toml", "settings of the user"),
    ("~/.cache/mpt", "finished clips and audio, reused by later runs; see cache.dir"),
    ("~/.local/state/mpt", "reports of earlier runs, and the reels that mpt wrote; see paths.state"),
)
_ENVIRONMENT = (
    ("MPT_SECTION__KEY", "a setting, such as MPT_ENCODE__CRF=20; MPT_PRESET is a preset"),
    ("NO_COLOR", "no colours"),
    ("CI, TERM=dumb", "plain lines in place of the live panel"),
    ("COLUMNS", "width of tables where there is no terminal; unset they are as wide as they need"),
    ("XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_STATE_HOME", "where those folders of the user are"),
)


def man_page() -> str:
    """Return the man page."""
    found = commands()
    lines = [
        '.\\" Made by mpt from its command tree.',
        f'.TH MPT 1 "" "mpt {__version__}" "User Commands"',
        ".SH NAME",
        f"mpt \\- {_roff(TAGLINE)}",
        ".SH SYNOPSIS",
        *_synopsis(found),
        ".SH DESCRIPTION",
        *_paragraphs(_ABOUT),
        ".SH COMMANDS",
        *(line for command in found for line in _command(command)),
        ".SS Options of every command",
        *_options((*map(option_of, COMMON), HELP)),
        ".SH CONFIGURATION",
        *_paragraphs([_LAYERS]),
        *_settings(),
        ".SH EXIT STATUS",
        *_terms((", ".join(map(str, codes)), text) for codes, text in EXITS),
        ".SH FILES",
        *_terms(_FILES),
        ".SH ENVIRONMENT",
        *_terms(_ENVIRONMENT),
        ".SH EXAMPLES",
        *(line for command in found for line in _examples(command)),
    ]
    return "\n".join(lines) + "\n"


def _synopsis(found: Iterable[Command]) -> Iterator[str]:
    for number, command in enumerate(found):
        if number:
            yield ".br"
        yield _usage(command)
    yield from (".br", "\\fBmpt\\fR \\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR")


def _usage(command: Command) -> str:
    return " ".join([f"\\fBmpt {_roff(command.name)}\\fR", *map(_placeholder, command.arguments), "[\\fIOPTIONS\\fR]"])


def _placeholder(argument: Argument) -> str:
    text = f"\\fI{_roff(argument.value.metavar)}\\fR{'...' if argument.many else ''}"
    return f"[{text}]" if argument.optional else text


def _command(command: Command) -> Iterator[str]:
    yield f".SS mpt {_roff(command.name)}"
    yield from _paragraphs(text.replace("\n", " ") for text in command.text.split("\n\n"))
    yield from _terms((argument.value.metavar, argument.help) for argument in command.arguments)
    yield from _options(option for option in command.options if not _is_common(option))


def _is_common(option: Option) -> bool:
    return option is HELP or option in map(option_of, COMMON)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in sorted(option.names, key=len))
        value = f" \\fI{_roff(option.value.metavar)}\\fR" if option.value else ""
        yield from (".TP", names + value, _text(option.explained))


def _settings() -> Iterator[str]:
    for key, meaning in meanings().items():
        if key in FIELDS:
            default = str(meaning.default).lower() if isinstance(meaning.default, bool) else str(meaning.default)
            yield from (".TP", f"\\fB{_roff(dotted(key))}\\fR = {_roff(default)}", _text(meaning.text))


def _examples(command: Command) -> Iterator[str]:
    for line, text in command.examples:
        yield from (".TP", f"\\fB{_roff(line)}\\fR", _text(text or command.summary))


def _terms(terms: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in terms:
        yield from (".TP", f"\\fB{_roff(term)}\\fR", _text(text))


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from (".PP", _text(text))


def _text(text: str) -> str:
    """Return a line of text, protected from being read as a roff request."""
    line = _roff(text)
    return f"\\&{line}" if line[:1] in (".", "'") else line


def _roff(text: str) -> str:
    """Return the text with roff escapes, so that minus signs of options stay ASCII."""
    for plain, written in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti")):
        text = text.replace(plain, written)
    return text

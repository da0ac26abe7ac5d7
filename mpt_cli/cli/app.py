"""The command tree. A command's module is loaded when the command is asked for."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mpt_cli.cli.catalog import COMMANDS, GROUPS, NAMES, REPORTING
from mpt_cli.cli.overview import front_page, help_page
from mpt_cli.model.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.cli.catalog import Entry

_LOOKS: dict[str, Any] = {
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "rich_markup_mode": "rich",
    "pretty_exceptions_enable": False,
}


class LazyGroup(TyperGroup):
    """Knows the names of its commands, and loads the one that is asked for."""

    def __init__(self, **attributes: Any) -> None:
        """Begin with the names, which are suggested where one is misspelt."""
        super().__init__(**attributes)
        self.commands = dict.fromkeys(NAMES)  # type: ignore[assignment]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, or None."""
        return load(cmd_name) if cmd_name in NAMES else None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write a page that needs none of them."""
        formatter.write(help_page() + "\n")


class _Plain:
    """Shows no Python types in its help, and its help option beside those of reporting."""

    def get_params(self, ctx: Any) -> Any:
        """All parameters, as the help shows them."""
        parameters: Any = super().get_params(ctx)  # type: ignore[misc]
        panels = {getattr(parameter, "rich_help_panel", None) for parameter in parameters}
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = lambda ctx: None
            elif parameter.name == "help":
                parameter.metavar, parameter.help = "", "Show this help."
                parameter.rich_help_panel = REPORTING if REPORTING in panels else None
        return parameters


class _PlainCommand(_Plain, TyperCommand):
    """A command."""


class _PlainGroup(_Plain, TyperGroup):
    """A group of commands."""


app = typer.Typer(name="mpt", cls=LazyGroup, **_LOOKS)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Many clips in, one verified reel out."""
    if version:
        typer.echo(f"mpt {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(front_page())
        raise typer.Exit


def function_of(entry: Entry) -> Callable[..., int]:
    """The function of a command: in the module of its first word, by the name of its last."""
    function: Callable[..., int] = getattr(import_module(f"mpt_cli.cli.commands.{entry.words[0]}"), entry.words[-1])
    return function


def load(name: str) -> Any:
    """The command, or the group of commands, that this word names."""
    tree = typer.Typer(name=name, **_LOOKS)
    for entry in COMMANDS:
        if entry.words[0] == name:
            function = function_of(entry)
            tree.command(entry.words[-1], cls=_PlainCommand, help=_text(function), epilog=_examples(entry))(function)
    if name in GROUPS:
        described = f"{GROUPS[name].capitalize()}."
        tree.callback(cls=_PlainGroup, invoke_without_command=True, help=described)(_help_of_group)
    return get_command(tree)


def _help_of_group(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def _text(function: Callable[..., int]) -> str:
    """What a docstring says, each paragraph in one line and without markup, as typer shows it well."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ").replace("[", "\\[") for paragraph in paragraphs)


def _examples(entry: Entry) -> str:
    """The examples of a command as the help shows them."""
    longest = max(len(line) for line, text in entry.examples if text or len(entry.examples) == 1)
    lines = [f"{line:<{longest}}  [dim]# {text}[/dim]" if text else line for line, text in entry.examples]
    return "\n".join(["[bold]Examples[/bold]", *lines])

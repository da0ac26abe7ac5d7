"""Command tree of typer; the module of a command is loaded only when the command is used."""

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
    "suggest_commands": False,  # see mpt_cli.cli.misspellings
}


class LazyGroup(TyperGroup):
    """Group that lists the names of its commands and loads only the one in use."""

    def __init__(self, **attributes: Any) -> None:
        """Create the group with all names, which typer suggests for a misspelt one."""
        super().__init__(**attributes)
        self.commands = dict.fromkeys(NAMES)  # type: ignore[assignment]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        return load(cmd_name) if cmd_name in NAMES else None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help page without loading a command."""
        formatter.write(help_page() + "\n")


class _Plain:
    """Help without Python types, with ``--help`` among the options of reporting."""

    def get_params(self, ctx: Any) -> Any:
        """Return all parameters as the help shows them."""
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
    """Command with plain help."""


class _PlainGroup(_Plain, TyperGroup):
    """Group of commands with plain help."""


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
    """Return the function of a command: its last word, in the module of its first word."""
    function: Callable[..., int] = getattr(import_module(f"mpt_cli.cli.commands.{entry.words[0]}"), entry.words[-1])
    return function


def load(name: str) -> Any:
    """Return the command or the group of commands with this name."""
    tree = typer.Typer(name=name, **_LOOKS)
    for entry in COMMANDS:
        if entry.words[0] == name:
            function = function_of(entry)
            tree.command(entry.words[-1], cls=_PlainCommand, help=_help_text(function), epilog=_examples(entry))(
                function
            )
    if name in GROUPS:
        described = f"{GROUPS[name].capitalize()}."
        tree.callback(cls=_PlainGroup, invoke_without_command=True, help=described)(_help_of_group)
    return get_command(tree)


def _help_of_group(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def _help_text(function: Callable[..., int]) -> str:
    """Return the docstring with one line per paragraph and without markup, as typer expects it."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ").replace("[", "\\[") for paragraph in paragraphs)


def _examples(entry: Entry) -> str:
    """Return the examples of a command as the help shows them."""
    longest = max(len(line) for line, text in entry.examples if text or len(entry.examples) == 1)
    lines = [f"{line:<{longest}}  [dim]# {text}[/dim]" if text else line for line, text in entry.examples]
    return "\n".join(["[bold]Examples[/bold]", *lines])

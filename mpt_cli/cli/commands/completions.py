"""Command ``mpt completions``: the completion script of a shell."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import Annotated

import typer


class Shell(StrEnum):
    """Shells that have a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completions(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.", show_default=False)],
    *,
    of: Annotated[list[str] | None, typer.Option("--of", hidden=True)] = None,
) -> int:
    """Print a shell's completion script: commands, options, values, names of jobs and of runs.

    Create the folder of the target file first, with mkdir -p.
    """
    if shell in ("jobs", "workflows"):  # how the scripts ask: mpt completions jobs --of week.toml
        from mpt_cli.cli.shell.names import names

        typer.echo("\n".join(names(shell, of or [])))
        return 0
    from mpt_cli.cli.options import chosen

    typer.echo(script(Shell(chosen(shell, list(Shell), "SHELL"))), nl=False)
    return 0


def script(shell: Shell) -> str:
    """Return the completion script of a shell, generated from the command tree."""
    text: str = import_module(f"mpt_cli.cli.shell.{shell}").script()
    return text

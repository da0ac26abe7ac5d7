"""``mpt completions``: the completion script of a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

COMPLETE_VARIABLE = "_MPT_COMPLETE"
"""Set by the script: mpt then says what may come next on a command line instead of running it."""


class Shell(StrEnum):
    """Shells that a script is made for."""

    BASH = "bash"


def completions(shell: Annotated[Shell, typer.Argument(help="The shell to make it for.")]) -> int:
    """Print a shell's completion script.

    Example: mpt completions bash > ~/.local/share/bash-completion/completions/mpt
    """
    typer.echo(script(shell))
    return 0


def script(shell: Shell) -> str:
    """The completion script of a shell; it asks mpt itself what comes next."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # no public name

    return get_completion_script(prog_name="mpt", complete_var=COMPLETE_VARIABLE, shell=shell.value)


def know_shells() -> None:
    """Let typer answer what the script asks; by itself it does so only with its own options to install one."""
    from typer.completion import completion_init  # type: ignore[attr-defined]  # no public name

    completion_init()

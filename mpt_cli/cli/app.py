"""The command tree."""

from __future__ import annotations

from typing import Annotated

import typer

from mpt_cli import __version__
from mpt_cli.cli.batch import batch
from mpt_cli.cli.cache import cache
from mpt_cli.cli.completions import completions
from mpt_cli.cli.concat import concat
from mpt_cli.cli.health import health
from mpt_cli.cli.process import process
from mpt_cli.cli.report import report
from mpt_cli.cli.validate import validate

app = typer.Typer(
    name="mpt",
    help="Many clips in, one verified reel out.",
    epilog="Exit codes: 0 done, 1 bug, 2 usage, 3 unusable input, 4 failed, 5 partial,"
    " 6 dependency missing, 7 out of memory or disk, 130 and 143 stopped.",
    no_args_is_help=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, metavar="")] = False,
) -> None:
    """Many clips in, one verified reel out."""
    if version:
        typer.echo(f"mpt {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


for command in (validate, process, batch, concat, health, cache, report, completions):
    app.command(no_args_is_help=False)(command)

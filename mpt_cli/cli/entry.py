"""Entry point of the program; loads what a failure needs only once there is one, so that help starts quickly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        Path.cwd().stat()
    except OSError as error:
        from mpt_cli.cli.failures import answer_without_folder

        return answer_without_folder(arguments, error)
    try:
        return int(app(list(arguments), prog_name="mpt", standalone_mode=False) or 0)
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        from mpt_cli.cli.failures import answer_failure

        return answer_failure(arguments, error)

"""Answer of ``mpt report list``: earlier runs and batches, one a line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.batch import STATUS_STYLES
from mpt_cli.display.answers.summary import say, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.formatting import MISSING, escape, seconds_text
from mpt_cli.model.results import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.model.run_record import ListedRun

_COLUMNS = (
    Column("started (UTC)"),
    Column("run"),
    Column("command"),
    Column("status"),
    Column("time", right=True),
    Column("output", least=16, middle=True),
    Column("code", drop=1),
)


def show_list(out: Console, lines: Sequence[ListedRun]) -> None:
    """Write one row per run or batch, newest first."""
    if not lines:
        say(out, Text("no run was recorded yet"))
        return
    for line in table_lines(_COLUMNS, [_cells(line) for line in lines], table_width(out)):
        say(out, line)


def _cells(line: ListedRun) -> list[Cell]:
    style = STATUS_STYLES[line.status]
    return [
        Cell(f"{line.started_at:%Y-%m-%d %H:%M:%S}", "dim"),
        Cell(line.workflow_id[:8]),
        Cell(escape(line.command)),
        Cell("up to date" if line.unchanged else str(line.status), style),
        Cell(seconds_text(line.elapsed_seconds)),
        Cell(_output(line)),
        Cell(MISSING if line.code is None else str(line.code), "dim"),
    ]


def _output(line: ListedRun) -> str:
    """Return the output relative to the current folder, if it is in it, or the jobs of a batch."""
    if line.jobs is not None:
        good = sum(job.status is RunStatus.SUCCESS for job in line.jobs)
        return f"{good} of {len(line.jobs)} succeeded"
    if line.output_path is None:
        return MISSING
    with suppress(OSError, ValueError):  # the current folder is gone, or the output is elsewhere
        return escape(str(line.output_path.relative_to(Path.cwd())))
    return escape(str(line.output_path))

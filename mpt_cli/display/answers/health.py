"""Answer of ``mpt health``: one row per check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.summary import say, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.errors import Issue
from mpt_cli.model.formatting import MISSING, escape

if TYPE_CHECKING:
    from rich.console import Console

    from mpt_cli.model.health import CurrentMetrics, HealthCheck, HealthStatus
    from mpt_cli.reporting.documents.answers import HealthData, LoadData

_COLUMNS = (Column(""), Column("check"), Column("found", least=16))


def health_data(status: HealthStatus) -> HealthData:
    """Return ``data`` of ``mpt health``."""
    return {
        "healthy": status.healthy,
        "checks": [
            {
                "name": check.name,
                "healthy": check.healthy,
                "required": check.required,
                "detail": check.detail,
                "hint": check.hint,
            }
            for check in status.checks
        ],
        "memory_usage_percent": round(status.memory_usage_percent, 2),
        "performance": _performance(status.performance),
    }


def _performance(metrics: CurrentMetrics) -> LoadData:
    return {
        "active_workflows": metrics.active_workflows,
        "cpu_percent": metrics.cpu_percent,
        "memory_percent": metrics.memory_percent,
        "gpu_percent": metrics.gpu_percent,
        "throughput_clips_per_minute": metrics.throughput_clips_per_minute,
    }


def problems_of(status: HealthStatus, *, required: bool) -> list[Issue]:
    """Return an issue for each failed check that is required, or for each failed one that is not."""
    return [
        Issue(check.code, f"{check.name}: {check.detail}", hint=check.hint)
        for check in status.checks
        if not check.healthy and check.required is required
    ]


def show_health(out: Console, status: HealthStatus) -> None:
    """Write one row per check, full details and hints of failed ones, then the load and the verdict."""
    lines = table_lines(_COLUMNS, [_cells(check) for check in status.checks], table_width(out))
    for line, check in zip(lines[1:], status.checks, strict=True):
        say(out, line)
        if not check.healthy and (whole := escape(check.detail)) not in line.plain:
            say(out, Text(f"      {whole}"), words=True)
        if not check.healthy and check.hint:
            say(out, Text(f"      hint: {escape(check.hint)}", "dim"), words=True)
    say(out, Text())
    say(out, Text(_load(status), "dim"))
    if status.healthy:
        say(out, Text("healthy: all that is required works", "bold green"))
    else:
        say(out, Text("not healthy: something that is required does not work", "bold red"))


def _load(status: HealthStatus) -> str:
    """Return the current load of the machine as text."""
    load = {"cpu": status.performance.cpu_percent, "gpu": status.performance.gpu_percent}
    shown = [f"{name} {MISSING if percent is None else f'{percent:.0f}%'}" for name, percent in load.items()]
    return f"load: {', '.join(shown)}, memory {status.memory_usage_percent:.0f}% of the budget"


def _cells(check: HealthCheck) -> list[Cell]:
    mark, style = ("ok", "green") if check.healthy else ("bad", "bold red") if check.required else ("no", "yellow")
    return [Cell(mark, style), Cell(check.name), Cell(escape(check.detail), "" if check.healthy else style)]

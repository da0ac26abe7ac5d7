"""Runs of commands in turns: wall time, CPU time and peak memory of all processes, and the table of them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Contenders = Mapping[str, Callable[[], "Cost"]]

SAMPLE_SECONDS = 0.1
SIZE = "1080x1920"
HOMES = ("CACHE", "CONFIG", "DATA", "STATE")
_ENVIRONMENT = "PYTHONWARNINGS"


class RunError(Exception):
    """A command that a benchmark measures did not succeed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one run; the memory is that of all its processes at the same moment."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """Costs of a contender over all rounds; ratios are medians of the ratios within each round."""

    name: str
    seconds: float
    ratio: float
    spread: float
    cpu_seconds: float
    cpu_ratio: float
    peak_bytes: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a benchmark: the exit code, and the figures for the JSON file."""

    code: int
    figures: object


def run(*command: str | Path, home: Path | None = None, cwd: Path | None = None) -> Cost:
    """Run a command to its end; with ``home``, mpt has no other cache and settings than that folder.

    Raises:
        RunError: The command ended with another exit code than 0.
    """
    environment = os.environ | {_ENVIRONMENT: "ignore"}
    if home is not None:
        environment |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in HOMES}
    argv, started = list(map(str, command)), time.perf_counter()
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, cwd=cwd)
    with _Peak(process.pid) as peak:
        _, status, usage = os.wait4(process.pid, 0)  # children that the process waited for are included
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RunError(f"exit code {process.returncode}: {' '.join(argv[:8])} …")
    # A process that ended before the first sample has at least the peak that the system counted.
    own = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, max(peak.bytes, own))


class _Peak:
    """Samples the memory of a process and all its descendants in a thread; shared pages count in each."""

    def __init__(self, pid: int) -> None:
        self._pid, self._ended, self.bytes = pid, threading.Event(), 0
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        with suppress(psutil.Error):
            process = psutil.Process(self._pid)
            while not self._ended.wait(SAMPLE_SECONDS):
                self.bytes = max(self.bytes, sum(map(_resident, [process, *process.children(recursive=True)])))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def in_turns(contenders: Contenders, rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of each contender; every round begins with another one, and who fails is left out."""
    names = list(contenders)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name not in costs:
                continue
            try:
                costs[name].append(contenders[name]())
            except RunError as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
                del costs[name]
    return costs


def rows_of(costs: Mapping[str, Sequence[Cost]], base: str) -> list[Row]:
    """Return a row for each contender; ratios are to the one named ``base``.

    Raises:
        RunError: The base itself has no costs.
    """
    if base not in costs:
        raise RunError(f"{base} failed, and everything is compared with that")
    rows = []
    for name, runs in costs.items():
        pairs = list(zip(runs, costs[base], strict=True))
        seconds = [each.seconds for each in runs]
        rows.append(
            Row(
                name,
                median(seconds),
                median(each.seconds / other.seconds for each, other in pairs),
                spread(seconds),
                median(each.cpu_seconds for each in runs),
                median(each.cpu_seconds / other.cpu_seconds for each, other in pairs),
                median(each.peak_bytes for each in runs),
            )
        )
    return rows


def spread(values: Sequence[float]) -> float:
    """Return how far the largest and the smallest value are apart, as a share of the median."""
    return (max(values) - min(values)) / median(values)


def table(rows: Sequence[Row], base: str) -> str:
    """Return the rows as a Markdown table."""
    cells = [
        (
            row.name,
            f"{row.seconds:.2f}",
            f"{row.ratio:.2f}",
            f"{row.spread:.0%}",
            f"{row.cpu_seconds:.2f}",
            f"{row.cpu_ratio:.2f}",
            f"{row.peak_bytes / 2**20:.0f}",
        )
        for row in rows
    ]
    return markdown(("", "wall s", f"wall, {base} = 1", "spread", "CPU s", f"CPU, {base} = 1", "peak MiB"), cells)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Return a Markdown table whose first ``words`` columns are text and whose others are numbers."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def machine() -> dict[str, str]:
    """Return what figures depend on: the processor, cores, load before the run, and versions."""
    return {
        "processor": _processor(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
    }


def version_of(*command: str | Path) -> str:
    """Return the first line that a program says about its version, or a word that there is none."""
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0].partition(" Copyright")[0]


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

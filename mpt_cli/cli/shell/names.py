"""Changing names for completion scripts: jobs in files, and earlier runs.

The user waits at the keyboard meanwhile, so this is quick, and silent on errors.
"""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.cli.catalog import REPORT_WORDS
from mpt_cli.model.errors import MptError
from mpt_cli.model.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_RUNS = 20


def names(which: str, files: Sequence[str]) -> list[str]:
    """Return the names of all jobs in these files, or the latest workflows; an empty list on any error."""
    with suppress(OSError, ValueError, RecursionError, MptError):
        if which == "jobs":
            return [name for file in files for name in _jobs(Path(file)) if name.isprintable()]
        return [*REPORT_WORDS, *_workflows()]
    return []


def _jobs(path: Path) -> Iterable[str]:
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        return []
    jobs = tomllib.loads(path.read_text(encoding="utf-8")).get("job", [])
    return [str(job.get("name", f"job {number}")) for number, job in enumerate(jobs, 1) if isinstance(job, dict)]


def _workflows() -> list[str]:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    history = ModuleFactory(Settings.load()).history
    return [] if history is None else history.ids(_MOST_RUNS)

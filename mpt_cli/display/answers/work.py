"""Answer of ``mpt work``: what became of one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers import summary
from mpt_cli.model.formatting import path_text, tenths_text
from mpt_cli.reporting.envelope import seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.task import TaskEnd
    from mpt_cli.reporting.documents.answers import WorkData


def work_data(end: TaskEnd) -> WorkData:
    """Return ``data`` of ``mpt work``."""
    segment = end.task.segment
    return {
        "key": end.task.key,
        "path": str(end.task.clip.path),
        "tracks": end.task.tracks,
        "first_frame": segment.first_frame,
        "frames": segment.frames,
        "created": end.created,
        "stored": end.stored,
        "elapsed_seconds": seconds_of(end.elapsed_seconds),
        "peak_memory_bytes": end.peak_memory_bytes,
    }


def show_work(out: Console, err: Console, end: TaskEnd, warnings: Sequence[Issue]) -> None:
    """Write what became of the step, then its warnings."""
    if not end.created:
        what = "is in the cache already"
    elif end.stored:
        what = f"is in the cache, after {tenths_text(end.elapsed_seconds)}"
    else:
        what = "has warnings, and is left to the run"
    segment = end.task.segment
    of = f"{path_text(end.task.clip.path)}, frames {segment.first_frame} to {segment.first_frame + segment.frames - 1}"
    summary.say(out, Text(f"{of}: {what}"))
    summary.show_issues(err, warnings, level="warning")

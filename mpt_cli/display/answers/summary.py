"""Answer of ``process`` and ``concat`` for people: the summary on stdout, issues on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.display.base import columns_is_set
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.formatting import (
    MISSING,
    counted,
    escape,
    exact_seconds_text,
    path_text,
    seconds_text,
    size_text,
    tenths_text,
)
from mpt_cli.model.left_out import by_folder, left_out_text
from mpt_cli.model.loudness import loudness_text
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.reporting.summaries import encoded_of_copied, failed_first, fates_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.left_out import LeftOut
    from mpt_cli.model.results import ClipResult, OutputInfo, PerformanceReport, VideoResult

MOST_ROWS, LEAST_ROWS = 60, 8
"""Limits for the rows of clips on a terminal, so that the whole summary fits the screen; a pipe gets all rows."""
_LINES_AROUND = 14
"""Lines of a screen beside the rows of clips: the output and its images above, the totals and the prompt below."""
_REASONS_SHOWN = 2

_LEVEL_STYLES = {"error": "bold red", "warning": "bold yellow"}
_STATUS_STYLES = {ClipStatus.FAILED: "red", ClipStatus.SKIPPED: "yellow", ClipStatus.NOT_RUN: "dim"}
_HEADLINES = {
    RunStatus.SUCCESS: ("nothing was made", "bold"),
    RunStatus.PARTIAL: ("no reel was made", "bold yellow"),
    RunStatus.ERROR: ("no reel was made", "bold red"),
    RunStatus.CANCELLED: ("stopped, no reel was made", "bold yellow"),
    RunStatus.SKIPPED: ("not begun, no reel was made", "dim"),
}
_CLIP_COLUMNS = (
    Column("#", right=True),
    Column("clip", least=16, middle=True),
    Column("action"),
    Column("reason", least=12, drop=1),
    Column("start", right=True),
    Column("length", right=True),
    Column("time", right=True, drop=3),
    Column("memory", right=True, drop=2),
    Column("gain", right=True),
)
_PREDICTION_COLUMNS = (Column(""), Column("predicted", right=True), Column("came", right=True))
_START, _GAIN = 4, 8


def show_result(out: Console, err: Console, result: VideoResult, *, verbose: bool = False) -> None:
    """Write the summary of ``process`` or ``concat`` to ``out``, its warnings and errors to ``err``.

    ``verbose`` adds a comparison of the predicted costs with the measured ones.
    """
    if result.code is IssueCode.VALIDATION_FAILED:
        _show_refusal(err, result)
        return
    if result.output is not None and result.unchanged:
        say(out, Text(f"{escape(result.output.path.name)} is up to date, nothing was done", "bold green"))
        show_left_out(out, result.left_out)
        show_issues(err, result.warnings, level="warning")
        return
    if result.output is not None:
        _show_output(out, result.output, partial=result.status is RunStatus.PARTIAL)
    else:
        say(out, Text(*_HEADLINES[result.status]))
    if result.clips:
        say(out, Text())
        show_clips(out, result)
    show_left_out(out, result.left_out)
    say(out, Text())
    say(out, Text(_totals(result)), words=True)
    if verbose and result.metrics is not None and result.metrics.predicted is not None:
        say(out, Text())
        for line in table_lines(_PREDICTION_COLUMNS, _prediction_rows(result.metrics, result.output), table_width(out)):
            say(out, line)
    for level, issues in (("warning", result.warnings), ("error", result.errors)):
        show_issues(err, issues, level=level)


def _show_refusal(err: Console, result: VideoResult) -> None:
    """Write each problem found before any work, then the total if it adds something to a single problem."""
    *problems, total = result.errors
    show_issues(err, result.warnings, level="warning")
    show_issues(err, problems)
    if len(problems) != 1 or total.hint:
        show_issue(err, total)


def show_left_out(out: Console, entries: Iterable[LeftOut]) -> None:
    """Write what the folders of the clips hold beside them, one line for each folder."""
    folders = by_folder(entries)
    for folder, of_folder in folders:
        where = f"{path_text(folder)}: " if len(folders) > 1 else ""
        say(out, Text(f"{where}{escape(left_out_text(of_folder))}", "dim"))


def show_issues(err: Console, issues: Iterable[Issue], *, level: str = "error", job: str | None = None) -> None:
    """Write each issue with :func:`show_issue`."""
    for issue in issues:
        show_issue(err, issue, level=level, job=job)


def show_hidden_count(err: Console, hidden: int) -> None:
    """Write the number of issues that are not shown."""
    say(err, Text(f"and {hidden} more; --json lists all", "dim"))


def show_issue(err: Console, issue: Issue, *, level: str = "error", job: str | None = None) -> None:
    """Write ``error: PATH: message (code)`` and the hint below it.

    Before both the name of the job, in a batch.
    """
    line = Text.assemble((f"{level}: ", _LEVEL_STYLES.get(level, "bold")))
    if job is not None:
        line.append(f"{escape(job)}: ")
    line.append_text(issue_text(issue, with_path=True))
    say(err, line, words=True)
    if issue.hint:
        say(err, Text.assemble(("  hint: ", "bold"), escape(issue.hint)), words=True)


def issue_text(issue: Issue, *, with_path: bool) -> Text:
    """Return ``PATH: message (code)``; without the path where the line above names the file."""
    return Text.assemble(issue.text() if with_path else escape(issue.message), (f" ({issue.code})", "dim"))


def say(console: Console, line: Text, *, words: bool = False) -> None:
    """Write one line without cutting it; a terminal wraps it, between words if ``words``."""
    console.print(line, soft_wrap=not (words and console.is_terminal))


def table_width(console: Console) -> int | None:
    """Return the greatest width of a table in cells: of the terminal or ``COLUMNS``; None for any width in a pipe."""
    return console.width if console.is_terminal or columns_is_set() else None


def _show_output(out: Console, output: OutputInfo, *, partial: bool) -> None:
    name = escape(output.path.name)
    if partial:
        say(out, Text(f"{name} is ready, without the clips that failed", "bold yellow"))
    else:
        say(out, Text(f"{name} is ready", "bold green"))
    facts = (
        ("path", path_text(output.path)),
        ("size", f"{size_text(output.size_bytes)}, {output.container} with {output.video_codec}, {output.audio_codec}"),
        ("length", f"{exact_seconds_text(output.duration)}, {counted(output.frames, 'frame')}"),
        ("video", output.video),
        ("audio", output.audio),
        *(("loudness", loudness_text(loudness)) for loudness in (output.loudness,) if loudness is not None),
        *(("sheet", path_text(path)) for path in (output.contact_sheet,) if path is not None),
        *(("poster", path_text(path)) for path in (output.poster,) if path is not None),
    )
    for label, value in facts:
        say(out, Text.assemble((f"  {label:<9}", "dim"), value))


def show_clips(out: Console, result: VideoResult) -> None:
    """Write one row per clip, on a terminal only the most important ones.

    Where the reel has another order than the request, they are sorted as in the reel, with the start time of each.
    """
    clips = list(result.clips)
    starts = [clip.start for clip in clips if clip.start is not None]
    reordered = result.seed is not None or starts != sorted(starts)
    if reordered:
        clips.sort(key=lambda clip: (clip.start is None, clip.start))
    room = min(max(out.height - _LINES_AROUND, LEAST_ROWS), MOST_ROWS)
    shown = failed_first(clips, room) if out.is_terminal else clips
    without = {_START} if not reordered else set[int]()
    without |= set() if any(clip.loudness and clip.loudness.gain_db for clip in clips) else {_GAIN}
    columns = [column for column in range(len(_CLIP_COLUMNS)) if column not in without]
    rows = [[cells[column] for column in columns] for cells in map(_clip_cells, shown)]
    for line in table_lines([_CLIP_COLUMNS[column] for column in columns], rows, table_width(out)):
        say(out, line)
    if len(shown) < len(clips):
        say(out, Text(f"and {counted(len(clips) - len(shown), 'clip')} more; --json lists all", "dim"))


def _clip_cells(clip: ClipResult) -> list[Cell]:
    style = _STATUS_STYLES.get(clip.status, "")
    processed = clip.status is ClipStatus.PROCESSED
    action = str(clip.action or MISSING) if processed else str(clip.status).replace("_", " ")
    reason = brief_reasons(clip.reasons) if processed or clip.error is None else clip.error.code
    return [
        Cell(str(clip.index + 1), "dim"),
        Cell(escape(clip.path.name), style),
        Cell(action, style),
        Cell(escape(reason) or MISSING, style or "dim"),
        Cell(tenths_text(clip.start)),
        Cell(tenths_text(clip.duration)),
        Cell(seconds_text(clip.elapsed_seconds), "dim"),
        Cell(size_text(clip.peak_memory_bytes), "dim"),
        Cell(f"{clip.loudness.gain_db:+.1f} dB" if clip.loudness and clip.loudness.gain_db else MISSING),
    ]


def _prediction_rows(metrics: PerformanceReport, output: OutputInfo | None) -> list[list[Cell]]:
    """Return rows of predicted and measured costs."""
    predicted = metrics.predicted
    assert predicted is not None
    size = output.size_bytes if output is not None else None
    rows = (
        ("memory", size_text(predicted.memory_peak_bytes), size_text(metrics.memory_peak_bytes)),
        ("temporary files", size_text(predicted.temporary_bytes), size_text(metrics.temporary_bytes)),
        ("reel", size_text(predicted.output_bytes), size_text(size)),
        ("time", seconds_text(predicted.total_duration_seconds), seconds_text(metrics.total_duration_seconds)),
    )
    return [[Cell(name), Cell(said, "dim"), Cell(came)] for name, said, came in rows]


def brief_reasons(reasons: Sequence[str]) -> str:
    """Return the first reasons and the count of the others, as text; JSON has all of them."""
    shown = ", ".join(reasons[:_REASONS_SHOWN])
    return f"{shown}, +{len(reasons) - _REASONS_SHOWN}" if len(reasons) > _REASONS_SHOWN else shown


def _totals(result: VideoResult) -> str:
    """Return the totals: results of the clips, method of the join, costs."""
    fates = fates_of(result.clips)
    parts = [counted(len(result.clips), "clip") + (f": {', '.join(fates)}" if fates else "")]
    parts[0] += encoded_of_copied(result.clips)
    if (join := result.concatenation) is not None:
        how = "no frame encoded twice" if join.stream_copy else "all frames encoded again"
        why = f"; {escape(join.fallback_reason)}" if join.fallback_reason else ""
        parts.append(f"joined by {join.method} ({how}{why})")
    if (metrics := result.metrics) is not None:
        parts.append(f"{seconds_text(metrics.total_duration_seconds)} in all")
        if metrics.memory_peak_bytes is not None:
            parts.append(f"peak memory {size_text(metrics.memory_peak_bytes)}")
    if result.seed is not None:
        parts.append(f"seed {result.seed}")
    return "\n".join(parts) if len(parts) == 1 else f"{parts[0]}\n{', '.join(parts[1:])}"

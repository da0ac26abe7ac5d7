"""Layout of the panel: rows of clips that fit the terminal, notices, and totals. Pure functions.

The cost grows with the height of the terminal and the running clips, not with the number of clips.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.panel.rows import clip_row, grid, label_row, text_row
from mpt_cli.display.run_lines import Phase
from mpt_cli.display.text import shorten
from mpt_cli.model.formatting import counted, rounded_text, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.display.panel.rows import Glyphs, Grid
    from mpt_cli.display.progress import RunProgress
    from mpt_cli.display.run_lines import ClipLine, Rows

_RECENT = 5
_MOST_NOTICES = 3


def panel_lines(
    progress: RunProgress, *, width: int, height: int, glyphs: Glyphs, stopping: bool = False
) -> list[Text]:
    """Return the lines of the panel: fewer than ``height``, each narrower than ``width`` cells."""
    columns = grid(width, total_clips=progress.total_clips, longest_name=progress.longest_name)
    # One line stays free: erasing a panel as high as the terminal would leave its first line.
    room = max(1, height - 1)
    footer = _footer(progress, columns, glyphs, stopping=stopping)[:room]
    notices = _notice_lines(progress, columns, glyphs, min(_MOST_NOTICES, (room - len(footer)) // 4))
    rows = _clip_lines(progress, columns, glyphs, room - len(footer) - len(notices) - 1)
    body = [*rows, *notices]
    return [*body, *([Text("")] if body else []), *footer]


def _clip_lines(progress: RunProgress, columns: Grid, glyphs: Glyphs, room: int) -> list[Text]:
    if room < 1:
        return []
    rows, total = progress.rows, progress.total_jobs or progress.total_clips
    shown = len(rows.running) + len(rows.finished) + len(rows.failed)
    if shown == rows.ended_count + len(rows.running) and max(shown, total) <= room:
        everything = [*rows.finished, *rows.failed, *rows.running.values()]
        return _rows(sorted(everything, key=lambda clip: clip.index), columns, glyphs)
    return _selected_lines(rows, columns, glyphs, room)


def _selected_lines(rows: Rows, columns: Grid, glyphs: Glyphs, room: int) -> list[Text]:
    """Select rows: failures first, because they must stay visible, then running clips, then the last finished."""
    third = max(1, room // 3) if rows.failed_count else 0
    failed = _bounded(list(rows.failed), rows.failed_count, third, "failed", columns, glyphs)
    active = list(rows.running.values())
    running = _bounded(active, len(active), room - len(failed), "running", columns, glyphs, newest=False)
    # The same number of lines however many clips run: the totals below keep their position.
    left = min(_RECENT + rows.most_running - len(running), room - len(failed) - len(running))
    recent = _rows(list(rows.finished)[-left:], columns, glyphs) if left > 0 else []
    return [*failed, *recent, *running]


def _bounded(
    clips: Sequence[ClipLine], count: int, room: int, word: str, columns: Grid, glyphs: Glyphs, *, newest: bool = True
) -> list[Text]:
    """Return rows of the newest (or first) clips; if not all fit, one line counts the hidden ones."""
    if count <= room:
        return _rows(clips, columns, glyphs)
    if room < 2:  # the totals have the count; a name is more useful
        return _rows(clips[-1:], columns, glyphs)[: max(0, room)]
    part = clips[1 - room :] if newest else clips[: room - 1]
    more = text_row(f"{glyphs.ellipsis} and {count - len(part)} more {word}", columns, glyphs, style="dim")
    return [more, *_rows(part, columns, glyphs)] if newest else [*_rows(part, columns, glyphs), more]


def _rows(clips: Sequence[ClipLine], columns: Grid, glyphs: Glyphs) -> list[Text]:
    return [clip_row(clip, columns, glyphs) for clip in clips]


def _notice_lines(progress: RunProgress, columns: Grid, glyphs: Glyphs, room: int) -> list[Text]:
    if room < 1:
        return []
    lines = [
        text_row(
            f"{glyphs.notice} {notice.text(name_only=True)} ({notice.code})",
            columns,
            glyphs,
            style="red" if notice.level == "error" else "yellow",
        )
        for notice in list(progress.notices)[-room:]
    ]
    hidden = progress.warning_count - len(lines)
    if hidden and len(lines) == room and room > 1:
        lines[0] = text_row(
            f"{glyphs.notice} {counted(hidden + 1, 'earlier warning')}", columns, glyphs, style="yellow"
        )
    if progress.info is not None and len(lines) < room:
        lines.append(text_row(f"  {progress.info.text()}", columns, glyphs, style="dim"))
    return lines


def _footer(progress: RunProgress, columns: Grid, glyphs: Glyphs, *, stopping: bool) -> list[Text]:
    overall = progress.overall()
    verb = "stopping" if stopping else overall.phase.verb
    left = "" if overall.time_left is None or stopping else f"{rounded_text(overall.time_left)} left"
    style = "yellow" if stopping else "green"
    lines = [label_row(_label(progress, verb, columns), overall.share, left, columns, glyphs, style=style)]
    if progress.resources is not None:
        lines.append(_memory_row(progress, columns, glyphs))
    lines.append(text_row(_facts(progress, columns), columns, glyphs, style="dim"))
    return lines


def _label(progress: RunProgress, verb: str, columns: Grid) -> str:
    count = f"{verb}  {progress.clips.ended_count} of {progress.total_clips}"
    room = columns.prefix - 1 + columns.name
    if progress.total_jobs is not None:
        verb = "working" if verb in (Phase.ENCODING.verb, Phase.CHECKING.verb) else verb
        return f"{verb}  {progress.jobs.ended_count} of {counted(progress.total_jobs, 'job')}"
    if verb == Phase.CHECKING.verb:
        return f"{verb}  {counted(progress.total_clips, 'clip')}" if progress.total_clips else "starting"
    if verb == Phase.PICTURES.verb:
        return verb
    return f"{count} clips" if len(count) + 6 <= room else count


def _memory_row(progress: RunProgress, columns: Grid, glyphs: Glyphs) -> Text:
    sample = progress.resources
    assert sample is not None
    share = sample.memory_bytes / sample.budget_bytes if sample.budget_bytes > 0 else None
    style = "red" if (share or 0) > 0.95 else "yellow" if (share or 0) > 0.8 else "blue"
    label = f"memory  {size_text(sample.memory_bytes)}"
    budget = f"of {size_text(sample.budget_bytes)}"
    if not columns.speed:
        label, budget = f"{label} {budget}", ""
    return label_row(label, share, budget, columns, glyphs, style=style)


def _facts(progress: RunProgress, columns: Grid) -> str:
    """Return the facts that fit whole, the most important first."""
    sample = progress.resources
    clips = progress.clips
    batch = progress.total_jobs is not None
    elapsed = f"{rounded_text(progress.elapsed_seconds)} so far"
    facts = [
        # The line above counts jobs, so this one names its unit.
        f"{clips.ended_count} of {counted(progress.total_clips, 'clip')}" if batch else "",
        f"{clips.failed_count} failed" if clips.failed_count else "",
        f"{progress.invalid_count} unusable" if progress.invalid_count else "",
        *(() if batch else (elapsed,)),
        f"{len(clips.running)} running" if clips.running else "",
        f"{progress.waiting_count} waiting" if progress.waiting_count else "",
        *((elapsed,) if batch else ()),
        counted(progress.warning_count, "warning") if progress.warning_count else "",
        f"cpu {sample.cpu_percent:.0f}%" if sample else "",
        f"disk {size_text(sample.free_disk_bytes)} free" if sample and sample.free_disk_bytes is not None else "",
    ]
    line = ""
    for fact in filter(None, facts):
        longer = f"{line}, {fact}" if line else fact
        if len(longer) + 1 > columns.usable:
            break
        line = longer
    return shorten(line, columns.usable - 1, mark="")

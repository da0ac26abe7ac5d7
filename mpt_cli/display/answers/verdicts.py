"""Answer of ``mpt validate``: one row per clip, with its problems below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mpt_cli.display.answers.summary import issue_text, say, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.formatting import MISSING, counted, escape, path_text, rate_text, tenths_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import FileValidationResult

_MARKS = {"ok": "green", "warning": "yellow", "bad": "bold red"}
_COLUMNS = (
    Column(""),
    Column("clip", least=16, middle=True),
    Column("format", least=8, drop=2),
    Column("video", least=9),
    Column("fps", right=True),
    Column("length", right=True),
    Column("audio", drop=1),
)


def show_validation(out: Console, files: Sequence[FileValidationResult]) -> None:
    """Write the verdict on each file, its problems below, and the totals."""
    titles, *lines = table_lines(_COLUMNS, [_cells(file) for file in files], table_width(out))
    if files:
        say(out, titles)
    for file, line in zip(files, lines, strict=True):
        say(out, line)
        for level, issues in (("error", file.errors), ("warning", file.warnings)):
            for issue in issues:
                _show_problem(out, issue, level)
        if file.copy_obstacles:
            said = f"    concat does not copy it: {'; '.join(file.copy_obstacles)}"
            say(out, Text(escape(said), "dim"), words=True)
    if files:
        say(out, Text())
    say(out, _totals(files))


def _show_problem(out: Console, issue: Issue, level: str) -> None:
    style = "red" if level == "error" else "yellow"
    say(out, Text.assemble((f"    {level}: ", style), issue_text(issue, with_path=False)), words=True)
    if issue.hint:
        say(out, Text(f"      hint: {escape(issue.hint)}", "dim"), words=True)


def _cells(file: FileValidationResult) -> list[Cell]:
    verdict = "bad" if file.errors else "warning" if file.warnings else "ok"
    style = _MARKS[verdict]
    head = [Cell(verdict, style), Cell(path_text(file.path), style if file.errors else "")]
    if file.media is None:
        return [*head, *(Cell(MISSING, "dim") for _ in _COLUMNS[2:])]
    *facts, audio = _media(file.media)
    loudness = "" if file.lufs is None else f", {file.lufs:.1f} LUFS"
    return [*head, *map(Cell, (*facts, f"{audio}{loudness}"))]


def _media(media: MediaInfo) -> tuple[str, ...]:
    video, audio = media.video, media.audio
    size = str(video.display)
    if video.hdr:
        size += f" {video.hdr.replace('_', ' ')}"
    if video.interlaced:
        size += " interlaced"
    rate = rate_text(video.frame_rate)
    return (
        escape(f"{media.container}, {video.codec}"),
        size,
        f"~{rate}" if video.variable_frame_rate else rate,
        tenths_text(media.duration),
        "none" if audio is None else escape(f"{audio.codec} {audio.layout}"),
    )


def _totals(files: Sequence[FileValidationResult]) -> Text:
    invalid = sum(not file.is_valid for file in files)
    warned = sum(bool(file.warnings) for file in files)
    parts = [f"{counted(len(files), 'clip')}: {len(files) - invalid} valid"]
    if invalid:
        parts.append(f"{invalid} invalid")
    if warned:
        parts.append(f"{warned} with warnings")
    return Text(", ".join(parts), "bold red" if invalid else "bold")

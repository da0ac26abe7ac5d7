"""Lists of paths on stdin, as shells, editors, players and other systems write them."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.settings.encodings import as_utf8

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONCAT_LINE = re.compile(r"file\s+(.+)")
"""A line of the lists of ffmpeg's concat demuxer."""
_HEAD = re.compile(r"#EXTM3U.*|ffconcat version \S+")
_QUOTES = ("'", '"')
_MOST_SHOWN = 80


def listed_paths(data: bytes, here: Path, *, nul: bool) -> list[str | Issue]:
    """Return the paths of a list, or an issue for what is none; names that are not UTF-8 keep their bytes.

    Args:
        data: One path a line, or with ``nul`` one before each NUL, which is then literal.
        here: Folder that relative paths start from.
        nul: Whether paths end with NUL.
    """
    if nul:
        return [line for line in map(os.fsdecode, data.split(b"\0")) if line]
    try:
        lines = os.fsdecode(as_utf8(data)).split("\n")
    except UnicodeDecodeError:
        message = "-: the list on stdin begins as UTF-16, but is damaged"
        return [Issue(IssueCode.NO_MATCH, message, hint="write it as UTF-8")]
    if any("\0" in line for line in lines):
        shown = next(line for line in lines if "\0" in line)[:_MOST_SHOWN]
        return [Issue(IssueCode.NO_MATCH, f"{shown!r} on stdin names no file", hint="paths that end in NUL need -0")]
    return [_as_meant(line, here) for line in _naming(lines)]


def _naming(lines: Iterable[str]) -> list[str]:
    """Return the lines that name a file: not the empty ones, nor the head and the comments of a playlist."""
    naming = [line for line in lines if line.rstrip("\r")]
    if naming and _HEAD.fullmatch(naming[0].strip()):
        return [line for line in naming[1:] if not line.startswith("#")]
    return naming


def _as_meant(line: str, here: Path) -> str:
    """Return the path that a line names.

    A line that is the name of a file is literal. Else the line is read without the end of line of Windows, without
    spaces around it, without quotes, and as a line of ffmpeg's lists, where that is the name of a file.
    """
    plain = line.rstrip("\r")
    trimmed = plain.strip()
    listed = _CONCAT_LINE.fullmatch(trimmed)
    readings = (line, plain, trimmed, _unquoted(trimmed), _unquoted(listed[1]) if listed else "")
    return next((found for text in readings if text and (found := existing(text, here)) is not None), plain)


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES
    return text[1:-1].replace(r"'\''", "'") if quoted else text


def existing(text: str, here: Path) -> str | None:
    """Return the text if it is the name of a file, else another spelling of it that is one; None if there is none.

    Such a spelling has slashes between folders in place of backslashes, or another form of Unicode: a Mac stores the
    same letters in other characters than a keyboard types.
    """
    spellings = (text, text.replace("\\", "/"))
    found = next((each for each in spellings if os.path.lexists(here / each)), None)
    return found if found is not None or text.isascii() else _in_other_form(Path(text), here)


def _in_other_form(path: Path, here: Path) -> str | None:
    """Return the name of the only file whose name is the same in another form of Unicode, or None."""
    found = here
    for part in path.parts:
        if os.path.lexists(found / part):
            found /= part
            continue
        try:
            names = [name for name in os.listdir(found) if _composed(name) == _composed(part)]  # noqa: PTH208
        except OSError:
            return None
        if len(names) != 1:
            return None
        found /= names[0]
    return str(found)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)

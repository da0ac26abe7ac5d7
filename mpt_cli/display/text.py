"""Text in terminal cells: width, cutting and padding.

Pure functions; rich only supplies its table of character widths.
"""

from __future__ import annotations

import string
import unicodedata
from typing import TYPE_CHECKING

from rich.cells import get_character_cell_size

from mpt_cli.model.formatting import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Cut = Callable[[str, int], str]

_LEAST_COMMON = 3
"""A shorter common beginning is not worth a mark in its place."""
_LEAST_DISTINCT = 8
_WORD, _LONGEST_WORD = string.ascii_letters + string.digits, 8
_EMOJI_STYLE = "\ufe0f"


def _cells(character: str) -> int:
    # The emoji selector can widen the character before it; terminals differ, the wider one is safe.
    if character == _EMOJI_STYLE:
        return 1
    width = get_character_cell_size(character)
    # The same holds for vowel signs of Indic scripts and for skin tones: no width for rich 15, but cells of their
    # own for tmux and the C library, where a line that is too long would wrap.
    if width == 0 and unicodedata.category(character) in ("Mc", "Sk"):
        return 2 if unicodedata.east_asian_width(character) == "W" else 1
    return width


def cell_width(text: str) -> int:
    """Return the greatest number of terminal cells that the text takes.

    Each character counts alone: a terminal that combines several into one glyph uses fewer cells.
    """
    return len(text) if text.isascii() else sum(map(_cells, text))


def shorten(text: str, width: int, *, mark: str = ELLIPSIS) -> str:
    """Return the text cut at its end to at most ``width`` cells, with ``mark`` at the cut."""
    if cell_width(text) <= width:
        return text
    room = width - cell_width(mark)
    return _head(text, room) + mark if room >= 0 else _head(text, width)


def shorten_middle(text: str, width: int, *, mark: str = ELLIPSIS) -> str:
    """Return the text cut in its middle to at most ``width`` cells, for file names that differ at their end."""
    room = width - cell_width(mark)
    if cell_width(text) <= width or room < 6:
        return shorten(text, width, mark=mark)
    tail = _head(text[::-1], room * 2 // 5)[::-1]
    return _head(text, room - cell_width(tail)) + mark + tail


def distinct(texts: Sequence[str], width: int) -> list[str]:
    """Return the texts of a column cut to at most ``width`` cells, so that different ones still look different.

    What they begin with in common is dropped first: of the paths of a shoot or the files of a camera that is most of
    the name, and the end tells them apart. Texts that fit stay whole. What differs at several places ends with the
    number of its row.
    """
    long = {text for text in texts if cell_width(text) > width}
    shown = _without_common(long, width, shorten_middle)
    if width >= _LEAST_DISTINCT:
        for group in _alike(shown):
            shown |= _without_common(group, width, shorten)
        row = {text: f"{ELLIPSIS}{number}" for number, text in reversed(list(enumerate(texts, 1)))}
        for text in (text for group in _alike(shown) for text in group):
            shown[text] = _head(shown[text], width - cell_width(row[text])) + row[text]
    return [shown.get(text, text) for text in texts]


def _without_common(texts: set[str], width: int, cut: Cut) -> dict[str, str]:
    """Return each text without as much of the common beginning as is needed, the rest cut by ``cut``."""
    common = _common(texts) if len(texts) > 1 else 0
    room = width - cell_width(ELLIPSIS)
    if common <= _LEAST_COMMON or room < 1:
        return {text: cut(text, width) for text in texts}
    tails = {text: _head(text[::-1], room)[::-1] for text in texts}
    return {
        text: ELLIPSIS + (tail if len(text) - len(tail) <= common else cut(text[common:], room))
        for text, tail in tails.items()
    }


def _common(texts: set[str]) -> int:
    """Return how many characters all texts begin with, up to the word or number in which they differ."""
    first, last = min(texts), max(texts)
    same = next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    begin = first[:same]
    word = len(begin) - len(begin.rstrip(_WORD))
    return len(begin) - word if word <= _LONGEST_WORD else len(begin)


def _alike(shown: Mapping[str, str]) -> list[set[str]]:
    """Return the groups of different texts that look alike."""
    groups: dict[str, set[str]] = {}
    for text, cut in shown.items():
        groups.setdefault(cut, set()).add(text)
    return [group for group in groups.values() if len(group) > 1]


def _head(text: str, width: int) -> str:
    used = 0
    for position, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return text[:position]
    return text


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return the text padded with spaces to ``width`` cells, aligned left or ``right``."""
    space = " " * max(0, width - cell_width(text))
    return space + text if right else text + space

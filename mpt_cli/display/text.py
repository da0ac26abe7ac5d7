"""Text in terminal cells: width, cutting and padding.

Pure functions; rich only supplies its table of character widths.
"""

from __future__ import annotations

import unicodedata

from rich.cells import get_character_cell_size

from mpt_cli.model.formatting import ELLIPSIS

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

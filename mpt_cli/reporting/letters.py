"""Text in images, drawn with the available fonts or transliterated to characters that they have.

Pillow has a font of its own with little more than ASCII, so that a machine without fonts can write;
missing characters come from fonts of the system. ffmpeg's ``drawtext`` needs a font of the system for
everything, and tries no other font where one lacks a character.
"""

from __future__ import annotations

import os
import unicodedata
from functools import cache, cached_property
from typing import TYPE_CHECKING

from PIL import ImageFont

from mpt_cli.model.formatting import ELLIPSIS, escape
from mpt_cli.reporting.fonts import system_fonts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

    Color = tuple[int, int, int]

_PROBE_SIZE = 24
_NO_CHARACTER = "\uffff"
"""Never a character in Unicode: a font draws it with its sign for missing characters."""
_OWN = ""
"""Marks Pillow's own font among the paths of fonts."""
_TAIL_SHARE = 0.4
"""Share of the end in a cut name: numbered clips differ there."""


class Letters:
    """Measurement and drawing of text; fonts of the system are searched at the first missing character."""

    def __init__(self, *, fonts: Callable[[], Iterable[Path]] = system_fonts) -> None:
        """Search no font yet; ``fonts`` finds those of the system."""
        self._find = fonts
        self._has, self._font = cache(_has), cache(_font)

    def width(self, text: str, size: int) -> float:
        """Return the width of a text in pixels."""
        return sum(self._font(path, size).getlength(part) for path, part in self._parts(text))

    def draw(self, canvas: ImageDraw, at: tuple[float, float], text: str, size: int, fill: Color) -> None:
        """Draw a text; ``at`` is the left end of its baseline in pixels."""
        x, y = at
        for path, part in self._parts(text):
            font = self._font(path, size)
            canvas.text((x, y), part, font=font, fill=fill, anchor="ls")
            x += font.getlength(part)

    def fitted(self, text: str, size: int, width: float) -> str:
        """Return the text in drawable characters, cut in its middle to at most ``width`` pixels."""
        text = self.drawable(text)
        if self.width(text, size) <= width:
            return text
        fits, too_many = 0, len(text)
        while too_many - fits > 1:
            kept = (fits + too_many) // 2
            if self.width(_cut(text, kept), size) <= width:
                fits = kept
            else:
                too_many = kept
        return _cut(text, fits)

    def drawable(self, text: str) -> str:
        """Return the text with invisible characters, and those that no font has, written as escapes.

        Letters that a Mac stores in parts (NFD) are drawn whole: Hangul in parts is not readable.
        """
        return "".join(map(self._spelled, escape(unicodedata.normalize("NFC", text))))

    def _spelled(self, character: str) -> str:
        if self._font_of(character) is not None:
            return character
        plain = unicodedata.normalize("NFKD", character)[0]  # é as e, if no font has é
        if plain != character and self._font_of(plain) is not None:
            return plain
        return character.encode("ascii", "backslashreplace").decode()

    def _parts(self, text: str) -> list[tuple[str, str]]:
        """Return pieces of text with a font each; a single piece if one font has all characters."""
        for font in self._fonts_for(text):
            if all(self._has(font, character) for character in text):
                return [(font, text)]
        parts: list[tuple[str, str]] = []
        for character in text:
            last = parts[-1][0] if parts else _OWN
            home = self._font_of(character, first=last)
            font = last if home is None else home
            if parts and font == last:
                parts[-1] = (font, parts[-1][1] + character)
            else:
                parts.append((font, character))
        return parts

    def _font_of(self, character: str, *, first: str = _OWN) -> str | None:
        """Return a font that has the character, preferably ``first``, or None."""
        return next((font for font in (first, *self._fonts_for(character)) if self._has(font, character)), None)

    def _fonts_for(self, text: str) -> tuple[str, ...]:
        """Return Pillow's font, and those of the system if it lacks a character."""
        if all(self._has(_OWN, character) for character in text):
            return (_OWN,)
        return (_OWN, *self._others)

    @cached_property
    def _others(self) -> tuple[str, ...]:
        try:
            return tuple(map(os.fspath, self._find()))
        except OSError:
            return ()


def _cut(text: str, kept: int) -> str:
    tail = int(kept * _TAIL_SHARE)
    return text[: kept - tail] + ELLIPSIS + (text[-tail:] if tail else "")


def _font(path: str, size: int) -> FreeTypeFont:
    font = ImageFont.load_default(size) if path == _OWN else ImageFont.truetype(path, size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow draws no scalable fonts")
    return font


def _has(path: str, character: str) -> bool:
    """Return True if a font has the character and does not draw its sign for missing ones."""
    try:
        font = _font(path, _PROBE_SIZE)
        drawn, missing = font.getmask(character), font.getmask(_NO_CHARACTER)
    except (OSError, ValueError):  # a bitmap font, or no font
        return False
    return character.isspace() or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))

"""Letters: writes names into pictures with the fonts that are there, or says them in letters that are.

Pillow brings a font of its own that has ASCII and little more, so that a machine without fonts can
write; what it lacks comes from the system's. ffmpeg's ``drawtext`` needs a font of the system for
everything, and does not look for another where one lacks a letter.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont

from mpt_cli.model.formatting import ELLIPSIS, escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

    Color = tuple[int, int, int]

_PROBE_SIZE = 24
_NO_CHARACTER = "\uffff"
"""Unicode promises that this never is one: what a font draws for it, it draws for whatever it lacks."""
_OWN = ""
"""Stands for Pillow's own font among the paths of others."""
_MOST_FONTS = 400
_SUFFIXES = (".ttf", ".otf", ".ttc")
_PLAIN = ("dejavusans.", "notosans-regular", "liberationsans-regular", "arial.", "segoeui.", "notosanscjk-regular")
"""Beginnings of names of plain fonts with many letters, which are looked into first."""
_TAIL_SHARE = 0.4
"""How much of a name that is cut is its end: numbered clips differ there."""


def font_folders() -> list[Path]:
    """Where systems keep fonts."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts", home / ".fonts"]


def system_fonts() -> list[Path]:
    """Font files of the system, plain ones of many letters first."""
    found = (path for folder in font_folders() for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    return sorted(islice(found, _MOST_FONTS), key=_rank)


def _rank(path: Path) -> tuple[int, bool, str]:
    name = path.name.lower()
    place = next((place for place, start in enumerate(_PLAIN) if name.startswith(start)), len(_PLAIN))
    styled = any(style in name for style in ("bold", "italic", "oblique", "light", "condensed", "mono", "serif"))
    return place, styled, name


class Letters:
    """Measures and draws text; the system is asked for fonts when the first letter is missing."""

    def __init__(self, *, fonts: Callable[[], Iterable[Path]] = system_fonts) -> None:
        """Know nothing yet of the fonts that ``fonts`` finds."""
        self._find = fonts
        self._has, self._font = cache(_has), cache(_font)

    def width(self, text: str, size: int) -> float:
        """How wide a text will be, in pixels."""
        return sum(self._font(path, size).getlength(part) for path, part in self._parts(text))

    def draw(self, canvas: ImageDraw, at: tuple[float, float], text: str, size: int, fill: Color) -> None:
        """Write a text from a point on its baseline."""
        x, y = at
        for path, part in self._parts(text):
            font = self._font(path, size)
            canvas.text((x, y), part, font=font, fill=fill, anchor="ls")
            x += font.getlength(part)

    def fitted(self, text: str, size: int, width: float) -> str:
        """The text in letters that can be drawn, cut in its middle where it is wider than that."""
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
        """The text with what is invisible, and letters that no font here has, written out."""
        return "".join(map(self._spelled, escape(text)))

    def _spelled(self, character: str) -> str:
        if self._font_of(character) is not None:
            return character
        plain = unicodedata.normalize("NFKD", character)[0]  # é as e, where that is all there is
        if plain != character and self._font_of(plain) is not None:
            return plain
        return character.encode("ascii", "backslashreplace").decode()

    def _parts(self, text: str) -> list[tuple[str, str]]:
        """Pieces of text with the font of each: one for all where there is one."""
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
        """The font that has a character, if possible this one; None where none has it."""
        return next((font for font in (first, *self._fonts_for(character)) if self._has(font, character)), None)

    def _fonts_for(self, text: str) -> tuple[str, ...]:
        """Pillow's own, and the system's where that does not do."""
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
    """Whether a font draws something for a character, and not its sign for what it lacks."""
    try:
        font = _font(path, _PROBE_SIZE)
        drawn, missing = font.getmask(character), font.getmask(_NO_CHARACTER)
    except (OSError, ValueError):  # a font of pictures, or none at all
        return False
    return character.isspace() or (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))

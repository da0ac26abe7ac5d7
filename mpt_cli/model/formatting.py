"""Text for people: sizes, times, and file names that cannot harm a terminal or a page.

Pure functions for everything that people read, on a terminal, in an image or on a page.
"""

from __future__ import annotations

import math
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


MISSING = "-"
ELLIPSIS = "…"
JOINERS = "\u200c\u200d"
"""Format characters, too; but Persian and Indic names, and emoji, are wrong without them."""

_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def escape(text: str) -> str:
    r"""Return the text with everything that is not visible written out.

    Control and format characters become ``\x1b`` or ``\u202e``, bytes that are not UTF-8 (which
    Python holds as surrogates) ``\xff``. Letters of all scripts and spaces stay.
    """
    if text.isprintable():
        return text
    return "".join(character if _is_harmless(character) else _escaped(character) for character in text)


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how os.fsdecode keeps a byte that is not UTF-8
        code -= 0xDC00
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def path_text(path: Path) -> str:
    """Return a path to read: one that leads up from the working directory is shown relative to it.

    The path is not shortened further: where a folder is a link, ``x/..`` is not the folder that holds ``x``.
    """
    if ".." in path.parts:
        with suppress(OSError, ValueError):  # here is gone; or it leads up from elsewhere
            return escape(str(path.relative_to(Path.cwd())))
    return escape(str(path))


def located_text(path: Path | None, message: str, *, name_only: bool = False) -> str:
    """Return a message behind the path that it is about, ``PATH: MESSAGE``, ready to be shown.

    ``name_only`` leaves out the folders of the path, where a line is too short for them.
    """
    if path is None:
        return escape(message)
    return f"{escape(path.name) if name_only else path_text(path)}: {escape(message)}"


def size_text(size_bytes: float | None) -> str:
    """Return bytes as ``1.2 GiB`` or ``412 MiB``, at most eight characters up to petabytes."""
    if size_bytes is None or not math.isfinite(size_bytes):
        return MISSING
    value, unit = float(size_bytes), 0
    while abs(value) >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    digits = 0 if unit == 0 or abs(value) >= 99.95 else 1
    return f"{value:.{digits}f} {_UNITS[unit]}"


def megapixels_text(pixels: int) -> str:
    """Return a number of pixels as ``152.2 megapixels``."""
    return f"{pixels / 1e6:.4g} megapixels"


def seconds_text(seconds: float | Fraction | None) -> str:
    """Return a duration as ``4.2 s``, ``42 s``, ``1:02`` (minutes) or ``1:02:03`` (hours)."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    value = max(0.0, float(seconds))
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rounded_text(seconds: float) -> str:
    """Return a duration in whole seconds, for figures that change while they are read."""
    whole = round(max(0.0, seconds))
    return f"{whole} s" if whole < 60 else seconds_text(whole)


def tenths_text(seconds: float | Fraction | None) -> str:
    """Return an offset in a reel, or the duration of a clip, with tenths: ``4.2 s``, ``11.5 s``, ``1:02.4``."""
    return _with_digits(seconds, 1)


def exact_seconds_text(seconds: float | Fraction | None) -> str:
    """Return a duration with milliseconds: ``4.200 s``, ``1:02.400``, ``1:02:03.000``."""
    return _with_digits(seconds, 3)


def _with_digits(seconds: float | Fraction | None, digits: int) -> str:
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    whole, rest = divmod(max(0, round(seconds * 10**digits)), 10**digits)
    return f"{whole}.{rest:0{digits}} s" if whole < 60 else f"{seconds_text(whole)}.{rest:0{digits}}"


def rate_text(rate: Fraction | None) -> str:
    """Return frames per second as ``25`` or ``29.97``."""
    return MISSING if rate is None else f"{float(rate):.3f}".rstrip("0").rstrip(".")


def speed_text(speed: float | None) -> str:
    """Return a multiple of real time as ``1.42x``, ``12.3x`` or ``123x``, at most five characters."""
    if speed is None or not math.isfinite(speed) or speed < 0:
        return MISSING
    if speed >= 9999:
        return "9999x"
    digits = 2 if speed < 9.995 else 1 if speed < 99.95 else 0
    return f"{speed:.{digits}f}x"


def percent_text(fraction: float | None) -> str:
    """Return a fraction as ``38%``; 100% only when nothing is left."""
    if fraction is None or not math.isfinite(fraction):
        return MISSING
    share = min(1.0, max(0.0, fraction))
    return "100%" if share >= 1 else f"{min(99, math.floor(share * 100))}%"


def counted(number: int, noun: str) -> str:
    """Return ``1 clip`` or ``2 clips``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

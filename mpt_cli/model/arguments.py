"""Natural arguments of the library: each function returns the exact value, or names the field that is wrong."""

from __future__ import annotations

import os
import re
import reprlib
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mpt_cli.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")
Chosen = TypeVar("Chosen", bound=StrEnum)

SECONDS_TEXT = r"\d{1,20}(\.\d{0,20})?|\.\d{1,20}"
"""Pattern of seconds that are written as text."""
_MOST_SECONDS = 10**9
LEAST_VOLUME, MOST_VOLUME = -60, 24
"""Gain of a clip in dB."""
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


def wrong(field: str, value: object, why: str) -> UsageError:
    """Return the error for an argument.

    Args:
        field: Name of the class and of the field, such as ``VideoClip.start``.
        value: The argument.
        why: Advice on what to give instead.
    """
    return UsageError(f"{field} = {_short.repr(value)}: {why}")


def parsed(field: str, value: object, parse: Callable[[object], Value]) -> Value:
    """Return what ``parse`` returns for an argument; its ValueError becomes a UsageError that names the field."""
    try:
        return parse(value)
    except ValueError as error:
        raise wrong(field, value, str(error)) from None


def path_of(field: str, value: object) -> Path:
    """Return the path of a text or of an ``os.PathLike``."""
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise wrong(field, value, "give a path, as text or as os.PathLike")
    if not text:
        raise wrong(field, value, "must not be empty")
    return value if isinstance(value, Path) else Path(text)


def parse_seconds(value: object) -> Fraction:
    """Return the exact seconds of a number or a decimal text; 0.1 is a tenth, not its binary neighbour.

    Raises:
        ValueError: The value is no number of seconds, or more than a billion.
    """
    if isinstance(value, bool) or not isinstance(value, Real | Decimal | str):
        raise ValueError("give a number of seconds")
    # Fraction("1e999999999") would compute that many digits.
    if isinstance(value, str) and not re.fullmatch(f"[+-]?({SECONDS_TEXT})", value.strip()):
        raise ValueError("give a number of seconds")
    try:
        seconds = Fraction(str(value))  # text, because that of a number of numpy is its shortest decimal too
    except (ValueError, ZeroDivisionError):
        raise ValueError("give a number of seconds") from None
    if abs(seconds) > _MOST_SECONDS:
        raise ValueError(f"must be at most {_MOST_SECONDS}")
    return seconds


def seconds_of(field: str, value: object) -> Fraction:
    """Return the exact seconds of a number or of a decimal text."""
    return value if isinstance(value, Fraction) else parsed(field, value, parse_seconds)


def parse_volume(value: object) -> float:
    """Return a gain in decibels, of a number or of a text such as ``-6`` or ``-6 dB``.

    Raises:
        ValueError: The value is no such number.
    """
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,3}(\.\d{1,3})?\s*(dB)?", value.strip(), re.IGNORECASE):
        value = float(value.strip().lower().removesuffix("db"))
    if isinstance(value, Real | Decimal) and not isinstance(value, bool):
        volume = round(float(value), 2)
        if LEAST_VOLUME <= volume <= MOST_VOLUME:
            return volume
    raise ValueError(f"give decibels from {LEAST_VOLUME} to {MOST_VOLUME}; mute = true silences a clip")


def volume_of(field: str, value: object) -> float:
    """Return a gain in decibels."""
    return parsed(field, value, parse_volume)


def flag_of(field: str, value: object) -> bool:
    """Return a truth value; text such as ``"no"`` is refused, because Python takes it for true."""
    if not isinstance(value, bool):
        raise wrong(field, value, "give True or False")
    return value


def choice_of(field: str, value: object, kind: type[Chosen]) -> Chosen:
    """Return the choice that a text names."""
    if isinstance(value, kind):
        return value
    words = [choice.value for choice in kind]
    if isinstance(value, str) and value in words:
        return kind(value)
    raise wrong(field, value, f"must be {', '.join(words[:-1])} or {words[-1]}")


def instance_of(field: str, value: object, kind: type[Value], advice: str) -> Value:
    """Return a value that has the right class."""
    if not isinstance(value, kind):
        raise wrong(field, value, advice)
    return value

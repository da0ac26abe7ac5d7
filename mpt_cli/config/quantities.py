"""Types of quantities in settings (sizes, rates, seconds, bit rates, colours): how each is read and written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from mpt_cli.config.colors import COLORS
from mpt_cli.model.arguments import SECONDS_TEXT, parse_seconds
from mpt_cli.model.choices import AudioTracks
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.limits import MOST_STREAMS, MOST_TICKS

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
# Patterns of values that are written as text, for the parsers and for the JSON Schema.
_SIZE_TEXT = r"(\d+(?:\.\d+)?)\s*([kKmMgGtT][iI]?)?[bB]?"
_RATE_TEXT = r"\d+(/\d+)?"
_BITRATE_TEXT = r"\d+[kKmM]?"
_RGB_TEXT = "#[0-9A-Fa-f]{6}"
_LUFS_TEXT = r"([+-]?\d{1,3}(?:\.\d{1,3})?)\s*(?:lufs|lkfs)?"
LEAST_LUFS, MOST_LUFS = -40, -5
"""Loudness that can be asked for: broadcasters ask for -23 and -24, platforms play -14."""


def parse_size(value: object) -> int:
    """Return the bytes of a number, or of a text such as ``2GiB``, ``500MB`` or ``1.5G``.

    Raises:
        ValueError: The value is no size.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(_SIZE_TEXT, value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("give a size such as 2GiB or 500MB")
    number, unit = match.groups()
    return int(Fraction(number) * _UNITS[(unit or "").lower()])


def size_text(size: int) -> str:
    """Return a size in the largest binary unit that is exact, such as ``2GiB``."""
    units = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
    return next((f"{size // unit}{name}" for unit, name in units if size % unit == 0), str(size))


def _bitrate_text(rate: int) -> str:
    return f"{rate // 1000}k" if rate % 1000 == 0 else str(rate)


def parse_frame_rate(value: object) -> Fraction | None:
    """Return the exact rate of ``30`` or ``"30000/1001"``, or None for ``"auto"``.

    Raises:
        ValueError: The value is no rate from 1 to 240. A decimal such as 29.97 names no exact rate, so the error
            names the fraction to write. A frame lasts whole ticks of a clock, which is impossible for a numerator
            above :data:`MOST_TICKS`.
    """
    if value == "auto" or value is None:
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(rf"{_RATE_TEXT}|\d*\.\d+", text):
        raise ValueError("give auto, a whole number or a fraction such as 30000/1001")
    if "." in text and not 1 <= Fraction(text) <= 240:
        raise ValueError("must be between 1 and 240")
    if "." in text:
        exact = nearest_standard_rate(Fraction(text))
        raise ValueError(f"write the fraction: {exact}")
    numerator, _, denominator = text.partition("/")
    if not int(denominator or 1) or not int(numerator):
        raise ValueError("must be above 0")
    rate = Fraction(int(numerator), int(denominator or 1))
    if not 1 <= rate <= 240:
        raise ValueError("must be between 1 and 240")
    if rate.numerator > MOST_TICKS:
        near = rate.limit_denominator(MOST_TICKS // 240)
        raise ValueError(f"its numerator is above {MOST_TICKS}, which is the limit; write {near}")
    return rate


def nearest_standard_rate(rate: Fraction) -> Fraction:
    """Return the NTSC rate (N x 1000/1001) within 0.02 of this one, else the nearest whole number."""
    whole = max(1, round(rate))
    ntsc = Fraction(whole * 1000, 1001)
    return ntsc if abs(rate - ntsc) < abs(rate - whole) and abs(rate - ntsc) < Fraction(2, 100) else Fraction(whole)


def _dimensions(value: object) -> Dimensions:
    if not isinstance(value, Dimensions | tuple | str):  # a list would be another form of TOML
        raise ValueError("give a size such as 1080x1920")
    return Dimensions.of(value)


def _none_if_auto(value: object) -> object:
    if isinstance(value, os.PathLike):  # of which pydantic takes only pathlib's own
        return os.fspath(value)
    return None if value in ("auto", "none") else value


def _optional_seconds(value: object) -> Fraction | None:
    value = _none_if_auto(value)
    return None if value is None else parse_seconds(value)


def _whole(value: object) -> object:
    """Return the number in a text of digits: the environment has only text, and Literal compares types."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value) else value


def _bitrate(value: object) -> int:
    if isinstance(value, str) and not re.fullmatch(_BITRATE_TEXT, value.strip()):
        raise ValueError("give a bit rate such as 192k")
    return parse_size(value)


def _tracks(value: object) -> object:
    chosen = _whole(value.strip().lower()) if isinstance(value, str) else value
    if chosen in ("auto", "first", "mix") or (type(chosen) is int and 1 <= chosen <= MOST_STREAMS):
        return chosen
    raise ValueError("give auto, first, mix or the number of a track, from 1 on")


def _lufs(value: object) -> object:
    """Return a number, or the number in a text such as ``-14 LUFS``; None for no loudness."""
    if isinstance(value, str) and (match := re.fullmatch(_LUFS_TEXT, value.strip(), re.IGNORECASE)):
        value = float(match[1])
    if value is None or value in ("none", "auto"):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if LEAST_LUFS <= value <= MOST_LUFS:
            return float(value)
        if LEAST_LUFS <= -value <= MOST_LUFS:
            raise ValueError(f"loudness is below full scale: write -{value:g}")
    raise ValueError(f"give LUFS from {LEAST_LUFS} to {MOST_LUFS}, such as -14, or none")


def _color(value: object) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in COLORS and not re.fullmatch(_RGB_TEXT, text):
        raise ValueError("give a colour name or #rrggbb")
    return text


@dataclass(frozen=True, slots=True)
class InToml:
    """Marker of a field: how its value is written in a TOML file, where that is not its JSON.

    Args:
        text: Returns the text of a value that is not None.
        nothing: The word for None.
        names: Words for values, where a message cannot list all of them.
    """

    text: Callable[[Any], str] | None = None
    nothing: str = "auto"
    names: frozenset[str] = frozenset()


NO_VALUE = InToml(nothing="none")
"""Marks a setting for which None means that there is no such limit or value."""
_rate_text = PlainSerializer(lambda rate: "auto" if rate is None else str(rate), return_type=str)
_auto_text = PlainSerializer(lambda value: "auto" if value is None else value)
_seconds_number = PlainSerializer(lambda value: None if value is None else float(value))


def _written(kind: str, pattern: str, **limits: object) -> WithJsonSchema:
    """Return the JSON Schema of a value that is written as a number of this kind or as text."""
    return WithJsonSchema({"type": [kind, "string"], "pattern": f"^({pattern})$", **limits})


ByteSize = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(gt=0),
    InToml(size_text),
    _written("integer", _SIZE_TEXT, minimum=1),
]
AutoByteSize = Annotated[
    int | None,
    Field(gt=0),
    BeforeValidator(lambda value: None if value in ("auto", None) else parse_size(value)),
    _auto_text,
    InToml(size_text),
    _written("integer", f"auto|{_SIZE_TEXT}", minimum=1),
]
Size = Annotated[
    Dimensions,
    BeforeValidator(_dimensions),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+[xX]\d+$"}),
]
FrameRate = Annotated[
    Fraction | None,
    BeforeValidator(parse_frame_rate),
    _rate_text,
    _written("integer", f"auto|{_RATE_TEXT}", minimum=1, maximum=240),
]
Seconds = Annotated[
    Fraction,
    BeforeValidator(parse_seconds),
    _seconds_number,
    Field(gt=0),
    _written("number", SECONDS_TEXT, exclusiveMinimum=0),
]
OptionalSeconds = Annotated[
    Fraction | None,
    Field(gt=0),
    BeforeValidator(_optional_seconds),
    _seconds_number,
    _written("number", f"auto|none|{SECONDS_TEXT}", exclusiveMinimum=0),
]
BitRate = Annotated[
    int,
    BeforeValidator(_bitrate),
    Field(ge=16_000, le=512_000),
    InToml(_bitrate_text),
    _written("integer", _BITRATE_TEXT, minimum=16_000, maximum=512_000),
]
Color = Annotated[
    str,
    BeforeValidator(_color),
    InToml(names=COLORS),
    WithJsonSchema({"anyOf": [{"enum": sorted(COLORS)}, {"type": "string", "pattern": f"^{_RGB_TEXT}$"}]}),
]
Lufs = Annotated[
    float | None,
    BeforeValidator(_lufs),
    NO_VALUE,
    _written("number", rf"none|{_LUFS_TEXT}", minimum=LEAST_LUFS, maximum=MOST_LUFS),
]
TrackChoice = Annotated[
    AudioTracks,
    BeforeValidator(_tracks),
    _written("integer", r"auto|first|mix|\d{1,3}", minimum=1, maximum=MOST_STREAMS),
]
OrAuto = BeforeValidator(_none_if_auto)
"""Reads ``auto`` and ``none`` as None, so that a layer can cancel the value of a lower layer."""

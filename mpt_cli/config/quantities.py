"""Quantities in settings: sizes, rates, seconds, bit rates, colours; how they are written and read."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from mpt_cli.config.colors import COLORS
from mpt_cli.model.choices import AudioTracks
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.limits import MOST_STREAMS, MOST_TICKS

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
# What may be written as text, for the parsers and for the JSON Schema.
_SIZE_TEXT = r"(\d+(?:\.\d+)?)\s*([kKmMgGtT][iI]?)?[bB]?"
_RATE_TEXT = r"\d+(/\d+)?"
_SECONDS_TEXT = r"\d{1,20}(\.\d{0,20})?|\.\d{1,20}"
_BITRATE_TEXT = r"\d+[kKmM]?"
_RGB_TEXT = "#[0-9A-Fa-f]{6}"


def parse_size(value: object) -> int:
    """Bytes from a number or text such as ``2GiB``, ``500MB``, ``1.5G``; ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(_SIZE_TEXT, value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("give a size such as 2GiB or 500MB")
    number, unit = match.groups()
    return int(Fraction(number) * _UNITS[(unit or "").lower()])


def parse_frame_rate(value: object) -> Fraction | None:
    """A rate from ``30``, ``"30000/1001"`` or ``"auto"`` (None); decimals are refused.

    A decimal such as 29.97 names no exact rate, so the error names the fraction to write. A frame
    must last whole ticks of a clock, which a numerator above :data:`MOST_TICKS` leaves none for.
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
    """The NTSC rate (N x 1000/1001) within 0.02 of this one, else the nearest whole number."""
    whole = max(1, round(rate))
    ntsc = Fraction(whole * 1000, 1001)
    return ntsc if abs(rate - ntsc) < abs(rate - whole) and abs(rate - ntsc) < Fraction(2, 100) else Fraction(whole)


_MOST_SECONDS = 10**9


def parse_seconds(value: object) -> Fraction:
    """Exact seconds from a number or decimal text; 0.1 means a tenth, not its binary neighbour."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Fraction)):
        raise ValueError("give a number of seconds")
    # Fraction("1e999999999") would compute that many digits.
    if isinstance(value, str) and not re.fullmatch(f"[+-]?({_SECONDS_TEXT})", value.strip()):
        raise ValueError("give a number of seconds")
    try:
        seconds = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("give a number of seconds") from None
    if abs(seconds) > _MOST_SECONDS:
        raise ValueError(f"must be at most {_MOST_SECONDS}")
    return seconds


def _dimensions(value: object) -> Dimensions:
    if isinstance(value, Dimensions):
        return value
    if not isinstance(value, str):
        raise ValueError("give a size such as 1080x1920")
    return Dimensions.parse(value)


def _none_if_auto(value: object) -> object:
    return None if value in ("auto", "none") else value


def _optional_seconds(value: object) -> Fraction | None:
    value = _none_if_auto(value)
    return None if value is None else parse_seconds(value)


def _whole(value: object) -> object:
    """The number in a text of digits, because the environment has only text; Literal compares types."""
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


def _color(value: object) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in COLORS and not re.fullmatch(_RGB_TEXT, text):
        raise ValueError("give a colour name or #rrggbb")
    return text


_rate_text = PlainSerializer(lambda rate: "auto" if rate is None else str(rate), return_type=str)
_auto_text = PlainSerializer(lambda value: "auto" if value is None else value)
_seconds_number = PlainSerializer(lambda value: None if value is None else float(value))


def _written(kind: str, pattern: str, **limits: object) -> WithJsonSchema:
    """The JSON Schema of what may be written as a number of this kind, or as text."""
    return WithJsonSchema({"type": [kind, "string"], "pattern": f"^({pattern})$", **limits})


ByteSize = Annotated[int, BeforeValidator(parse_size), Field(gt=0), _written("integer", _SIZE_TEXT, minimum=1)]
AutoByteSize = Annotated[
    int | None,
    Field(gt=0),
    BeforeValidator(lambda value: None if value in ("auto", None) else parse_size(value)),
    _auto_text,
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
    _written("number", _SECONDS_TEXT, exclusiveMinimum=0),
]
OptionalSeconds = Annotated[
    Fraction | None,
    Field(gt=0),
    BeforeValidator(_optional_seconds),
    _seconds_number,
    _written("number", f"auto|none|{_SECONDS_TEXT}", exclusiveMinimum=0),
]
BitRate = Annotated[
    int,
    BeforeValidator(_bitrate),
    Field(ge=16_000, le=512_000),
    _written("integer", _BITRATE_TEXT, minimum=16_000, maximum=512_000),
]
Color = Annotated[
    str,
    BeforeValidator(_color),
    WithJsonSchema({"anyOf": [{"enum": sorted(COLORS)}, {"type": "string", "pattern": f"^{_RGB_TEXT}$"}]}),
]
TrackChoice = Annotated[
    AudioTracks,
    BeforeValidator(_tracks),
    _written("integer", r"auto|first|mix|\d{1,3}", minimum=1, maximum=MOST_STREAMS),
]
OrAuto = BeforeValidator(_none_if_auto)
"""Lets a layer say ``auto`` or ``none``, so that it can take back what a layer below it says."""

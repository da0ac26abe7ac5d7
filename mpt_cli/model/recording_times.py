"""Times at which clips were recorded, from tags and from names of files (pure)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
"""Earlier times, in seconds since 1970, are those of a clock that was never set: 1904, 1970, 1980."""

_TAG = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d* ?(Z|[+-]\d\d:?\d\d)?")
_STAMP = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_. T]| at |)([01]\d|2[0-3]|(?<= )\d(?=\.))[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d)(?:\d{3}(?!\d)|(?!\d))"
    r"(?:\s([ap])\.?m\b)?",
    re.IGNORECASE,
)
"""Date and time as phones, cameras and messengers put them into names."""
_MILLISECONDS = re.compile(r"(?<!\d)(1[0-9]{12})(?!\d)")
"""Milliseconds since 1970, as some apps name what they save."""
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_UTC_NAMES = ("pxl_",)
"""Beginnings of names whose time is UTC; in others it is local."""


def seconds_of_tag(text: str) -> float | None:
    """Return the seconds since 1970 of a tag such as ``2024-05-01T12:00:00.000000Z``; without a zone it is local."""
    found = _TAG.fullmatch(text.strip())
    if found is None:
        return None
    day, time, fraction, zone = found.groups()
    layout = "%Y-%m-%dT%H:%M:%S" + (".%f" if fraction else "") + ("%z" if zone else "")
    return _seconds(f"{day}T{time}{fraction or ''}{zone or ''}", layout)


def seconds_of_name(name: str) -> float | None:
    """Return the seconds since 1970 of the time in a name such as ``VID_20240501_120000.mp4``."""
    if found := _STAMP.search(name):
        zone = "Z" if name.lower().startswith(_UTC_NAMES) else ""
        *parts, half = found.groups(default="")
        text = " ".join(parts) + (f" {half}m" if half else "") + zone
        return _seconds(text, f"%Y %m %d {'%I' if half else '%H'} %M %S{' %p' if half else ''}{'%z' if zone else ''}")
    if found := _MILLISECONDS.search(name):
        return int(found[1]) / 1000
    return None


def seconds_of_day(name: str) -> float | None:
    """Return the seconds since 1970 of the start of the day in a name such as ``VID-20240501-WA0003.mp4``."""
    found = _DAY.search(name)
    return _seconds(f"{found[1]}{found[3]}{found[4]}", "%Y%m%d") if found else None


def _seconds(text: str, layout: str) -> float | None:
    try:
        return datetime.strptime(text, layout).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):  # no such day; or one that the system's clock does not know
        return None

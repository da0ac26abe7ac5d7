"""Order of file names: digits by their number, and the chapters of a recording one behind the other."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")
_GOPRO = re.compile(r"g[hxls](?P<chapter>[0-9]{2})(?P<number>[0-9]{4})(?![0-9])")
"""Cameras since 2017: chapter before number, ``GX010021``, ``GX020021``; H.264 and HEVC count together."""
_OLD_GOPRO = re.compile(r"g(?:opr|p(?P<chapter>[0-9]{2}))(?P<number>[0-9]{4})(?![0-9])")
"""Older ones: ``GOPR0007``, then ``GP010007``."""
_FUSION = re.compile(r"g(?:p(?P<side>[fb])[rk]|(?P<later>[fb])(?P<chapter>[0-9]{2}))(?P<number>[0-9]{4})(?![0-9])")
"""One file for each of two lenses: ``GPFR0007``, then ``GF010007``; ``GPBK0007``, then ``GB010007``."""

_INSTA360 = re.compile(r"(?P<recording>[a-z]+_[0-9]{8}_[0-9]{6}_[0-9]{2})_[0-9]{3}(?![0-9])")
"""One time for all chapters: ``VID_20240501_120000_00_001``, ``VID_20240501_120000_00_002``."""


def natural_key(name: str) -> tuple[object, ...]:
    """Return a sort key by which clip2 comes before clip10: digit runs as numbers, the rest casefolded.

    Names that are equal by this rule (``clip1``, ``Clip01``) still have a fixed order. Chapters of a recording
    that recorders name by chapter and number stay together; names of DJI and Insta360 sort so themselves.
    """
    *folders, last = name.split("/")
    return tuple(map(_part_key, (*folders, by_recording(last)))), name


def by_recording(name: str) -> str:
    """Return the name of a file, casefolded, with the number of its recording before that of its chapter."""
    name = name.casefold()
    if found := _GOPRO.match(name):
        return f"gx{found['number']}_{found['chapter']}{name[found.end() :]}"
    if found := _OLD_GOPRO.match(name):
        return f"gopr{found['number']}_{found['chapter'] or '00'}{name[found.end() :]}"
    if found := _FUSION.match(name):
        return f"gp{found['side'] or found['later']}{found['number']}_{found['chapter'] or '00'}{name[found.end() :]}"
    return name


def recording_of(name: str) -> str | None:
    """Return a key that all chapters of a recording share; None for a name that tells of no chapters."""
    if found := _INSTA360.match(name.casefold()):
        return found["recording"]
    ordered = by_recording(name)
    return ordered.partition("_")[0] if ordered != name.casefold() else None


def _part_key(part: str) -> tuple[object, ...]:
    # Pieces with an odd index are digits. To compare length before text is to compare numbers of any size.
    pieces = enumerate(_DIGITS.split(part.casefold()))
    return tuple((len(piece.lstrip("0")), piece.lstrip("0")) if index % 2 else piece for index, piece in pieces)

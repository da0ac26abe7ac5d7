"""Similarity of words: what somebody who mistyped a name most likely meant (pure).

The ratio of ``difflib`` is too kind to short words: by it ``logo`` is near ``color``, and ``loudness`` near ``mode``.
Here a word counts only if it is a few slips away, or holds the other one as a whole part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 3
"""Most words that are offered."""
_LETTERS_PER_SLIP = 4
_LEAST_PART = 3
_LEAST_BEGINNING = 4
_LONGEST = 64
"""Longer words are nobody's slip; the comparison takes time with the square of their length."""


def alike(word: str, known: Iterable[str]) -> list[str]:
    """Return at most three known words that are alike, the nearest first; empty if none is."""
    names = list(known)
    return slips_of(word, names) or [name for name in names if _is_part(_plain(word), _plain(name))][:_MOST]


def slips_of(word: str, known: Iterable[str]) -> list[str]:
    """Return at most three known words of which this one is a typing error, the nearest first."""
    plain = _plain(word)
    if not plain or len(plain) > _LONGEST:
        return []
    names = {name: _plain(name) for name in known}
    counts = {name: _slips(plain, other) for name, other in names.items() if _may_be_slip(plain, other)}
    near = {name: count for name, count in counts.items() if count <= _allowed(plain, names[name])}
    return [name for name, count in near.items() if count == min(near.values())][:_MOST]


def meant(word: object, known: Iterable[str]) -> str:
    """Return the end of an error message with the known words that are alike; empty if none is."""
    found = alike(str(word), known)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _plain(name: str) -> str:
    return name.lower().strip("-").replace("_", "-")


def _allowed(one: str, other: str) -> int:
    return max(1, max(len(one), len(other)) // _LETTERS_PER_SLIP)


def _may_be_slip(one: str, other: str) -> bool:
    return abs(len(one) - len(other)) <= _allowed(one, other)


def _slips(one: str, other: str) -> int:
    """Return how many letters were left out, added, replaced or swapped with their neighbour."""
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            count = min(last[j] + 1, row[-1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                count = min(count, before[j - 2] + 1)
            row.append(count)
        before, last = last, row
    return last[-1]


def _is_part(word: str, name: str) -> bool:
    """Return True if one is the beginning or end of the other, or all parts of one are parts of the other."""
    shorter, longer = sorted((word, name), key=len)
    if len(word) >= _LEAST_BEGINNING and word == shorter and (longer.startswith(word) or longer.endswith(word)):
        return True
    parts, others = re.split(r"[-.]", shorter), re.split(r"[-.]", longer)
    return all(len(part) >= _LEAST_PART and any(_is_same(part, other) for other in others) for part in parts)


def _is_same(part: str, other: str) -> bool:
    return part == other or (len(part) > _LETTERS_PER_SLIP and part in (f"{other}s", other.removesuffix("s")))

"""Suggestions for keys and values that do not exist: a known one that is alike, or a synonym."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.similarity import alike, meant, slips_of
from mpt_cli.settings.synonyms import SYNONYMS, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JOB_KEYS = ("name", "output", "clips", "overwrite", "contact_sheet", "poster")
"""Keys of a ``[[job]]`` beside its settings."""
CLIP_KEYS = ("path", "start", "end", "mute", "volume")
"""Keys of a table in ``clips``."""
_ELSEWHERE = {
    **dict.fromkeys(CLIP_KEYS, 'write it in a clip of a job: { path = "a.mp4", start = 1 }'),
    **dict.fromkeys(JOB_KEYS, "write it below [[job]] in a job file"),
}
"""Where keys belong that are right, but in another place."""
_MOST_LISTED = 12


def nearest(key: str, known: Sequence[str]) -> str | None:
    """Return the known dotted key that was most likely meant, or None if none is alike.

    Prefers a misspelled name of the section, then the same name in another section, then a similar name of the
    section, then a similar section, then a similar name in another section.
    """
    section, _, name = key.rpartition(".")
    here = _by_name(other for other in known if other.rpartition(".")[0] == section)
    elsewhere = _by_name(reversed(known))
    if slips := slips_of(name, here):
        return here[slips[0]]
    if name in elsewhere:
        return elsewhere[name]
    if similar := alike(name, here):
        return here[similar[0]]
    whole = [] if section and here else alike(key, known)
    similar = whole or [elsewhere[other] for other in alike(name, elsewhere)]
    return similar[0] if similar else None


def _by_name(keys: Iterable[str]) -> dict[str, str]:
    return {key.rpartition(".")[2]: key for key in keys}


def unknown_key(key: str, known: Sequence[str]) -> str:
    """Return the fault of an unknown key: its right place, a known one that is alike, or those of its section."""
    if key in _ELSEWHERE and key not in known:
        return f"unknown key here; {_ELSEWHERE[key]}"
    if found := nearest(key, known):
        return f"unknown key; nearest known key: {found}"
    section, _, name = key.rpartition(".")
    if (synonym := SYNONYMS.get(name.lower().replace("_", "-"))) and (said := synonym.key or synonym.note):
        return f"unknown key; use {said}" if synonym.key else f"unknown key; {said}"
    here = [other for other in known if other.rpartition(".")[0] == section]
    return f"unknown key; known here: {', '.join(here)}" if 0 < len(here) <= _MOST_LISTED else "unknown key"


def meant_value(key: tuple[str, ...], value: object, known: Iterable[str]) -> str:
    """Return the end of a message about a wrong value, with the known one that was meant; empty if none is near."""
    synonym = VALUES.get(key, {}).get(str(value).lower())
    return f"; did you mean {synonym}?" if synonym else meant(value, known)

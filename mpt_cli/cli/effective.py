"""The settings that hold, one by one, as ``mpt config show`` tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.display.config import Setting
from mpt_cli.errors import UsageError
from mpt_cli.layers import FIELDS, dotted, unknown_key, word_of_none
from mpt_cli.reference import meanings

if TYPE_CHECKING:
    from mpt_cli.cli.options import Given


def effective_settings(given: Given, wanted: str | None) -> list[Setting]:
    """All settings, or the one with this key, or those of this section."""
    from mpt_cli.settings import Settings

    keys = _keys(wanted)
    settings, known = Settings.load(flags=given.flags, config_file=given.get("config")), meanings()
    values, origins = settings.model_dump(mode="json", by_alias=True), settings.origins
    found = []
    for key in keys:
        section, name = key
        value, origin = values[section][name], origins[dotted(key)]
        found.append(
            Setting(
                key=dotted(key),
                value=word_of_none(key) if value is None else value,
                default=known[key].default,
                text=known[key].text,
                kind=str(origin.kind).replace(" ", "_") if origin.kind else "default",
                name=origin.name,
                path=origin.path,
                preset=origin.preset,
            )
        )
    return found


def _keys(wanted: str | None) -> list[tuple[str, ...]]:
    if wanted is None:
        return list(FIELDS)
    keys = [key for key in FIELDS if wanted in (dotted(key), key[0])]
    if not keys:
        known = [*dict.fromkeys(key[0] for key in FIELDS), *map(dotted, FIELDS)]
        raise UsageError(f"{wanted!r}: {unknown_key(wanted, known)}")
    return keys

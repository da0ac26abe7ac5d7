"""Effective settings, one by one, for ``mpt config show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mpt_cli.config.sections import Config
from mpt_cli.display.answers.config import Setting
from mpt_cli.model.errors import UsageError
from mpt_cli.settings.layers import FIELDS, dotted, word_of_none, written
from mpt_cli.settings.reference import meanings
from mpt_cli.settings.suggestions import unknown_key

if TYPE_CHECKING:
    from mpt_cli.cli.options import Given
    from mpt_cli.settings.layers import Key


def effective_settings(given: Given, wanted: str | None) -> list[Setting]:
    """Return all settings, or the one with this key, or those of this section."""
    from mpt_cli.settings.merged import Settings

    keys = _keys(wanted)
    settings, known = Settings.load(flags=given.flags, config_file=given.get("config")), meanings()
    values, defaults, origins = _values(settings), _values(Config()), settings.origins
    found = []
    for key in keys:
        origin = origins[dotted(key)]
        found.append(
            Setting(
                key=dotted(key),
                value=values[key],
                default=defaults[key],
                written=_text(written(key, values[key])),
                text=known[key].text,
                kind=str(origin.kind).replace(" ", "_") if origin.kind else "default",
                name=origin.name,
                path=origin.path,
                preset=origin.preset,
            )
        )
    return found


def _values(config: Config) -> dict[Key, Any]:
    """Return the value of each key in its JSON form: sizes in bytes, ``auto`` or ``none`` for None."""
    made = config.model_dump(mode="json", by_alias=True)
    values = {(section, name): made[section][name] for section, name in FIELDS}
    return {key: word_of_none(key) if value is None else value for key, value in values.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keys(wanted: str | None) -> list[tuple[str, ...]]:
    if wanted is None:
        return list(FIELDS)
    keys = [key for key in FIELDS if wanted in (dotted(key), key[0])]
    if not keys:
        known = [*dict.fromkeys(key[0] for key in FIELDS), *map(dotted, FIELDS)]
        raise UsageError(f"{wanted!r}: {unknown_key(wanted, known)}")
    return keys

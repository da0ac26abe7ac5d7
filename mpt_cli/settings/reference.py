"""Reference of the settings, generated from their fields: the starter file and the JSON Schema."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mpt_cli.config.presets import PRESET_DESCRIPTION, PRESETS
from mpt_cli.config.sections import Config
from mpt_cli.settings.layers import FIELDS, PRESET, dotted, written

if TYPE_CHECKING:
    from mpt_cli.settings.layers import Key

_WIDTH = 100
_HEADER = """\
# Settings of mpt. Every key is here with its default; to change one, remove the "# " before it.
# `mpt config init` writes this file, `mpt config show` prints each value in effect and its source.
#
# mpt reads ./mpt.toml, or the file given with --config. The same keys may stand in [tool.mpt] of
# pyproject.toml, in the user file, and in the tables of a job file. Flags and MPT_* variables
# (MPT_ENCODE__CRF=20) win over this file. Sizes are bytes, or text such as "2GiB". Times are seconds.
# Paths are relative to this file. "auto" and "none" cancel the value of a lower layer.
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Explanation of a setting, and its default in TOML form."""

    text: str
    default: Any


def meanings() -> dict[Key, Meaning]:
    """Return the explanation and the default of the preset and of every setting."""
    defaults = Config().model_dump(mode="json", by_alias=True)
    settings = {
        key: Meaning(field.description or "", written(key, defaults[key[0]][key[1]])) for key, field in FIELDS.items()
    }
    return {PRESET: Meaning(PRESET_DESCRIPTION, next(iter(PRESETS))), **settings}


def starter_file() -> str:
    """Return a TOML file with every key, its default and its explanation, all commented out."""
    lines, section = [_HEADER.rstrip()], ""
    for key, meaning in meanings().items():
        if key == PRESET or key[0] != section:
            lines.append("")
        if key != PRESET and key[0] != section:
            section = key[0]
            lines.append(f"[{section}]")
        lines += textwrap.wrap(meaning.text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"# {key[-1]} = {json.dumps(meaning.default)}")
    return "\n".join(lines) + "\n"


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a configuration file: keys, types, bounds, explanations, defaults."""
    fields = Config.model_json_schema(by_alias=True)
    known = meanings()
    sections = {
        section: _section_schema(section, _resolved(part, fields["$defs"]), known)
        for section, part in fields["properties"].items()
    }
    preset = {"enum": list(PRESETS), "description": known[PRESET].text}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mpt:config:1",
        "title": "Settings of mpt",
        "type": "object",
        "properties": {"preset": preset, **sections},
        "additionalProperties": False,
    }


def _section_schema(section: str, fields: dict[str, Any], known: dict[Key, Meaning]) -> dict[str, Any]:
    keys = {}
    for name, schema in fields["properties"].items():
        meaning = known[section, name]
        rules = {word: rule for word, rule in schema.items() if word not in ("title", "description", "default")}
        keys[name] = {"description": meaning.text, **rules, "default": meaning.default}
    assert set(keys) == {key[1] for key in FIELDS if key[0] == section}, dotted((section,))
    return {"type": "object", "properties": keys, "additionalProperties": False}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return the schema with its references resolved, and with ``auto`` and ``none`` where Python has None."""
    if isinstance(schema, list):
        return [_resolved(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolved(definitions[name], definitions)
    if schema.get("type") == "null":
        return {"enum": ["auto", "none"]}
    return {word: _resolved(part, definitions) for word, part in schema.items()}

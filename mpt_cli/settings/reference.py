"""What each setting means: the starter file, and the JSON Schema that is made of it and of the sections.

The file's comments are the only place where settings are explained.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mpt_cli.config.sections import PRESETS, Config
from mpt_cli.settings.layers import FIELDS, PRESET, dotted

if TYPE_CHECKING:
    from mpt_cli.settings.layers import Key


_SECTION = re.compile(r"\[(\w+)\]")
_KEY = re.compile(r"# (\w+) = (.+)")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A setting as the starter file has it: the explanation, and the default as one would write it."""

    text: str
    default: Any


def starter_file() -> str:
    """Every key with its default and its explanation, all switched off."""
    return files("mpt_cli").joinpath("share/mpt.toml").read_text(encoding="utf-8")


def meanings() -> dict[Key, Meaning]:
    """What the starter file says of each key; keys that follow each other share an explanation."""
    found: dict[Key, Meaning] = {}
    section, comment, finished = "", list[str](), False
    for line in starter_file().splitlines():
        if title := _SECTION.fullmatch(line):
            section = title[1]
        elif key := _KEY.fullmatch(line):
            path = (section, key[1]) if section else (key[1],)
            found[path] = Meaning(" ".join(comment), tomllib.loads(f"value = {key[2]}")["value"])
            finished = True
        elif line.startswith("# "):
            comment, finished = [*([] if finished else comment), line[2:]], False
        else:
            comment = []
    return found


def config_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file: keys, types, ranges, explanations, defaults."""
    made = Config.model_json_schema(by_alias=True)
    known = meanings()
    sections = {
        section: _section_schema(section, _resolved(part, made["$defs"]), known)
        for section, part in made["properties"].items()
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


def _section_schema(section: str, made: dict[str, Any], known: dict[Key, Meaning]) -> dict[str, Any]:
    keys = {}
    for name, schema in made["properties"].items():
        meaning = known[section, name]
        rules = {word: rule for word, rule in schema.items() if word not in ("title", "description", "default")}
        keys[name] = {"description": meaning.text, **rules, "default": meaning.default}
    assert set(keys) == {key[1] for key in FIELDS if key[0] == section}, dotted((section,))
    return {"type": "object", "properties": keys, "additionalProperties": False}


def _resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to written out; where Python has None, TOML has ``auto`` or ``none``."""
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

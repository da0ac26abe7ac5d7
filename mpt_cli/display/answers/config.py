"""Answer of ``mpt config``: each setting, its value and the source of the value."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from mpt_cli.display.answers.summary import say, table_width
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.model.formatting import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from mpt_cli.reporting.documents.answers import SettingsData, SettingsSchemaData

_COLUMNS = (Column("setting"), Column("value", least=8), Column("from", least=12, middle=True))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with its source.

    ``written`` is the value as in a TOML file; ``name`` is the option, the variable or the table.
    """

    key: str
    value: Any
    default: Any
    written: str
    text: str
    kind: str
    name: str
    path: Path | None
    preset: str | None


def settings_data(settings: Sequence[Setting], user_file: Path | None) -> SettingsData:
    """Return ``data`` of ``mpt config show``."""
    return {
        "settings": [
            {
                "key": setting.key,
                "value": setting.value,
                "default": setting.default,
                "source": setting.kind,
                "name": setting.name or None,
                "path": str(setting.path) if setting.path else None,
                "preset": setting.preset,
                "description": setting.text,
            }
            for setting in settings
        ],
        "user_file": None if user_file is None else str(user_file),
    }


def show_settings(out: Console, settings: Sequence[Setting], user_file: Path | None, *, whole: bool) -> None:
    """Write a table of the settings; add the description of a single one, or the user file below all."""
    rows = [_row(setting, user_file) for setting in settings]
    for line in table_lines(_COLUMNS, rows, table_width(out)):
        say(out, line)
    if whole:
        say(out, Text(f"\nuser file: {_user_file_text(user_file)}", "dim"))
    elif len(settings) == 1:
        text = settings[0].text
        say(out, Text(f"\n{textwrap.fill(text, out.width) if out.is_terminal else text}", "dim"))


def _user_file_text(path: Path | None) -> str:
    if path is None:
        return "none, because the user has no home folder"
    return escape(str(path)) + ("" if path.exists() else " (not there)")


def show_file(out: Console, path: Path) -> None:
    """Write the name of the written file."""
    say(out, Text(f"wrote {escape(str(path))}"))


def schema_data(schema: dict[str, Any]) -> SettingsSchemaData:
    """Return ``data`` of ``mpt config schema``."""
    return {"schema": schema}


def show_schema(out: Console, schema: dict[str, Any]) -> None:
    """Write the schema as a JSON file."""
    out.file.write(json.dumps(schema, indent=2) + "\n")


def _row(setting: Setting, user_file: Path | None) -> tuple[Cell, ...]:
    changed = setting.kind != "default"
    style = "bold" if changed else ""
    return (
        Cell(setting.key, style),
        Cell(escape(setting.written), style),
        Cell(escape(_source_text(setting, user_file)), "" if changed else "dim"),
    )


def _source_text(setting: Setting, user_file: Path | None) -> str:
    """Return the source of the value; a path is relative to the working directory where possible."""
    place = setting.name
    if setting.path is not None and setting.path == user_file:
        place = "user file"
    elif setting.path is not None:
        place = " ".join(part for part in (place, "in" if place else "", _short(setting.path)) if part)
    if setting.preset:
        return f"preset {setting.preset}, {place}"
    return place or setting.kind


def _short(path: Path) -> str:
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)

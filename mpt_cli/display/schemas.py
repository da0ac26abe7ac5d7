"""JSON Schemas of ``share/schemas``, generated from the types of the documents and of the events."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict

from mpt_cli.model.choices import Action
from mpt_cli.model.results import RunStatus
from mpt_cli.model.task import Task
from mpt_cli.reporting.documents.answers import (
    CacheData,
    HealthData,
    SettingsData,
    SettingsSchemaData,
    StarterFileData,
    WorkData,
)
from mpt_cli.reporting.documents.base import AbsolutePath, Envelope, EventHead, NoData
from mpt_cli.reporting.documents.files import ValidationData
from mpt_cli.reporting.documents.history import BatchReportData, ReportData, RunListData
from mpt_cli.reporting.documents.log import LogRecordData
from mpt_cli.reporting.documents.manifest import Manifest
from mpt_cli.reporting.documents.runs import BatchData, DryRunData, ResultData
from mpt_cli.runtime import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_RESULT = "urn:mpt:result:1:"
_DATA: Mapping[str, tuple[str, Any]] = {
    "process": (
        "data of mpt process and mpt concat",
        ResultData | DryRunData | NoData,
    ),
    "batch": ("data of mpt batch", BatchData | NoData),
    "validate": ("data of mpt validate", ValidationData | NoData),
    "report": (
        "data of mpt report: of a run with its time and setup, of a batch as a whole, or of the list of both",
        ReportData | BatchReportData | RunListData | NoData,
    ),
    "health": ("data of mpt health", HealthData | NoData),
    "cache": ("data of mpt cache", CacheData | NoData),
    "work": ("data of mpt work", WorkData | NoData),
    "config": (
        "data of mpt config",
        SettingsData | StarterFileData | SettingsSchemaData | NoData,
    ),
}
_EVENT_RULES: Mapping[str, JsonSchemaValue] = {
    "action": {"enum": [action.value for action in Action]},
    "level": {"enum": ["info", "warning", "error"]},
    "names": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "status": {"enum": [status.value for status in RunStatus if status is not RunStatus.SKIPPED]},
    "total_jobs": {"type": ["integer", "null"], "minimum": 1},
}
"""Bounds of fields of events, by name: the core emits plain values, and only the lines of ``--jsonl`` promise these."""


class _Schema(GenerateJsonSchema):
    """Keeps the order of keys, and names no titles, which would repeat the keys."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:
        """Return the schema as it is."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False."""
        return False

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Return the values without the docstring of the class, which is for readers of the code."""
        return {word: rule for word, rule in super().enum_schema(schema).items() if word != "description"}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return ``{"type": [T, "null"]}`` where a schema has one type, which is shorter than ``anyOf``."""
        inner = self.generate_inner(schema["schema"])
        kinds = inner.get("type", [])
        if "enum" in inner or not kinds:
            return {"anyOf": [inner, {"type": "null"}]}
        return {**inner, "type": list(dict.fromkeys([*([kinds] if isinstance(kinds, str) else kinds), "null"]))}


class _EventSchema(_Schema):
    """Describes the values of events as ``--jsonl`` writes them."""

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """Return a number or null, which stands for a number that JSON does not have."""
        return {"type": ["number", "null"], "minimum": 0}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Return a count."""
        return {"type": "integer", "minimum": 0}


def schemas() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    made = {
        "envelope": _described(f"{_RESULT}envelope", "The document of --json, and the last line of --jsonl", Envelope),
        "events": _events(),
        "log": _described("urn:mpt:log:1", "A record of --log-file with --log-format json", LogRecordData),
        "task": _described("urn:mpt:task:1", "A file of mpt process --tasks, for mpt work", Task),
        "manifest": _described("urn:mpt:manifest:1", "The file of --manifest", Manifest),
        **{name: _described(_RESULT + name, title, kind) for name, (title, kind) in _DATA.items()},
    }
    return {f"{name}.json": json.dumps(schema, indent=2) + "\n" for name, schema in made.items()}


def _described(name: str, title: str, kind: Any) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema(schema_generator=_Schema)
    return {"$schema": _DIALECT, "$id": name, **(schema | {"title": title})}


def _events() -> dict[str, Any]:
    """Return the schema of a line: the keys of every line, and one branch for each type of event."""
    head = _described(
        f"{_RESULT}events",
        "A line of --jsonl; the last line is the envelope. Readers ignore unknown types and keys",
        EventHead,
    )
    branches = {kind.type: _event(kind) for kind in get_args(events.Event)}
    return {**head, "oneOf": [{"$ref": f"#/$defs/{name}"} for name in branches], "$defs": branches}


def _event(kind: type[events.Notice]) -> dict[str, Any]:
    """Return the branch of a type of event, whose fields are those of its class."""
    types = get_type_hints(kind, {**vars(events), "Path": AbsolutePath}, include_extras=True)
    fields = {field.name: types[field.name] for field in dataclasses.fields(kind)}
    line = TypedDict(kind.type, {"type": Literal[kind.type], **fields})  # type: ignore[misc]
    schema = TypeAdapter(line).json_schema(schema_generator=_EventSchema)
    rules = {name: _EVENT_RULES[name] for name in fields if name in _EVENT_RULES}
    return {**schema, "properties": schema["properties"] | rules}

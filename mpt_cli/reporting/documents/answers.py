"""Types of the data of ``mpt health``, ``mpt cache`` and ``mpt config``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from mpt_cli.model.choices import Tracks
from mpt_cli.reporting.documents.base import AbsolutePath, Number, Whole

Value = Annotated[str | int | float | bool, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class CheckData(TypedDict):
    """Result of a check of the installation."""

    name: str
    healthy: bool
    required: bool
    detail: str
    hint: str | None


class LoadData(TypedDict):
    """Current load of the machine."""

    active_workflows: Whole
    cpu_percent: Number | None
    memory_percent: Number | None
    gpu_percent: Number | None
    throughput_clips_per_minute: Number | None


class HealthData(TypedDict):
    """Data of ``mpt health``."""

    healthy: bool
    checks: list[CheckData]
    memory_usage_percent: Number
    performance: LoadData


class CacheData(TypedDict):
    """Data of ``mpt cache``."""

    folder: AbsolutePath
    entries: Whole
    size_bytes: Whole
    limit_bytes: Whole
    removed_entries: int
    removed_bytes: int


class WorkData(TypedDict):
    """Data of ``mpt work``."""

    key: Annotated[str, Field(description="of the entry in the cache")]
    path: AbsolutePath
    tracks: Tracks
    first_frame: Annotated[Whole, Field(description="of the output frames of the clip")]
    frames: Whole
    created: Annotated[bool, Field(description="false if the entry was in the cache before")]
    stored: Annotated[bool, Field(description="false for a step with warnings, which the run does itself")]
    elapsed_seconds: Number
    peak_memory_bytes: Whole | None


class SettingData(TypedDict):
    """A setting and its source."""

    key: Annotated[str, Field(description="such as video.fps")]
    value: Annotated[Value, Field(description="as a file may have it; sizes in bytes, bit rates in bits per second")]
    default: Annotated[Value, Field(description="in the same form as value")]
    source: Annotated[str, WithJsonSchema({"enum": ["default", "flag", "environment", "file", "user_file"]})]
    name: Annotated[str | None, Field(description="of the flag, the variable, or the table in the file")]
    path: Annotated[str | None, Field(description="of the file, absolute")]
    preset: Annotated[str | None, Field(description="the preset that sets the value")]
    description: str


class SettingsData(TypedDict):
    """Data of ``mpt config show``."""

    settings: list[SettingData]
    user_file: Annotated[str | None, Field(description="absolute; it need not exist; null without a home folder")]


class StarterFileData(TypedDict):
    """Data of ``mpt config init``."""

    file: AbsolutePath
    replaced: bool


class SettingsSchemaData(TypedDict):
    """Data of ``mpt config schema``."""

    schema: dict[str, Any]

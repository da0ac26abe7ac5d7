"""Types of the manifest, the file of ``--manifest``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from mpt_cli.model.choices import Action
from mpt_cli.model.results import RunStatus
from mpt_cli.reporting.documents.base import AbsolutePath, ManifestSchema, Sha256, ToolData, Whole
from mpt_cli.reporting.documents.runs import OutputData


class ReelOutputData(OutputData):
    """A published reel with its hash."""

    sha256: Sha256


class InputData(TypedDict):
    """An input file, and how it was used."""

    index: Annotated[Whole, Field(description="index in the request")]
    path: AbsolutePath
    size_bytes: Whole
    sha256: Annotated[
        Sha256 | None,
        Field(description="null, with a warning input_changed, if the file changed since it was used"),
    ]
    start_seconds: Annotated[float, Field(description="start of its trim")]
    end_seconds: Annotated[float | None, Field(description="end of its trim")]
    mute: bool
    volume_db: Annotated[float, Field(description="gain of its audio that was asked for in a job file; 0 for none")]
    action: Action
    argv: Annotated[
        list[str],
        Field(description="ffmpeg command of the clip in this run; empty if none was needed, as for a reused clip"),
    ]
    commands: Annotated[
        list[list[str]],
        Field(description="those of a clip that was processed in segments: one for each, then that of its audio"),
    ]


class JoinData(TypedDict):
    """The join of a reel."""

    method: str
    stream_copy: bool


class ReelData(TypedDict):
    """Inputs and output of a request."""

    name: Annotated[str, Field(description="of the job, else of the output")]
    workflow_id: str
    status: RunStatus
    unchanged: Annotated[
        bool, Field(description="true if the output was up to date; all below then describes the run that wrote it")
    ]
    ffmpeg: str | None
    output: Annotated[ReelOutputData | None, Field(description="null if none was written")]
    inputs: Annotated[list[InputData], Field(description="in the order of the reel")]
    join: JoinData | None
    seed: int | None
    settings: Annotated[
        dict[str, Any] | None, Field(description="every setting by section, as it was in effect at the end")
    ]


class Manifest(TypedDict):
    """The file of ``--manifest``."""

    schema: ManifestSchema
    tool: ToolData
    command: Annotated[str, WithJsonSchema({"enum": ["process", "concat", "batch"]})]
    started_at: Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
    reels: Annotated[list[ReelData], Field(description="one for each request, in order")]

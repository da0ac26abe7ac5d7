"""Types that the documents share, the envelope, and the head of an event."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, WithJsonSchema
from typing_extensions import TypedDict  # pydantic cannot read that of typing before Python 3.12

from mpt_cli.model.left_out import LeftOutKind
from mpt_cli.model.results import RunStatus

EnvelopeSchema = Literal["mpt.result/1"]
ManifestSchema = Literal["mpt.manifest/1"]

Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Number = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
AbsolutePath = Annotated[str, Field(description="absolute")]
OptionalPath = Annotated[str | None, Field(description="absolute")]
Ratio = Annotated[str, Field(pattern="^[0-9]+(/[1-9][0-9]*)?$")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
EndStatus = Annotated[
    RunStatus, WithJsonSchema({"enum": [status.value for status in RunStatus if status is not RunStatus.SKIPPED]})
]


class NoData(TypedDict):
    """Data of a command that failed before it had a result: empty."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]


class ToolData(TypedDict):
    """Versions of the programs."""

    mpt: str
    ffmpeg: Annotated[str | None, Field(description="build string")]
    python: str


class IssueData(TypedDict):
    """An error or a warning."""

    code: Annotated[str, Field(pattern="^[a-z0-9_]+$")]
    message: str
    path: Annotated[str | None, Field(description="absolute, or stdin, or stdin:N for line N of stdin")]
    hint: str | None


class LeftOutData(TypedDict):
    """Entries of one kind that a folder holds beside its clips."""

    folder: AbsolutePath
    kind: LeftOutKind
    count: Positive
    names: Annotated[list[str], Field(description="the first 20, in natural order")]


class Envelope(TypedDict):
    """The one document of ``--json``, which is also the last line of ``--jsonl``."""

    schema: EnvelopeSchema
    tool: ToolData
    command: str
    status: EndStatus
    exit_code: Annotated[int, Field(ge=0, le=255)]
    data: Annotated[dict[str, Any], Field(description="by command; the known part on failure, at least {}")]
    warnings: list[IssueData]
    errors: list[IssueData]


class EventHead(TypedDict):
    """Keys of every line of ``--jsonl`` but the last."""

    v: Literal[1]
    seq: Positive
    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    type: str
    job: NotRequired[
        Annotated[str | None, Field(description="in a batch: the job of the event, null for the whole batch")]
    ]

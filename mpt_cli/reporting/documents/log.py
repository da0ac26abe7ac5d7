"""Type of a record of ``--log-file`` with ``--log-format json``."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from mpt_cli.reporting.documents.base import AbsolutePath, EndStatus, Number, OptionalPath, Positive, Whole


class LogRecordData(TypedDict):
    """A line of a log."""

    time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    level: Literal["debug", "info", "warning", "error", "critical"]
    run: Annotated[str, Field(pattern="^[0-9a-f]{8}$", description="the same in all records of one command")]
    job: Annotated[str | None, Field(description="in a batch: name of the job")]
    output: OptionalPath
    message: str
    path: Annotated[str | None, Field(description="absolute; file that the record is about")]
    code: Annotated[str | None, Field(description="issue code")]
    hint: str | None
    event: NotRequired[
        Annotated[str, Field(description="begin, end, or a type of event; absent for messages from inside")]
    ]
    index: NotRequired[Annotated[Whole, Field(description="index of the clip")]]
    status: NotRequired[EndStatus]
    exit_code: NotRequired[Annotated[int, Field(ge=0, le=255, description="of the command, in its last record")]]
    seconds: NotRequired[Annotated[Number, Field(description="duration of the command, in its last record")]]
    mpt: NotRequired[Annotated[str, Field(description="version; this and the following keys are in the first record")]]
    argv: NotRequired[list[str]]
    host: NotRequired[str]
    pid: NotRequired[Positive]
    folder: NotRequired[AbsolutePath]
    python: NotRequired[str]
    ffmpeg: NotRequired[Annotated[str | None, Field(description="path of the program, or null if there is none")]]
    environment: NotRequired[Annotated[dict[str, str], Field(description="variables whose names begin with MPT_")]]
    logger: NotRequired[Annotated[str, Field(description="module of a message from inside")]]
    exception: NotRequired[Annotated[str, Field(description="traceback")]]

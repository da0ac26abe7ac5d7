"""Types of the data of ``mpt report list``, and of ``mpt report`` for a run and for a batch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from mpt_cli.model.results import RunStatus
from mpt_cli.reporting.documents.base import EndStatus, IssueData, Number, OptionalPath, Whole
from mpt_cli.reporting.documents.runs import JobCounts, OutputData, ResultData

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Code = Annotated[
    str | None, Field(pattern="^[a-z0-9_]+$", description="code of the issue that ended the run, null for none")
]
ExitCode = Annotated[int, Field(ge=0, le=255)]


class SetupData(TypedDict):
    """Version and settings of a run."""

    mpt: str
    encoder: str | None
    threads: Whole | None
    jobs: Whole | None
    settings: Annotated[dict[str, str], Field(description="settings that are not the default, by dotted key")]


class SpanData(TypedDict):
    """Time span of the work on a clip."""

    index: Whole
    started_seconds: Number
    ended_seconds: Number | None


class SampleData(TypedDict):
    """Resource use at a time."""

    at_seconds: Number
    memory_bytes: Annotated[Whole, Field(description="the most since the sample before")]
    cpu_percent: Number


class TimelineData(TypedDict):
    """Course of a run."""

    budget_bytes: Whole | None
    clips: list[SpanData]
    samples: Annotated[list[SampleData], Field(max_length=600)]


class ListedRunData(TypedDict):
    """A run or a batch in one line."""

    workflow_id: str
    command: Annotated[str, WithJsonSchema({"enum": ["process", "concat", "batch"]})]
    started_at: Moment
    status: EndStatus
    exit_code: ExitCode
    code: Code
    unchanged: Annotated[bool, Field(description="true if the output was up to date, so that nothing was done")]
    elapsed_seconds: Number | None
    output: Annotated[
        str | None,
        Field(description="absolute path that the reel was to get; null for a batch, and for failed runs of 0.1.0"),
    ]
    jobs: Annotated[JobCounts | None, Field(description="jobs of a batch by status; null for a single run")]


class RunListData(TypedDict):
    """Data of ``mpt report list``."""

    runs: Annotated[
        list[ListedRunData],
        Field(description="newest first, at most --limit; the jobs of a listed batch are in its report"),
    ]


class ReportData(ResultData):
    """Data of ``mpt report`` for a run: the data of the run, and its time and setup."""

    command: Annotated[str, WithJsonSchema({"enum": ["process", "concat"]})]
    status: EndStatus
    started_at: Moment
    output_path: Annotated[
        str | None, Field(description="absolute path that the reel was to get; null for failed runs of 0.1.0")
    ]
    later_run: Annotated[
        ListedRunData | None,
        Field(description="for mpt report OUTPUT: the newest later run that was to make this output and did not"),
    ]
    html: Annotated[str | None, Field(description="the written page, absolute")]
    setup: Annotated[SetupData | None, Field(description="null for runs of older versions")]
    timeline: Annotated[
        TimelineData | None,
        Field(description="seconds from the start of the run; null for runs of older versions"),
    ]
    errors: list[IssueData]
    warnings: list[IssueData]


class ClipCounts(TypedDict):
    """Number of clips by outcome."""

    encode: Whole
    copy: Whole
    reuse: Whole
    failed: Whole
    skipped: Whole
    not_run: Whole


class JobReportData(TypedDict):
    """A job of a batch in brief."""

    name: str
    workflow_id: Annotated[str, Field(description="mpt report WORKFLOW_ID is the report of this job alone")]
    status: RunStatus
    exit_code: Annotated[int | None, Field(description="null for a job that was not started")]
    code: Code
    output_path: OptionalPath
    output: Annotated[OutputData | None, Field(description="null without a reel")]
    unchanged: Annotated[bool, Field(description="true if the output was up to date, so that nothing was done")]
    started_seconds: Annotated[
        Number | None, Field(description="from the start of the batch; null for a job that was not started")
    ]
    elapsed_seconds: Number | None
    memory_peak_bytes: Annotated[
        Whole | None, Field(description="of mpt as a whole while the job ran, also for the jobs beside it")
    ]
    clips: ClipCounts
    errors: list[IssueData]
    warnings: list[IssueData]


class BatchTotals(JobCounts):
    """Totals of a batch."""

    clips: Annotated[ClipCounts, Field(description="without those of jobs whose output was up to date")]
    errors: Whole
    warnings: Whole
    output_bytes: Annotated[Whole, Field(description="size of all reels")]
    output_seconds: Annotated[Number, Field(description="duration of all reels")]
    job_seconds: Annotated[Number, Field(description="wall time of all jobs, added up; jobs run side by side")]
    memory_peak_bytes: Whole | None


class BatchReportData(TypedDict):
    """Data of ``mpt report`` for a batch as a whole."""

    command: Annotated[str, WithJsonSchema({"enum": ["batch"]})]
    workflow_id: str
    status: EndStatus
    exit_code: ExitCode
    started_at: Moment
    elapsed_seconds: Number
    html: OptionalPath
    jobs: Annotated[list[JobReportData], Field(description="in the order of the job files")]
    summary: BatchTotals
    errors: Annotated[list[IssueData], Field(description="issues that ended the batch as a whole")]

"""Command ``mpt batch``: many requests side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from mpt_cli.cli.answer import Answer, end_of_batch, exit_code_of_run
from mpt_cli.cli.batch_record import BatchRecorder
from mpt_cli.cli.batch_requests import labels_of, output_of, read_job_files, requests_of
from mpt_cli.cli.options import BATCH, COMMON, Given, with_options
from mpt_cli.cli.request import refuse_idle_seed
from mpt_cli.cli.session import Session
from mpt_cli.config.request import VideoParams
from mpt_cli.display.answers.batch import batch_data, issues_of, show_batch
from mpt_cli.model.errors import ExitCode, MptError
from mpt_cli.model.results import JobEnd, RunStatus, VideoResult
from mpt_cli.runtime.events import Notice, RunFinished, RunStarted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.errors import Issue
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.settings.job_files import RefusedJob

JobFiles = Annotated[list[str] | None, typer.Argument(metavar="JOBS", help="Job files, or - for JSON Lines on stdin.")]


@with_options(BATCH, COMMON)
def batch(
    job_files: JobFiles = None,
    *,
    given: Given,
) -> int:
    """Run many jobs, each as mpt process would; exit 5 if any of them failed.

    Jobs share cores, memory and the cache of finished clips; all jobs are checked before the first one runs.
    """
    return Session("batch", given).run(lambda session: _answer(session, job_files or []))


def _answer(session: Session, names: list[str]) -> Answer:
    files = read_job_files(session, names)
    factory, jobs = requests_of(files, session.given)
    requests = [job for job in jobs if isinstance(job, VideoParams)]
    if requests:
        refuse_idle_seed(session.given, requests)
    labels, outputs = labels_of(names, files), [output_of(job) for job in jobs]
    context, status = session.context_of(), RunStatus.ERROR
    recorder = BatchRecorder(context.workflow_id)
    clips = sum(len(request.clips) for request in requests)
    context.emit(RunStarted("batch", context.workflow_id, clips, total_jobs=len(jobs)))
    contexts = [
        recorder.hearing(session.context_of(output, job=label)) for output, label in zip(outputs, labels, strict=True)
    ]
    results = [VideoResult(of.workflow_id, RunStatus.SKIPPED) for of in contexts]
    errors: tuple[Issue, ...] = ()
    exit_code = int(ExitCode.INTERNAL)
    try:
        results = _run(session, factory, jobs, contexts)
        status, exit_code = end_of_batch([result.status for result in results], session.cancel.signal_number)
    except MptError as error:  # the batch as a whole is refused
        errors, exit_code = (error.issue, *error.others), error.exit_code
        raise
    finally:
        context.emit(RunFinished(status.value))
        ends = [_end_of(label, result) for label, result in zip(labels, results, strict=True)]
        if factory.batches is not None and not session.given.get("dry_run"):
            factory.batches.add(recorder.entry(outputs, ends, status=status, exit_code=exit_code, errors=errors))
    return _answer_of(session, context.workflow_id, ends, status, exit_code)


def _run(
    session: Session,
    factory: ModuleFactory,
    jobs: Sequence[VideoParams | RefusedJob],
    contexts: Sequence[RunContext],
) -> list[VideoResult]:
    """Run or only plan the jobs, and return how each ended, in order; jobs that are no requests fail first."""
    results: dict[int, VideoResult] = {}
    requests: dict[int, VideoParams] = {}
    for index, job in enumerate(jobs):
        if isinstance(job, VideoParams):
            requests[index] = job
        else:
            results[index] = _refused(job, contexts[index])
    if requests:
        orchestrator, own = factory.create_video_orchestrator(), [contexts[index] for index in requests]
        if session.given.get("dry_run"):
            ended = orchestrator.plan_batch_requests(list(requests.values()), contexts=own)
        else:
            fail_fast = bool(session.given.get("fail_fast"))
            ended = orchestrator.process_batch_requests(list(requests.values()), contexts=own, fail_fast=fail_fast)
        results.update(zip(requests, ended, strict=True))
    return [results[index] for index in range(len(jobs))]


def _refused(job: RefusedJob, context: RunContext) -> VideoResult:
    """Report a job that cannot be requested, and return its result."""
    context.emit(RunStarted("process", context.workflow_id, 0))
    for issue in job.errors:
        context.emit(Notice("error", issue.code.value, issue.message, path=issue.path, hint=issue.hint))
    code = job.errors[0].code
    context.emit(RunFinished(RunStatus.ERROR.value, code.value))
    return VideoResult(context.workflow_id, RunStatus.ERROR, errors=job.errors, code=code)


def _end_of(label: str, result: VideoResult) -> JobEnd:
    return JobEnd(label, result, None if result.status is RunStatus.SKIPPED else exit_code_of_run(result))


def _answer_of(session: Session, workflow_id: str, ends: list[JobEnd], status: RunStatus, exit_code: int) -> Answer:
    commands = bool(session.given.get("verbose"))
    return Answer(
        status=status,
        exit_code=exit_code,
        data=batch_data(workflow_id, ends),
        warnings=issues_of(ends, warnings=True),
        errors=issues_of(ends),
        ends=ends,
        ffmpeg=next((end.result.ffmpeg for end in ends if end.result.ffmpeg), None),
        show=lambda out, err: show_batch(
            out,
            err,
            [replace(end, result=session.display.unshown(end.result, job=end.name)) for end in ends],
            commands=commands,
        ),
    )

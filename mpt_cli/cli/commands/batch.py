"""Command ``mpt batch``: many requests side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from mpt_cli.cli.answer import Answer, end_of_batch, exit_code_of_run
from mpt_cli.cli.batch_requests import labels_of, read_job_files, requests_of
from mpt_cli.cli.options import BATCH, COMMON, Given, with_options
from mpt_cli.cli.request import refuse_idle_seed
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.batch import batch_data, issues_of, show_batch
from mpt_cli.model.results import JobEnd, RunStatus
from mpt_cli.runtime.events import RunFinished, RunStarted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.results import VideoResult

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
    from mpt_cli.factory import ModuleFactory

    files = read_job_files(session, names)
    settings, requests = requests_of(files, session.given)
    refuse_idle_seed(session.given, requests)
    labels = labels_of(names, files)
    dry_run = bool(session.given.get("dry_run"))
    orchestrator = ModuleFactory(settings, remember=not dry_run).create_video_orchestrator()
    context, status = session.context, RunStatus.ERROR
    clips = sum(len(request.clips) for request in requests)
    context.emit(RunStarted("batch", context.workflow_id, clips, total_jobs=len(requests)))
    contexts = [session.context_of(label) for label in labels]
    try:
        if dry_run:
            results = orchestrator.plan_batch_requests(requests, contexts=contexts)
        else:
            fail_fast = bool(session.given.get("fail_fast"))
            results = orchestrator.process_batch_requests(requests, contexts=contexts, fail_fast=fail_fast)
        status, exit_code = end_of_batch([result.status for result in results], session.cancel.signal_number)
    finally:
        context.emit(RunFinished(status.value))
    return _answer_of(session, labels, results, status, exit_code)


def _answer_of(
    session: Session, labels: Sequence[str], results: Sequence[VideoResult], status: RunStatus, exit_code: int
) -> Answer:
    ends = [
        JobEnd(
            label,
            result,
            None if result.status is RunStatus.SKIPPED else exit_code_of_run(result),
        )
        for label, result in zip(labels, results, strict=True)
    ]
    commands = bool(session.given.get("verbose"))
    return Answer(
        status=status,
        exit_code=exit_code,
        data=batch_data(ends),
        warnings=issues_of(ends, warnings=True),
        errors=issues_of(ends),
        ends=ends,
        ffmpeg=next((result.ffmpeg for result in results if result.ffmpeg), None),
        show=lambda out, err: show_batch(
            out,
            err,
            [replace(end, result=session.display.unshown(end.result, job=end.name)) for end in ends],
            commands=commands,
        ),
    )

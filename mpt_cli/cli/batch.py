"""``mpt batch``: many requests, side by side."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mpt_cli.cli.options import BATCH, COMMON, Given, with_options
from mpt_cli.cli.request import params_of_job
from mpt_cli.cli.session import Answer, Session, end_of_batch, exit_code_of_run
from mpt_cli.display.batch import JobEnd, batch_data, issues_of, show_batch
from mpt_cli.errors import UsageError
from mpt_cli.events import RunFinished, RunStarted
from mpt_cli.results import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.jobs import JobFile
    from mpt_cli.layers import Layer
    from mpt_cli.models import VideoParams
    from mpt_cli.results import VideoResult
    from mpt_cli.settings import Settings

JobFiles = Annotated[list[str] | None, typer.Argument(metavar="JOBS", help="Job files, or - for JSON Lines on stdin.")]
_OF_ALL = ("memory", "cache", "batch")
"""Sections that hold for all jobs of a batch together."""


@with_options(BATCH, COMMON)
def batch(
    job_files: JobFiles = None,
    *,
    given: Given,
) -> int:
    """Run many jobs, each as mpt process would; exit 5 if any of them failed.

    Example: mpt batch monday.toml tuesday.toml
    """
    return Session("batch", given).run(lambda session: _answer(session, job_files or []))


def _answer(session: Session, names: list[str]) -> Answer:
    from mpt_cli.factory import ModuleFactory

    if not names:
        raise UsageError("no job file was named", hint="name TOML files, or - for JSON Lines on stdin")
    files = [_load(session, name) for name in names]
    settings, requests = _requests(files, session.given)
    labels = [
        job.name if len(files) == 1 else f"{name}: {job.name}"
        for name, file in zip(names, files, strict=True)
        for job in file.jobs
    ]
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
    return _answer_of(labels, results, status, exit_code, commands=bool(session.given.get("verbose")))


def _answer_of(
    labels: Sequence[str], results: Sequence[VideoResult], status: RunStatus, exit_code: int, *, commands: bool
) -> Answer:
    ends = [
        JobEnd(
            label,
            result,
            None
            if result.status is RunStatus.SKIPPED
            else exit_code_of_run(result.code, result.status, result.signal_number),
        )
        for label, result in zip(labels, results, strict=True)
    ]
    return Answer(
        status=status,
        exit_code=exit_code,
        data=batch_data(ends),
        warnings=issues_of(ends, warnings=True),
        errors=issues_of(ends),
        ffmpeg=next((result.ffmpeg for result in results if result.ffmpeg), None),
        show=lambda out, err: show_batch(out, err, ends, commands=commands),
    )


def _load(session: Session, name: str) -> JobFile:
    from mpt_cli.jobs import load_jobs, read_job_lines

    return read_job_lines(io.BytesIO(session.read_stdin()), base=Path.cwd()) if name == "-" else load_jobs(Path(name))


def _requests(files: Sequence[JobFile], given: Given) -> tuple[Settings, list[VideoParams]]:
    """The settings of the batch as a whole, and the request of each job."""
    from mpt_cli.layers import Layer, LayerKind
    from mpt_cli.settings import Settings, standing_layers

    standing = standing_layers(config_file=given.get("config"))
    flags = Layer(LayerKind.FLAG, given.flags)
    requests: list[VideoParams] = []
    for file in files:
        common = Settings.of((flags, file.defaults, *standing))
        if len(files) > 1:
            _refuse_shared(file.defaults, "stands for all job files together: give it as an option")
        for job in file.jobs:
            _refuse_shared(job.layer, "is for all jobs together: write it under [defaults]")
            own = Settings.of((flags, job.layer, file.defaults, *standing)) if job.layer.values else common
            requests.append(params_of_job(job, own, given))
    return Settings.of((flags, files[0].defaults if len(files) == 1 else None, *standing)), requests


def _refuse_shared(layer: Layer, why: str) -> None:
    for key, _ in layer.items():
        if key[0] in _OF_ALL:
            raise UsageError(f"{layer.name_of(key)} {why}", path=layer.path)

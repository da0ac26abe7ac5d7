"""Requests of a batch, read from job files."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.cli.request import factory_of, jobs_of, params_of_job
from mpt_cli.model.errors import MptError, UsageError
from mpt_cli.model.similarity import meant
from mpt_cli.settings.job_files import JobFile, RefusedJob
from mpt_cli.settings.layers import Layer, LayerKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.cli.options import Given
    from mpt_cli.cli.session import Session
    from mpt_cli.config.request import VideoParams
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.job_files import Job, JobLines
    from mpt_cli.settings.merged import Settings

_SHARED_SECTIONS, _SHARED_KEYS = ("memory", "cache", "batch"), (("paths", "state"), ("processing", "deadline"))
"""Sections and keys that apply to all jobs of a batch together."""
_NAMED_AT_MOST = 10


def read_job_files(session: Session, names: Sequence[str]) -> list[JobFile | JobLines]:
    """Return the job files, each with only the jobs that will run.

    Args:
        session: The session of the command, for ``--only`` and stdin.
        names: Paths of TOML files, or ``-`` for JSON Lines on stdin.

    Raises:
        UsageError: No file is named, stdin is named twice, or ``--only`` names an unknown job.
    """
    if not names:
        raise UsageError("no job file was named", hint="name TOML files, or - for JSON Lines on stdin")
    if names.count("-") > 1:
        raise UsageError("stdin was named twice, but can be read only once", hint="name - once")
    return _only(session.given.get("only"), [_load(session, name) for name in names])


def labels_of(names: Sequence[str], files: Sequence[JobFile | JobLines]) -> list[str]:
    """Return the label of each job: its name, after the name of its file if there are several files."""
    return [
        job.name if len(files) == 1 else f"{name}: {job.name}"
        for name, file in zip(names, files, strict=True)
        for job in file.jobs
    ]


def _load(session: Session, name: str) -> JobFile | JobLines:
    from mpt_cli.settings.job_files import read_job_lines

    return read_job_lines(io.BytesIO(session.read_stdin()), base=Path.cwd()) if name == "-" else jobs_of(Path(name))


def _only(wanted: Sequence[str] | None, files: list[JobFile | JobLines]) -> list[JobFile | JobLines]:
    """Return the files with only the named jobs, or unchanged if ``wanted`` is None."""
    if wanted is None:
        return files
    known = [job.name for file in files for job in file.jobs]
    for name in wanted:
        if name not in known:
            more = f" and {len(known) - _NAMED_AT_MOST} more" if len(known) > _NAMED_AT_MOST else ""
            hint = f"the jobs are {', '.join(known[:_NAMED_AT_MOST])}{more}"
            raise UsageError(f"--only {name!r}: there is no such job{meant(name, known)}", hint=hint)
    return [_with_jobs(file, wanted) for file in files]


def _with_jobs(file: JobFile | JobLines, wanted: Sequence[str]) -> JobFile | JobLines:
    if isinstance(file, JobFile):
        return replace(file, jobs=tuple(job for job in file.jobs if job.name in wanted))
    return replace(file, jobs=tuple(job for job in file.jobs if job.name in wanted))


def requests_of(
    files: Sequence[JobFile | JobLines], given: Given
) -> tuple[ModuleFactory, list[VideoParams | RefusedJob]]:
    """Return the factory of the whole batch and the request of each job, or why a line of stdin is none.

    Raises:
        UsageError: A job of a file is wrong; or any job is, with ``--fail-fast``.
        ConfigError: As UsageError.
    """
    from mpt_cli.settings.merged import Settings, standing_layers

    standing = standing_layers(config_file=given.get("config"))
    flags = Layer(LayerKind.FLAG, given.flags)
    shared = Settings.of((flags, files[0].defaults if len(files) == 1 else None, *standing))
    factory = factory_of(shared, given)
    requests: list[VideoParams | RefusedJob] = []

    def request_of(job: Job, common: Settings, file: JobFile | JobLines) -> VideoParams:
        instead = "write it under [defaults]" if isinstance(file, JobFile) else "give it as an option"
        _refuse_shared(job.layer, f"is for all jobs together: {instead}")
        own = Settings.of((flags, job.layer, file.defaults, *standing)) if job.layer.values else common
        return params_of_job(job, own, given, factory.published_reels.made_in)

    for file in files:
        common = Settings.of((flags, file.defaults, *standing))
        if len(files) > 1:
            _refuse_shared(file.defaults, "stands for all job files together: give it as an option")
        for job in file.jobs:
            if isinstance(job, RefusedJob):
                requests.append(job)
                continue
            try:
                requests.append(request_of(job, common, file))
            except MptError as error:
                if isinstance(file, JobFile):
                    raise
                requests.append(RefusedJob(job.name, (error.issue, *error.others), job.output))
    if given.get("fail_fast"):
        _refuse_any(requests)
    return factory, requests


def _refuse_any(requests: Sequence[VideoParams | RefusedJob]) -> None:
    """Raise UsageError for all that is wrong with the jobs."""
    issues = [issue for job in requests if isinstance(job, RefusedJob) for issue in job.errors]
    if issues:
        first, *others = [UsageError(issue.message, path=issue.path, hint=issue.hint) for issue in issues]
        raise first.beside(others)


def _refuse_shared(layer: Layer, why: str) -> None:
    for key, _ in layer.items():
        if key[0] in _SHARED_SECTIONS or key in _SHARED_KEYS:
            raise UsageError(f"{layer.name_of(key)} {why}", path=layer.path)


def output_of(job: VideoParams | RefusedJob) -> Path | None:
    """Return where a job writes its reel, or None where that is not known."""
    return job.output if isinstance(job, RefusedJob) else job.output_path

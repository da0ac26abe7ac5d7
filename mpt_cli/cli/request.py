"""Request of ``process`` and ``concat`` from inputs and options, and the answer from its result."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mpt_cli.cli.answer import Answer, exit_code_of_run
from mpt_cli.cli.session import NUL_WITHOUT_STDIN
from mpt_cli.config.request import Extras, VideoParams
from mpt_cli.display.answers import summary
from mpt_cli.display.answers.dry_run import result_data, show_plan
from mpt_cli.model.choices import ConcatenationMode
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import UsageError
from mpt_cli.model.results import JobEnd
from mpt_cli.settings.inputs import Inputs, expand_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.cli.options import Given
    from mpt_cli.cli.session import Session
    from mpt_cli.display.base import Console
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.choices import JoinMethod
    from mpt_cli.model.results import VideoResult
    from mpt_cli.settings.inputs import Made
    from mpt_cli.settings.job_files import Job, JobFile
    from mpt_cli.settings.merged import Settings


def answer_request(
    session: Session, inputs: Sequence[str], *, join: JoinMethod | None = None, job: Path | None = None
) -> Answer:
    """Run or only plan the request of the command line or of a job file.

    Args:
        session: The session of the command.
        inputs: Files, folders, patterns, or ``-`` for stdin; ignored with ``job``.
        join: The method of ``mpt concat``; None for ``mpt process``.
        job: A file with one job, or None.
    """
    params, factory = _from_job(job, session.given) if job else _from_command_line(session, inputs, join)
    refuse_idle_seed(session.given, [params])
    dry_run = bool(session.given.get("dry_run"))
    orchestrator = factory.create_video_orchestrator()
    context = session.context_of(params.output_path)
    tasks = _tasks_folder(session.given, factory)
    if dry_run or tasks:
        result = orchestrator.plan_video_request(params, context=context, tasks=tasks)
    else:
        result = orchestrator.process_video_request(params, context=context)
    exit_code = exit_code_of_run(result)
    return Answer(
        status=result.status,
        exit_code=exit_code,
        data=result_data(result),
        warnings=result.warnings,
        errors=result.errors,
        ffmpeg=result.ffmpeg,
        ends=[JobEnd(params.output_path.name, result, exit_code)],
        show=lambda out, err: _show(
            out, err, session.display.unshown(result), verbose=bool(session.given.get("verbose")), tasks=bool(tasks)
        ),
    )


def _tasks_folder(given: Given, factory: ModuleFactory) -> Path | None:
    """Return the folder for tasks, or None; UsageError where none can be written."""
    folder: Path | None = given.get("tasks")
    if folder is None:
        return None
    if given.get("dry_run"):
        raise UsageError("--tasks writes files, and --dry-run none", hint="leave one of them out")
    if factory.clip_cache is None:
        raise UsageError("--tasks needs the cache, which is switched off", hint="leave out --no-cache")
    return folder


def refuse_idle_seed(given: Given, requests: Sequence[VideoParams]) -> None:
    """Refuse ``--seed`` without a random order; a seed in a file may wait for ``--mode random``."""
    seed = given.flags.get("concat", {}).get("seed")
    modes = {request.config.concat.mode for request in requests if request.config is not None}
    if seed not in (None, "none", "auto") and ConcatenationMode.RANDOM not in modes:
        hint = "give --mode random, or leave the seed out"
        raise UsageError(f"--seed {seed}: needs concat.mode = random, but that is sequential", hint=hint)


def _show(out: Console, err: Console, result: VideoResult, *, verbose: bool, tasks: bool = False) -> None:
    if result.plan is None:
        summary.show_result(out, err, result, verbose=verbose)
        return
    show_plan(out, result.plan, commands=verbose, left_out=result.left_out, tasks=tasks)
    summary.show_issues(err, result.warnings, level="warning")
    summary.show_issues(err, result.errors)


def _from_command_line(
    session: Session, inputs: Sequence[str], join: JoinMethod | None
) -> tuple[VideoParams, ModuleFactory]:
    from mpt_cli.settings.merged import Settings

    given = session.given
    if not inputs:
        raise UsageError("no clips were named", hint="name files, a folder, a pattern, or - for paths on stdin")
    output = _output(given.get("output"))
    settings = Settings.load(flags=given.flags, config_file=given.get("config"))
    factory = factory_of(settings, given)
    found = session.expand(inputs, factory.published_reels.made_in)
    clips = tuple(VideoClip(path) for path in found.paths)
    return _params(clips, output, settings, given, found, join=join), factory


def factory_of(settings: Settings, given: Given) -> ModuleFactory:
    """Return the factory of a command; that of a dry run writes nothing."""
    from mpt_cli.factory import ModuleFactory

    return ModuleFactory(settings, remember=not given.get("dry_run"))


def jobs_of(file: Path) -> JobFile:
    """Return the jobs of a file; for a file of settings or of JSON Lines report only that it is one."""
    from mpt_cli.settings.job_files import holds_json, load_jobs
    from mpt_cli.settings.layers import holds_settings

    try:
        return load_jobs(file)
    except UsageError as error:
        if holds_json(file):
            hint = f"JSON Lines are read from stdin: mpt batch - < {shlex.quote(str(file))}"
            raise UsageError("is JSON, not TOML", path=error.issue.path, hint=hint) from error
        if not holds_settings(file):
            raise
        why = "is a file of settings, not of jobs"
        raise UsageError(why, path=error.issue.path, hint=f"use it as --config {file}") from error


def _from_job(file: Path, given: Given) -> tuple[VideoParams, ModuleFactory]:
    from mpt_cli.settings.merged import Settings

    if given.get("null"):
        raise UsageError(NUL_WITHOUT_STDIN, hint="leave out --null")
    jobs = jobs_of(file)
    job = jobs.single()
    settings = Settings.load(
        flags=given.flags, job=job.layer, job_defaults=jobs.defaults, config_file=given.get("config")
    )
    factory = factory_of(settings, given)
    clips, found = _job_clips(job, factory.published_reels.made_in)
    output = _output(given.get("output") or job.output)
    return _params(clips, output, settings, given, found, job=job), factory


def params_of_job(job: Job, settings: Settings, given: Given, made: Made) -> VideoParams:
    """Return the request of one job of a batch; problems with its clips become problems of the request."""
    try:
        clips, found = _job_clips(job, made)
    except UsageError as error:
        clips, found = (), Inputs.of([error.issue])
    return _params(clips, job.output, settings, given, found, job=job)


def _job_clips(job: Job, made: Made) -> tuple[tuple[VideoClip, ...], Inputs]:
    clips: list[VideoClip] = []
    parts: list[Inputs] = []
    for item in job.inputs:
        part = expand_inputs([item.text], cwd=job.base, made=made)
        parts.append(part)
        if item.is_trimmed and (len(part.paths) > 1 or any(path.is_dir() for path in part.paths)):
            raise UsageError(f"{item.text} is more than one file and cannot be trimmed", hint="name each file")
        clips += [VideoClip(path, item.start, item.end, item.mute, item.volume) for path in part.paths]
    return tuple(clips), Inputs.joined(parts)


def _output(output: Path | None) -> Path:
    if output is None:
        raise UsageError("no output was named", hint="add -o reel.mp4")
    return output


def _params(
    clips: tuple[VideoClip, ...],
    output: Path,
    settings: Settings,
    given: Given,
    found: Inputs,
    *,
    join: JoinMethod | None = None,
    job: Job | None = None,
) -> VideoParams:
    sheet, poster = given.get("contact_sheet"), given.get("poster")
    return VideoParams(
        clips=clips,
        output_path=output,
        overwrite=bool(given.get("overwrite")) or (job is not None and job.overwrite),
        keep_temp=bool(given.get("keep_temp")),
        config=settings,
        join=join,
        extras=Extras(
            sheet or (job.extras.contact_sheet if job else None), poster or (job.extras.poster if job else None)
        ),
        problems=found.problems,
        warnings=found.warnings,
        left_out=found.left_out,
        if_changed=bool(given.get("if_changed")),
        evidence=given.get("manifest") is not None,
    )

"""Command ``mpt validate``: usable clips and their formats."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, INPUTS, VALIDATE, Given, Inputs, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers import summary, verdicts
from mpt_cli.model.errors import Cancelled, ExitCode, Issue, IssueCode, UsageError
from mpt_cli.model.loudness import difference_text
from mpt_cli.model.results import RunStatus
from mpt_cli.reporting.envelope import validation_data
from mpt_cli.runtime.events import RunFinished, RunStarted, ValidationFinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.display.base import Console
    from mpt_cli.model.results import FileValidationResult


@with_options(INPUTS, VALIDATE, COMMON)
def validate(
    inputs: Inputs = None,
    *,
    given: Given,
) -> int:
    """Check clips and report their format; exit 3 if any cannot be used."""
    return Session("validate", given).run(lambda session: _answer(session, inputs or []))


def _differing(files: Sequence[FileValidationResult]) -> tuple[Issue, ...]:
    """Return a warning where clips differ in loudness; only where they were measured."""
    said = difference_text([(file.path.name, file.lufs) for file in files if file.lufs is not None])
    hint = "--even-out of mpt process brings them together"
    return () if said is None else (Issue(IssueCode.LOUDNESS_DIFFERS, said, hint=hint),)


def _answer(session: Session, inputs: list[str]) -> Answer:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    if not inputs:
        raise UsageError("no clips were named", hint="name files, a folder, a pattern, or - for paths on stdin")
    given, context = session.given, session.context_of()
    settings = Settings.load(flags=given.flags, config_file=given.get("config"))
    factory = ModuleFactory(settings)
    engine = factory.create_validation_engine()
    found = session.expand(inputs, factory.published_reels.made_in)
    paths, problems, noticed = found.paths, found.problems, found.warnings
    context.emit(RunStarted("validate", context.workflow_id, len(paths)))
    try:
        deep = bool(given.get("deep"))
        files = engine.validate_files(paths, cancel=context.cancel, scan=deep, deep=deep, tracks=settings.audio.tracks)
    except Cancelled:
        context.emit(RunFinished(RunStatus.CANCELLED.value))
        raise
    files = factory.with_copy_obstacles(files)
    noticed = (*noticed, *_differing(files))
    if given.get("strict"):
        files = [replace(file, errors=(*file.errors, *file.warnings), warnings=()) for file in files]
        problems, noticed = (*problems, *noticed), ()
    bad = [file for file in files if not file.is_valid]
    context.emit(ValidationFinished(len(files) - len(bad), len(bad)))
    status = RunStatus.ERROR if bad or problems else RunStatus.SUCCESS
    context.emit(RunFinished(status.value))

    def show(out: Console, err: Console) -> None:
        verdicts.show_validation(out, files)
        summary.show_left_out(out, found.left_out)
        summary.show_issues(err, noticed, level="warning")
        summary.show_issues(err, problems)

    return Answer(
        status=status,
        exit_code=ExitCode.INVALID if bad or problems else ExitCode.OK,
        data=validation_data(files, found.left_out),
        warnings=[*noticed, *(issue for file in files for issue in file.warnings)],
        errors=[*problems, *(issue for file in bad for issue in file.errors)],
        verdicts=files,
        show=show,
    )

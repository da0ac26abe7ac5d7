"""Command ``mpt work``: one step of a plan, on any machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, WORK, Given, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.work import show_work, work_data
from mpt_cli.model.errors import ExitCode
from mpt_cli.model.results import RunStatus


@with_options(WORK, COMMON)
def work(
    task: Annotated[
        Path, typer.Argument(metavar="TASK", help="File that mpt process --tasks wrote.", show_default=False)
    ],
    *,
    given: Given,
) -> int:
    """Do one step of a plan that mpt process --tasks wrote, and keep its result in the cache.

    A step that is in the cache is finished already. mpt process with the options of the plan finds it there,
    and only joins.
    """
    return Session("work", given).run(lambda session: _answer(session, task))


def _answer(session: Session, path: Path) -> Answer:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    given = session.given
    settings = Settings.load(flags=given.flags, config_file=given.get("config"))
    end, warnings = ModuleFactory(settings).do_task(path, session.context_of())
    return Answer(
        RunStatus.SUCCESS,
        ExitCode.OK,
        data=work_data(end),
        warnings=warnings,
        ffmpeg=end.task.ffmpeg,
        show=lambda out, err: show_work(out, err, end, warnings),
    )

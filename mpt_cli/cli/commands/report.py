"""Command ``mpt report``: result and costs of an earlier run."""

from __future__ import annotations

from typing import Annotated

import typer

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, REPORT, Given, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.report import report_data, show_report
from mpt_cli.model.errors import ConfigError, ExitCode, UsageError
from mpt_cli.model.results import RunStatus
from mpt_cli.settings.layers import meant
from mpt_cli.storage.unkept import NO_HOME

Workflow = Annotated[
    str,
    typer.Argument(metavar="WORKFLOW", help="The first digits of a workflow id, or last (last).", show_default=False),
]


@with_options(REPORT, COMMON)
def report(workflow: Workflow = "last", *, given: Given) -> int:
    """Print the report of an earlier run: its steps, its clips, time and memory."""
    return Session("report", given, follows_run=False).run(lambda session: _answer(session, workflow))


def _answer(session: Session, workflow: str) -> Answer:
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    factory = ModuleFactory(Settings.load(config_file=session.given.get("config")))
    history, html = factory.history, session.given.get("html")
    if history is None:
        raise ConfigError(f"there are no reports: {NO_HOME}", hint="set HOME, or paths.state")
    entry = history.find(workflow)
    if entry is None:
        known = history.ids(1000)
        hint = f"the last ones are {', '.join(known[:5])}" if known else "no run was reported on yet"
        near = meant(workflow[:8], ["last", *known]) if known else ""
        raise UsageError(f"there is no report of workflow {workflow!r}{near}", hint=hint)
    if html is not None:
        overwrite = bool(session.given.get("overwrite"))
        factory.showcase.write_page(entry, html, overwrite=overwrite, cancel=session.cancel)
    return Answer(
        RunStatus.SUCCESS,
        ExitCode.OK,
        data=report_data(entry, html),
        ffmpeg=entry.result.ffmpeg,
        show=lambda out, _err: show_report(out, entry, html),
    )

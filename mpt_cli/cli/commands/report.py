"""Command ``mpt report``: result and costs of an earlier run or batch, and the list of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.catalog import LAST_BATCH, LAST_RUN, REPORT_WORDS, RUN_LIST
from mpt_cli.cli.options import COMMON, MOST_LISTED, REPORT, Given, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.batch_report import show_batch_report
from mpt_cli.display.answers.report import show_report
from mpt_cli.display.answers.run_list import show_list
from mpt_cli.model.choices import Container
from mpt_cli.model.errors import ConfigError, ExitCode, UsageError
from mpt_cli.model.results import RunStatus
from mpt_cli.model.run_record import BatchEntry
from mpt_cli.model.similarity import meant
from mpt_cli.reporting.report_data import batch_report_data, list_data, report_data
from mpt_cli.storage.keep_failures import NO_HOME

if TYPE_CHECKING:
    from mpt_cli.cli.earlier_runs import EarlierRuns
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.model.run_record import HistoryEntry, ListedRun

_SHOWN = 5

Which = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="last, list, batch (the last one as a whole), the path of an output, or the first digits of an id (last).",
        show_default=False,
    ),
]


@with_options(REPORT, COMMON)
def report(which: Which = LAST_RUN, *, given: Given) -> int:
    """Print the report of an earlier run: its steps, its clips, time and memory.

    mpt report list lists the last runs and batches, mpt report OUTPUT reports the last run that made this output,
    and mpt report batch the last batch as a whole.
    """
    command = "report list" if which == RUN_LIST else "report"
    return Session(command, given, follows_run=False).run(lambda session: _answer(session, which))


def _answer(session: Session, which: str) -> Answer:
    from mpt_cli.cli.earlier_runs import EarlierRuns
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    limit, html = session.given.get("limit"), session.given.get("html")
    if limit is not None and (which != RUN_LIST or limit < 1):
        why = "is below 1" if which == RUN_LIST else "is for mpt report list only"
        raise UsageError(f"--limit {limit}: {why}", hint="for example mpt report list --limit 50")
    if html is not None and which == RUN_LIST:
        raise UsageError("--html: the list has no page", hint="name a run, an output, or batch")
    factory = ModuleFactory(Settings.load(config_file=session.given.get("config")))
    if factory.history is None or factory.batches is None:
        raise ConfigError(f"there are no reports: {NO_HOME}", hint="set HOME, or paths.state")
    runs = EarlierRuns(factory.history, factory.batches)
    if which == RUN_LIST:
        lines = runs.listed(limit or MOST_LISTED)
        return Answer(
            RunStatus.SUCCESS, ExitCode.OK, data=list_data(lines), show=lambda out, _err: show_list(out, lines)
        )
    if which == LAST_BATCH:
        batch = runs.last_batch()
        if batch is None:
            raise UsageError("no batch was recorded yet", hint="mpt report list has the runs")
        return _answer_of(session, factory, batch)
    if Container.of(Path(which)) is not None or os.sep in which:
        found = runs.of_output(Path(which).expanduser().absolute())
        if found is None:
            hint = "mpt report list has the runs"
            raise UsageError("is the output of no recorded run", path=Path(which), hint=hint)
        return _answer_of(session, factory, *found)
    entry = runs.find(which)
    if entry is None:
        raise _unknown(which, runs)
    return _answer_of(session, factory, entry)


def _unknown(which: str, runs: EarlierRuns) -> UsageError:
    known = runs.known()
    hint = f"the last ones are {', '.join(known[:_SHOWN])}" if known else "no run was reported on yet"
    near = meant(which[:8], [*REPORT_WORDS, *known]) if known else ""
    return UsageError(f"there is no report of workflow {which!r}{near}", hint=hint)


def _answer_of(
    session: Session, factory: ModuleFactory, entry: HistoryEntry | BatchEntry, later: ListedRun | None = None
) -> Answer:
    html = session.given.get("html")
    if html is not None:
        overwrite = bool(session.given.get("overwrite"))
        factory.side_outputs.write_page(entry, html, overwrite=overwrite, cancel=session.cancel)
    if isinstance(entry, BatchEntry):
        return Answer(
            RunStatus.SUCCESS,
            ExitCode.OK,
            data=batch_report_data(entry, html),
            ffmpeg=entry.ffmpeg,
            show=lambda out, _err: show_batch_report(out, entry, html),
        )
    return Answer(
        RunStatus.SUCCESS,
        ExitCode.OK,
        data=report_data(entry, html=html, later=later),
        ffmpeg=entry.result.ffmpeg,
        show=lambda out, _err: show_report(out, entry, html, later=later),
    )

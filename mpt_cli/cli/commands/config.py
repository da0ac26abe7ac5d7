"""Commands ``mpt config``: effective settings with their sources, a starter file, and the schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mpt_cli.cli.answer import Answer
from mpt_cli.cli.options import COMMON, INIT, SETTINGS, Given, with_options
from mpt_cli.cli.session import Session
from mpt_cli.display.answers.config import schema_data, settings_data, show_file, show_schema, show_settings
from mpt_cli.model.errors import ConfigError, ExitCode, IssueCode, OutputError, UsageError
from mpt_cli.model.results import RunStatus
from mpt_cli.settings.reference import starter_file
from mpt_cli.storage.atomic_write import sweep_unfinished, write_in_one_step
from mpt_cli.storage.keep_failures import NO_HOME
from mpt_cli.storage.publish import existing, refuse_existing
from mpt_cli.storage.renames import NameTakenError

if TYPE_CHECKING:
    from mpt_cli.reporting.documents.answers import StarterFileData

Key = Annotated[
    str | None, typer.Argument(metavar="KEY", help="One setting, such as video.fps, or a section, such as video.")
]
Target = Annotated[
    Path | None, typer.Argument(metavar="PATH", help="The file to write (./mpt.toml).", show_default=False)
]


@with_options(SETTINGS, COMMON)
def show(key: Key = None, *, given: Given) -> int:
    """Print each setting that holds here, and where its value comes from.

    The first source that has a value wins: an option; an MPT_* variable; the file of --config, or
    else ./mpt.toml, or else [tool.mpt] in ./pyproject.toml; the file of the user; the default.
    """
    return Session("config", given, follows_run=False).run(lambda session: _shown(session, key))


def _shown(session: Session, key: str | None) -> Answer:
    from mpt_cli.cli.commands.config_values import effective_settings
    from mpt_cli.settings.layers import user_config_file

    rows, user_file = effective_settings(session.given, key), user_config_file()
    return Answer(
        RunStatus.SUCCESS,
        ExitCode.OK,
        data=settings_data(rows, user_file),
        show=lambda out, _err: show_settings(out, rows, user_file, whole=key is None),
    )


@with_options(INIT, COMMON)
def init(path: Target = None, *, given: Given) -> int:
    """Write a settings file: every setting with its default and meaning, commented out."""

    def work(_session: Session) -> Answer:
        from mpt_cli.cli.commands.config import write_starter_file
        from mpt_cli.settings.layers import user_config_file

        if path and given.get("user"):
            raise UsageError("a path was named beside --user", hint="leave out one of them")
        target = user_config_file() if given.get("user") else (path or Path("mpt.toml")).absolute()
        if target is None:
            raise ConfigError(f"the file of the user has no place: {NO_HOME}", hint="set HOME, or name a file instead")
        replaced = write_starter_file(target, overwrite=bool(given.get("overwrite")))
        data: StarterFileData = {"file": str(target), "replaced": replaced}
        return Answer(RunStatus.SUCCESS, ExitCode.OK, data=data, show=lambda out, _err: show_file(out, target))

    return Session("config", given, follows_run=False).run(work)


@with_options(COMMON)
def schema(*, given: Given) -> int:
    """Print the JSON Schema of a configuration file, by which editors complete and check it."""

    def work(_session: Session) -> Answer:
        from mpt_cli.settings.reference import config_schema

        made = config_schema()
        return Answer(
            RunStatus.SUCCESS, ExitCode.OK, data=schema_data(made), show=lambda out, _err: show_schema(out, made)
        )

    return Session("config", given, follows_run=False).run(work)


def write_starter_file(path: Path, *, overwrite: bool) -> bool:
    """Write the starter file in one step; return whether it replaced another file."""
    existed = os.path.lexists(path)
    if not overwrite:
        refuse_existing(path)
    if path.is_dir():
        raise OutputError(
            IssueCode.OUTPUT_NOT_WRITABLE, "is a folder", path=path, hint=f"name a file, such as {path / 'mpt.toml'}"
        )
    try:
        sweep_unfinished(path.parent)
        write_in_one_step(path, starter_file().encode(), replaces=overwrite)
    except NameTakenError as error:
        raise existing(path) from error
    except OSError as error:
        raise OutputError(
            IssueCode.OUTPUT_NOT_WRITABLE,
            f"cannot be written ({error.strerror})",
            path=path,
            hint="choose another folder",
        ) from error
    return existed

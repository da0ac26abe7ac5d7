"""Failures of a command line: each exception becomes an answer and an exit code here."""

from __future__ import annotations

import errno
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mpt_cli.cli.answer import failed
from mpt_cli.cli.catalog import NAMES
from mpt_cli.cli.misspellings import explained
from mpt_cli.cli.options import Given
from mpt_cli.cli.session import Session, report_lost_answer
from mpt_cli.display.base import console, discard
from mpt_cli.model.errors import Cancelled, ExitCode, IssueCode, MptError, UsageError
from mpt_cli.model.shortages import DISK_FULL, shortage_of
from mpt_cli.storage.disk import unworkable

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWITCHES = {"--json": "json", "--jsonl": "jsonl", "-v": "verbose", "--verbose": "verbose"}

_OF_THE_SYSTEM = frozenset(
    {errno.EACCES, errno.EIO, errno.ELOOP, errno.ENAMETOOLONG, errno.ENODEV, errno.ENOTCONN, errno.ENXIO, errno.EPERM}
    | {errno.EROFS, errno.ETIMEDOUT, getattr(errno, "ESTALE", errno.EIO)}
)
"""Error numbers of a file system that refuses or is lost, which no check beforehand rules out."""
_NO_ROOM = (*DISK_FULL, errno.EFBIG, errno.EIO)
"""Error numbers of a failed write to stdout or stderr that are no bug of mpt."""


def answer_without_folder(arguments: Sequence[str], error: OSError) -> int:
    """Report a working folder that cannot be reached by its path; return the exit code."""
    return _answer(arguments, _lost_folder(error))


def answer_failure(arguments: Sequence[str], error: BaseException) -> int:
    """Report the exception that ended a command line; return the exit code."""
    match error:
        case typer.TyperException():
            return _answer(arguments, UsageError(explained(error, arguments), hint=_help_hint(arguments)))
        case MptError():
            return _answer(arguments, error)
        case KeyboardInterrupt() | typer.Abort():  # before the session handled signals
            return _answer(arguments, Cancelled())
        case BrokenPipeError() | SystemExit():  # the reader of a help text is gone: rich then exits
            discard(sys.stdout)
            return ExitCode.OK
        case OSError(errno=number, filename=None) if number in _NO_ROOM:  # help or a script
            return report_lost_answer(error, console(sys.stderr, aside=True))
    if "verbose" in _switches(arguments):
        traceback.print_exception(error)
    if (known := _not_a_bug(error)) is not None:
        return _answer(arguments, known)
    hint = "this is a bug in mpt: please report it with the output of the same command and -v"
    bug = MptError(IssueCode.INTERNAL, f"{type(error).__name__}: {error}", hint=hint)
    return _answer(arguments, bug, log={})  # the log of the session has it


def _lost_folder(error: OSError) -> UsageError:
    if isinstance(error, FileNotFoundError):
        return UsageError("the working folder is gone", hint="change to one that is there")
    # Its path is too long, or a folder above it may not be entered.
    message = f"the working folder cannot be reached by its path ({error.strerror})"
    return UsageError(message, hint="change to another folder")


def _not_a_bug(error: BaseException) -> MptError | None:
    """Return the error of mpt for an exception that no step expected but that comes from the system, or None."""
    if (shortage := shortage_of(error)) is not None:
        return shortage
    if not isinstance(error, OSError):
        return None
    if error.errno in _OF_THE_SYSTEM:
        return unworkable(error)
    try:
        Path.cwd().stat()
    except OSError as lost:  # it vanished during the run
        return _lost_folder(lost)
    return None


def _answer(arguments: Sequence[str], error: MptError, *, log: dict[str, Any] | None = None) -> int:
    """Report the error in the output format of the command line, even if the rest of it cannot be parsed."""

    def answered(given: dict[str, Any]) -> int:
        return Session(_command(arguments), Given(given)).run(lambda _session: failed(error))

    switches = {name: True for name in _switches(arguments) if name in ("json", "jsonl")}
    if log := _log_options(arguments) if log is None else log:
        with suppress(MptError):  # the log is what is wrong
            return answered(switches | log)
    return answered(switches)


def _log_options(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the options of the log: a command line that is wrong must not be a night without a record."""
    found: dict[str, str] = {}
    for argument, following in zip(arguments, [*arguments[1:], "--"], strict=True):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name in ("--log-file", "--log-format") and (equals or not following.startswith("-")):
            found[name] = value if equals else following
    if not found.get("--log-file"):
        return {}
    return {"log_file": Path(found["--log-file"]), "log_format": found.get("--log-format")}


def _switches(arguments: Sequence[str]) -> set[str]:
    """Return the output switches before ``--``, even if the rest cannot be parsed."""
    before = list(arguments)[: arguments.index("--")] if "--" in arguments else arguments
    return {_SWITCHES[argument] for argument in before if argument in _SWITCHES}


def _command(arguments: Sequence[str]) -> str:
    return next((argument for argument in arguments if argument in NAMES), "mpt")


def _help_hint(arguments: Sequence[str]) -> str:
    command = _command(arguments)
    return "see mpt --help" if command == "mpt" else f"see mpt {command} --help"

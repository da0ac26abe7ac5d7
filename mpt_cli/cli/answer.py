"""Answers of commands: JSON data, exit code, and text for people."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mpt_cli.cli.stop_signals import HANG_UP
from mpt_cli.display.answers import summary
from mpt_cli.model.errors import Cancelled, ExitCode, Issue, IssueCode, MptError, exit_code_of
from mpt_cli.model.results import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mpt_cli.display.base import Console
    from mpt_cli.model.results import FileValidationResult, JobEnd, VideoResult


_MOST_FAULTS = 20


def _show_nothing(_out: Console, _err: Console) -> None:
    """Show nothing: the errors are the whole answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a command: the parts of the envelope for programs, ``show`` for people."""

    status: RunStatus
    exit_code: int
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[Issue] = ()
    errors: Sequence[Issue] = ()
    ffmpeg: str | None = None
    ends: Sequence[JobEnd] = ()
    """Results of the requests, for the side files."""
    verdicts: Sequence[FileValidationResult] = ()
    """Results of validation, for the side files."""
    show: Callable[[Console, Console], None] = _show_nothing


def failed(error: MptError, *, signal_number: int | None = None) -> Answer:
    """Return the answer for an error that ended a command before it had a result.

    Args:
        error: The error.
        signal_number: The signal that stopped the command, or None.
    """
    cancelled = isinstance(error, Cancelled)
    code = exit_code_for(error.exit_code, signal_number) if cancelled else error.exit_code
    return Answer(
        status=RunStatus.CANCELLED if cancelled else RunStatus.ERROR,
        exit_code=code,
        errors=(error.issue, *error.others),
        show=lambda _out, err: _show_failure(err, error),
    )


def _show_failure(err: Console, error: MptError) -> None:
    """Write the error and the first of the others: one mistake can cause a long list."""
    summary.show_issues(err, (error.issue, *error.others[: _MOST_FAULTS - 1]))
    if (hidden := len(error.others) + 1 - _MOST_FAULTS) > 0:
        summary.show_hidden_count(err, hidden)


def exit_code_for(code: int, signal_number: int | None) -> int:
    """Return the exit code; 143 instead of 130 for SIGTERM and for a closed terminal."""
    return ExitCode.SIGTERM if signal_number in (signal.SIGTERM, HANG_UP) else code


def exit_code_of_run(result: VideoResult) -> int:
    """Return the exit code of a result; a refused request counts as usage if one of its errors does."""
    if result.status is RunStatus.CANCELLED:
        return exit_code_for(ExitCode.SIGINT, result.signal_number)
    if result.status is RunStatus.PARTIAL:
        return ExitCode.PARTIAL
    if result.code is IssueCode.VALIDATION_FAILED and any(issue.code is IssueCode.USAGE for issue in result.errors):
        return ExitCode.USAGE
    return ExitCode.OK if result.code is None else exit_code_of(result.code)


def end_of_batch(statuses: Sequence[RunStatus], signal_number: int | None) -> tuple[RunStatus, int]:
    """Return status and exit code of a batch from the statuses of its jobs.

    A signal that left nothing undone came after the last job, and changes nothing.
    """
    undone = signal_number is not None and RunStatus.SKIPPED in statuses
    if undone or RunStatus.CANCELLED in statuses:
        return RunStatus.CANCELLED, exit_code_for(ExitCode.SIGINT, signal_number)
    if all(status is RunStatus.SUCCESS for status in statuses):
        return RunStatus.SUCCESS, ExitCode.OK
    good = any(status in (RunStatus.SUCCESS, RunStatus.PARTIAL) for status in statuses)
    return RunStatus.PARTIAL if good else RunStatus.ERROR, ExitCode.PARTIAL

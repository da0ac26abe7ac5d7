"""Session of one command: display, signals, log, side files and the output of the answer."""

from __future__ import annotations

import io
import logging
import signal
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from mpt_cli.cli.answer import Answer, failed
from mpt_cli.cli.log import CommandLog
from mpt_cli.cli.options import Given
from mpt_cli.cli.side_files import SideFiles
from mpt_cli.cli.stop_signals import StopSignals
from mpt_cli.display import base
from mpt_cli.display.answers import summary
from mpt_cli.display.jsonl import JsonLinesDisplay
from mpt_cli.display.panel.live import LiveDisplay
from mpt_cli.display.plain import PlainDisplay
from mpt_cli.model.errors import Cancelled, ExitCode, Issue, IssueCode, MptError, UsageError, exit_code_of
from mpt_cli.model.results import RunStatus
from mpt_cli.reporting.envelope import envelope, to_json
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import RunContext
from mpt_cli.settings.inputs import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from mpt_cli.display.base import Console
    from mpt_cli.runtime.events import Event
    from mpt_cli.settings.inputs import Inputs, Made


NUL_WITHOUT_STDIN = "--null is for paths on stdin, which no input is"


class Session:
    """Session of a command: display of events, cancel token, given options."""

    def __init__(self, command: str, given: Given, *, follows_run: bool = True) -> None:
        """Choose the display without starting it.

        Args:
            command: The name of the command in the envelope.
            given: The options of the user.
            follows_run: False for a command without a run, which needs no display of progress.
        """
        self.command, self.given = command, given
        self.cancel = CancelToken()
        self._waits_for_input = False
        self._log = CommandLog(Given())
        self._side_files, self._started = SideFiles(given), (datetime.now(UTC), time.monotonic())
        self._json, self._lines = bool(given.get("json")), bool(given.get("jsonl"))
        color: base.ColorChoice = given.get("color") or "auto"
        self._out, self._err = base.console(sys.stdout, color), base.console(sys.stderr, color, aside=True)
        self._events: JsonLinesDisplay | None = None
        if self._lines:
            self._events = JsonLinesDisplay(sys.stdout, batch=command == "batch", on_broken=self.cancel.cancel)
        self.display = self._events or self._choose_display(follows_run=follows_run)

    def context_of(self, output: Path | None = None, *, job: str | None = None) -> RunContext:
        """Return a new context for one run.

        Args:
            output: The reel of the run; None for a run without one, and for a batch as a whole.
            job: The name of the job in a batch, or None.
        """
        workflow_id = uuid.uuid4().hex
        self._log.records.name(workflow_id, output, job)
        return RunContext(workflow_id, partial(self._emit, job=job), self.cancel, job=job)

    def read_stdin(self) -> bytes:
        """Return all of stdin.

        Raises:
            Cancelled: A signal came.
        """
        self._waits_for_input = True
        try:
            self.cancel.raise_if_cancelled()
            return sys.stdin.buffer.read()
        finally:
            self._waits_for_input = False

    def run(self, work: Callable[[Session], Answer]) -> int:
        """Run the work, show its answer and return the exit code."""
        self._log = CommandLog(self.given)
        with self._log.open():
            status, code = RunStatus.ERROR, int(ExitCode.INTERNAL)
            try:
                with StopSignals(self._stop):
                    answer = self._answer(work)
                    status, code = answer.status, self._conclude(answer)
            except Exception:
                self._log.records.crash()
                raise
            finally:
                self._log.records.end(status, code)
        return code

    def expand(self, inputs: Sequence[str], made: Made) -> Inputs:
        """Return the files that the inputs name and the problems with them; read stdin for ``-``.

        Args:
            inputs: Files, folders, patterns, or ``-`` for paths on stdin.
            made: Returns which files of a folder mpt made of its clips.

        Raises:
            UsageError: ``--null`` is given without ``-``.
        """
        if self.given.get("null") and "-" not in inputs:
            raise UsageError(NUL_WITHOUT_STDIN, hint="name - among the inputs, or leave out --null")
        stdin = io.BytesIO(self.read_stdin() if "-" in inputs else b"")
        return expand_inputs(inputs, stdin=stdin, nul=bool(self.given.get("null")), made=made)

    def _answer(self, work: Callable[[Session], Answer]) -> Answer:
        """Return the answer of the work, with a warning for each file beside it that cannot be written."""
        records = self._log.records
        try:
            self._side_files.check()
            self.cancel.raise_if_cancelled()
            with self.display:
                answer = work(self)
        except MptError as error:
            answer = failed(error, signal_number=self.cancel.signal_number)
        records.ends(answer.ends)
        if not answer.ends:
            records.issues(answer.warnings, logging.WARNING)
            records.issues(answer.errors, logging.ERROR)
        failures = self._write_side_files(answer) if self._side_files else []
        records.issues(failures, logging.WARNING)
        failures += self._log.losses()
        if not failures:
            return answer

        def show(out: Console, err: Console) -> None:
            answer.show(out, err)
            summary.show_issues(err, failures, level="warning")

        return replace(answer, warnings=[*answer.warnings, *failures], show=show)

    def _write_side_files(self, answer: Answer) -> list[Issue]:
        """Write the side files; return a warning for each failed one."""
        from mpt_cli.model.results import CommandEnd

        started_at, started = self._started
        facts = CommandEnd(
            self.command,
            int(answer.exit_code),
            started_at,
            time.monotonic() - started,
            answer.ffmpeg,
            tuple(answer.errors),
            tuple(answer.ends),
            tuple(answer.verdicts),
        )
        return list(self._side_files.write(facts))

    def _emit(self, event: Event, *, job: str | None) -> None:
        self._log.records.emit(event, job=job)
        self.display.emit(event, job=job)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: the first one stops the run cleanly, a second one kills its children."""
        self._log.records.signal(signal.Signals(number).name)
        self.cancel.cancel(number)
        if self._waits_for_input:  # else the read would continue after this handler (PEP 475)
            raise Cancelled

    def _choose_display(self, *, follows_run: bool) -> base.Display:
        quiet, verbose = bool(self.given.get("quiet")) or not follows_run, bool(self.given.get("verbose"))
        if not verbose and base.panel_wanted(sys.stderr, quiet=quiet):
            return LiveDisplay(self._err, cancel=self.cancel)
        return PlainDisplay(sys.stderr, quiet=quiet)

    def _conclude(self, answer: Answer) -> int:
        """Write the answer and return the exit code."""
        try:
            self._write(answer)
        except OSError as error:
            return self._without_stdout(answer, error)
        finally:
            base.flush_or_discard(sys.stderr)
        return int(answer.exit_code)

    def _write(self, answer: Answer) -> None:
        with quiet_on_closed_pipe():
            if not (self._json or self._lines):
                self._show(answer)
            else:
                document = envelope(
                    self.command,
                    status=answer.status.value,
                    exit_code=int(answer.exit_code),
                    data=answer.data,
                    warnings=answer.warnings,
                    errors=answer.errors,
                    ffmpeg=answer.ffmpeg,
                )
                if self._events is not None:
                    self._events.finish(document)
                    if isinstance(self._events.failure, OSError):
                        raise self._events.failure
                else:
                    sys.stdout.write(to_json(document, indent=2) + "\n")
            sys.stdout.flush()

    def _without_stdout(self, answer: Answer, failure: OSError) -> int:
        """Report an answer that could not be written and return the exit code.

        A failure of the run itself has precedence, unless the run was stopped because of stdout.
        """
        stopped = answer.status is RunStatus.CANCELLED and self.cancel.signal_number is None
        fails = answer.status in (RunStatus.ERROR, RunStatus.CANCELLED) and not stopped
        summary.show_issues(self._err, answer.errors if fails else ())
        code = report_lost_answer(failure, self._err)
        self._log.records.issues([_lost_answer(failure)], logging.ERROR)
        return int(answer.exit_code) if fails else code

    def _show(self, answer: Answer) -> None:
        if self.given.get("quiet"):
            summary.show_issues(self._err, answer.errors)
        else:
            answer.show(self._out, self._err)


def report_lost_answer(failure: OSError, err: Console) -> int:
    """Report on stderr why stdout cannot be written, discard stdout, and return the exit code."""
    base.discard(sys.stdout)
    issue = _lost_answer(failure)
    summary.show_issue(err, issue)
    return exit_code_of(issue.code)


def _lost_answer(failure: OSError) -> Issue:
    return Issue(IssueCode.DISK_FULL, f"stdout cannot be written: {failure.strerror or failure}")


@contextmanager
def quiet_on_closed_pipe() -> Iterator[None]:
    """Stop writing in silence when the reader of stdout is gone."""
    try:
        yield
    except BrokenPipeError:
        base.discard(sys.stdout)

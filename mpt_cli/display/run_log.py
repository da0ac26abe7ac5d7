"""Log of a command: its start, events, issues and end as records of ``logging``, and the lines of the records."""

from __future__ import annotations

import json
import logging
import os
import platform
import shlex
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpt_cli.display.event_lines import EventLines
from mpt_cli.model.formatting import counted, escape, seconds_text
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.model.version import __version__
from mpt_cli.reporting.envelope import issue_path, to_json
from mpt_cli.runtime import events
from mpt_cli.runtime.current_run import CURRENT_RUN
from mpt_cli.runtime.reported_issues import ReportedIssues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mpt_cli.display.event_lines import Line
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import JobEnd
    from mpt_cli.runtime.events import Event

logger = logging.getLogger(__name__)

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_END_LEVELS = {RunStatus.SUCCESS: logging.INFO, RunStatus.PARTIAL: logging.WARNING}
_NAMED_AT_MOST = 10
_SAFE = frozenset("@%+=:,./-_~")


class RunLog:
    """Writer of records about one command, each once.

    The records of the core know their run by ``CURRENT_RUN``; :meth:`complete`, a filter of the handler of the file,
    adds its job and output, and drops what an event tells as well.
    """

    LOGGER = __name__
    """Name of the logger of the records about events and issues."""

    def __init__(self, *, active: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with no record.

        Args:
            active: False to write nothing.
            clock: Monotonic clock in seconds.
        """
        self._active = active
        self._run, self._clock, self._started = uuid.uuid4().hex[:8], clock, clock()
        self._lock = threading.RLock()  # a signal may come while this thread writes a record
        self._lines = EventLines(clock)
        self._jobs: dict[str, str | None] = {}
        self._outputs: dict[str | None, Path] = {}
        self._whole = ReportedIssues()

    def name(self, workflow_id: str, output: Path | None, job: str | None = None) -> None:
        """Remember job and output of a run."""
        self._jobs[workflow_id] = job
        if output is not None:
            self._outputs[job] = output.absolute()

    def begin(self, argv: Sequence[str], ffmpeg: Path | None) -> None:
        """Write the first record: what was started where, with what."""
        if not self._active:  # to ask for all this takes time
            return
        host, pid, folder = platform.node(), os.getpid(), _working_folder()
        environment = {name: value for name, value in sorted(os.environ.items()) if name.startswith("MPT_")}
        variables = "".join(f"{name}={shlex.quote(value)} " for name, value in environment.items())
        where = f"in {folder} on {host} as process {pid}"
        tools = f"Python {platform.python_version()}, ffmpeg {ffmpeg or 'not found'}"
        self._log(
            logging.INFO,
            f"mpt {__version__} begins: {variables}{shlex.join(argv)}; {where}; {tools}",
            event="begin",
            mpt=__version__,
            argv=list(argv),
            host=host,
            pid=pid,
            folder=folder,
            python=platform.python_version(),
            ffmpeg=None if ffmpeg is None else str(ffmpeg),
            environment=environment,
        )

    def emit(self, event: Event, *, job: str | None = None) -> None:
        """Write the records of an event; some events have none."""
        if not self._active:
            return
        with self._lock:
            for line in self._lines.feed(event, job):
                self._write(line)

    def signal(self, name: str) -> None:
        """Write that a signal came."""
        self._log(logging.WARNING, f"{name} came: stopping")

    def issues(self, issues: Iterable[Issue], level: int) -> None:
        """Write issues of the whole command."""
        for issue in issues:
            if issue not in self._whole:
                self._whole.add(issue)
                self._log(level, issue.message, **_parts(issue))

    def ends(self, ends: Sequence[JobEnd]) -> None:
        """Write the issues of jobs that nothing has told; jobs that did not begin are one record with their count."""
        waiting: dict[tuple[Issue, ...], list[str]] = {}
        for end in ends:
            if end.result.status is RunStatus.SKIPPED:
                waiting.setdefault(end.result.errors, []).append(end.name)
                continue
            job = end.name if end.name in self._jobs.values() else None
            left = self._lines.told(job).untold(end.result, clips=(ClipStatus.SKIPPED, ClipStatus.FAILED))
            for level, issues in ((logging.WARNING, left.warnings), (logging.ERROR, left.errors)):
                for issue in issues:
                    self._log(level, issue.message, job=job, **_parts(issue))
        for reasons, names in waiting.items():
            more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
            text = f"{counted(len(names), 'job')} not begun: {', '.join(names[:_NAMED_AT_MOST])}{more}"
            why = "".join(f"; {issue.message}" for issue in reasons)
            self._log(logging.ERROR, text + why, **(_parts(reasons[0]) if reasons else {}))

    def end(self, status: RunStatus, exit_code: int) -> None:
        """Write the last record."""
        seconds = self._clock() - self._started
        level = _END_LEVELS.get(status, logging.ERROR)
        text = f"mpt ends: {status}, exit code {exit_code}, after {seconds_text(seconds)}"
        self._log(level, text, event="end", status=status.value, exit_code=exit_code, seconds=round(seconds, 3))

    def crash(self) -> None:
        """Write the traceback of the exception that is being handled."""
        if self._active:
            logger.exception("a bug in mpt ended the command")

    def complete(self, record: logging.LogRecord) -> bool:
        """Add what the lines of a record need; return False for a record that tells nothing new."""
        fields: dict[str, Any] = dict(getattr(record, "fields", {}))
        run = CURRENT_RUN.get()
        if run is not None and "job" not in fields:
            fields["job"] = self._jobs.get(run)
        issue: Issue | None = getattr(record, "issue", None)
        if issue is not None:
            with self._lock:
                self._lines.told(fields.get("job")).add(issue)
            fields |= _parts(issue)
        elif record.name != __name__:
            if getattr(record, "told", False) and not record.exc_info:
                return False
            fields["logger"] = record.name
        job = fields.setdefault("job", None)
        message = record.getMessage() if issue is None else issue.message
        head = {"run": self._run, "job": job, "output": self._outputs.get(job), "message": message}
        record.fields = head | {"path": None, "code": None, "hint": None} | fields
        return True

    def _write(self, line: Line) -> None:
        fields: dict[str, Any] = {"job": line.job, "path": line.path, "code": line.code, "hint": line.hint}
        event = line.event
        fields |= {"event": "progress" if event is None else event.type, "number": line.number}
        index = getattr(event, "index", None)
        if index is not None:
            fields["index"] = index
        if isinstance(event, events.RunFinished):
            fields |= {"status": event.status, "code": event.code}
        self._log(_LEVELS[line.level], line.text, **fields)

    def _log(self, level: int, text: str, **fields: Any) -> None:
        if self._active:
            logger.log(level, "%s", text, extra={"fields": fields})


def _parts(issue: Issue) -> dict[str, Any]:
    return {"path": issue.path, "code": issue.code.value, "hint": issue.hint}


class TextFormatter(logging.Formatter):
    """Formatter of one line for people: time with zone, run, level, job and output, and what happened."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record that :meth:`RunLog.complete` has seen."""
        fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
        time_of_day = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        parts = [time_of_day, fields["run"], record.levelname]
        parts += [f"{key}={_word(str(fields[key]))}" for key in ("job", "output") if fields[key] is not None]
        if "logger" in fields:
            parts.append(f"{fields['logger']}:")
        if fields.get("number"):
            parts.append(fields["number"])
        if fields["path"] is not None:
            parts.append(f"{fields['path']}:")
        parts.append(fields["message"])
        if fields["code"] is not None and f"({fields['code']})" not in parts[-1]:
            parts.append(f"({fields['code']})")
        text = " ".join(parts) + ("" if fields["hint"] is None else f"; hint: {fields['hint']}")
        return escape(text + _traceback(self, record))


class JsonFormatter(logging.Formatter):
    """Formatter of one JSON object for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record that :meth:`RunLog.complete` has seen; see ``reporting.documents.log``."""
        fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        data = {"time": stamp.removesuffix("+00:00") + "Z", "level": record.levelname.lower(), **fields}
        data["path"] = issue_path(fields["path"])
        if trace := _traceback(self, record):
            data["exception"] = trace.strip()
        return to_json({name: value for name, value in data.items() if name != "number"})


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return f"\n{formatter.formatException(record.exc_info)}" if record.exc_info else ""


def _word(text: str) -> str:
    """Return a value as one word, in quotes where it has spaces or the like."""
    return text if text and all(letter.isalnum() or letter in _SAFE for letter in text) else json.dumps(text)


def _working_folder() -> str:
    """Return the path of the working folder; another program may have removed it."""
    try:
        return str(Path.cwd())
    except OSError:
        return "(a folder that is gone)"

"""Log of a command on stderr or in a file."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager, suppress
from logging.handlers import WatchedFileHandler
from typing import TYPE_CHECKING

from mpt_cli.display.run_log import JsonFormatter, RunLog, TextFormatter
from mpt_cli.model.errors import Issue, IssueCode, MptError, UsageError
from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mpt_cli.cli.options import Given


LOGGER = "mpt_cli"


class LogFile(WatchedFileHandler):
    """Log file that is opened again after its rotation, and whose write errors, such as a full disk, cost only records.

    Each record is one write at the end of the file, so that the records of several commands do not mix.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises OSError."""
        super().__init__(path, encoding="utf-8")
        self._path, self._torn, self._unsaid = path, False, 0
        self._lost, self._reason = 0, ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, and before it how many were lost since the last one."""
        try:
            self._reopen()
            if self._unsaid:
                self._write_line(self._loss())
                self._unsaid = 0
            self._write_line(record)
        except OSError as error:
            self._lost, self._unsaid = self._lost + 1, self._unsaid + 1
            self._reason = error.strerror or str(error)
        except (TypeError, ValueError, LookupError):  # a record that cannot be formatted must not end the run
            self.handleError(record)

    def losses(self) -> list[Issue]:
        """Return a warning if records were lost."""
        if not self._lost:
            return []
        message = f"lacks records of the log, which could not be written ({self._reason})"
        return [Issue(IssueCode.OUTPUT_NOT_WRITABLE, message, self._path, "the run itself is not affected")]

    def _reopen(self) -> None:
        if self.stream is None:  # it could not be opened after the last rotation
            self.stream = self._open()
            self._statstream()
        self.reopenIfNeeded()

    def _write_line(self, record: logging.LogRecord) -> None:
        text = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        assert self.stream is not None
        rest, number = b"\n" + text if self._torn else text, self.stream.fileno()
        while rest:  # once, unless the disk is full: then a part of the line stands there
            rest = rest[os.write(number, rest) :]
            self._torn = bool(rest)

    def _loss(self) -> logging.LogRecord:
        said = f"the records before this one, {self._unsaid} in number, could not be written ({self._reason})"
        record = logging.LogRecord(LOGGER, logging.WARNING, __file__, 0, said, None, None)
        self.filter(record)
        return record


class CommandLog:
    """Log of one command: its records, and the file where ``--log-file`` names one."""

    def __init__(self, given: Given) -> None:
        """Open the file.

        Raises:
            UsageError: The log file is a video file by its extension, cannot be written, or is missing.
        """
        path: Path | None = given.get("log_file")
        self._given, self._file = given, None if path is None else _opened(path)
        if path is None and given.get("log_format"):
            raise UsageError("--log-format is for a log file, and none is named", hint="add --log-file run.log")
        self.records = RunLog(active=self._file is not None)

    def losses(self) -> list[Issue]:
        """Return a warning if records were lost."""
        return [] if self._file is None else self._file.losses()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Log to stderr with ``-v`` and to the file, until the context ends; the first record is written."""
        verbose, ffmpeg = bool(self._given.get("verbose")), None if self._file is None else _ffmpeg(self._given)
        logger, handlers = logging.getLogger(LOGGER), list[logging.Handler]([logging.NullHandler()])
        if verbose:
            stream = logging.StreamHandler(sys.stderr)
            stream.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            stream.addFilter(_is_from_inside)
            handlers.append(stream)
        if self._file is not None:
            self._file.setFormatter(JsonFormatter() if self._given.get("log_format") == "json" else TextFormatter())
            self._file.addFilter(self.records.complete)
            handlers.append(self._file)
        for handler in handlers:
            logger.addHandler(handler)
        before = logger.level
        logger.setLevel(logging.DEBUG if verbose else logging.INFO)
        try:
            self.records.begin(["mpt", *sys.argv[1:]], ffmpeg)
            yield
        finally:
            logger.setLevel(before)
            for handler in handlers:
                logger.removeHandler(handler)
                with suppress(OSError):
                    handler.close()


def _opened(path: Path) -> LogFile:
    if path.suffix.lower() in MEDIA_SUFFIXES:  # a mistake that would destroy a clip
        raise UsageError("the log would be written into a video file", path=path, hint="name a .log file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return LogFile(path)
    except OSError as error:
        hint = "choose another folder"
        raise UsageError(f"the log cannot be written ({error.strerror})", path=path, hint=hint) from error


def _ffmpeg(given: Given) -> Path | None:
    """Return the ffmpeg that the command will use, or None where there is none or the settings cannot be read."""
    from mpt_cli.factory import ModuleFactory
    from mpt_cli.settings.merged import Settings

    try:
        return ModuleFactory(Settings.load(config_file=given.get("config"))).ffmpeg.binary
    except MptError:
        return None


def _is_from_inside(record: logging.LogRecord) -> bool:
    """Return whether a record is news on stderr, where the display and the answer tell events and issues."""
    return record.name != RunLog.LOGGER and not hasattr(record, "issue")

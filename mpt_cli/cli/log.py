"""Log of a command on stderr or in a file."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mpt_cli.model.errors import UsageError
from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.cli.options import Given


LOGGER = "mpt_cli"


class _LogFile(logging.FileHandler):
    """Log file that ignores write errors, such as a full disk: the answer does not depend on it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore the error."""


@contextmanager
def logging_to(given: Given) -> Iterator[None]:
    """Log to stderr with ``-v`` and to the file of ``--log-file``, until the context ends.

    Raises:
        UsageError: The log file is a video file by its extension, or cannot be written.
    """
    logger, handlers = logging.getLogger(LOGGER), list[logging.Handler]([logging.NullHandler()])
    if given.get("verbose"):
        handlers.append(logging.StreamHandler(sys.stderr))
    if path := given.get("log_file"):
        if path.suffix.lower() in MEDIA_SUFFIXES:  # a mistake that would destroy a clip
            raise UsageError("the log would be written into a video file", path=path, hint="name a .log file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(_LogFile(path, encoding="utf-8", errors="backslashreplace"))
        except OSError as error:
            hint = "choose another folder"
            raise UsageError(f"the log cannot be written ({error.strerror})", path=path, hint=hint) from error
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG if given.get("verbose") else logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            with suppress(OSError):
                handler.close()

"""The log of a command: to stderr, or to a file."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from mpt_cli.model.errors import UsageError
from mpt_cli.settings.inputs import MEDIA_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mpt_cli.cli.options import Given


LOGGER = "mpt_cli"


class _LogFile(logging.FileHandler):
    """A log that is given up in silence where its disk is full: the answer goes elsewhere."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing."""


@contextmanager
def logging_to(given: Given) -> Iterator[None]:
    """Log records to stderr with ``-v``, and to a file where one is named; else nowhere."""
    logger, handlers = logging.getLogger(LOGGER), list[logging.Handler]()
    if given.get("verbose"):
        handlers.append(logging.StreamHandler(sys.stderr))
    if path := given.get("log_file"):
        if path.suffix.lower() in MEDIA_SUFFIXES:  # a slip that would spoil a clip
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

"""Guard around the receiver of events, which belongs to the host program and may raise.

Events come from the threads that work on clips, from the one that samples memory, and from ffmpeg's progress. An
exception there would end a thread that others need, or look like the failure of a clip. The guard keeps it, and
stops the run as a cancellation does.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, MptError
from mpt_cli.runtime.cancel import CancelToken

if TYPE_CHECKING:
    from mpt_cli.runtime.events import Emit, Event, RunContext

_MOST_CHARACTERS = 200
"""Most of what an exception says that goes into a message of one line."""

logger = logging.getLogger(__name__)


class GuardedEmit:
    """Emit of one run that never raises: the first exception of the receiver stops the run, and the receiver.

    Attributes:
        cancel: Token of this run alone, below that of the caller.
        failure: The first exception of the receiver, or None.
    """

    def __init__(self, context: RunContext) -> None:
        """Guard the receiver of a context; the thread of the caller is that of the run."""
        self.cancel = CancelToken(context.cancel)
        self.failure: BaseException | None = None
        self._emit: Emit = context.emit
        self._caller, self._of_caller = threading.get_ident(), context.cancel

    def __call__(self, event: Event) -> None:
        """Pass an event on, unless one has failed."""
        if self.failure is not None:
            return
        try:
            self._emit(event)
        except BaseException as error:
            if not isinstance(error, Exception) and threading.get_ident() == self._caller:
                raise  # Ctrl-C, and what else ends the host program
            self._stop(error, event)

    def _stop(self, error: BaseException, event: Event) -> None:
        """Stop the run, which reports the error in the thread of its caller."""
        self.failure = error
        logger.error("The receiver of events failed at %s", event.type, exc_info=error)
        self.cancel.cancel()

    @property
    def stopped_by_caller(self) -> bool:
        """True if the caller stopped the run too."""
        return self._of_caller.cancelled

    def error(self) -> MptError | None:
        """Return the error of the run, or None if the receiver took all events."""
        if self.failure is None:
            return None
        said = " ".join(f"{type(self.failure).__name__}: {self.failure}".split()).rstrip(": ")
        message = f"the function that receives the events of the run raised {said[:_MOST_CHARACTERS]}"
        hint = "catch the exception there; the log of mpt_cli has its traceback"
        return MptError(IssueCode.CALLBACK_FAILED, message, hint=hint)


def guarded(context: RunContext) -> tuple[RunContext, GuardedEmit]:
    """Return a context whose receiver is guarded, and the guard; one that is guarded already stays as it is."""
    if isinstance(context.emit, GuardedEmit):
        return context, context.emit
    guard = GuardedEmit(context)
    return replace(context, emit=guard, cancel=guard.cancel), guard

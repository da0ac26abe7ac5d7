"""Errors of a join by a child process, the same for every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg.runner import explain
from mpt_cli.media.process.run import Ended
from mpt_cli.model.errors import ConcatenationError, IssueCode

if TYPE_CHECKING:
    from mpt_cli.media.process.run import Outcome


def require_success(outcome: Outcome, *, program: str = "ffmpeg") -> None:
    """Check that a child process ended well.

    Args:
        outcome: The end of the child process.
        program: Its name for messages.

    Raises:
        ConcatenationError: The join failed. The code is ``concat_timeout`` only if the time of the whole join
            is over: after a stall another engine may still succeed.
        ResourceError: Memory or disk ran out.
    """
    failed, timed_out = IssueCode.CONCAT_FAILED, IssueCode.CONCAT_TIMEOUT
    error = explain(outcome, program=program, failed=failed, timed_out=timed_out, stalled=failed)
    if error is None:
        return
    if error.code not in (failed, timed_out):
        raise error
    stopped = outcome.ended in (Ended.TIMED_OUT, Ended.STALLED)
    raise ConcatenationError(error.code, f"the join {error}" if stopped else str(error), hint=error.issue.hint)

"""Events of the progress of one ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.runtime.events import ClipProgress
from mpt_cli.runtime.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.media.ffmpeg.progress import Progress
    from mpt_cli.processing.job import ClipJob


class ProgressEvents:
    """Events from the progress of an ffmpeg, at most two per second."""

    def __init__(self, job: ClipJob, clock: Callable[[], float]) -> None:
        """Emit events of a job; ``clock`` in seconds spaces them."""
        self._job, self._throttle = job, Throttle(clock)
        self._memory: int | None = None

    def take_memory(self, rss_bytes: int) -> None:
        """Update the memory of the child."""
        self._memory = rss_bytes

    def take(self, progress: Progress) -> None:
        """Emit an event, unless the last one is too recent."""
        if not self._throttle.is_due():
            return
        done = min(float(progress.done_seconds), self._job.seconds)
        self._job.context.emit(ClipProgress(self._job.planned.index, done, progress.speed, self._memory))

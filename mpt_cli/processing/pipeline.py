"""ProcessingPipeline: all clips of a plan, several at a time, longest first."""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.errors import Cancelled, Issue, IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.events import ClipFailed, ClipFinished, ClipStarted
from mpt_cli.results import ProcessingResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.config import ProcessingConfig
    from mpt_cli.events import RunContext
    from mpt_cli.media.files import TempFileManager
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.plan import Plan, PlannedClip
    from mpt_cli.processing.clip import ClipProcessor

logger = logging.getLogger(__name__)

_SIGNAL_SECONDS = 0.25
"""How long the calling thread waits at most before signals are looked at again."""
_WINDOW_PER_JOB = 4


@dataclass(frozen=True, slots=True)
class _Work:
    """What every clip of one call shares."""

    plan: Plan
    config: ProcessingConfig
    files: TempFileManager
    context: RunContext


class ProcessingPipeline:
    """Processes the clips of a plan under the slots and the memory of a pool."""

    def __init__(
        self,
        clip_processor: ClipProcessor,
        resource_pool: ResourcePool,
        memory_manager: MemoryManager,
        performance_monitor: PerformanceMonitor,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire the parts; nothing is started."""
        self._processor, self._pool, self._memory = clip_processor, resource_pool, memory_manager
        self._performance, self._clock = performance_monitor, clock

    def process_clips(
        self, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> list[ProcessingResult]:
        """How each clip of the plan ended, in the order of the reel.

        A clip that fails does not stop the others: what they become can be used again. Raises
        :class:`~mpt_cli.errors.Cancelled` when the run is stopped and
        :class:`~mpt_cli.errors.ResourceError` when the disk is full, each after all children ended.
        """
        work = _Work(plan, config, files, context)
        longest_first = sorted(plan.clips, key=lambda clip: clip.work, reverse=True)
        with self._performance.processing(context.workflow_id, slots=plan.jobs):
            results = self._run_window(longest_first, work)
        context.cancel.raise_if_cancelled()
        for result in results.values():
            if _is_full(result) and result.error is not None:
                raise ResourceError(IssueCode.DISK_FULL, result.error.message, hint=result.error.hint)
        return [results[clip.index] for clip in plan.clips]

    def process_single_clip(
        self, planned: PlannedClip, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> ProcessingResult:
        """How one clip ended, after a resource was had for it; a stop is a result too."""
        with self._pool.resource(
            timeout_seconds=None, need_bytes=planned.need_bytes, cancel=context.cancel
        ) as resource:
            if resource is None:
                return ProcessingResult(planned.index, None, Cancelled().issue, 0.0, None)
            return self._worked_on(planned, _Work(plan, config, files, context))

    def describe(self, plan: Plan, files: TempFileManager) -> dict[int, tuple[str, ...]]:
        """The command of each clip by its index, for a dry run; nothing is started."""
        return {clip.index: tuple(self._processor.describe(clip, plan.form, files)) for clip in plan.clips}

    def is_healthy(self) -> bool:
        """Whether a clip could be admitted at all."""
        return self._pool.slots > 0

    def _run_window(self, clips: list[PlannedClip], work: _Work) -> dict[int, ProcessingResult]:
        """Results by index. At most a window of clips is queued, so that 10,000 cost no more than 10.

        No further clip begins once the run is stopped or the disk is full.
        """
        jobs, cancel = work.plan.jobs, work.context.cancel
        window = self._memory.calculate_optimal_batch_size(len(clips), jobs * _WINDOW_PER_JOB)
        results: dict[int, ProcessingResult] = {}
        waiting, full = iter(clips), False
        running: set[Future[ProcessingResult]] = set()
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="clip") as executor:
            while True:
                while len(running) < window and not full and not cancel.cancelled and (clip := next(waiting, None)):
                    running.add(executor.submit(self._run_one, clip, work))
                if not running:
                    return results
                done, running = wait(running, timeout=_SIGNAL_SECONDS, return_when=FIRST_COMPLETED)
                for result in (future.result() for future in done):
                    results[result.index] = result
                    full = full or _is_full(result)
                    self._pool.cleanup_batch()

    def _run_one(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        return self.process_single_clip(planned, work.plan, work.config, files=work.files, context=work.context)

    def _worked_on(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        """The result of a clip, and its events: one start, exactly one end."""
        emit, started = work.context.emit, self._clock()
        seconds = float(planned.segment.frames / work.plan.form.frame_rate)
        emit(ClipStarted(planned.index, planned.clip.path, planned.action.value, seconds))
        try:
            clip, peak = self._processor.process(
                planned, work.plan.form, work.config, files=work.files, context=work.context
            )
        except Exception as error:
            issue = _issue_of(error, planned)
            logger.warning(
                "Clip %s failed: %s", planned.clip.path, issue.message, exc_info=not isinstance(error, MptError)
            )
            emit(ClipFailed(planned.index, issue.code.value, issue.message))
            return ProcessingResult(planned.index, None, issue, self._clock() - started, None)
        elapsed = self._clock() - started
        self._performance.record_clip(work.context.workflow_id, busy_seconds=elapsed)
        emit(ClipFinished(planned.index, elapsed, peak))
        return ProcessingResult(planned.index, clip, None, elapsed, peak)


def require_success_rate(results: list[ProcessingResult], total: int, config: ProcessingConfig) -> None:
    """Raise ProcessingError when fewer of ``total`` clips ended well than the configuration asks for."""
    good = sum(result.success for result in results)
    if good and good / total >= config.required_success_rate:
        return
    if config.required_success_rate == 1.0:
        raise ProcessingError(
            IssueCode.PROCESSING_FAILED,
            f"{total - good} of {total} clips failed",
            hint="add --on-error skip to leave bad clips out",
        )
    raise ProcessingError(
        IssueCode.TOO_MANY_FAILURES,
        f"{total - good} of {total} clips failed: less than {config.required_success_rate:.0%} is left",
    )


def _is_full(result: ProcessingResult) -> bool:
    return result.error is not None and result.error.code is IssueCode.DISK_FULL


def _issue_of(error: Exception, planned: PlannedClip) -> Issue:
    """What went wrong with a clip; a bug of ours fails the clip and not the run."""
    if isinstance(error, MptError):
        return error.issue
    message = f"{type(error).__name__}: {error}"
    return Issue(IssueCode.INTERNAL, message, path=planned.clip.path, hint="please report this, with the output of -v")

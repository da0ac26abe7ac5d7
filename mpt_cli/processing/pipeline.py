"""ProcessingPipeline: all clips of a plan, several at a time, longest first."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mpt_cli.errors import Cancelled, Issue, IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.events import ClipFailed, ClipFinished, ClipStarted, Notice
from mpt_cli.media.files import DISK_FULL
from mpt_cli.models import OnError
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
    full: threading.Event = field(default_factory=threading.Event)
    """Set when the disk is full."""

    @property
    def is_over(self) -> bool:
        """Whether no further clip is to begin."""
        return self.full.is_set() or self.context.cancel.cancelled


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
        """How each clip of the plan ended, in the order of the reel; no child runs any more.

        A clip that fails does not stop the others: what they become can be used again. Once the run
        is stopped or the disk is full no further clip begins, and clips that did not may be missing:
        whether what there is suffices is for :func:`require_success_rate` and the caller to say.
        """
        work = _Work(plan, config, files, context)
        longest_first = sorted(plan.clips, key=lambda clip: clip.work, reverse=True)
        with self._performance.processing(context.workflow_id, slots=plan.jobs):
            results = self._run_window(longest_first, work)
        return [results[clip.index] for clip in plan.clips if clip.index in results]

    def process_single_clip(
        self, planned: PlannedClip, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> ProcessingResult:
        """How one clip ended, after a resource was had for it; a stop is a result too."""
        return self._run_one(planned, _Work(plan, config, files, context))

    def describe(self, plan: Plan, files: TempFileManager) -> dict[int, tuple[str, ...]]:
        """The command of each clip by its index, for a dry run; nothing is started."""
        return {clip.index: tuple(self._processor.describe(clip, plan.form, files)) for clip in plan.clips}

    def is_healthy(self) -> bool:
        """Whether a clip could be admitted at all."""
        return self._pool.slots > 0

    def _run_window(self, clips: list[PlannedClip], work: _Work) -> dict[int, ProcessingResult]:
        """Results by index. At most a window of clips is queued, so that 10,000 cost no more than 10."""
        jobs = work.plan.jobs
        window = self._memory.calculate_optimal_batch_size(len(clips), jobs * _WINDOW_PER_JOB)
        results: dict[int, ProcessingResult] = {}
        waiting, running = iter(clips), set[Future[ProcessingResult]]()
        with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="clip") as executor:
            try:
                while True:
                    while len(running) < window and not work.is_over and (clip := next(waiting, None)):
                        running.add(executor.submit(self._run_one, clip, work))
                    if not running:
                        return results
                    done, running = wait(running, timeout=_SIGNAL_SECONDS, return_when=FIRST_COMPLETED)
                    for future in done:
                        results[future.result().index] = future.result()
                        self._pool.cleanup_batch()
            except BaseException:  # Ctrl-C where nobody handles signals: the executor would wait for all clips
                work.context.cancel.cancel()
                raise

    def _run_one(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        cancel = work.context.cancel
        with self._pool.resource(timeout_seconds=None, need_bytes=planned.need_bytes, cancel=cancel) as resource:
            if resource is None or work.is_over:
                return ProcessingResult(planned.index, None, Cancelled().issue, 0.0, None)
            return self._worked_on(planned, work)

    def _worked_on(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        """The result of a clip, and its events: one start, exactly one end."""
        emit, started = work.context.emit, self._clock()
        seconds = float(planned.segment.frames / work.plan.form.frame_rate)
        emit(ClipStarted(planned.index, planned.clip.path, planned.action.value, seconds))
        try:
            made = self._processor.process(planned, work.plan.form, work.config, files=work.files, context=work.context)
        except Exception as error:
            issue = _issue_of(error, planned)
            if issue.code is IssueCode.DISK_FULL:
                work.full.set()
            logger.warning(
                "Clip %s failed: %s", planned.clip.path, issue.message, exc_info=not isinstance(error, MptError)
            )
            emit(ClipFailed(planned.index, issue.code.value, issue.message))
            return ProcessingResult(planned.index, None, issue, self._clock() - started, None)
        elapsed = self._clock() - started
        self._performance.record_clip(work.context.workflow_id, busy_seconds=elapsed)
        for issue in made.warnings:
            emit(Notice("warning", issue.code.value, f"{issue.path}: {issue.message}", planned.index))
        emit(ClipFinished(planned.index, elapsed, made.peak_memory_bytes))
        return ProcessingResult(planned.index, made.clip, None, elapsed, made.peak_memory_bytes, made.warnings)


def require_success_rate(results: list[ProcessingResult], total: int, config: ProcessingConfig) -> None:
    """Raise unless enough of ``total`` clips ended well for what the configuration asks.

    :class:`~mpt_cli.errors.ResourceError` where the disk is full, which is no fault of the clips,
    else :class:`~mpt_cli.errors.ProcessingError`.
    """
    for issue in (result.error for result in results):
        if issue is not None and issue.code is IssueCode.DISK_FULL:
            raise ResourceError(issue.code, issue.message, path=issue.path, hint=issue.hint)
    good, required = sum(result.success for result in results), config.required_success_rate
    if good and good / total >= required:
        return
    failed = f"{total - good} of {total} clip{'s' if total != 1 else ''} failed"
    if config.on_error is OnError.FAIL:
        raise ProcessingError(IssueCode.PROCESSING_FAILED, failed, hint="add --on-error skip to leave bad clips out")
    left = f"less than {required:.0%} is left" if good else "none is left"
    raise ProcessingError(IssueCode.TOO_MANY_FAILURES, f"{failed}: {left}")


def _issue_of(error: Exception, planned: PlannedClip) -> Issue:
    """What went wrong with a clip; a bug of ours fails the clip and not the run."""
    if isinstance(error, MptError):
        return error.issue
    if isinstance(error, MemoryError):
        message, hint = "mpt itself ran out of memory", "try --jobs 1"
        return Issue(IssueCode.MEMORY_EXHAUSTED, message, path=planned.clip.path, hint=hint)
    if isinstance(error, OSError):
        code = IssueCode.DISK_FULL if error.errno in DISK_FULL else IssueCode.CLIP_FAILED
        return Issue(code, f"cannot be worked on ({error.strerror or error})", path=planned.clip.path)
    message = f"{type(error).__name__}: {error}"
    return Issue(IssueCode.INTERNAL, message, path=planned.clip.path, hint="please report this, with the output of -v")

"""ProcessingPipeline: processing of all clips of a plan, several at a time, longest first."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, OnError
from mpt_cli.model.errors import Cancelled, EncoderError, Issue, IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.model.shortages import shortage_of
from mpt_cli.monitoring.pool import ResourceRequest
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.processing.clip import NONE_FOUND
from mpt_cli.processing.clip_work import ClipWork, PartResult
from mpt_cli.processing.step_order import StepOrder
from mpt_cli.runtime.bounded_map import bounded_map
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ClipsRestarted, Notice
from mpt_cli.runtime.keyed_lock import KeyedLocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.results import ProcessingResult
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.planning.plan import Plan
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.clip import ClipProcessor
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

logger = logging.getLogger(__name__)

_WINDOW_PER_JOB = 4
_HEALTH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _PlanRun:
    """Plan and state that the clips of one call share."""

    plan: Plan
    config: ProcessingConfig
    files: TempFileManager
    context: RunContext
    works: dict[int, ClipWork]
    disk_full: threading.Event = field(default_factory=threading.Event)
    encoder_failures: list[str] = field(default_factory=list)
    """Errors of a hardware encoder for clips that software can encode."""

    @property
    def is_over(self) -> bool:
        """True if no other clip may start."""
        return self.disk_full.is_set() or bool(self.encoder_failures) or self.context.cancel.cancelled


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Format of one attempt at a clip; ``alone`` lets no other clip run beside it."""

    form: TargetForm
    alone: bool = False


class ProcessingPipeline:
    """Parallel processing of clips within the slots and the memory of a pool."""

    def __init__(
        self,
        clip_processor: ClipProcessor,
        resource_pool: ResourcePool,
        memory_manager: MemoryManager,
        performance_monitor: PerformanceMonitor,
        *,
        cache: ClipCache | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a pipeline; nothing is started.

        Args:
            clip_processor: Processes single clips.
            resource_pool: Grants slots, memory and hardware sessions.
            memory_manager: Knows the memory budget.
            performance_monitor: Records the time of clips.
            cache: The cache of finished segments, or None.
            clock: Monotonic clock in seconds.
        """
        self._processor, self._pool, self._memory = clip_processor, resource_pool, memory_manager
        self._performance, self._clock = performance_monitor, clock
        self._cache = cache
        self._key_locks = KeyedLocks()

    def process_clips(
        self, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> list[ProcessingResult]:
        """Process all clips of a plan; when it returns, no child process is left.

        A clip that fails does not stop the others, because later runs can reuse their segments.

        Args:
            plan: The clips with their actions and the target format.
            config: The limits of time.
            files: Temporary files of the run, which receive the segments.
            context: The context of the run, for events and cancellation.

        Returns:
            The results in the order of the reel. After a cancellation or on a full disk, clips that did not
            start may be missing; see :func:`require_success_rate`.

        Raises:
            EncoderError: A hardware encoder failed. All clips must then be encoded in software, because
                segments of both do not fit together; none is left in ``files``.
        """
        run = self._run_of(plan, plan.clips, config, files, context)
        created = [step for step in plan.steps if step.action is not Action.REUSE]
        reused = [step for step in plan.steps if step.action is Action.REUSE]  # also of segments created now
        with self._performance.processing(context.workflow_id, slots=plan.jobs):
            self._process_all(created, run)
            self._process_all(reused, run)
            self._process_whole(run)
        results = self._results(run)
        if run.encoder_failures:
            for step in plan.steps:  # the cache may link the same file, which ffmpeg would write over
                files.discard(*files.segment_paths(step.segment))
            _emit_restart(results, run)
            raise EncoderError(run.encoder_failures[0])
        if self._cache is not None and created:
            self._cache.keep_to_limit()
        return results

    def process_single_clip(
        self, planned: PlannedClip, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> ProcessingResult:
        """Process one clip of a plan, as soon as the pool grants its resources.

        Args:
            planned: The clip.
            plan: The plan that contains the clip.
            config: The limits of time.
            files: Temporary files of the run, which receive the segment.
            context: The context of the run, for events and cancellation.

        Returns:
            The result; a failure or cancellation is in its ``error``.
        """
        run = self._run_of(plan, (planned,), config, files, context)
        self._process_all(list(planned.steps), run)
        self._process_whole(run)
        (result,) = self._results(run)
        return result

    def is_healthy(self) -> bool:
        """Return True if the pool has clips in work, or would grant resources to one now."""
        if self._pool.in_use:
            return True
        with self._pool.resource(timeout_seconds=_HEALTH_SECONDS) as resource:
            return resource is not None

    def _run_of(
        self,
        plan: Plan,
        clips: tuple[PlannedClip, ...],
        config: ProcessingConfig,
        files: TempFileManager,
        context: RunContext,
    ) -> _PlanRun:
        rate, emit = plan.form.frame_rate, context.emit
        works = {clip.index: ClipWork(clip, rate, emit, self._clock) for clip in clips}
        return _PlanRun(plan, config, files, context, works)

    def _process_all(self, steps: list[PlannedClip], run: _PlanRun) -> None:
        """Process clips or parts of them; only a window is queued, so that 10,000 cost no more than 10."""
        if not steps:
            return
        jobs, budget_bytes = run.plan.jobs, self._memory.budget_bytes - self._memory.idle_bytes
        order = StepOrder(steps, jobs, budget_bytes=budget_bytes)
        for _ in bounded_map(
            lambda _number: self._process_next(order, run),
            range(len(order)),
            workers=jobs,
            max_pending=self._memory.calculate_optimal_batch_size(len(steps), jobs * _WINDOW_PER_JOB),
            should_stop=lambda: run.is_over,
            on_error=run.context.cancel.cancel,
            thread_name="clip",
        ):
            self._pool.cleanup_batch()

    def _process_whole(self, run: _PlanRun) -> None:
        """Process clips in one piece whose segments could not be proven."""
        whole = []
        for work in run.works.values():
            if (why := work.why_whole) is not None and not run.is_over:
                for step in work.planned.steps:
                    run.files.discard(*run.files.segment_paths(step.segment))
                content, clip = work.planned.content, work.planned.whole
                key = self._processor.recipes.key(clip, run.plan.light_form, content) if content else None
                whole.append(work.in_one_piece(key, why))
        self._process_all(whole, run)

    def _results(self, run: _PlanRun) -> list[ProcessingResult]:
        """Return the results of the clips that have one, in order; end those that were stopped between two parts."""
        for work in run.works.values():
            work.end()
        return [result for work in run.works.values() if (result := work.result()) is not None]

    def _process_next(self, order: StepOrder, run: _PlanRun) -> None:
        with order.taken() as step:
            self._process_one(step, run)

    def _process_one(self, step: PlannedClip, run: _PlanRun) -> None:
        """Process a clip, or a part of one, under the lock of its cache key."""
        with self._key_locks.hold(step.key, run.context.cancel):
            result = self._attempt_until_done(self._with_cache_state(step, run.plan.form), run)
        work = run.works[step.index]
        if work.take(result) and (ended := work.end()) is not None and ended.success:
            self._performance.record_clip(run.context.workflow_id, busy_seconds=work.busy_seconds)

    def _with_cache_state(self, planned: PlannedClip, form: TargetForm) -> PlannedClip:
        """Update the action of a clip: other runs may have stored or removed its segment since it was planned."""
        if self._cache is None or planned.key is None or planned.action is Action.COPY:
            return planned
        kept = self._cache.has(planned.key)
        if planned.action is Action.ENCODE and kept:
            return replace(planned, action=Action.REUSE, reasons=("finished by another request",))
        if planned.action is Action.REUSE and not kept:
            need = need_bytes(planned.media, form)
            return replace(planned, action=Action.ENCODE, reasons=(NONE_FOUND,), need_bytes=need)
        return planned

    def _attempt_until_done(self, planned: PlannedClip, run: _PlanRun) -> PartResult:
        """Attempt a clip until it succeeds or no other attempt can help."""
        attempt, encoder_error = _Attempt(run.plan.form), None
        result = self._attempt(planned, attempt, run)
        while (following := self._next_attempt(attempt, result, planned, run)) is not None:
            if following.alone:
                message = "needs more memory than is free, and is tried again with no other clip beside it"
                code = IssueCode.MEMORY_EXHAUSTED.value
                run.context.emit(Notice("warning", code, message, planned.index, planned.clip.path))
            else:
                planned, encoder_error = self._keyed_for(planned, following.form), result.error
            attempt = following
            result = self._attempt(planned, attempt, run, after=result)
        if result.done is not None and encoder_error is not None:
            clip = f"clip {planned.index + 1} ({planned.clip.path.name})"
            run.encoder_failures.append(f"failed at {clip}: {encoder_error.message}")
        return result

    def _next_attempt(
        self, attempt: _Attempt, result: PartResult, planned: PlannedClip, run: _PlanRun
    ) -> _Attempt | None:
        """Return the attempt that may succeed after a failed one, or None.

        Out of memory: the clip alone, with one encoder thread. A failure of a hardware encoder: software.
        """
        plan, error = run.plan, result.error
        if error is None:
            return None
        if error.code is IssueCode.MEMORY_EXHAUSTED and not attempt.alone:
            # Alone with one thread must differ from the failed attempt.
            if run.is_over or (self._pool.slots == 1 and plan.form == plan.light_form):
                return None
            return _Attempt(plan.light_form if attempt.form == plan.form else attempt.form, alone=True)
        software = plan.software_form
        if software is not None and attempt.form != software and _may_be_the_encoder(error, planned):
            return _Attempt(software)
        return None

    def _keyed_for(self, planned: PlannedClip, form: TargetForm) -> PlannedClip:
        """Return the clip with the cache key of another format, under which the next pass finds its segment."""
        if not (planned.key and planned.content):
            return replace(planned, key=None)
        return replace(planned, key=self._processor.recipes.key(planned, form, planned.content))

    def _attempt(
        self, planned: PlannedClip, attempt: _Attempt, run: _PlanRun, *, after: PartResult | None = None
    ) -> PartResult:
        """Attempt a clip as soon as the pool grants its resources.

        ``after`` is the result of the attempt before, if any: its start event was emitted, and its time counts.
        """
        form = attempt.form
        need = planned.need_bytes if after is None else need_bytes(planned.media, form)
        spent = 0.0 if after is None else after.elapsed_seconds
        work = run.works[planned.index]
        context = replace(run.context, cancel=CancelToken(run.context.cancel), emit=work.emit_of(planned))
        request = ResourceRequest(
            need, context.workflow_id, context.priority, alone=attempt.alone, preempt=context.cancel.force
        )
        if form.encoder.hardware is not None and planned.encodes_frames:
            request = replace(request, device=form.encoder.hardware.device, at_once=form.encoder.hardware.at_once)
        with self._pool.resource(request, timeout_seconds=None, cancel=run.context.cancel) as resource:
            if resource is None or run.is_over or work.is_over:
                return PartResult(planned, None, Cancelled().issue, spent)
            work.begin()
            result = self._process(planned, form, run, context)
            peak = None if result.done is None else result.done.peak_memory_bytes
            self._pool.release_resource(resource, peak_bytes=peak)
            return replace(result, elapsed_seconds=spent + result.elapsed_seconds)

    def _process(self, planned: PlannedClip, form: TargetForm, run: _PlanRun, context: RunContext) -> PartResult:
        """Process a clip and measure its time; every exception becomes the error of the result."""
        started = self._clock()
        try:
            done = self._processor.process(planned, form, run.config, files=run.files, context=context)
        except Exception as error:
            gave_way = isinstance(error, Cancelled) and not run.context.cancel.cancelled
            issue = self._too_large(planned, form) if gave_way else _issue_of(error, planned)
            if issue.code is IssueCode.DISK_FULL:
                run.disk_full.set()
            logger.warning(
                "Clip %s failed: %s",
                planned.clip.path,
                issue.message,
                exc_info=issue.code is IssueCode.INTERNAL,
                extra={"told": True},
            )
            return PartResult(planned, None, issue, self._clock() - started)
        return PartResult(planned, done, None, self._clock() - started)

    def _too_large(self, planned: PlannedClip, form: TargetForm) -> Issue:
        """Return the error of a clip that was stopped because memory exceeded the budget."""
        needed, budget = need_bytes(planned.media, form) + self._memory.idle_bytes, self._memory.budget_bytes
        if needed > budget:
            message = (
                f"needs more memory than the budget of {budget >> 20} MiB: about {needed >> 20} MiB with mpt itself"
            )
        else:  # this clip or something else needed more than predicted
            message = f"made the run exceed its memory budget of {budget >> 20} MiB"
        hint = "raise --max-memory, or choose a smaller size or a faster preset"
        return Issue(IssueCode.MEMORY_EXHAUSTED, message, path=planned.clip.path, hint=hint)


def require_success_rate(results: list[ProcessingResult], total: int, config: ProcessingConfig) -> None:
    """Check that enough clips succeeded.

    Args:
        results: The results of the clips that started.
        total: Number of clips of the request.
        config: The required success rate.

    Raises:
        ResourceError: Disk or memory is the reason.
        ProcessingError: Too many clips failed.
    """
    issues = [result.error for result in results if result.error is not None]
    _raise_resource(issues, IssueCode.DISK_FULL)
    good, required = sum(result.success for result in results), config.required_success_rate
    if config.is_enough(good, total):
        return
    _raise_resource(issues, IssueCode.MEMORY_EXHAUSTED)
    failed = f"{total - good} of {total} clip{'s' if total != 1 else ''} failed"
    if config.on_error is OnError.FAIL:
        raise ProcessingError(IssueCode.PROCESSING_FAILED, failed, hint="add --on-error skip to leave bad clips out")
    left = f"less than {required:.0%} of them are left" if good else "none is left"
    hint = "see the error of each clip; --min-success-rate says how many may fail"
    raise ProcessingError(IssueCode.TOO_MANY_FAILURES, f"{failed}, and {left}", hint=hint)


def _raise_resource(issues: list[Issue], code: IssueCode) -> None:
    for issue in issues:
        if issue.code is code:
            raise ResourceError(code, issue.message, path=issue.path, hint=issue.hint)


def _may_be_the_encoder(error: Issue, planned: PlannedClip) -> bool:
    """Return True if a hardware encoder may be the cause of a failure."""
    codes = (IssueCode.CLIP_FAILED, IssueCode.CLIP_TIMEOUT, IssueCode.CLIP_STALLED)
    return planned.action is not Action.COPY and error.code in codes


def _emit_restart(results: list[ProcessingResult], run: _PlanRun) -> None:
    ended = {result.index: result.success for result in results if result.started}
    frames = sum(clip.segment.frames for clip in run.plan.clips if clip.index in ended)
    finished = sum(ended.values())
    seconds = float(frames / run.plan.form.frame_rate)
    run.context.emit(ClipsRestarted(finished, len(ended) - finished, seconds))


def _issue_of(error: Exception, planned: PlannedClip) -> Issue:
    """Return the issue of an exception; a bug in mpt fails the clip and not the run."""
    if isinstance(error, MptError):
        return error.issue
    if (shortage := shortage_of(error)) is not None:
        return replace(shortage.issue, message=f"was not processed: {shortage}", path=planned.clip.path)
    if isinstance(error, OSError):
        message = f"cannot be processed ({error.strerror or error})"
        return Issue(IssueCode.CLIP_FAILED, message, path=planned.clip.path)
    message = f"{type(error).__name__}: {error}"
    return Issue(IssueCode.INTERNAL, message, path=planned.clip.path, hint="please report this, with the output of -v")

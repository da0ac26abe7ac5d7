"""ProcessingPipeline: all clips of a plan, several at a time, longest first."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, OnError
from mpt_cli.model.errors import Cancelled, EncoderError, Issue, IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.model.results import ProcessingResult
from mpt_cli.monitoring.pool import Wish
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.processing.clip import NONE_FOUND
from mpt_cli.runtime.bounded_map import in_window
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipsRestarted, ClipStarted, Notice, warning_of
from mpt_cli.runtime.keyed_lock import Turns
from mpt_cli.storage.disk import DISK_FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.planning.plan import Plan, PlannedClip
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.clip import ClipProcessor
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

logger = logging.getLogger(__name__)

_WINDOW_PER_JOB = 4
_HEALTH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Work:
    """What every clip of one call shares."""

    plan: Plan
    config: ProcessingConfig
    files: TempFileManager
    context: RunContext
    full: threading.Event = field(default_factory=threading.Event)
    """Set when the disk is full."""
    encoder_failures: list[str] = field(default_factory=list)
    """What a hardware encoder said of clips that software can encode."""

    @property
    def is_over(self) -> bool:
        """Whether no further clip is to begin."""
        return self.full.is_set() or bool(self.encoder_failures) or self.context.cancel.cancelled


class ProcessingPipeline:
    """Processes the clips of a plan under the slots and the memory of a pool."""

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
        """Wire the parts; nothing is started."""
        self._processor, self._pool, self._memory = clip_processor, resource_pool, memory_manager
        self._performance, self._clock = performance_monitor, clock
        self._cache = cache
        self._turns = Turns()

    def process_clips(
        self, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> list[ProcessingResult]:
        """How each clip of the plan ended, in the order of the reel; no child runs any more.

        A clip that fails does not stop the others: what they become can be used again. Once the run
        is stopped or the disk is full no further clip begins, and clips that did not may be missing:
        whether what there is suffices is for :func:`require_success_rate` and the caller to say.

        :class:`~mpt_cli.model.errors.EncoderError` where a hardware encoder failed: all clips are then to
        be made by software, because what both make does not fit together, and none is left in ``files``.
        """
        work = _Work(plan, config, files, context)
        longest_first = sorted(plan.clips, key=lambda clip: clip.work, reverse=True)
        made = [clip for clip in longest_first if clip.action is not Action.REUSE]
        found = [clip for clip in longest_first if clip.action is Action.REUSE]  # also what is made now
        with self._performance.processing(context.workflow_id, slots=plan.jobs):
            results = self._run_window(made, work) | self._run_window(found, work)
        if work.encoder_failures:
            for clip in plan.clips:  # the store may hold the same file, which ffmpeg would write over
                files.discard(*files.segment_paths(clip.index))
            self._tell_restart(list(results.values()), work)
            raise EncoderError(work.encoder_failures[0])
        if self._cache is not None and made:
            self._cache.keep_to_limit()
        return [results[clip.index] for clip in plan.clips if clip.index in results]

    def process_single_clip(
        self, planned: PlannedClip, plan: Plan, config: ProcessingConfig, *, files: TempFileManager, context: RunContext
    ) -> ProcessingResult:
        """How one clip ended, after a resource was had for it; a stop is a result too."""
        return self._run_one(planned, _Work(plan, config, files, context))

    def is_healthy(self) -> bool:
        """Whether a clip would be admitted now, or others are in work."""
        if self._pool.in_use:
            return True
        with self._pool.resource(timeout_seconds=_HEALTH_SECONDS) as resource:
            return resource is not None

    def _run_window(self, clips: list[PlannedClip], work: _Work) -> dict[int, ProcessingResult]:
        """Results by index. At most a window of clips is queued, so that 10,000 cost no more than 10."""
        if not clips:
            return {}
        jobs, results = work.plan.jobs, dict[int, ProcessingResult]()
        for result in in_window(
            clips,
            lambda clip: self._run_one(clip, work),
            threads=jobs,
            size=self._memory.calculate_optimal_batch_size(len(clips), jobs * _WINDOW_PER_JOB),
            is_over=lambda: work.is_over,
            stop=work.context.cancel.cancel,
            name="clip",
        ):
            results[result.index] = result
            self._pool.cleanup_batch()
        return results

    def _run_one(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        """How a clip ended, and its events: one start, exactly one end.

        One for which memory was short is tried once more, alone and with one encoder thread.
        """
        with self._turns.turn(planned.key, work.context.cancel):
            return self._run_in_turn(self._as_of_now(planned, work.plan.form), work)

    def _as_of_now(self, planned: PlannedClip, form: TargetForm) -> PlannedClip:
        """The clip with what is known now: others may have finished it, or cleared it away, since it was planned."""
        if self._cache is None or planned.key is None or planned.action is Action.COPY:
            return planned
        kept = self._cache.has(planned.key)
        if planned.action is Action.ENCODE and kept:
            return replace(planned, action=Action.REUSE, reasons=("finished by another request",))
        if planned.action is Action.REUSE and not kept:
            need = need_bytes(planned.media, form)
            return replace(planned, action=Action.ENCODE, reasons=(NONE_FOUND,), need_bytes=need)
        return planned

    def _run_in_turn(self, planned: PlannedClip, work: _Work) -> ProcessingResult:
        plan = work.plan
        result = self._patient_attempt(planned, work, plan.form, plan.light_form)
        if plan.software_form is not None and result.error is not None and _may_be_the_encoder(result.error, planned):
            result = self._attempt_in_software(result, result.error, planned, work, plan.software_form)
        if result.started:
            self._tell_end(result, planned, work)
        return result

    def _patient_attempt(
        self,
        planned: PlannedClip,
        work: _Work,
        form: TargetForm,
        light_form: TargetForm,
        after: ProcessingResult | None = None,
    ) -> ProcessingResult:
        """How a try at a clip ended, or another one alone where memory was short for it."""
        result = self._attempt(planned, work, form, after=after)
        if not _is_short_of_memory(result) or work.is_over or not self._can_be_lighter(work.plan):
            return result
        message = "needs more memory than is free, and is tried again with no other clip beside it"
        code = IssueCode.MEMORY_EXHAUSTED.value
        work.context.emit(Notice("warning", code, message, planned.index, planned.clip.path))
        return self._attempt(planned, work, light_form, alone=True, after=result)

    def _attempt_in_software(
        self, first: ProcessingResult, error: Issue, planned: PlannedClip, work: _Work, form: TargetForm
    ) -> ProcessingResult:
        """How a clip ends in software that failed in hardware: where well, it was the encoder's fault.

        What software makes is kept under a key of its own, and found when all clips are made again.
        """
        key = self._processor.recipes.key(planned, form, planned.content) if planned.key and planned.content else None
        result = self._patient_attempt(replace(planned, key=key), work, form, form, after=first)
        if result.success:
            work.encoder_failures.append(
                f"failed at clip {planned.index + 1} ({planned.clip.path.name}): {error.message}"
            )
        return result

    def _attempt(
        self,
        planned: PlannedClip,
        work: _Work,
        form: TargetForm,
        *,
        alone: bool = False,
        after: ProcessingResult | None = None,
    ) -> ProcessingResult:
        """One try at a clip, after a resource was had for it; a stop is a result too.

        ``after`` another try the clip's start was told already, and the time of that one counts too.
        """
        need = planned.need_bytes if after is None else need_bytes(planned.media, form)
        spent = 0.0 if after is None else after.elapsed_seconds
        context = replace(work.context, cancel=CancelToken(work.context.cancel))
        wish = Wish(need, context.workflow_id, context.priority, alone=alone, give_way=context.cancel.force)
        if form.encoder.hardware is not None and planned.action is Action.ENCODE:
            wish = replace(wish, device=form.encoder.hardware.device, at_once=form.encoder.hardware.at_once)
        with self._pool.resource(wish, timeout_seconds=None, cancel=work.context.cancel) as resource:
            if resource is None or work.is_over:
                stopped = Cancelled().issue
                return ProcessingResult(planned.index, None, stopped, spent, None, started=after is not None)
            if after is None:
                self._tell_start(planned, work)
            result = self._made(planned, form, work, context)
            self._pool.release_resource(resource, peak_bytes=result.peak_memory_bytes)
            return replace(result, elapsed_seconds=spent + result.elapsed_seconds)

    def _made(self, planned: PlannedClip, form: TargetForm, work: _Work, context: RunContext) -> ProcessingResult:
        started = self._clock()
        try:
            made = self._processor.process(planned, form, work.config, files=work.files, context=context)
        except Exception as error:
            gave_way = isinstance(error, Cancelled) and not work.context.cancel.cancelled
            issue = self._too_large(planned, form) if gave_way else _issue_of(error, planned)
            if issue.code is IssueCode.DISK_FULL:
                work.full.set()
            logger.warning(
                "Clip %s failed: %s", planned.clip.path, issue.message, exc_info=not isinstance(error, MptError)
            )
            return ProcessingResult(planned.index, None, issue, self._clock() - started, None)
        elapsed, peak = self._clock() - started, made.peak_memory_bytes
        return ProcessingResult(
            planned.index,
            made.clip,
            None,
            elapsed,
            peak,
            made.warnings,
            action=made.action,
            reasons=made.reasons,
            argv=made.argv,
        )

    def _tell_start(self, planned: PlannedClip, work: _Work) -> None:
        seconds = float(planned.segment.frames / work.plan.form.frame_rate)
        work.context.emit(ClipStarted(planned.index, planned.clip.path, planned.action.value, seconds))

    def _tell_end(self, result: ProcessingResult, planned: PlannedClip, work: _Work) -> None:
        emit = work.context.emit
        if result.error is not None:
            emit(ClipFailed(planned.index, result.error.code.value, result.error.message))
            return
        self._performance.record_clip(work.context.workflow_id, busy_seconds=result.elapsed_seconds)
        for issue in result.warnings:
            emit(warning_of(issue, planned.index))
        emit(ClipFinished(planned.index, result.elapsed_seconds, result.peak_memory_bytes))

    def _tell_restart(self, results: list[ProcessingResult], work: _Work) -> None:
        ended = {result.index: result.success for result in results if result.started}
        frames = sum(clip.segment.frames for clip in work.plan.clips if clip.index in ended)
        finished = sum(ended.values())
        seconds = float(frames / work.plan.form.frame_rate)
        work.context.emit(ClipsRestarted(finished, len(ended) - finished, seconds))

    def _can_be_lighter(self, plan: Plan) -> bool:
        """Whether trying a clip alone with one thread is another thing than what was tried."""
        return self._pool.slots > 1 or plan.form != plan.light_form

    def _too_large(self, planned: PlannedClip, form: TargetForm) -> Issue:
        """What is said of a clip that was stopped because memory went over the budget."""
        needed, budget = need_bytes(planned.media, form) + self._memory.idle_bytes, self._memory.budget_bytes
        if needed > budget:
            message = (
                f"needs more memory than the budget of {budget >> 20} MiB: about {needed >> 20} MiB with mpt itself"
            )
        else:  # it needed more than was predicted, or something beside it did
            message = f"made the run exceed its memory budget of {budget >> 20} MiB"
        hint = "raise --max-memory, or choose a smaller size or a faster preset"
        return Issue(IssueCode.MEMORY_EXHAUSTED, message, path=planned.clip.path, hint=hint)


def require_success_rate(results: list[ProcessingResult], total: int, config: ProcessingConfig) -> None:
    """Raise unless enough of ``total`` clips ended well for what the configuration asks.

    :class:`~mpt_cli.model.errors.ResourceError` where disk or memory is the reason, and not the clips,
    else :class:`~mpt_cli.model.errors.ProcessingError`.
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
    """Whether a clip failed in a way in which a hardware encoder fails, or the clip itself."""
    codes = (IssueCode.CLIP_FAILED, IssueCode.CLIP_TIMEOUT, IssueCode.CLIP_STALLED)
    return planned.action is not Action.COPY and error.code in codes


def _is_short_of_memory(result: ProcessingResult) -> bool:
    return result.error is not None and result.error.code is IssueCode.MEMORY_EXHAUSTED


def _issue_of(error: Exception, planned: PlannedClip) -> Issue:
    """What went wrong with a clip; a bug of ours fails the clip and not the run."""
    if isinstance(error, MptError):
        return error.issue
    if isinstance(error, MemoryError):
        message, hint = "was not processed: mpt itself ran out of memory", "try --jobs 1"
        return Issue(IssueCode.MEMORY_EXHAUSTED, message, path=planned.clip.path, hint=hint)
    if isinstance(error, OSError):
        code = IssueCode.DISK_FULL if error.errno in DISK_FULL else IssueCode.CLIP_FAILED
        return Issue(code, f"cannot be processed ({error.strerror or error})", path=planned.clip.path)
    message = f"{type(error).__name__}: {error}"
    return Issue(IssueCode.INTERNAL, message, path=planned.clip.path, hint="please report this, with the output of -v")

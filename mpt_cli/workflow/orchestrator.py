"""VideoProcessingOrchestrator: the order of the steps of a request, and what its end is called."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from mpt_cli.config.request import effective_config
from mpt_cli.model.errors import (
    Cancelled,
    DependencyError,
    EncoderError,
    InputError,
    IssueCode,
    MptError,
    ProcessingError,
    ResourceError,
)
from mpt_cli.model.results import RunStatus
from mpt_cli.model.run_record import HistoryEntry
from mpt_cli.monitoring.recorder import Recorder
from mpt_cli.planning.plan import wanted_duration
from mpt_cli.processing.pipeline import require_success_rate
from mpt_cli.runtime.events import (
    Notice,
    PicturesStarted,
    ResourceSample,
    RunContext,
    RunFinished,
    RunStarted,
    ValidationFinished,
    warning_of,
)
from mpt_cli.storage.disk import free_bytes_if_known, unworkable
from mpt_cli.storage.file_identity import file_of
from mpt_cli.storage.publish import claimed
from mpt_cli.storage.temp_files import TempFileManager, run_folder, run_folder_path
from mpt_cli.workflow import deadline
from mpt_cli.workflow.batch import Batch, require_possible
from mpt_cli.workflow.join_order import join_order
from mpt_cli.workflow.planner import Planner
from mpt_cli.workflow.preflight import refusal, require_memory, require_space
from mpt_cli.workflow.provenance import gather
from mpt_cli.workflow.run_state import Run, describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mpt_cli.concatenation.service import ConcatenationService
    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.health import HealthStatus
    from mpt_cli.model.results import ConcatenationResult, OutputInfo, VideoResult
    from mpt_cli.monitoring.memory import MemoryManager, MemorySample
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.planning.estimates import Machine
    from mpt_cli.planning.plan import Plan
    from mpt_cli.processing.pipeline import ProcessingPipeline
    from mpt_cli.storage.history import History
    from mpt_cli.validation.engine import ValidationEngine
    from mpt_cli.workflow.health import HealthChecks
    from mpt_cli.workflow.published_reels import PublishedReels
    from mpt_cli.workflow.reel_pictures import Showcase

logger = logging.getLogger(__name__)

Work = Callable[[Run], None]
"""What is done for a request; how far it came stands in the run."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class VideoProcessingOrchestrator:
    """Validates, plans, processes, joins, proves and publishes one request."""

    def __init__(
        self,
        validation_engine: ValidationEngine,
        processing_pipeline: ProcessingPipeline,
        concatenation_service: ConcatenationService,
        performance_monitor: PerformanceMonitor,
        memory_manager: MemoryManager,
        config: Config,
        *,
        optimizer: CodecOptimizer,
        ffmpeg: Ffmpeg,
        machine: Machine,
        sandbox: AbstractContextManager[object],
        showcase: Callable[[], Showcase],
        reels: PublishedReels,
        history: History | None = None,
        health: HealthChecks | None = None,
        timer: deadline.StartTimer = threading.Timer,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Wire the parts; nothing is started or looked up. Reports of runs go into ``history``.

        ``sandbox`` is held open by each run: the processes that open files are kept for the next step.
        ``timer`` is the clock of deadlines.
        """
        self._validation, self._pipeline, self._service = validation_engine, processing_pipeline, concatenation_service
        self._performance, self._memory, self._config = performance_monitor, memory_manager, config
        self._ffmpeg, self._machine, self._showcase = ffmpeg, machine, showcase
        self._planner = Planner(machine, optimizer, processing_pipeline)
        self._history, self._health, self._now = history, health, now
        self._reels, self._timer, self._sandbox = reels, timer, sandbox

    def process_video_request(self, params: VideoParams, *, context: RunContext | None = None) -> VideoResult:
        """How the request ended; bad media, a full disk or a stop are results, never exceptions."""
        seconds = effective_config(params, self._config).processing.deadline
        with deadline.limited([context or _new_context()], seconds, timer=self._timer) as (limited,):
            return self._remembered(params, limited, self._produce)

    def process_batch_requests(
        self,
        requests: Sequence[VideoParams],
        *,
        contexts: Sequence[RunContext] | None = None,
        fail_fast: bool = False,
    ) -> list[VideoResult]:
        """How each request ended, in order; all are checked before the first one runs.

        They share slots and memory, and earlier ones go first. With ``fail_fast`` none begins after
        one that failed. InputError for a batch that cannot be run as a whole: empty, too large, two
        jobs with one output.
        """
        require_possible(requests, most_jobs=self._config.batch.max_jobs)
        at_once = min(len(requests), (self._config.processing.jobs or self._machine.cores) + 1)
        seconds = self._config.processing.deadline
        limited = deadline.limited(contexts or [_new_context() for _ in requests], seconds, timer=self._timer)
        with self._memory, limited as contexts:
            batch = Batch(requests, contexts, memory=self._memory, at_once=at_once, fail_fast=fail_fast)

            def produce(run: Run) -> None:
                batch.await_memory(run.context)
                self._produce(run)

            usable = batch.check(self._is_usable)
            results = batch.run(usable, lambda params, context: self._remembered(params, context, produce))
            return deadline.with_reasons(results, contexts, self._config)

    def plan_batch_requests(
        self, requests: Sequence[VideoParams], *, contexts: Sequence[RunContext] | None = None
    ) -> list[VideoResult]:
        """The same up to the plans, each in its result; nothing is written."""
        require_possible(requests, most_jobs=self._config.batch.max_jobs)
        contexts = contexts or [_new_context() for _ in requests]
        return [self.plan_video_request(one, context=of) for one, of in zip(requests, contexts, strict=True)]

    def health_check(self, *, deep: bool = False) -> HealthStatus:
        """Whether everything that a request needs works: each thing is tried. ``deep`` makes a small reel."""
        if self._health is None:
            raise ValueError("this orchestrator was made without health checks")
        if not deep:
            return self._health.status()
        unremembered = partial(self._produce, remember=False)
        return self._health.status(lambda params: self._concluded(self._run(params, _new_context()), unremembered))

    def plan_video_request(self, params: VideoParams, *, context: RunContext | None = None) -> VideoResult:
        """The same up to the plan, which stands in the result; nothing is written."""
        return self._concluded(self._run(params, context or _new_context()), self._describe)

    def _is_usable(self, params: VideoParams, context: RunContext) -> bool:
        """Whether a request would pass validation; what is wrong with it is said when it runs."""
        config = effective_config(params, self._config)
        run = self._run(params, context)
        try:
            if self._reels.current(run, lambda: self._ffmpeg.build) is not None:
                return True
            validation = self._validation.validate_inputs(run.params, config, cancel=context.cancel)
        except DependencyError:
            return True  # its run will say so
        except Cancelled:
            return False
        good = sum(file.is_valid for file in validation.files)
        return not validation.errors and config.processing.is_enough(good, len(validation.files))

    def _remembered(self, params: VideoParams, context: RunContext, work: Work) -> VideoResult:
        """The result of a request, which is also kept in the history."""
        started_at, recorder = self._now(), Recorder()
        run = self._run(params, replace(context, emit=recorder.hearing(context.emit)))
        result = self._concluded(run, work)
        if self._history is not None:
            command, timeline = _command(params), recorder.timeline()
            brief = replace(result, evidence=None)
            self._history.add(HistoryEntry(command, started_at, brief, run.setup(), timeline))
        return result

    def _run(self, params: VideoParams, context: RunContext) -> Run:
        """A run of the request, which may replace what mpt published if it is asked for a new version of that."""
        adopted = self._reels.adopted(params)
        return Run(adopted, effective_config(params, self._config), context, owned=adopted is not params)

    def _concluded(self, run: Run, work: Work) -> VideoResult:
        """The result of a request, whatever happens: every way to end passes here."""
        params, context = run.params, run.context
        context.emit(RunStarted(_command(params), context.workflow_id, len(params.clips)))
        end = RunFinished(RunStatus.ERROR.value, IssueCode.INTERNAL.value)  # of a bug, which goes its way from here
        try:
            result = run.result(self._ended_by(run, work))
            end = RunFinished(result.status.value, result.code.value if result.code else None)
            return result
        finally:
            context.emit(end)

    def _ended_by(self, run: Run, work: Work) -> MptError | None:
        """Do the work; the error that ended it, or None."""
        error: MptError | None = None
        try:
            with ExitStack() as stack:
                self._follow(run, stack)
                self._work(run, work)
        except MptError as ended:
            error = deadline.reason(ended, run)
        except OSError as failure:  # a path of the request that the system does not take
            logger.exception("Workflow %s could not go on", run.context.workflow_id)
            error = unworkable(failure, run.params.output_path)
        except MemoryError:
            self._memory.force_cleanup_all()
            logger.exception("Memory exhaustion in workflow %s", run.context.workflow_id)
            error = ResourceError(IssueCode.MEMORY_EXHAUSTED, "mpt itself ran out of memory", hint="try --jobs 1")
        if error is not None and not isinstance(error, (Cancelled, InputError)):
            logger.error("Processing failed for workflow %s: %s", run.context.workflow_id, error)
        return error

    def _work(self, run: Run, work: Work) -> None:
        """Do it, and give back at once what a run held that failed while it processed."""
        try:
            work(run)
        except (ProcessingError, ResourceError):
            self._memory.emergency_cleanup(run.context.workflow_id)
            raise

    def _follow(self, run: Run, stack: ExitStack) -> None:
        """Measure the run for as long as the stack is open, and keep its report when it closes."""
        context, output = run.context, run.params.output_path

        def report(sample: MemorySample) -> None:
            free = free_bytes_if_known(output)
            context.emit(ResourceSample(sample.tree_bytes, sample.budget_bytes, sample.cpu_percent, free))

        def conclude() -> None:
            self._memory.cleanup_workflow(context.workflow_id)
            self._performance.end_workflow(context.workflow_id)
            run.metrics = self._performance.generate_performance_report(
                context.workflow_id, memory_peak_bytes=self._memory.peak_bytes(context.workflow_id)
            )

        self._performance.start_workflow(context.workflow_id, clip_count=len(run.params.clips))
        self._memory.initialize_for_workflow(context.workflow_id)
        stack.callback(conclude)
        stack.callback(self._memory.subscribe(report))
        stack.enter_context(self._memory)
        stack.enter_context(self._sandbox)

    def _produce(self, run: Run, *, remember: bool = True) -> None:
        if self._left(run):
            return
        wanted = self._reels.wanted(run)
        plan = self._planned(run)
        require_space(run, plan)
        output, config = run.params.output_path, run.config
        parent = config.paths.temp or output.absolute().parent
        # No other run writes there until this one has looked at its reel for the last time.
        with claimed(output.absolute(), overwrite=run.params.overwrite) as claim:
            with run_folder(parent, run.context.workflow_id, keep=run.params.keep_temp) as folder:
                if run.params.keep_temp:
                    said = f"{folder.folder}: temporary files are kept here"
                    run.context.emit(Notice("info", "temporary_files_kept", said, path=folder.folder))
                plan = self._process(run, plan, folder)
                run.temporary_bytes = run.made_bytes()
                run.concatenation, finished = self._join(run, plan, claim.hidden, folder)
                run.context.cancel.raise_if_cancelled()
                if remember:
                    self._reels.add(wanted, run, finished, claim.hidden)
            claim.publish(partial(self._reels.require_owned, run))
            run.output = finished
            with suppress(OSError):  # it may be taken away at once
                run.file = file_of(output)
            self._performance.record_milestone(run.context.workflow_id, "published", 1.0)
            self._add_extras(run)
            if remember:
                run.evidence = gather(run, wanted.inputs) if run.params.evidence else None
                self._reels.confirm(wanted, run, run.output)

    def _left(self, run: Run) -> bool:
        """Whether the output is up to date, so that nothing is to be done."""
        found = self._reels.current(run, lambda: self._ffmpeg.build)
        if found is not None:
            run.leave(found, self._ffmpeg.build)
        return found is not None

    def _add_extras(self, run: Run) -> None:
        """Make the pictures that were asked for beside the reel."""
        if not run.params.extras.named():
            return
        run.context.emit(PicturesStarted(tuple(run.params.extras.named())))
        overwrite, cancel, note = run.params.overwrite, run.context.cancel, partial(self._reels.note_extra, run)
        run.output, missing = self._showcase().make_extras(
            run.params.extras, run.result(), overwrite=overwrite, cancel=cancel, before=note
        )
        run.missing += missing
        for issue in missing:
            run.context.emit(warning_of(issue))
        self._performance.record_milestone(run.context.workflow_id, "pictured", 1.0)

    def _planned(self, run: Run) -> Plan:
        """The plan for what is usable; InputError where that is not enough."""
        self._validate(run)
        run.context.cancel.raise_if_cancelled()
        run.ffmpeg = self._ffmpeg.build
        plan = self._planner.plan(run)
        require_memory(plan, self._memory)
        run.plan = plan
        self._performance.expect(run.context.workflow_id, total_seconds=float(plan.duration))
        return plan

    def _validate(self, run: Run) -> None:
        context, config = run.context, run.config
        validation = self._validation.validate_inputs(run.params, config, cancel=context.cancel)
        run.validation = validation
        refused = run.refused()
        usable = [
            wanted_duration(clip, file.media, config)
            for clip, file in zip(run.params.clips, validation.files, strict=False)
            if file.is_valid and file.media is not None
        ]
        context.emit(ValidationFinished(len(usable), len(refused), float(sum(usable))))
        for issue in validation.warnings:
            context.emit(warning_of(issue))
        self._performance.record_milestone(context.workflow_id, "validated", 0.05)
        if validation.errors or not config.processing.is_enough(len(usable), len(validation.files)):
            logger.error("Validation failed for workflow %s", context.workflow_id)
            too_few = not validation.errors and bool(usable)
            raise refusal(len(validation.errors) + len(refused), config, too_few=too_few)
        for index, file in refused.items():
            message = f"clip {index + 1} is left out: {file.path} {file.errors[0].message}"
            context.emit(Notice("warning", file.errors[0].code.value, message, index, file.path))

    def _process(self, run: Run, plan: Plan, folder: TempFileManager) -> Plan:
        """Work on all clips; the plan that held in the end."""
        try:
            results = self._pipeline.process_clips(plan, run.config.processing, files=folder, context=run.context)
        except EncoderError as error:
            run.plan = plan = self._planner.plan_in_software(run, plan, error)
            results = self._pipeline.process_clips(plan, run.config.processing, files=folder, context=run.context)
        run.processed = {result.index: result for result in results}
        run.context.cancel.raise_if_cancelled()
        require_success_rate(results, len(run.params.clips), run.config.processing)
        self._performance.record_milestone(run.context.workflow_id, "processed", 0.9)
        return plan

    def _join(
        self, run: Run, plan: Plan, hidden: Path, folder: TempFileManager
    ) -> tuple[ConcatenationResult, OutputInfo]:
        order = join_order(run, plan)

        def verify(path: Path, *, pictures_copied: bool) -> OutputInfo:
            self._performance.record_milestone(run.context.workflow_id, "joined", 0.97)
            target = run.params.output_path.absolute()
            return self._validation.validate_output(
                path, plan.form, order.clips, target=target, chapters=order.chapters, pictures_copied=pictures_copied
            )

        joined = self._service.concatenate(order, hidden, verify=verify, files=folder, context=run.context)
        self._performance.record_milestone(run.context.workflow_id, "verified", 0.99)
        return joined

    def _describe(self, run: Run) -> None:
        if self._left(run):
            return
        plan = self._planned(run)
        output = run.params.output_path.absolute()
        folder = run_folder_path(run.config.paths.temp or output.parent, run.context.workflow_id)
        run.plan_report = describe(plan, output, self._pipeline.describe(plan, TempFileManager(folder)))


def _new_context() -> RunContext:
    return RunContext(uuid.uuid4().hex)


def _command(params: VideoParams) -> str:
    return "process" if params.join is None else "concat"

"""VideoProcessingOrchestrator: the steps of a request in their order."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from mpt_cli.concatenation.order import join_order
from mpt_cli.config.request import VideoParams, effective_config
from mpt_cli.model.arguments import instance_of
from mpt_cli.model.errors import Cancelled, DependencyError, EncoderError
from mpt_cli.model.left_out import by_folder, left_out_text
from mpt_cli.planning.invalid_request import refusal
from mpt_cli.planning.planner import PlanRequest
from mpt_cli.planning.report import plan_line, plan_report
from mpt_cli.planning.tasks import tasks_of
from mpt_cli.planning.used_clip import wanted_duration
from mpt_cli.processing.pipeline import require_success_rate
from mpt_cli.runtime.events import Notice, PicturesStarted, RunContext, ValidationFinished, warning_of
from mpt_cli.storage.file_identity import file_of
from mpt_cli.storage.output_lock import refuse_locked
from mpt_cli.storage.publish import claimed
from mpt_cli.storage.temp_files import TempFileManager, run_folder, run_folder_path
from mpt_cli.workflow import deadline
from mpt_cli.workflow.batch import Batch, batch_of, require_possible
from mpt_cli.workflow.earlier_reels import warnings_of_earlier_reels
from mpt_cli.workflow.manifest_hashes import Provenance
from mpt_cli.workflow.required_space import require_memory, require_space, tight_clips
from mpt_cli.workflow.run_state import RunState
from mpt_cli.workflow.task_files import write_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mpt_cli.concatenation.service import ConcatenationService
    from mpt_cli.config.sections import Config
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.health import HealthStatus
    from mpt_cli.model.published_reel import PublishedReel
    from mpt_cli.model.results import OutputInfo, VideoResult
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.planning.estimates import Machine
    from mpt_cli.planning.planner import Planned, Planner
    from mpt_cli.planning.recipe import Recipes
    from mpt_cli.processing.pipeline import ProcessingPipeline
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.storage.publish import Claim
    from mpt_cli.validation.engine import ValidationEngine
    from mpt_cli.workflow.health import HealthChecks
    from mpt_cli.workflow.lifecycle import Lifecycle
    from mpt_cli.workflow.published_reels import PublishedReels, Wanted
    from mpt_cli.workflow.side_outputs import SideOutputs

logger = logging.getLogger(__name__)


class VideoProcessingOrchestrator:
    """Validate, plan, process, join, prove and publish one request, or many."""

    def __init__(
        self,
        validation_engine: ValidationEngine,
        processing_pipeline: ProcessingPipeline,
        concatenation_service: ConcatenationService,
        performance_monitor: PerformanceMonitor,
        memory_manager: MemoryManager,
        config: Config,
        *,
        planner: Planner,
        recipes: Recipes,
        ffmpeg: Ffmpeg,
        machine: Machine,
        side_outputs: SideOutputs,
        lifecycle: Lifecycle,
        reels: PublishedReels,
        health: HealthChecks | None = None,
    ) -> None:
        """Wire the parts; nothing is started or looked up."""
        self._validation, self._pipeline, self._service = validation_engine, processing_pipeline, concatenation_service
        self._performance, self._memory, self._config = performance_monitor, memory_manager, config
        self._planner, self._recipes, self._ffmpeg, self._machine = planner, recipes, ffmpeg, machine
        self._side_outputs, self._lifecycle, self._reels, self._health = side_outputs, lifecycle, reels, health

    def process_video_request(
        self, params: VideoParams, *, context: RunContext | None = None, recorded: bool = True
    ) -> VideoResult:
        """Process one request.

        Args:
            params: What to make of which clips.
            context: Where events go, and how the run is stopped; a new one by default.
            recorded: Whether the reel and the result are remembered for later runs.

        Returns:
            How the request ended. Bad media, a full disk, a deadline, a stop or a receiver of events that raises are
            results; see ``VideoResult.errors``.

        Raises:
            UsageError: An argument has a wrong type.
        """
        run = self._begin(params, context)
        with self._lifecycle.of_request(run, recorded=recorded):
            self._report_inputs(run)
            if not self._is_up_to_date(run):
                self._validate(run)
                self._plan(run)
                require_space(run.planned, run.config, run.params.output_path)
                # No other run writes to that name until this one has looked at its reel for the last time.
                with claimed(run.output_path, overwrite=run.params.overwrite) as claim:
                    with run_folder(run.temp_parent, run.context.workflow_id, keep=params.keep_temp) as files:
                        self._process(run, files)
                        self._join_and_prove(run, files, claim.hidden)
                        if recorded:
                            self._record_reel(run, claim.hidden)
                    self._publish(run, claim)
                    self._create_pictures(run)
                    if recorded:
                        self._gather_provenance(run)
        return run.result()

    def process_batch_requests(
        self,
        requests: Iterable[VideoParams],
        *,
        contexts: Iterable[RunContext] | None = None,
        fail_fast: bool = False,
    ) -> list[VideoResult]:
        """Process many requests, which share slots and memory; earlier ones go first.

        Args:
            requests: The jobs; all are checked before the first one runs.
            contexts: One for each job, new ones by default.
            fail_fast: Begin no job after one that failed.

        Returns:
            How each request ended, in order.

        Raises:
            InputError: The batch cannot be run as a whole: it is empty or too large, or two jobs have one output.
            UsageError: An argument has a wrong type, or there is not one context for each job.
        """
        requests, contexts = batch_of(requests, contexts)
        require_possible(requests, contexts, most_jobs=self._config.batch.max_jobs)
        at_once = min(len(requests), (self._config.processing.jobs or self._machine.cores) + 1)
        seconds = self._config.processing.deadline
        with self._memory, self._lifecycle.limited(contexts, seconds) as limited:
            batch = Batch(requests, limited, memory=self._memory, at_once=at_once, fail_fast=fail_fast)
            results = batch.run(batch.check(self._is_usable), self)
            return deadline.with_reasons(results, limited, self._config)

    def plan_video_request(
        self, params: VideoParams, *, context: RunContext | None = None, tasks: Path | None = None
    ) -> VideoResult:
        """Plan one request and write nothing; the plan stands in the result, with what a run would refuse now.

        Args:
            params: What to make of which clips.
            context: Where events go, and how the run is stopped; a new one by default.
            tasks: A new folder for the steps to do, each as a file for ``mpt work``; None for none.
        """
        run = self._begin(params, context)
        with self._lifecycle.of_request(run, recorded=False):
            self._report_inputs(run)
            if not self._is_up_to_date(run):
                self._validate(run)
                self._plan(run)
                files = TempFileManager(run_folder_path(run.temp_parent, run.context.workflow_id))
                commands = self._recipes.commands_of(run.planned, files)
                run.plan_report = plan_report(run.planned, run.output_path, commands)
                require_space(run.planned, run.config, run.params.output_path)
                refuse_locked(run.output_path)
                if tasks is not None:
                    write_tasks(tasks, tasks_of(run.planned, run.config.processing, self._ffmpeg.build), run.context)
        return run.result()

    def plan_batch_requests(
        self, requests: Iterable[VideoParams], *, contexts: Iterable[RunContext] | None = None
    ) -> list[VideoResult]:
        """Plan many requests and write nothing.

        Raises:
            InputError: As :meth:`process_batch_requests`.
            UsageError: As :meth:`process_batch_requests`.
        """
        requests, contexts = batch_of(requests, contexts)
        require_possible(requests, contexts, most_jobs=self._config.batch.max_jobs)
        return [self.plan_video_request(one, context=of) for one, of in zip(requests, contexts, strict=True)]

    def health_check(self, *, deep: bool = False, cancel: CancelToken | None = None) -> HealthStatus:
        """Try everything that a request needs; with ``deep`` also create and prove a small reel.

        Args:
            deep: True to process a small request.
            cancel: Stops the checks.

        Raises:
            Cancelled: The checks were stopped.
            ValueError: This orchestrator has no health checks.
        """
        if self._health is None:
            raise ValueError("this orchestrator was made without health checks")
        return self._health.status(self if deep else None, cancel=cancel)

    def _begin(self, params: VideoParams, context: RunContext | None) -> RunState:
        """Return a new run, which may replace what mpt published if it is asked for a new version of that."""
        instance_of("params", params, VideoParams, "give VideoParams(clips, output_path)")
        context = instance_of("context", context or RunContext(), RunContext, "give RunContext(emit=..., cancel=...)")
        adopted = self._reels.adopted(params)
        return RunState(adopted, effective_config(params, self._config), context, owned=adopted is not params)

    def _is_usable(self, params: VideoParams, context: RunContext) -> bool:
        """Return whether a request would pass validation; its run reports what is wrong with it."""
        config = effective_config(params, self._config)
        try:
            if params.if_changed and self._current(self._reels.wanted(params, config), context.cancel) is not None:
                return True
            validation = self._validation.validate_inputs(self._reels.adopted(params), config, cancel=context.cancel)
        except DependencyError:
            return True  # its run will say so
        except Cancelled:
            return False
        good = sum(file.is_valid for file in validation.files)
        return not validation.errors and config.processing.is_enough(good, len(validation.files))

    @staticmethod
    def _report_inputs(run: RunState) -> None:
        """Report what the folders of the clips hold beside them."""
        for folder, entries in by_folder(run.params.left_out):
            run.context.emit(Notice("info", "files_left_out", left_out_text(entries), path=folder))
        _notice(run, run.params.warnings)

    def _is_up_to_date(self, run: RunState) -> bool:
        """Note what is asked for, and return whether the output is exactly that already."""
        run.wanted = self._reels.wanted(run.params, run.config)
        found = self._current(run.wanted, run.context.cancel)
        if found is None:
            return False
        run.leave(found, self._ffmpeg.build)
        run.context.emit(Notice("info", "unchanged", "is up to date, nothing was done", path=run.output_path))
        return True

    def _current(self, wanted: Wanted, cancel: CancelToken) -> PublishedReel | None:
        """Return the record of an output that is exactly what is wanted already, or None."""
        return self._reels.current(wanted, lambda: self._ffmpeg.ask_build(cancel), alive=cancel.raise_if_cancelled)

    def _validate(self, run: RunState) -> None:
        """Look into all clips; InputError where too few can be used."""
        context, config = run.context, run.config
        run.validation = validation = self._validation.validate_inputs(run.params, config, cancel=context.cancel)
        refused, usable = run.refused(), run.usable_clips()
        seconds = sum(wanted_duration(clip, media, config) for _, clip, media in usable)
        context.emit(ValidationFinished(len(usable), len(refused), float(seconds)))
        for issue in validation.warnings:
            context.emit(warning_of(issue))
        _notice(run, warnings_of_earlier_reels(validation.files, self._reels.clips_of))
        self._performance.record_milestone(context.workflow_id, "validated", 0.05)
        if validation.errors or not config.processing.is_enough(len(usable), len(validation.files)):
            too_few = not validation.errors and bool(usable)
            raise refusal(len(validation.errors) + len(refused), config, too_few=too_few)
        for index, file in refused.items():
            first = file.errors[0]
            message = f"{first.message}; clip {index + 1} is left out"
            context.emit(Notice("warning", first.code.value, message, index, first.path, first.hint))
        context.cancel.raise_if_cancelled()

    def _plan(self, run: RunState) -> None:
        """Decide what is done with each clip that can be used; ResourceError where memory is too small for any."""
        run.ffmpeg = self._ffmpeg.ask_build(run.context.cancel)
        self._take_plan(run, self._planner.plan(_plan_request(run)))
        require_memory(run.planned, self._memory)
        for notice in tight_clips(run.planned, self._memory):
            run.context.emit(notice)
        self._performance.expect(run.context.workflow_id, total_seconds=float(run.planned.duration))

    def _take_plan(self, run: RunState, planned: Planned) -> None:
        run.plan, run.config = planned.plan, planned.config
        logger.info("planned: %s of ffmpeg %s", plan_line(run.plan), run.ffmpeg)
        known = run.validation.warnings if run.validation else ()
        for issue in planned.notices:
            if issue not in known:
                run.replaced.append(issue)
                run.context.emit(warning_of(issue))

    def _process(self, run: RunState, files: TempFileManager) -> None:
        """Encode, copy or reuse each clip; ProcessingError or ResourceError where too few end well."""
        if run.params.keep_temp:
            said = "holds the temporary files, which are kept"
            run.context.emit(Notice("info", "temporary_files_kept", said, path=files.folder))
        try:
            results = self._pipeline.process_clips(run.planned, run.config.processing, files=files, context=run.context)
        except EncoderError as error:
            self._take_plan(run, self._planner.plan_in_software(_plan_request(run), run.planned, error))
            results = self._pipeline.process_clips(run.planned, run.config.processing, files=files, context=run.context)
        run.processed = {result.index: result for result in results}
        run.context.cancel.raise_if_cancelled()
        require_success_rate(results, len(run.params.clips), run.config.processing)
        self._performance.record_milestone(run.context.workflow_id, "processed", 0.9)

    def _join_and_prove(self, run: RunState, files: TempFileManager, hidden: Path) -> None:
        """Join the clips under a hidden name, and prove that the reel is what was planned."""
        run.temporary_bytes = run.made_bytes()
        clips = [segment for result in run.good() for segment in result.segments]
        order = join_order(clips, run.planned, run.config, run.params.join)

        def verify(path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
            self._performance.record_milestone(run.context.workflow_id, "joined", 0.97)
            return self._validation.validate_output(
                path,
                run.planned.form,
                order.clips,
                target=run.output_path,
                chapters=order.chapters,
                frames_copied=frames_copied,
                levelled=levelled,
            )

        joined = self._service.concatenate(order, hidden, verify=verify, files=files, context=run.context)
        run.concatenation, run.proven = joined
        self._performance.record_milestone(run.context.workflow_id, "verified", 0.99)
        run.context.cancel.raise_if_cancelled()

    def _record_reel(self, run: RunState, path: Path) -> None:
        """Remember the proven reel, which lies at this path."""
        assert run.wanted is not None
        assert run.proven is not None
        self._reels.add(run.wanted, run.result(), run.output or run.proven, path)

    def _publish(self, run: RunState, claim: Claim) -> None:
        """Give the proven reel its name."""
        output = run.params.output_path

        def require_owned() -> None:
            if run.owned:
                self._reels.require_owned(run.params)

        claim.publish(require_owned, is_ours=partial(self._reels.owns, output) if run.owned else None)
        run.output = run.proven
        with suppress(OSError):  # it may be taken away at once
            run.file = file_of(output)
        self._performance.record_milestone(run.context.workflow_id, "published", 1.0)

    def _create_pictures(self, run: RunState) -> None:
        """Create the pictures that were asked for beside the reel; what fails is a warning."""
        extras = run.params.extras
        if not extras.named():
            return

        def note(picture: Path, path: Path) -> None:
            self._reels.note_extra(run.params, picture, path, reel=run.file, owned=run.owned)

        run.context.emit(PicturesStarted(tuple(extras.named())))
        run.output, missing = self._side_outputs.make_extras(
            extras,
            run.result(),
            overwrite=run.params.overwrite,
            cancel=run.context.cancel,
            before=note,
            is_ours=partial(self._reels.owns_picture, run.params.output_path) if run.owned else None,
        )
        run.missing += missing
        for issue in missing:
            run.context.emit(warning_of(issue))
        self._performance.record_milestone(run.context.workflow_id, "pictured", 1.0)

    def _gather_provenance(self, run: RunState) -> None:
        """Hash what the reel was made of where that is asked for, and remember what is known of the reel now."""
        assert run.wanted is not None
        assert run.output is not None
        if run.params.evidence:
            assert run.concatenation is not None
            provenance = Provenance(run.output.path, run.file, run.wanted.inputs, run.context.cancel)
            run.evidence, warnings = provenance.gather(
                run.planned, run.good(), run.concatenation, run.config.model_dump(mode="json", by_alias=True)
            )
            run.afterwards += warnings
        if self._reels.is_out_of_date(run.output, run.evidence, run.file):
            self._record_reel(run, run.output.path)


def _notice(run: RunState, issues: Iterable[Issue]) -> None:
    """Report warnings about which clips there are, and keep them for the result."""
    run.noticed += issues
    for issue in issues:
        run.context.emit(warning_of(issue))


def _plan_request(run: RunState) -> PlanRequest:
    return PlanRequest(run.params, run.config, run.usable_clips(), run.context.clips_beside, run.context.cancel)

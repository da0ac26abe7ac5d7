"""Planner: the plan of a request that was validated, with its form, the encoder that works here, and what is reused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, Container
from mpt_cli.model.errors import InputError
from mpt_cli.planning.plan import make_plan, wanted_duration, with_threads
from mpt_cli.planning.target_form import settled
from mpt_cli.runtime.events import warning_of
from mpt_cli.workflow.preflight import copy_policy, require_copies, takes_form_of_clips

if TYPE_CHECKING:
    from mpt_cli.media.encoders.optimizer import Choice, CodecOptimizer
    from mpt_cli.model.clips import VideoClip
    from mpt_cli.model.errors import EncoderError
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.planning.estimates import Machine
    from mpt_cli.planning.plan import Plan
    from mpt_cli.processing.pipeline import ProcessingPipeline
    from mpt_cli.workflow.run_state import Run


class Planner:
    """Makes plans for this machine."""

    def __init__(self, machine: Machine, optimizer: CodecOptimizer, pipeline: ProcessingPipeline) -> None:
        """Ask this optimizer for encoders, and this pipeline for what was finished before."""
        self._machine, self._optimizer, self._pipeline = machine, optimizer, pipeline

    def plan(self, run: Run) -> Plan:
        """The plan for the clips that validation let pass; the configuration of the run then names form and encoder.

        InputError where the named encoder does not work and no other may take its place,
        or where only copies were asked for and a clip cannot be copied.
        """
        self._settle(run)
        plan = self._made(run)
        require_copies(run, plan)
        form, wanted = plan.form, run.config.encode
        if wanted.encoder != "auto" or any(clip.action is Action.ENCODE for clip in plan.clips):
            choice = self._optimizer.choose(
                wanted, dimensions=form.dimensions, frame_rate=form.frame_rate, cancel=run.context.cancel
            )
            self._take(run, choice)
            plan = plan if form.encoder.encoder == run.config.encode.encoder else self._made(run)
        return self._with_fallback(self._reusing(plan, run), run)

    def plan_in_software(self, run: Run, plan: Plan, error: EncoderError) -> Plan:
        """The plan that takes the place of one whose hardware encoder failed."""
        self._optimizer.distrust(plan.form.encoder)
        self._take(run, self._optimizer.replaced(run.config.encode, error.issue.message))
        return self._reusing(self._made(run), run)

    def _settle(self, run: Run) -> None:
        """Let the run's configuration say the form of the reel, also where the clips decide."""
        used = ((media, wanted_duration(clip, media, run.config)) for _, clip, media in _usable(run))
        run.config = settled(run.config, used, _container(run), of_clips=takes_form_of_clips(run))

    def _made(self, run: Run) -> Plan:
        return make_plan(
            _usable(run),
            run.config,
            _container(run),
            machine=self._machine,
            optimizer=self._optimizer,
            copy=copy_policy(run),
            clips_beside=run.context.clips_beside,
        )

    def _take(self, run: Run, choice: Choice) -> None:
        """Let the run's configuration name the chosen encoder, and say why it is not the one that was asked for."""
        run.config = run.config.model_copy(update={"encode": choice.quality})
        issue = choice.issue
        if issue is None:
            return
        if not choice.quality.fallback:
            raise InputError(issue.code, issue.message, hint=issue.hint)
        if run.validation is None or issue not in run.validation.warnings:
            run.replaced.append(issue)
            run.context.emit(warning_of(issue))

    def _reusing(self, plan: Plan, run: Run) -> Plan:
        """The plan without what was finished before; what is left to encode gets the idle cores."""
        if not run.config.cache.enabled:
            return plan
        plan = self._pipeline.reusing(plan)
        return with_threads(plan, run.config, self._machine, self._optimizer, run.context.clips_beside)

    def _with_fallback(self, plan: Plan, run: Run) -> Plan:
        """The plan as a hardware encoder wants it: not too many clips at once, and software behind it."""
        hardware, quality = plan.form.encoder.hardware, run.config.encode
        if hardware is None:
            return plan
        if quality.fallback:
            software = self._optimizer.get_optimal_settings(
                self._optimizer.in_software(quality), frame_rate=plan.form.frame_rate, threads=1
            )
            plan = replace(plan, software_form=replace(plan.form, encoder=software))
        return replace(plan, jobs=min(plan.jobs, hardware.at_once))


def _usable(run: Run) -> list[tuple[int, VideoClip, MediaInfo]]:
    """The clips that validation let pass, with their places in the request."""
    assert run.validation is not None
    return [
        (index, clip, file.media)
        for index, (clip, file) in enumerate(zip(run.params.clips, run.validation.files, strict=True))
        if file.is_valid and file.media is not None
    ]


def _container(run: Run) -> Container:
    container = Container.of(run.params.output_path)
    assert container is not None  # validated
    return container

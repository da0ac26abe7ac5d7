"""Planner: the plan of a validated request, with its target format, a working encoder, and what is reused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.audio import AAC
from mpt_cli.media.encoders.kept import samples_like
from mpt_cli.media.formats.containers import containers_of
from mpt_cli.model.choices import Action, Container, CopyPolicy, FormSource, JoinMethod
from mpt_cli.model.errors import InputError, Issue, IssueCode
from mpt_cli.model.samples import SDR_SAMPLES, dynamic_range_of
from mpt_cli.planning.audio_form import settled_audio
from mpt_cli.planning.clip_order import order_notices
from mpt_cli.planning.copies import Copying
from mpt_cli.planning.dynamic_range import settled_range, with_range
from mpt_cli.planning.form_encoder import quality_like
from mpt_cli.planning.invalid_request import refusal
from mpt_cli.planning.levels import with_levels
from mpt_cli.planning.plan import make_plan, with_threads
from mpt_cli.planning.stream_copy import OTHERS_ENCODED
from mpt_cli.planning.target_form import names_codec, settled, turned
from mpt_cli.planning.used_clip import wanted_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.media.encoders.optimizer import Choice, CodecOptimizer
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.clips import TargetForm, VideoClip
    from mpt_cli.model.errors import EncoderError
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.samples import Samples
    from mpt_cli.planning.audio_form import AudioChoice
    from mpt_cli.planning.estimates import Machine
    from mpt_cli.planning.plan import Plan
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.planning.reuse import Reuse
    from mpt_cli.runtime.cancel import CancelToken

    UsableClip = tuple[int, VideoClip, MediaInfo]


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Input of the planner.

    Attributes:
        params: The request.
        config: The configuration that holds for it.
        clips: The clips that passed validation, each with its index in the request.
        clips_beside: Number of clips of other requests that run at the same time.
        cancel: Stops trying encoders.
        any_codec: True if the clips choose the codec too. The planner sets it, before it names a codec to encode with.
        any_rate: The same for the frame rate.
        audio: The format of the audio, once it is settled.
        samples: What the samples of encoded frames mean, once it is settled.
    """

    params: VideoParams
    config: Config
    clips: Sequence[UsableClip]
    clips_beside: int
    cancel: CancelToken
    any_codec: bool = False
    any_rate: bool = False
    audio: AudioForm | None = None
    samples: Samples = SDR_SAMPLES

    @property
    def container(self) -> Container:
        """The container of the reel, by the extension of its name, which validation has checked."""
        container = Container.of(self.params.output_path)
        assert container is not None
        return container

    @property
    def copy_policy(self) -> CopyPolicy:
        """Which clips may be copied, by the join method and the configuration."""
        return CopyPolicy.NEVER if self.params.join is JoinMethod.REENCODE else self.config.concat.copy_policy

    @property
    def keeps_frames(self) -> bool:
        """Whether frames may stay as they are in the clips, also where no encoder here makes such ones."""
        return self.takes_form_of_clips and self.params.join is not JoinMethod.MOVIEPY

    @property
    def takes_form_of_clips(self) -> bool:
        """Whether the clips choose the target format: for ``mpt concat`` they do unless it is given."""
        video = self.config.video
        return video.form is FormSource.AUTO or (self.params.join is not None and "form" not in video.model_fields_set)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what was decided for it.

    Attributes:
        plan: What is done with each clip.
        config: The configuration, which now names target format and encoder.
        notices: What took the place of something that was asked for, and why.
    """

    plan: Plan
    config: Config
    notices: tuple[Issue, ...] = ()


class Planner:
    """Plan requests for one machine."""

    def __init__(self, machine: Machine, optimizer: CodecOptimizer, reuse: Reuse | None = None) -> None:
        """Ask this optimizer for encoders; without ``reuse`` every clip is encoded or copied."""
        self._machine, self._optimizer, self._reuse = machine, optimizer, reuse

    def plan(self, request: PlanRequest) -> Planned:
        """Return the plan for a request.

        Raises:
            InputError: The named encoder does not work and no other may take its place, ffmpeg lacks the encoder, or
                only copies were asked for and a clip cannot be copied; the other clips of that kind stand in
                ``others``.
        """
        request, audio_reasons, notices = self._with_form(request)
        plan = self._draft(request)
        _require_copies(request, plan)
        notices += () if plan.copy_notice is None else (plan.copy_notice,)
        wanted, encodes = request.config.encode, any(step.encodes_frames for step in plan.steps)
        if encodes and plan.form.kept is not None:
            self._require_encoder_like(plan.form, request)
        elif wanted.encoder != "auto" or encodes:
            choice = self._optimizer.choose(
                wanted,
                dimensions=plan.form.dimensions,
                frame_rate=plan.form.frame_rate,
                cancel=request.cancel,
                samples=request.samples,
            )
            request, replaced = self._with_encoder(request, choice)
            notices += replaced
            if plan.form.encoder.encoder != request.config.encode.encoder:
                plan = self._draft(request)
        plan = replace(self._with_fallback(self._with_reuse(plan, request), request), audio_reasons=audio_reasons)
        plan = with_levels(plan, request.config)
        return Planned(plan, request.config, (*order_notices(request.clips, request.config.concat), *notices))

    def plan_in_software(self, request: PlanRequest, failed: Plan, error: EncoderError) -> Planned:
        """Return the plan that takes the place of one whose hardware encoder failed."""
        self._optimizer.distrust(failed.form.encoder)
        choice = self._optimizer.replaced(request.config.encode, error.issue.message)
        request, notices = self._with_encoder(replace(request, audio=failed.form.audio), choice)
        plan = replace(self._with_reuse(self._draft(request), request), audio_reasons=failed.audio_reasons)
        return Planned(with_levels(plan, request.config), request.config, notices)

    def _with_form(self, request: PlanRequest) -> tuple[PlanRequest, tuple[str, ...], tuple[Issue, ...]]:
        """Return the request that names the target format, the reasons of its audio, and what the clips changed."""
        used = [(media, wanted_duration(clip, media, request.config)) for _, clip, media in request.clips]
        of_clips = request.takes_form_of_clips
        config, issue = (request.config, None) if of_clips else turned(request.config, used)
        config = settled(config, used, request.container, of_clips=of_clips)
        light = settled_range(request.config, used, of_clips=of_clips, join=request.params.join)
        config = with_range(config, light.samples)
        audio = self._audio(request, used, of_clips=of_clips)
        issues = tuple(each for each in (issue, light.issue, audio.issue) if each is not None)
        settled_request = replace(
            request,
            config=config,
            any_codec=of_clips and not names_codec(request.config),
            any_rate=of_clips and request.config.video.fps is None,
            audio=audio.form,
            samples=light.samples,
        )
        return settled_request, audio.reasons, issues

    @staticmethod
    def _audio(request: PlanRequest, used: Sequence[tuple[MediaInfo, Fraction]], *, of_clips: bool) -> AudioChoice:
        """Return the audio of the reel, which clips that are heard may decide."""
        heard = [pair for pair, (_, clip, _media) in zip(used, request.clips, strict=True) if not clip.mute]
        only = AAC if request.params.join is JoinMethod.MOVIEPY else None
        return settled_audio(request.config.audio, heard, request.container, of_clips=of_clips, only=only)

    def _require_encoder_like(self, form: TargetForm, request: PlanRequest) -> None:
        """Raise InputError where this ffmpeg lacks the encoder that makes frames like those that are kept."""
        assert form.kept is not None
        quality = quality_like(form, request.config.encode, self._optimizer)
        samples = samples_like(form.kept, form.dimensions)
        refused = self._optimizer.missing(quality, cancel=request.cancel, samples=samples or SDR_SAMPLES)
        if refused is not None:
            raise InputError(refused.code, refused.message, hint=refused.hint)

    def _with_encoder(self, request: PlanRequest, choice: Choice) -> tuple[PlanRequest, tuple[Issue, ...]]:
        """Return the request whose configuration names the chosen encoder, and why it is not the one asked for."""
        issues = () if choice.issue is None else (choice.issue,)
        refused = self._optimizer.missing(choice.quality, cancel=request.cancel, samples=request.samples)
        if refused is None and not choice.quality.fallback:
            refused = choice.issue
        if refused is not None:
            raise InputError(refused.code, refused.message, hint=refused.hint)
        return replace(request, config=request.config.model_copy(update={"encode": choice.quality})), issues

    def _draft(self, request: PlanRequest) -> Plan:
        return make_plan(
            request.clips,
            request.config,
            request.container,
            machine=self._machine,
            optimizer=self._optimizer,
            copying=_copying(request),
            clips_beside=request.clips_beside,
            audio=request.audio,
            samples=request.samples,
        )

    def _with_reuse(self, plan: Plan, request: PlanRequest) -> Plan:
        """Return the plan without what is finished; the clips that are left to encode get the idle cores."""
        if self._reuse is None or not request.config.cache.enabled:
            return plan
        plan = self._reuse.apply(plan)
        return with_threads(plan, request.config, self._machine, self._optimizer, request.clips_beside, request.samples)

    def _with_fallback(self, plan: Plan, request: PlanRequest) -> Plan:
        """Return the plan for a hardware encoder: few clips at a time, and software behind it."""
        hardware, quality = plan.form.encoder.hardware, request.config.encode
        if hardware is None:
            return plan
        if quality.fallback:
            software = self._optimizer.get_optimal_settings(
                self._optimizer.in_software(quality), frame_rate=plan.form.frame_rate, threads=1
            )
            plan = replace(plan, software_form=replace(plan.form, encoder=software))
        return replace(plan, jobs=min(plan.jobs, hardware.at_once))


def _require_copies(request: PlanRequest, plan: Plan) -> None:
    """Raise InputError where ``--method copy`` was asked for and a clip cannot be copied."""
    if request.params.join is not JoinMethod.COPY:
        return
    refused = tuple(
        _uncopied(clip, request.container)
        for clip in sorted(plan.clips, key=lambda clip: clip.index)
        if clip.action is not Action.COPY and clip.reasons != (OTHERS_ENCODED,)
    )
    if refused:
        error = refusal(len(refused), request.config, too_few=False)
        error.others = refused
        raise error


def _uncopied(clip: PlannedClip, container: Container) -> Issue:
    """Return the error of a clip that was to be copied and cannot be."""
    codec = clip.media.video.codec
    others = containers_of(codec)
    if others and container not in others:
        message = f"is {codec}, which {container} does not hold"
        hint = f"name the output .{' or .'.join(others)}, or use --method auto to encode"
        return Issue(IssueCode.CODEC_CONTAINER_MISMATCH, message, clip.clip.path, hint)
    message = f"cannot be copied: {', '.join(clip.reasons)}"
    return Issue(IssueCode.CONCAT_FAILED, message, clip.clip.path, "use --method auto to encode such clips")


def _copying(request: PlanRequest) -> Copying:
    return Copying(
        request.copy_policy,
        keep=request.keeps_frames,
        any_codec=request.any_codec,
        any_rate=request.any_rate,
        dynamic_range=dynamic_range_of(request.samples.color),
        cuts=request.params.join not in (JoinMethod.COPY, JoinMethod.MOVIEPY),
    )

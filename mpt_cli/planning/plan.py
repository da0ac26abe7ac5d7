"""The plan of a run: the action for each clip, and its reasons (pure: no file is opened here).

``--dry-run`` prints it, and a run executes the same object.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.media.geometry import place, shown_size
from mpt_cli.model.choices import Action, ConcatenationMode, Container, Tracks
from mpt_cli.model.samples import SDR_SAMPLES
from mpt_cli.planning.audio_form import given_audio
from mpt_cli.planning.clip_order import in_order
from mpt_cli.planning.copies import all_encoded_notice, copies_of
from mpt_cli.planning.cuts import cut_clip
from mpt_cli.planning.estimates import (
    COPY_BYTES,
    Machine,
    audio_work,
    concurrency,
    disk_bytes,
    need_bytes,
    peak_bytes,
    run_seconds,
)
from mpt_cli.planning.form_encoder import FormEncoder
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.planning.recordings import in_recordings
from mpt_cli.planning.segments import is_long, reason_to_stay_whole, segments_of
from mpt_cli.planning.stream_copy import copy_reasons, is_copied_in_place, shown_at, wanted_part
from mpt_cli.planning.used_clip import from_first_frame, used_clip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from mpt_cli.config.sections import Config
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.clips import TargetForm, VideoClip
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.samples import Samples
    from mpt_cli.planning.copies import Copying
    from mpt_cli.planning.cuts import Cut
    from mpt_cli.planning.used_clip import UsedClip


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions of a run. ``clips`` are in the order of the reel."""

    form: TargetForm
    light_form: TargetForm
    """The same with one encoder thread: for a second attempt at a clip that ran out of memory."""
    clips: tuple[PlannedClip, ...]
    jobs: int
    seed: int | None
    predicted_seconds: float
    temporary_bytes: int
    output_bytes: int
    mixed_parameter_sets: bool
    """Whether clips with other parameter sets are joined as they are (``--copy compatible``)."""
    software_form: TargetForm | None = None
    """The same in software with one thread, which takes over where hardware fails; None for software, or where
    no fallback is allowed."""
    copy_notice: Issue | None = None
    """Warning that a few clips keep the others from being copied."""
    audio_reasons: tuple[str, ...] = ()
    """Where the format of the audio comes from, and why something is not as in the clips."""

    @property
    def steps(self) -> tuple[PlannedClip, ...]:
        """The parts of all clips: what is processed, each by itself."""
        return tuple(step for clip in self.clips for step in clip.steps)

    @property
    def frames(self) -> int:
        """Frames of the reel."""
        return sum(clip.segment.frames for clip in self.clips)

    @property
    def pictures(self) -> int:
        """Frames that are there: fewer than those of the grid where a variable rate is kept."""
        return sum(clip.segment.pictures for clip in self.clips)

    @property
    def duration(self) -> Fraction:
        """Exact seconds of the reel."""
        return self.frames / self.form.frame_rate

    @property
    def memory_bytes(self) -> int:
        """Memory that the whole run is predicted to need, mpt itself with it."""
        return peak_bytes([step.need_bytes for step in self.steps], self.jobs)


def make_plan(
    clips: Sequence[tuple[int, VideoClip, MediaInfo]],
    config: Config,
    container: Container,
    *,
    machine: Machine,
    optimizer: CodecOptimizer,
    copying: Copying,
    clips_beside: int = 0,
    audio: AudioForm | None = None,
    samples: Samples = SDR_SAMPLES,
) -> Plan:
    """Return the plan for valid clips.

    Args:
        clips: Index in the request, clip and media of each.
        config: The configuration, which names the whole target format
            (:func:`mpt_cli.planning.target_form.settled`).
        container: The container of the reel.
        machine: Cores and memory.
        optimizer: Chooses encoder settings.
        copying: What may be copied.
        clips_beside: Number of clips of other requests that run at the same time, which leave fewer cores idle.
        audio: The format of the audio; None for that of the configuration.
        samples: What the samples of encoded frames mean.
    """
    ordered, seed = _ordered(clips, config)
    encoder = FormEncoder(config, machine, optimizer, clips_beside, samples)
    light_form = encoder.target_form(container, audio or given_audio(config.audio))

    def used_at(rate: Fraction, *, keep: bool = copying.keep) -> list[UsedClip]:
        def alone(used: UsedClip) -> UsedClip:
            return from_first_frame(used, config, rate) if keep else used

        used = [used_clip(*each, config, rate) for each in ordered]
        return in_recordings(used, rate, light_form.audio.sample_rate, alone)

    clips_used = used_at(light_form.frame_rate, keep=False)
    form = encoder.with_threads(light_form, _medias_of_steps(clips_used, light_form))
    copies = copies_of(used_at, form, copying, encoder.like)
    notice = all_encoded_notice(used_at, form, copies, copying, encoder.like)
    if copies.kept is not None:
        form = light_form = copies.kept
        clips_used = used_at(form.frame_rate, keep=False)
        if odd := [each for i, each in enumerate(clips_used) if i not in copies.places]:
            form = encoder.with_threads(light_form, _medias_of_steps(odd, light_form))
    alone = len(ordered) == 1
    planned = tuple(
        _copied(copies.clips[i], form, copies.cuts.get(i), begun=used.media.zero, alone=alone)
        if i in copies.places
        else _encoded(used, form, copies.reasons(i, copying.policy))
        for i, used in enumerate(clips_used)
    )
    needs = [step.need_bytes for clip in planned for step in clip.steps]
    jobs = config.processing.jobs or concurrency(len(needs), machine, max(needs))[0]
    return replace(costed(form, light_form, planned, jobs, seed, mixed=copies.mixed), copy_notice=notice)


def _medias_of_steps(clips: Sequence[UsedClip], form: TargetForm) -> list[MediaInfo]:
    """Return the media of each step of processing clips that are encoded."""
    return [each.media for each in clips for _ in segments_of(each.clip, each.media, each.segment, form)]


def with_threads(
    plan: Plan,
    config: Config,
    machine: Machine,
    optimizer: CodecOptimizer,
    clips_beside: int,
    samples: Samples = SDR_SAMPLES,
) -> Plan:
    """Return the plan with as many encoder threads as the clips left to encode leave cores idle."""
    steps = [step for step in plan.steps if step.tracks is not Tracks.AUDIO]
    medias = [step.media for step in steps if step.encodes_frames]
    if not medias or len(medias) == len(steps):
        return plan
    form = FormEncoder(config, machine, optimizer, clips_beside, samples).with_threads(plan.light_form, medias)

    def with_need(clip: PlannedClip) -> PlannedClip:
        clip = replace(clip, parts=tuple(map(with_need, clip.parts)))
        most = max((part.need_bytes for part in clip.parts), default=clip.need_bytes)
        return replace(clip, need_bytes=need_bytes(clip.media, form) if clip.encodes_frames else most)

    return replace(plan, form=form, clips=tuple(map(with_need, plan.clips)))


def _ordered(
    clips: Sequence[tuple[int, VideoClip, MediaInfo]], config: Config
) -> tuple[list[tuple[int, VideoClip, MediaInfo]], int | None]:
    """Return the clips in the order of the reel, and the seed where that is random.

    They are ordered before they are shuffled: a seed gives one reel of the same clips, however they were named.
    """
    ordered = in_order(clips, config.concat.order)
    if config.concat.mode is ConcatenationMode.SEQUENTIAL:
        return ordered, None
    seed = config.concat.seed if config.concat.seed is not None else random.SystemRandom().randrange(2**32)
    random.Random(seed).shuffle(ordered)  # noqa: S311 - an order, not a secret
    return ordered, seed


def _encoded(used: UsedClip, form: TargetForm, reasons: tuple[str, ...]) -> PlannedClip:
    media, segment = used.media, used.segment
    seconds = segment.frames / form.frame_rate
    decoded = int(media.video.dimensions.pixels * media.video.frame_rate * seconds)
    whole = PlannedClip(
        used.index,
        used.clip,
        media,
        segment,
        Action.ENCODE,
        reasons if used.reason is None else (*reasons, used.reason),
        need_bytes=need_bytes(media, form),
        work=decoded + form.dimensions.pixels * segment.frames,
        splice=used.splice,
    )
    return _segmented(whole, form)


def _segmented(planned: PlannedClip, form: TargetForm) -> PlannedClip:
    """Return an encoded clip with the segments that it is processed in; none where it is short or must stay whole.

    The audio is one part beside them. A decoder that begins in the middle has no memory of what was before, nor has
    a filter that resamples: cut at the borders, a tone would click. Decoding the audio is 1 % of the work.
    """
    frames, rate = planned.segment.frames, form.frame_rate
    cuts = segments_of(planned.clip, planned.media, planned.segment, form)
    if len(cuts) == 1:
        reason = reason_to_stay_whole(planned.media) if is_long(frames, rate) else None
        return replace(planned, reasons=(*planned.reasons, f"in one piece: {reason}")) if reason else planned
    parts = [
        replace(planned, segment=cut, tracks=Tracks.FRAMES, work=planned.work * cut.frames // frames) for cut in cuts
    ]
    if planned.media.audio is not None and not planned.clip.mute:
        parts.append(replace(planned, tracks=Tracks.AUDIO, work=audio_work(frames / rate), need_bytes=COPY_BYTES))
    return replace(planned, parts=tuple(parts))


def _copied(used: UsedClip, form: TargetForm, cut: Cut | None, *, begun: Fraction, alone: bool) -> PlannedClip:
    """Return a clip that is copied, but for frames of a ``cut``.

    Args:
        used: The clip.
        form: The target format.
        cut: Which frames are copied; None for all.
        begun: When the file begins; audio before the clip is left out.
        alone: True if the reel has no other clip.
    """
    media, segment = used.media, used.segment
    part = wanted_part(used.clip, media, segment, form) if cut is None else cut.copied
    in_place = is_copied_in_place(media, part, form, alone=alone)
    lead = media.zero - begun
    led = (f"{round(lead * 1000)} ms of audio before its first frame are left out",) if lead else ()
    planned = PlannedClip(
        used.index,
        used.clip,
        media,
        segment,
        Action.COPY,
        (*copy_reasons(media, part, in_place=in_place), *led, *((used.reason,) if used.reason else ())),
        need_bytes=COPY_BYTES,
        work=segment.pictures,
        copied_from=None if in_place else shown_at(media, part),
        splice=used.splice,
    )
    return planned if cut is None or not cut.encoded else cut_clip(planned, cut, form)


def costed(
    form: TargetForm,
    light_form: TargetForm,
    clips: tuple[PlannedClip, ...],
    jobs: int,
    seed: int | None,
    *,
    mixed: bool,
) -> Plan:
    """Return the plan with its costs."""
    seconds = sum(clip.segment.frames for clip in clips) / form.frame_rate
    encoded = [step for clip in clips for step in clip.steps if step.action is Action.ENCODE]
    shown = [step for step in encoded if step.encodes_frames]
    copied = [step for clip in clips for step in clip.steps if step.action is Action.COPY]
    temporary, output = disk_bytes(
        form,
        encoded_pixels=sum(step.segment.frames * _shown_pixels(step.media, form) for step in shown),
        copied_bytes=sum(map(_copied_bytes, copied)),
        written_bytes=sum(_copied_bytes(clip) for clip in copied if clip.copied_from is not None),
        stored_seconds=sum(step.segment.frames for step in (*shown, *copied)) / form.frame_rate,
        seconds=seconds,
    )
    time = run_seconds(form, jobs, pixels=sum(step.work for step in encoded), seconds=seconds)
    return Plan(form, light_form, clips, jobs, seed, time, temporary, output, mixed)


def _shown_pixels(media: MediaInfo, form: TargetForm) -> int:
    """Return how many pixels of a frame this clip fills; a blurred border costs next to nothing, as bars do."""
    shown = shown_size(form)
    inner = place(media.video.display, shown, form.fit).inner
    return min(inner.width, shown.width) * min(inner.height, shown.height)


def _copied_bytes(clip: PlannedClip) -> int:
    """Return at most how many bytes its part of the file takes, as if all frames had one size."""
    traits = clip.media.copy_traits
    assert traits is not None
    return clip.media.size_bytes * clip.segment.pictures // traits.pictures

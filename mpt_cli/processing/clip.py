"""ClipProcessor: one planned clip to its processed form, and the proof that it is right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.media import proof, remux
from mpt_cli.media.ffmpeg import commands
from mpt_cli.media.ffmpeg.runner import explain
from mpt_cli.media.formats import boxes
from mpt_cli.media.inspect.damage import TOO_LITTLE, damage_issue
from mpt_cli.media.process.run import Limits
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import ProcessedClip, Verified
from mpt_cli.model.errors import Issue, IssueCode, ProcessingError, VerificationError
from mpt_cli.model.timing import stored_samples
from mpt_cli.planning.recipe import Recipes, segment_paths
from mpt_cli.processing.audio import ClipAudio, as_rendered, damage_of_audio
from mpt_cli.processing.evidence import audio_evidence, frame_evidence
from mpt_cli.runtime.events import ClipProgress
from mpt_cli.storage.file_identity import content_hash, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.media.ffmpeg.progress import Progress
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.media.inspect.damage import DecodedShare
    from mpt_cli.media.process.run import Outcome
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.errors import MptError
    from mpt_cli.planning.plan import PlannedClip
    from mpt_cli.processing.audio import Losses
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.evidence import AudioLooks
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

_LEAST_SECONDS, _SECONDS_PER_SECOND = 600, 20
"""A clip may take ten minutes and twenty times its duration, unless the configuration says otherwise."""
_PROGRESS_SECONDS = 0.5
NONE_FOUND = "no finished one was found"
"""Why a clip is encoded that was to be reused."""


@dataclass(frozen=True, slots=True)
class Processed:
    """A processed clip, the peak memory in bytes of what made it, what should be known of it, how it came and why.

    ``argv`` is the command of the ffmpeg that made it; empty where none was needed.
    """

    clip: ProcessedClip
    peak_memory_bytes: int | None
    warnings: tuple[Issue, ...] = ()
    action: Action = Action.ENCODE
    reasons: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()


class ClipProcessor:
    """Makes one clip uniform: by ffmpeg where pictures are encoded, without it where they are copied."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        decoded_share: DecodedShare,
        *,
        audio: AudioLooks,
        clock: Callable[[], float],
        cache: ClipCache | None = None,
        content: Callable[[Path], str] = content_hash,
    ) -> None:
        """Run this ffmpeg, keep what is finished in this store; the clock only spaces progress events.

        ``audio`` opens audio that ffmpeg alone does not serve, and compares it; ``content`` tells by a hash what a
        file holds.
        """
        self._ffmpeg, self._decoded_share, self._cache = ffmpeg, decoded_share, cache
        self.recipes = Recipes(ffmpeg)
        self._clock, self._content, self._audio, self._looks = clock, content, ClipAudio(audio), audio

    def process(
        self,
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        *,
        files: TempFileManager,
        context: RunContext,
    ) -> Processed:
        """The processed clip, and what there is to say of it.

        Raises :class:`~mpt_cli.model.errors.MptError`; then nothing of the clip is left in ``files``.
        """
        lost: Issue | None = None
        if planned.action is Action.REUSE:
            try:
                found = self._fetched(planned, form, files)
            except VerificationError as error:
                found, lost = None, replace(error.issue, path=planned.clip.path)
            if found is not None:
                return Processed(found, None, action=Action.REUSE, reasons=planned.reasons)
            planned = replace(planned, action=Action.ENCODE, reasons=(NONE_FOUND,))
        pictures, sound = files.segment_paths(planned.index)
        try:
            made = self._made(planned, form, config, files, context)
            return made if lost is None else replace(made, warnings=(lost, *made.warnings))
        except BaseException:
            files.discard(pictures, sound)
            raise
        finally:
            files.discard(*self._audio.rendered(planned, sound), files.frame_map_path(planned.index))

    def _made(
        self,
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        files: TempFileManager,
        context: RunContext,
    ) -> Processed:
        """Encode or copy a clip, prove what came of it, and keep it."""
        pictures, sound = segment_paths(planned, files)
        frame_map = self.recipes.frame_map_path(planned, files)
        arguments = self.recipes.arguments(planned, form, pictures, sound, frame_map)
        before = identity_of(planned.clip.path.stat())
        losses = self._audio.prepare(planned, form, sound, context) if sound else {}
        outcome = self._run(arguments, planned, form, config, context) if arguments else None
        doubtful = bool(outcome is not None and (outcome.stderr_tail.strip() or planned.media.suspect))
        if sound and self._audio.is_doubtful(planned, form, sound, complaints=doubtful):
            losses = self._render_again(planned, form, sound, config, context)
        if planned.action is Action.ENCODE:
            boxes.set_upright(pictures)
        clip = self._proven(planned, form, pictures, sound, context)
        self._refuse_changed(planned, before)
        verified = Verified(frame_evidence(planned, form, frame_map, doubtful=doubtful))
        if sound:
            lossy = doubtful or any(loss.lost for loss in losses.values())
            heard = audio_evidence(self._looks, planned, form, sound, context, doubtful=lossy)
            verified = replace(verified, audio=heard)
        damage = self._damage(planned, form, context) if doubtful else None
        found = (damage, *damage_of_audio(planned, losses), self._opaque(planned))
        warnings = tuple(issue for issue in found if issue is not None)
        clip = replace(clip, verified=verified)
        self._keep(planned, clip, whole=not warnings)
        return Processed(
            clip,
            outcome.peak_memory_bytes if outcome is not None else None,
            warnings,
            planned.action,
            planned.reasons,
            (str(self._ffmpeg.binary), *arguments) if arguments else (),
        )

    def _opaque(self, planned: PlannedClip) -> Issue | None:
        """Return a warning where transparency is not shown because ffmpeg does not decode it."""
        video = planned.media.video
        if not (video.has_alpha and video.codec == "hevc") or self._ffmpeg.decodes_hevc_alpha:
            return None
        message = f"is shown without its transparency, which ffmpeg {self._ffmpeg.build} does not decode"
        return Issue(IssueCode.COLOR_GUESSED, message, planned.clip.path, "use ffmpeg 9 or newer")

    def _render_again(
        self, planned: PlannedClip, form: TargetForm, sound: Path, config: ProcessingConfig, context: RunContext
    ) -> Losses:
        """Make the PCM of a clip anew where damage may have misled ffmpeg; return how much of it does not decode."""
        rendered = as_rendered(planned)
        lost = self._audio.prepare(rendered, form, sound, context)
        arguments = commands.sound_arguments(planned.clip, rendered.media, planned.segment, form, audio_path=sound)
        self._run(arguments, rendered, form, config, context)
        return lost

    def _fetched(self, planned: PlannedClip, form: TargetForm, files: TempFileManager) -> ProcessedClip | None:
        """The finished segment of the store, or None where it is gone; VerificationError where it is damaged."""
        if self._cache is None or planned.key is None:
            return None
        pictures, sound = segment_paths(planned, files)
        note = self._cache.fetch(planned.key, pictures, sound)
        if note is None:
            return None
        found = proof.SegmentProof(planned.segment.frames, note.vcl_crc, note.parameter_sets, note.extradata)
        return replace(_processed(planned, form, pictures, sound, found, owned=True), verified=note.verified)

    def _refuse_changed(self, planned: PlannedClip, before: tuple[int, ...]) -> None:
        """ProcessingError where the file is not the one any more that was looked at.

        By its content where that is known, else by whether it was touched since the work began.
        """
        path, known, message = planned.clip.path, planned.media.size_bytes, "changed while it was processed"
        size = path.stat().st_size
        same = self._content(path) == planned.content if planned.content else identity_of(path.stat()) == before
        if size != known:
            message = f"{message}: {known} bytes became {size}"
        elif same:
            return
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=path, hint="wait until it is finished")

    def _keep(self, planned: PlannedClip, clip: ProcessedClip, *, whole: bool) -> None:
        """Store what was encoded; not of a damaged clip, whose damage must be said each time."""
        if self._cache is not None and planned.key is not None and clip.owned and whole:
            self._cache.store(planned.key, clip)

    def _run(
        self,
        arguments: list[str],
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        context: RunContext,
    ) -> Outcome:
        seconds = float(planned.segment.frames / form.frame_rate)
        total = config.clip_timeout or _LEAST_SECONDS + _SECONDS_PER_SECOND * seconds
        progress = _ProgressEvents(planned.index, seconds, context, self._clock)
        outcome = self._ffmpeg.run(
            arguments,
            cancel=context.cancel,
            limits=Limits(total_seconds=float(total), stall_seconds=float(config.stall_timeout)),
            on_progress=progress.take,
            on_memory=progress.take_memory,
        )
        context.cancel.raise_if_cancelled()
        error = explain(
            outcome, failed=IssueCode.CLIP_FAILED, timed_out=IssueCode.CLIP_TIMEOUT, stalled=IssueCode.CLIP_STALLED
        )
        if error is not None:
            raise _about(error, planned)
        return outcome

    def _proven(
        self, planned: PlannedClip, form: TargetForm, pictures: Path, sound: Path | None, context: RunContext
    ) -> ProcessedClip:
        owned = planned.action is Action.ENCODE or planned.copied_from is not None
        path = pictures if owned else planned.clip.path
        frames = planned.segment.frames
        try:
            copied = _copy(planned, pictures, context)
            proven = proof.prove_segment(path, form, frames, vcl_crc=copied, written=owned)
            if sound is not None:
                proof.prove_sound(sound, stored_samples(frames, form.frame_rate, form.sample_rate), form.channels)
        except VerificationError as error:
            raise ProcessingError(
                IssueCode.CLIP_FAILED,
                f"gave a segment that {error}",
                path=planned.clip.path,
                hint="play it to see whether it is damaged",
            ) from error
        return _processed(planned, form, path, sound, proven, owned=owned)

    def _damage(self, planned: PlannedClip, form: TargetForm, context: RunContext) -> Issue | None:
        """How much of the used part does not decode; ProcessingError where that is most of it."""
        origin = commands.segment_origin(planned.clip, planned.media, planned.segment, form.frame_rate)
        span = origin, origin + planned.segment.frames / form.frame_rate
        path = planned.clip.path
        share = self._decoded_share(path, planned.media, span, cancel=context.cancel)
        issue = damage_issue(path, share)
        if issue is not None and share < TOO_LITTLE:
            raise ProcessingError(issue.code, issue.message, path=path, hint="leave it out, or find a whole copy")
        return issue


class _ProgressEvents:
    """Turns ffmpeg's progress into events, at most two a second."""

    def __init__(self, index: int, seconds: float, context: RunContext, clock: Callable[[], float]) -> None:
        self._index, self._seconds, self._context, self._clock = index, seconds, context, clock
        self._memory: int | None = None
        self._next = 0.0

    def take_memory(self, rss_bytes: int) -> None:
        """Note what the child uses."""
        self._memory = rss_bytes

    def take(self, progress: Progress) -> None:
        """Emit, unless the last one was just now."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _PROGRESS_SECONDS
        done = min(float(progress.done_seconds), self._seconds)
        self._context.emit(ClipProgress(self._index, done, progress.speed, self._memory))


def _processed(
    planned: PlannedClip, form: TargetForm, path: Path, sound: Path | None, proven: proof.SegmentProof, *, owned: bool
) -> ProcessedClip:
    return ProcessedClip(
        index=planned.index,
        original_path=planned.clip.path,
        processed_path=path,
        audio_path=sound,
        dimensions=form.dimensions,
        segment=planned.segment,
        duration=planned.segment.frames / form.frame_rate,
        vcl_crc=proven.vcl_crc,
        parameter_sets=proven.parameter_sets,
        extradata=proven.extradata,
        owned=owned,
    )


def _copy(planned: PlannedClip, pictures: Path, context: RunContext) -> int | None:
    """Write the segment of a clip whose pictures are copied out of its file; the CRC of what was written."""
    if planned.copied_from is None:
        return None
    return remux.copy_pictures(
        planned.clip.path,
        pictures,
        planned.media,
        first=planned.copied_from,
        frames=planned.segment.frames,
        alive=context.cancel.raise_if_cancelled,
    )


def _about(error: MptError, planned: PlannedClip) -> MptError:
    """Return the same error with the path of the clip."""
    return type(error)(error.code, error.issue.message, path=planned.clip.path, hint=error.issue.hint)

"""ClipProcessor: processing of one planned clip into a proven segment."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.media import proof, remux
from mpt_cli.media.ffmpeg import segment_commands
from mpt_cli.media.ffmpeg.runner import explain
from mpt_cli.media.formats import boxes
from mpt_cli.media.inspect.damage import TOO_LITTLE, damage_issue
from mpt_cli.media.process.run import Limits
from mpt_cli.model.choices import Action, Tracks
from mpt_cli.model.clips import ProcessedAudio, ProcessedClip, Verified
from mpt_cli.model.errors import Issue, IssueCode, ProcessingError, VerificationError
from mpt_cli.model.timing import stored_samples
from mpt_cli.planning.recipe import Recipes
from mpt_cli.processing.audio import ClipAudio, damage_of_audio, with_rendered_audio
from mpt_cli.processing.evidence import audio_evidence, frame_evidence
from mpt_cli.processing.job import ClipJob
from mpt_cli.processing.progress_events import ProgressEvents
from mpt_cli.storage.file_identity import content_hash, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.media.inspect.damage import DecodedShare
    from mpt_cli.media.process.run import Outcome
    from mpt_cli.model.clips import Evidence, TargetForm
    from mpt_cli.model.errors import MptError
    from mpt_cli.model.frame_times import FrameTimes
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.processing.audio import Losses
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.evidence import AudioLooks
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

_LEAST_SECONDS, _SECONDS_PER_SECOND = 600, 20
"""Time limit of a clip: ten minutes and twenty times its length, unless the configuration has one."""
NONE_FOUND = "no finished one was found"
"""Reason to encode a clip that was planned for reuse."""


@dataclass(frozen=True, slots=True)
class Processed:
    """Result of processing one clip, or one part of it.

    ``peak_memory_bytes`` is the peak of its ffmpeg, ``argv`` the command of that ffmpeg; None and empty if
    none was needed.
    """

    made: ProcessedClip | ProcessedAudio
    peak_memory_bytes: int | None
    warnings: tuple[Issue, ...] = ()
    action: Action = Action.ENCODE
    reasons: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _FfmpegRun:
    """Result of the ffmpeg of one clip; ``outcome`` is None if none was needed."""

    source_identity: tuple[int, ...]
    """Identity of the source before the work."""
    arguments: list[str]
    outcome: Outcome | None
    losses: Losses
    doubtful: bool
    """True if ffmpeg complained, or the file is suspect: not all of the source may have been decoded."""


class ClipProcessor:
    """Processor of single clips: encode with ffmpeg, copy without it, or reuse from the cache."""

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
        """Create a processor.

        Args:
            ffmpeg: The ffmpeg that encodes.
            decoded_share: Returns the share of frames (0 to 1) of a part of a file that decode.
            audio: Renders and compares audio that ffmpeg alone cannot serve.
            clock: Clock in seconds; only spaces progress events.
            cache: The cache of finished segments, or None.
            content: Returns the hash of the content of a file.
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
        """Process one clip and prove the result.

        Args:
            planned: The clip with its action and segment.
            form: The target format.
            config: The limits of time.
            files: Temporary files of the run, which receive the segment.
            context: The context of the run, for events and cancellation.

        Returns:
            The processed clip and its warnings; the action is encode if a planned reuse was not possible.

        Raises:
            MptError: The clip cannot be processed; then nothing of it is left in ``files``.
        """
        job = ClipJob(planned, form, config, files, context)
        if planned.action is Action.REUSE:
            return self._reuse(job)
        if planned.action is Action.COPY:
            return self._copy(job)
        return self._create(job)

    def _create(self, job: ClipJob) -> Processed:
        return self._decode_audio(job) if job.planned.tracks is Tracks.AUDIO else self._encode(job)

    def _reuse(self, job: ClipJob) -> Processed:
        """Take the segment from the cache; encode the clip if it is missing or damaged there."""
        lost: tuple[Issue, ...] = ()
        try:
            clip = self._fetch(job)
        except VerificationError as error:
            clip, lost = None, (replace(error.issue, path=job.source),)
        if clip is not None:
            return Processed(clip, None, action=Action.REUSE, reasons=job.planned.reasons)
        planned = replace(job.planned, action=Action.ENCODE, reasons=(NONE_FOUND,))
        encoded = self._create(replace(job, planned=planned))
        return replace(encoded, warnings=(*lost, *encoded.warnings))

    def _encode(self, job: ClipJob) -> Processed:
        """Encode frames and audio with one ffmpeg."""
        with self._discarding(job) as frame_map:
            run = self._run_recipe(job, frame_map)
            boxes.set_upright(job.frames_path)
            with _blaming(job):
                clip = _proven(job, job.frames_path, owned=True)
            return self._finish(job, run, clip, frame_map)

    def _decode_audio(self, job: ClipJob) -> Processed:
        """Decode the audio of a clip whose frames are processed in segments."""
        planned, path = job.planned, job.audio_path
        assert path is not None
        with self._discarding(job):
            run = self._run_recipe(job, None)
            with _blaming(job):
                _prove_audio(job, path)
            self._refuse_changed(planned, run.source_identity)
            audio = ProcessedAudio(planned.index, path, self._audio_evidence(job, run, path))
            return self._result(job, run, audio, damage_of_audio(planned, run.losses))

    def _copy(self, job: ClipJob) -> Processed:
        """Copy the frames of a part, or use the file itself for a whole clip; only the audio is encoded."""
        with self._discarding(job):
            run = self._run_recipe(job, None)
            with _blaming(job):
                if job.planned.copied_from is None:
                    clip = _proven(job, job.source, owned=False)
                else:
                    crc = _copy_frames(job, job.planned.copied_from)
                    clip = _proven(job, job.frames_path, owned=True, vcl_crc=crc)
            return self._finish(job, run, clip, None)

    @contextmanager
    def _discarding(self, job: ClipJob) -> Iterator[Path | None]:
        """Yield the path of the frame map; discard helper files at the end, and the segment after an error."""
        frame_map = self.recipes.frame_map_path(job.planned, job.files)
        try:
            yield frame_map
        except BaseException:
            job.files.discard(*job.created_paths)
            raise
        finally:
            if job.audio_path is not None:
                job.files.discard(*self._audio.rendered(job.planned, job.audio_path))
            job.files.discard(frame_map)

    def _run_recipe(self, job: ClipJob, frame_map: Path | None) -> _FfmpegRun:
        """Render audio that needs it, then run the ffmpeg of the clip."""
        arguments = self.recipes.arguments(job.planned, job.form, job.frames_path, job.audio_path, frame_map)
        before = identity_of(job.source.stat())
        losses = self._audio.prepare(job, job.audio_path) if job.audio_path else {}
        outcome = self._run(arguments, job) if arguments else None
        doubtful = bool(outcome is not None and (outcome.stderr_tail.strip() or job.planned.media.suspect))
        if job.audio_path and self._audio.is_doubtful(job, job.audio_path, complaints=doubtful):
            losses = self._render_again(job, job.audio_path)
        return _FfmpegRun(before, arguments, outcome, losses, doubtful)

    def _finish(self, job: ClipJob, run: _FfmpegRun, clip: ProcessedClip, frame_map: Path | None) -> Processed:
        """Compare a proven segment with its source, collect its warnings and store it in the cache."""
        planned, form = job.planned, job.form
        self._refuse_changed(planned, run.source_identity)
        if run.doubtful and planned.tracks is Tracks.FRAMES:  # how much is damaged is a question to the whole clip
            raise ProcessingError(IssueCode.CLIP_FAILED, "may be damaged: ffmpeg complained", path=job.source)
        verified = Verified(frame_evidence(planned, form, frame_map, doubtful=run.doubtful))
        if job.audio_path:
            verified = replace(verified, audio=self._audio_evidence(job, run, job.audio_path))
        damage = self._damage(job) if run.doubtful else None
        issues = (damage, *damage_of_audio(planned, run.losses), self._opaque(planned))
        return self._result(
            job, run, replace(clip, verified=verified), [issue for issue in issues if issue is not None]
        )

    def _audio_evidence(self, job: ClipJob, run: _FfmpegRun, path: Path) -> Evidence:
        lossy = run.doubtful or any(loss.lost for loss in run.losses.values())
        return audio_evidence(self._looks, job.planned, job.form, path, job.context, doubtful=lossy)

    def _result(
        self, job: ClipJob, run: _FfmpegRun, made: ProcessedClip | ProcessedAudio, warnings: list[Issue]
    ) -> Processed:
        """Store what was made in the cache, and return it with the facts of its ffmpeg."""
        planned = job.planned
        if not warnings:  # a run that reuses a damaged clip could not report its damage
            self._store(planned, made)
        return Processed(
            made,
            run.outcome.peak_memory_bytes if run.outcome is not None else None,
            tuple(warnings),
            planned.action,
            planned.reasons,
            (str(self._ffmpeg.binary), *run.arguments) if run.arguments else (),
        )

    def _opaque(self, planned: PlannedClip) -> Issue | None:
        """Return a warning if ffmpeg cannot decode the transparency of a clip."""
        video = planned.media.video
        if not (video.has_alpha and video.codec == "hevc") or self._ffmpeg.decodes_hevc_alpha:
            return None
        message = f"is shown without its transparency, which ffmpeg {self._ffmpeg.build} does not decode"
        return Issue(IssueCode.COLOR_GUESSED, message, planned.clip.path, "use ffmpeg 9 or newer")

    def _render_again(self, job: ClipJob, audio_path: Path) -> Losses:
        """Render the audio of a clip whose damage may have misled ffmpeg; return the losses of each track."""
        rendered = replace(job, planned=with_rendered_audio(job.planned))
        losses = self._audio.prepare(rendered, audio_path)
        planned = rendered.planned
        arguments = segment_commands.audio_arguments(
            planned.clip, planned.media, planned.segment, job.form, audio_path=audio_path
        )
        self._run(arguments, rendered)
        return losses

    def _fetch(self, job: ClipJob) -> ProcessedClip | ProcessedAudio | None:
        """Return the segment of the cache, or None if it is gone; raise VerificationError if it is damaged."""
        if self._cache is None or job.planned.key is None:
            return None
        if job.planned.tracks is Tracks.AUDIO:
            assert job.audio_path is not None
            evidence = self._cache.fetch_audio(job.planned.key, job.audio_path)
            return None if evidence is None else ProcessedAudio(job.planned.index, job.audio_path, evidence)
        facts = self._cache.fetch(job.planned.key, job.frames_path, job.audio_path)
        if facts is None:
            return None
        shown = proof.SegmentProof(job.planned.segment.pictures, facts.vcl_crc, facts.parameter_sets, facts.extradata)
        return replace(_processed(job, job.frames_path, shown, owned=True), verified=facts.verified)

    def _refuse_changed(self, planned: PlannedClip, before: tuple[int, ...]) -> None:
        """Raise ProcessingError if the source has changed since it was probed.

        The content decides if its hash is known, else the identity of the file since the work began.
        """
        path, known, message = planned.clip.path, planned.media.size_bytes, "changed while it was processed"
        size = path.stat().st_size
        same = self._content(path) == planned.content if planned.content else identity_of(path.stat()) == before
        if size != known:
            message = f"{message}: {known} bytes became {size}"
        elif same:
            return
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=path, hint="wait until it is finished")

    def _store(self, planned: PlannedClip, made: ProcessedClip | ProcessedAudio) -> None:
        """Store a segment in the cache, unless it is the source itself."""
        if self._cache is None or planned.key is None:
            return
        if isinstance(made, ProcessedAudio):
            self._cache.store_audio(planned.key, made)
        elif made.owned:
            self._cache.store(planned.key, made)

    def _run(self, arguments: list[str], job: ClipJob) -> Outcome:
        """Run ffmpeg within the limits of a clip; raise the error of a failed run."""
        total = job.config.clip_timeout or _LEAST_SECONDS + _SECONDS_PER_SECOND * job.seconds
        progress = ProgressEvents(job, self._clock)
        outcome = self._ffmpeg.run(
            arguments,
            cancel=job.context.cancel,
            limits=Limits(total_seconds=float(total), stall_seconds=float(job.config.stall_timeout)),
            on_progress=progress.take,
            on_memory=progress.take_memory,
        )
        job.context.cancel.raise_if_cancelled()
        error = explain(
            outcome, failed=IssueCode.CLIP_FAILED, timed_out=IssueCode.CLIP_TIMEOUT, stalled=IssueCode.CLIP_STALLED
        )
        if error is not None:
            raise _with_path(error, job.source)
        return outcome

    def _damage(self, job: ClipJob) -> Issue | None:
        """Return a warning if frames of the used part do not decode; raise ProcessingError if most do not."""
        planned, rate = job.planned, job.form.frame_rate
        origin = segment_commands.segment_origin(planned.clip, planned.media, planned.segment, rate)
        span = origin, origin + planned.segment.frames / rate
        share = self._decoded_share(job.source, planned.media, span, cancel=job.context.cancel)
        issue = damage_issue(job.source, share)
        if issue is not None and share < TOO_LITTLE:
            hint = "leave it out, or find a whole copy"
            raise ProcessingError(issue.code, issue.message, path=job.source, hint=hint)
        return issue


def _processed(job: ClipJob, path: Path, proven: proof.SegmentProof, *, owned: bool) -> ProcessedClip:
    return ProcessedClip(
        index=job.planned.index,
        original_path=job.source,
        processed_path=path,
        audio_path=job.audio_path,
        dimensions=job.form.dimensions,
        segment=job.planned.segment,
        duration=job.planned.segment.frames / job.form.frame_rate,
        vcl_crc=proven.vcl_crc,
        parameter_sets=proven.parameter_sets,
        extradata=proven.extradata,
        owned=owned,
        times=_own_times(job),
        is_copied=job.planned.action is Action.COPY,
    )


def _own_times(job: ClipJob) -> FrameTimes | None:
    return job.planned.media.frame_times if job.form.is_variable else None


def _proven(job: ClipJob, path: Path, *, owned: bool, vcl_crc: int | None = None) -> ProcessedClip:
    """Prove frames and audio of a segment; ``vcl_crc`` is the checksum of frames that were copied."""
    form, frames = job.form, job.planned.segment.pictures
    proven = proof.prove_segment(path, form, frames, vcl_crc=vcl_crc, written=owned, times=_own_times(job))
    if job.audio_path is not None:
        _prove_audio(job, job.audio_path)
    return _processed(job, path, proven, owned=owned)


def _prove_audio(job: ClipJob, path: Path) -> None:
    form = job.form
    samples = stored_samples(job.planned.segment.frames, form.frame_rate, form.audio.sample_rate)
    proof.prove_audio(path, samples, form.audio)


def _copy_frames(job: ClipJob, first: Fraction) -> int:
    """Copy the coded frames of the segment, from time ``first`` (seconds) on; return their checksum."""
    return remux.copy_frames(
        job.source,
        job.frames_path,
        job.planned.media,
        first=first,
        frames=job.planned.segment.pictures,
        units=job.planned.segment.frames if job.form.is_variable else None,
        rate=job.form.frame_rate,
        alive=job.context.cancel.raise_if_cancelled,
    )


@contextmanager
def _blaming(job: ClipJob) -> Iterator[None]:
    """Turn a failed proof into an error of the clip."""
    try:
        yield
    except VerificationError as error:
        message, hint = f"gave a segment that {error}", "play it to see whether it is damaged"
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=job.source, hint=hint) from error


def _with_path(error: MptError, path: Path) -> MptError:
    """Return the same error with the path of the clip."""
    return type(error)(error.code, error.issue.message, path=path, hint=error.issue.hint)

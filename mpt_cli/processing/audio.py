"""Audio of clips that ffmpeg's filters cannot follow: rendering, and damage."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.media.ffmpeg.audio_chain import rendered_path
from mpt_cli.media.ffmpeg.segment_commands import segment_origin
from mpt_cli.media.inspect.damage import TOO_LITTLE
from mpt_cli.media.proof import prove_audio
from mpt_cli.model.errors import ProcessingError, VerificationError
from mpt_cli.model.timing import stored_samples

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.inspect.audio.decoding import AudioLoss
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.splice import Splice
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.processing.job import ClipJob
    from mpt_cli.runtime.cancel import CancelToken

    Losses = dict[int, AudioLoss]
    """Loss of each track by the index of its stream."""


class RendersAudio(Protocol):
    """Renderer of audio from untrusted files."""

    def render_audio(
        self,
        path: Path,
        media: MediaInfo,
        start: Fraction,
        samples: int,
        output: Path,
        form: AudioForm,
        *,
        splice: Splice | None = None,
        cancel: CancelToken,
    ) -> AudioLoss:
        """Write the audio as gapless PCM.

        Args:
            path: The file of the clip.
            media: Its probe result; ``media.audio`` is the track.
            start: Start in the file in seconds.
            samples: Number of samples to write.
            output: The file for the PCM.
            form: Rate and channels of the PCM.
            splice: The files around that are decoded with it, or None.
            cancel: Stops the work.

        Returns:
            The share of the audio that does not decode.

        Raises:
            Cancelled: The run was stopped.
        """
        ...


class ClipAudio:
    """Audio of one clip: rendering of irregular tracks, and doubt about damaged ones."""

    def __init__(self, looks: RendersAudio) -> None:
        """Render with ``looks``."""
        self._looks = looks

    def prepare(self, job: ClipJob, audio_path: Path) -> Losses:
        """Render the irregular tracks of a segment; return the loss of each."""
        planned, form, media = job.planned, job.form, job.planned.media
        start = segment_origin(planned.clip, media, planned.segment, form.frame_rate)
        samples = stored_samples(planned.segment.frames, form.frame_rate, form.audio.sample_rate)
        return {
            track.index: self._looks.render_audio(
                job.source,
                replace(media, audio=track),
                start,
                samples,
                rendered_path(audio_path, track.index),
                form.audio,
                splice=planned.splice,
                cancel=job.context.cancel,
            )
            for track in media.heard
            if track.irregular
        }

    @staticmethod
    def rendered(planned: PlannedClip, audio_path: Path) -> list[Path]:
        """Return the files that :meth:`prepare` may have written."""
        return [rendered_path(audio_path, track.index) for track in planned.media.heard]

    def is_doubtful(self, job: ClipJob, audio_path: Path, *, complaints: bool) -> bool:
        """Return True if damage may have misled ffmpeg: a damaged header can change channels or sample rate."""
        audio, form = job.planned.media.audio, job.form
        if audio is None or audio.irregular:
            return False
        samples = stored_samples(job.planned.segment.frames, form.frame_rate, form.audio.sample_rate)
        try:
            prove_audio(audio_path, samples, form.audio)
        except VerificationError:
            return True
        return complaints


def with_rendered_audio(planned: PlannedClip) -> PlannedClip:
    """Return the clip with all its tracks marked for rendering."""
    assert planned.media.audio is not None
    audio, *others = (replace(track, irregular=True) for track in planned.media.heard)
    return replace(planned, media=replace(planned.media, audio=audio, audio_with=tuple(others)))


_HINT = "leave the clip out, or mute it in a job file: mute = true"


def damage_of_audio(planned: PlannedClip, losses: Losses) -> list[Issue]:
    """Return a warning for each damaged track; raise ProcessingError if less than half of the first one decodes."""
    path, issues = planned.clip.path, []
    for track in planned.media.heard:
        loss = losses.get(track.index)
        if loss is None or (issue := loss.issue(track, path)) is None:
            continue
        if track == planned.media.audio and loss.decoded_share < TOO_LITTLE:
            raise ProcessingError(issue.code, issue.message, path=path, hint=_HINT)
        issues.append(issue)
    return issues

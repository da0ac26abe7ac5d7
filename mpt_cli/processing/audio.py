"""What the audio of a clip needs beside its command: rendering, and a look at what does not decode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.media.ffmpeg.audio_chain import rendered_path
from mpt_cli.media.ffmpeg.commands import segment_origin
from mpt_cli.media.inspect.damage import TOO_LITTLE
from mpt_cli.media.proof import prove_sound
from mpt_cli.model.errors import ProcessingError, VerificationError
from mpt_cli.model.timing import stored_samples

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.inspect.audio.decoding import AudioLoss
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.planning.plan import PlannedClip
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import RunContext

    Losses = dict[int, AudioLoss]
    """By the index of the stream."""


class RendersAudio(Protocol):
    """Opens audio of untrusted files."""

    def render_audio(
        self, path: Path, media: MediaInfo, start: Fraction, samples: int, output: Path, *, cancel: CancelToken
    ) -> AudioLoss:
        """Write it as even PCM, and return how much of it does not decode; Cancelled on a stop."""
        ...


class ClipAudio:
    """Renders what ffmpeg's filters cannot follow, and says what is damaged."""

    def __init__(self, looks: RendersAudio) -> None:
        """Open files by these looks."""
        self._looks = looks

    def prepare(self, planned: PlannedClip, form: TargetForm, audio_path: Path, context: RunContext) -> Losses:
        """Render the tracks of a segment that need it; return what of each does not decode."""
        path, media = planned.clip.path, planned.media
        start = segment_origin(planned.clip, media, planned.segment, form.frame_rate)
        samples = stored_samples(planned.segment.frames, form.frame_rate)
        return {
            track.index: self._looks.render_audio(
                path,
                replace(media, audio=track),
                start,
                samples,
                rendered_path(audio_path, track.index),
                cancel=context.cancel,
            )
            for track in media.heard
            if track.irregular
        }

    @staticmethod
    def rendered(planned: PlannedClip, audio_path: Path) -> list[Path]:
        """Return where :meth:`prepare` may have written."""
        return [rendered_path(audio_path, track.index) for track in planned.media.heard]

    def is_doubtful(self, planned: PlannedClip, form: TargetForm, audio_path: Path, *, complaints: bool) -> bool:
        """Whether damage may have misled ffmpeg: a header that is noise means other channels or another rate."""
        audio = planned.media.audio
        if audio is None or audio.irregular:
            return False
        samples = stored_samples(planned.segment.frames, form.frame_rate, form.sample_rate)
        try:
            prove_sound(audio_path, samples, form.channels)
        except VerificationError:
            return True
        return complaints


def as_rendered(planned: PlannedClip) -> PlannedClip:
    """Return the clip with audio that is rendered."""
    assert planned.media.audio is not None
    audio, *others = (replace(track, irregular=True) for track in planned.media.heard)
    return replace(planned, media=replace(planned.media, audio=audio, audio_with=tuple(others)))


_HINT = "leave the clip out, or mute it in a job file: mute = true"


def damage_of_audio(planned: PlannedClip, losses: Losses) -> list[Issue]:
    """Return what is said of tracks that are damaged; ProcessingError where of the first one less than half decodes."""
    path, issues = planned.clip.path, []
    for track in planned.media.heard:
        loss = losses.get(track.index)
        if loss is None or (issue := loss.issue(track, path)) is None:
            continue
        if track == planned.media.audio and loss.decoded_share < TOO_LITTLE:
            raise ProcessingError(issue.code, issue.message, path=path, hint=_HINT)
        issues.append(issue)
    return issues

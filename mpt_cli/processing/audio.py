"""What the audio of a clip needs beside its command: rendering, and a look at what does not decode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.errors import ProcessingError, VerificationError
from mpt_cli.media.audio_chain import rendered_path
from mpt_cli.media.commands import segment_origin
from mpt_cli.media.inspect.damage import TOO_LITTLE
from mpt_cli.media.proof import prove_sound
from mpt_cli.media.timing import stored_samples

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.cancel import CancelToken
    from mpt_cli.errors import Issue
    from mpt_cli.events import RunContext
    from mpt_cli.media.inspect.audio_decoding import AudioLoss
    from mpt_cli.mediainfo import MediaInfo
    from mpt_cli.models import TargetForm
    from mpt_cli.plan import PlannedClip


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

    def prepare(
        self, planned: PlannedClip, form: TargetForm, audio_path: Path, context: RunContext
    ) -> AudioLoss | None:
        """Render the tracks of a segment that need it; return what of the first one does not decode."""
        path, media = planned.clip.path, planned.media
        start = segment_origin(planned.clip, media, planned.segment, form.frame_rate)
        samples = stored_samples(planned.segment.frames, form.frame_rate)
        losses = {
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
        return None if media.audio is None else losses.get(media.audio.index)

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


def damage_of_audio(planned: PlannedClip, loss: AudioLoss | None) -> Issue | None:
    """Return what is said of audio that is damaged; ProcessingError where less than half decodes."""
    path, audio = planned.clip.path, planned.media.audio
    issue = loss.issue(audio, path) if loss is not None and audio is not None else None
    if loss is not None and issue is not None and loss.decoded_share < TOO_LITTLE:
        raise ProcessingError(issue.code, issue.message, path=path, hint="leave it out, or mute it")
    return issue

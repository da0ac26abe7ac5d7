"""What the audio of a clip needs beside its command: rendering, and a look at what does not decode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mpt_cli.errors import ProcessingError
from mpt_cli.media.audio_chain import rendered_path
from mpt_cli.media.commands import segment_origin
from mpt_cli.media.inspect.damage import TOO_LITTLE
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


class AudioLooks(Protocol):
    """Opens audio of untrusted files."""

    def audio_loss(
        self, path: Path, media: MediaInfo, span: tuple[Fraction, Fraction] | None = None, *, cancel: CancelToken
    ) -> AudioLoss:
        """Return how much of it does not decode; Cancelled on a stop."""
        ...

    def render_audio(
        self, path: Path, media: MediaInfo, start: Fraction, samples: int, output: Path, *, cancel: CancelToken
    ) -> AudioLoss:
        """Write it as even PCM, and return how much of it does not decode; Cancelled on a stop."""
        ...


class ClipAudio:
    """Renders what ffmpeg's filters cannot follow, and says what is damaged."""

    def __init__(self, looks: AudioLooks) -> None:
        """Open files by these looks."""
        self._looks = looks

    def prepare(
        self, planned: PlannedClip, form: TargetForm, audio_path: Path, context: RunContext
    ) -> AudioLoss | None:
        """Render the audio of a segment where that is needed; return what of it does not decode."""
        audio = planned.media.audio
        if audio is None or not audio.irregular:
            return None
        start, frames = _origin(planned, form), planned.segment.frames
        samples, output = stored_samples(frames, form.frame_rate), rendered_path(audio_path)
        path, media = planned.clip.path, planned.media
        return self._looks.render_audio(path, media, start, samples, output, cancel=context.cancel)

    def damage(
        self, planned: PlannedClip, form: TargetForm, context: RunContext, known: AudioLoss | None
    ) -> Issue | None:
        """Return what is said of audio that is damaged; ProcessingError where less than half decodes."""
        path, audio = planned.clip.path, planned.media.audio
        if audio is None:
            return None
        if known is None:
            start = _origin(planned, form)
            span = start, start + planned.segment.frames / form.frame_rate
            known = self._looks.audio_loss(path, planned.media, span, cancel=context.cancel)
        issue = known.issue(audio, path)
        if issue is not None and known.decoded_share < TOO_LITTLE:
            raise ProcessingError(issue.code, issue.message, path=path, hint="leave it out, or mute it")
        return issue


def _origin(planned: PlannedClip, form: TargetForm) -> Fraction:
    return segment_origin(planned.clip, planned.media, planned.segment, form.frame_rate)

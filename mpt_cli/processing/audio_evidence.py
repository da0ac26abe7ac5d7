"""Prove that the audio of a segment is that of its source: in step, at its level, each side where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mpt_cli.errors import IssueCode, ProbeError, ProcessingError
from mpt_cli.media.commands import segment_origin
from mpt_cli.media.inspect.audio_proof import HeardTrack, MadeAudio
from mpt_cli.media.timing import stored_samples
from mpt_cli.models import Evidence
from mpt_cli.processing.audio import RendersAudio

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.cancel import CancelToken
    from mpt_cli.events import RunContext
    from mpt_cli.media.inspect.audio_proof import AudioMatch
    from mpt_cli.models import TargetForm
    from mpt_cli.plan import PlannedClip


class AudioLooks(RendersAudio, Protocol):
    """Opens audio of untrusted files, also to compare it."""

    def compare_audio(self, path: Path, made: MadeAudio, *, cancel: CancelToken) -> AudioMatch:
        """Compare what was made of it with a decode of its own; ProbeError, Cancelled on a stop."""
        ...


def audio_evidence(
    looks: AudioLooks, planned: PlannedClip, form: TargetForm, made: Path, context: RunContext, *, doubtful: bool
) -> Evidence:
    """Compare the PCM of a segment with its source at a few places.

    Raises:
        ProcessingError: The audio of a whole clip is not that of its source.
    """
    media, path = planned.media, planned.clip.path
    origin = segment_origin(planned.clip, media, planned.segment, form.frame_rate)
    sought = media.seek_point_for(origin)
    audio = MadeAudio(
        made,
        tuple(HeardTrack(track.index, track.channels if track.is_part else ()) for track in media.heard),
        origin,
        stored_samples(planned.segment.frames, form.frame_rate, form.sample_rate),
        begun=media.zero if sought is None else sought,
        seekable=bool(media.seek_points) and not media.clock_moves,
        clock_moves=media.clock_moves,
        end=media.readable_bytes,
    )
    try:
        match = looks.compare_audio(path, audio, cancel=context.cancel)
    except ProbeError:  # the file was read before: what it takes to compare is no reason to refuse it
        return Evidence.UNAVAILABLE
    if doubtful:
        return Evidence.PARTIAL
    if match.problem is not None:
        message = f"does not sound as it is: its audio {match.problem}"
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=path, hint="this is a bug in mpt")
    return Evidence.PROVEN if match.places else Evidence.UNAVAILABLE

"""Proof that a segment has the frames of its source in order, and its audio in sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mpt_cli.media.ffmpeg.segment_commands import segment_origin
from mpt_cli.media.frame_map import planned_frames, prove_frame_map, read_frame_map
from mpt_cli.media.inspect.audio.comparison import HeardTrack, MadeAudio
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Evidence
from mpt_cli.model.errors import IssueCode, ProbeError, ProcessingError, VerificationError
from mpt_cli.model.timing import stored_samples
from mpt_cli.planning.segments import ASSUMED_TIMES
from mpt_cli.processing.audio import RendersAudio

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.media.inspect.audio.comparison import AudioMatch
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.runtime.events import RunContext


class AudioLooks(RendersAudio, Protocol):
    """Renderer of audio from untrusted files that also compares it."""

    def compare_audio(self, path: Path, made: MadeAudio, *, cancel: CancelToken) -> AudioMatch:
        """Compare the audio of a segment with a second decode of its source.

        Raises:
            ProbeError: The source cannot be decoded for the comparison.
            Cancelled: The run was stopped.
        """
        ...


def frame_evidence(planned: PlannedClip, form: TargetForm, frame_map: Path | None, *, doubtful: bool) -> Evidence:
    """Compare each frame of a segment with the frame that its source shows at that time.

    Args:
        planned: The clip and the part of it that the segment shows.
        form: The target format.
        frame_map: The map of encoded frames that ffmpeg wrote; None if it encoded none, or cannot write it.
        doubtful: True if not all of the source may decode.

    Raises:
        ProcessingError: A frame of an undamaged clip is at the wrong index.
    """
    if planned.action is Action.COPY:
        return Evidence.COPIED
    media, segment = planned.media, planned.segment
    if frame_map is None or media.frame_times is None:
        return Evidence.UNAVAILABLE
    origin = segment_origin(planned.clip, media, segment, form.frame_rate)
    wanted = planned_frames(media.frame_times, origin, form.frame_rate, segment.frames)
    try:
        prove_frame_map(read_frame_map(frame_map), wanted, media.frame_times, clock_moves=media.clock_moves)
    except VerificationError as error:
        if doubtful or any(warning.code in ASSUMED_TIMES for warning in media.warnings):
            return Evidence.PARTIAL
        message, path = f"would not be shown as it is: {error}", planned.clip.path
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=path, hint="this is a bug in mpt") from error
    return Evidence.PARTIAL if doubtful else Evidence.PROVEN


def audio_evidence(
    looks: AudioLooks, planned: PlannedClip, form: TargetForm, made: Path, context: RunContext, *, doubtful: bool
) -> Evidence:
    """Compare the PCM of a segment with its source at a few offsets.

    Raises:
        ProcessingError: The audio of an undamaged clip differs from its source.
    """
    media, path = planned.media, planned.clip.path
    origin = segment_origin(planned.clip, media, planned.segment, form.frame_rate)
    is_repaired = any(track.anchors for track in media.heard)
    sought = None if is_repaired else media.seek_point_for(origin)
    audio = MadeAudio(
        made,
        tuple(HeardTrack(track.index, track.channels if track.is_part else (), track.anchors) for track in media.heard),
        origin,
        stored_samples(planned.segment.frames, form.frame_rate, form.audio.sample_rate),
        begun=media.zero if sought is None else sought,
        seekable=bool(media.seek_points) and not media.clock_moves and not is_repaired,
        clock_moves=media.clock_moves,
        end=media.readable_bytes,
        rate=form.audio.sample_rate,
        layout=form.audio.layout,
        format=form.audio.samples,
        splice=planned.splice,
    )
    try:
        match = looks.compare_audio(path, audio, cancel=context.cancel)
    except ProbeError:  # the file was read before: what it takes to compare is no reason to refuse it
        return Evidence.UNAVAILABLE
    if doubtful or (is_repaired and match.problem is not None):
        return Evidence.PARTIAL
    if match.problem is not None:
        message = f"would not sound as it is: its audio {match.problem}"
        raise ProcessingError(IssueCode.CLIP_FAILED, message, path=path, hint="this is a bug in mpt")
    return Evidence.PROVEN if match.places else Evidence.UNAVAILABLE

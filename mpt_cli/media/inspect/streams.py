"""Choose the streams of a file that make up the clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from av.stream import Disposition

from mpt_cli.media.geometry import too_many_pixels
from mpt_cli.media.inspect.container.audio_signature import AUDIO_HINT
from mpt_cli.media.inspect.demux import programmes
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode, ProbeError
from mpt_cli.model.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

    Motion = Callable[[Sequence[VideoStream]], set[int]]

_NO_CLIP = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.dependent
"""A cover, thumbnails along the time, and what only completes another track."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The streams of a clip, and what there is to say of those that are left out.

    ``audios`` are all audio tracks that belong to the video, the one that is heard by default first;
    ``others`` the video tracks that could have been used as well.
    """

    video: VideoStream
    audios: tuple[AudioStream, ...]
    others: tuple[VideoStream, ...] = ()
    warnings: tuple[Issue, ...] = ()

    @property
    def audio(self) -> AudioStream | None:
        """The audio track that is heard by default."""
        return self.audios[0] if self.audios else None


def choose_streams(path: Path, container: InputContainer, limit: int, *, motion: Motion) -> Chosen:
    """Return the streams to use.

    Of several video tracks one that moves, as ``motion`` tells, of those the default one, the
    largest, the first; with it the audio of the same programme.
    """
    if len(container.streams) > limit:
        raise ProbeError(
            IssueCode.LIMIT_EXCEEDED,
            f"has {len(container.streams)} streams, above the limit of {limit}",
            path=path,
            hint="raise validation.max_streams",
        )
    videos = _candidates(path, container)
    moves = motion(videos) if len(videos) > 1 else {video.index for video in videos}
    video = max(videos, key=lambda s: (s.index in moves, _is_default(s), _pixels(s), -s.index))
    left_out = [other for other in videos if other is not video and other.index in moves]
    audios = [s for s in container.streams.audio if s.codec_context is not None]
    if container.format.name == "mpegts" and len(videos) + len(audios) > 2:
        member = programmes(container)
        own = member.get(video.index, frozenset())
        audios = [s for s in audios if not (theirs := member.get(s.index)) or theirs & own]  # a table may have changed
    audios.sort(key=lambda s: (not _is_default(s), s.index))
    others = tuple(other for other in videos if other is not video)
    return Chosen(video, tuple(audios), others, _left_out(path, container, video, left_out))


def _candidates(path: Path, container: InputContainer) -> list[VideoStream]:
    """Return the video tracks that may be the clip; a still beside others is none of them."""
    videos = [s for s in container.streams.video if not s.disposition & _NO_CLIP]
    if not videos:
        code, sounds = IssueCode.NO_VIDEO_STREAM, bool(container.streams.audio)
        cover = " with a cover image" if sounds and container.streams.video else ""
        message = f"is audio{cover}, not a clip" if sounds else "has no video stream"
        raise ProbeError(code, message, path=path, hint=AUDIO_HINT if sounds else "leave it out")
    decoded = [s for s in videos if s.codec_context is not None]
    if not decoded:
        raise ProbeError(
            IssueCode.UNSUPPORTED_CODEC, "has a video codec that cannot be decoded", path=path, hint="convert it first"
        )
    return [s for s in decoded if not s.disposition & Disposition.still_image] or decoded


def _left_out(
    path: Path, container: InputContainer, video: VideoStream, others: Sequence[VideoStream]
) -> tuple[Issue, ...]:
    """Name the video tracks that move too."""
    if not others:
        return ()
    numbers = {s.index: number for number, s in enumerate(container.streams.video, 1)}
    named = ", ".join(f"track {numbers[s.index]} ({_size(s)})" for s in others)
    message = (
        f"has {counted(len(others) + 1, 'video track')} that move: "
        f"track {numbers[video.index]} ({_size(video)}) is used, {named} left out"
    )
    hint = f"for another one: ffmpeg -i IN -map 0:{others[0].index} -map '0:a?' -c copy OUT.mkv"
    return (Issue(IssueCode.VIDEO_TRACKS_LEFT_OUT, message, path, hint),)


def refuse_giant(path: Path, video: VideoStream, most: int) -> None:
    """Refuse dimensions that cost gigabytes to decode, which a header of 300 bytes can claim."""
    if _pixels(video) > most:
        context = video.codec_context
        issue = too_many_pixels(Dimensions(context.width, context.height), most, path)
        raise ProbeError(issue.code, issue.message, path=path, hint=issue.hint)


def _is_default(stream: VideoStream | AudioStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _size(stream: VideoStream) -> str:
    return f"{stream.codec_context.width}x{stream.codec_context.height}"


def _pixels(stream: VideoStream) -> int:
    context = stream.codec_context
    return context.width * context.height if context is not None else 0

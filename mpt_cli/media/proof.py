"""Verification of finished files: a segment or a reel holds what was planned.

ffmpeg's exit code and log prove nothing. Packets are read and counted; coded frames are compared
by a CRC over their data (0.4 s for 12,000 frames where decoding takes 55 s), which proves every
frame and the order; audio is decoded and counted, because the ends of containers lie.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import av

from mpt_cli.media.audio_proof import AudioReading
from mpt_cli.media.declared import declared_problem, foreign_tags, matrix_of
from mpt_cli.media.formats import boxes
from mpt_cli.media.formats.bitstream import FrameData, configured_sets, digest
from mpt_cli.media.inspect.demux import open_container
from mpt_cli.media.open_options import OPEN_OPTIONS
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.media.reel_audio import ReelAudio
from mpt_cli.model.choices import Container
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.results import OutputInfo
from mpt_cli.model.samples import dynamic_range_of
from mpt_cli.model.timing import average_rate
from mpt_cli.runtime.threads import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.frame_times import FrameTimes

_MKV_SLACK = Fraction(501, 1_000_000)
"""Half of Matroska's tick, and the microsecond of a concat list."""
_UNDECODED = OPEN_OPTIONS | {"codec_whitelist": "none"}
"""Opens in half a millisecond of CPU: else libav decodes a first frame, in 1080x1920 for eleven, to learn
its pixel format (measured, PyAV 18.1).
"""


@dataclass(frozen=True, slots=True)
class SegmentProof:
    """Verified facts of the coded frames of a segment.

    Attributes:
        frames: Number of frames.
        vcl_crc: CRC-32 over the coded frame data.
        parameter_sets: Digest of the parameter sets.
        extradata: Decoder configuration.
    """

    frames: int
    vcl_crc: int
    parameter_sets: str
    extradata: bytes


def prove_segment(
    path: Path,
    form: TargetForm,
    frames: int,
    *,
    vcl_crc: int | None = None,
    written: bool = True,
    times: FrameTimes | None = None,
) -> SegmentProof:
    """Verify the coded frames of a segment.

    The segment has exactly ``frames`` frames, on the grid of the target's rate from 0 on, and
    begins with a keyframe; the first frame decodes to the target's size.

    Args:
        path: Path of the segment.
        form: Target format.
        frames: Planned number of frames.
        vcl_crc: CRC of the originals where frames were copied, else None.
        written: False for a user's own file, whose first frame was decoded when it was probed: it is not
            decoded again.
        times: Times of the frames, where they keep their own.

    Returns:
        The verified facts.

    Raises:
        VerificationError: The segment is not as planned.
    """
    with _opened(path, _UNDECODED) as container:
        video = _only_video(container, path)
        data, sets = _frame_data(video), _configured_sets(video)
        crc, shown, base = 0, list[int](), Fraction(video.time_base or 1)
        for packet in container.demux(video):
            if not packet.size:
                continue
            if not shown and written:
                _decode_start(path, video, packet, form)
            if packet.is_keyframe:
                sets += [unit for unit in data.parameter_sets(bytes(packet)) if unit not in sets]
            shown.append(_timestamp(packet, path))
            crc = data.crc(bytes(packet), crc)
    _has_pictures(path, shown, frames)
    places = None if times is None else times.places()
    _on_grid(path, "picture", shown, base, form.frame_rate, slack=base, origin=min(shown), places=places)
    if vcl_crc not in (None, crc):
        raise VerificationError("does not hold the pictures that were copied", path=path)
    return SegmentProof(frames, crc, digest(sets) or data.codec, video.codec_context.extradata or b"")


def prove_audio(path: Path, samples: int, form: AudioForm) -> None:
    """Raise VerificationError unless a file of raw PCM holds exactly this many samples."""
    size = path.stat().st_size if path.exists() else 0
    if size != samples * form.frame_bytes:
        raise VerificationError(f"has {size // form.frame_bytes} samples, {samples} were planned", path=path)


def prove_reel(
    path: Path,
    form: TargetForm,
    clips: Sequence[ProcessedClip],
    *,
    target: Path,
    chapters: Sequence[Chapter],
    frames_copied: bool,
    levelled: Path | None = None,
    threads: int = 1,
) -> OutputInfo:
    """Verify a reel; it is read once.

    Args:
        path: Path of the unpublished file.
        form: Target format.
        clips: Clips in the order of the reel.
        target: Path that the reel will have.
        chapters: Planned chapters.
        frames_copied: False if the join encoded the frames again: then their data is not compared.
        levelled: Raw PCM of the reel, where its levels were changed.
        threads: Threads that decode the first frame of each clip meanwhile.

    Returns:
        The published facts of the reel.

    Raises:
        VerificationError: Something is wrong; the error names the first problem.
    """
    frames, pictures = sum(clip.segment.frames for clip in clips), sum(clip.segment.pictures for clip in clips)
    with _opened(path) as container:
        video = _only_video(container, path)
        _refuse(declared_problem(container, form, chapters), path)
        audio = container.streams.audio[0]
        slack = _MKV_SLACK if form.container is Container.MKV else Fraction(0)
        heard = AudioReading(path, audio, form.audio, slack)
        with _Starts(path, video, form, threads) as starts:
            times = _read_packets(container, path, video, form, clips if frames_copied else (), starts, heard)
        codecs = video.codec_context.codec.canonical_name, audio.codec_context.codec.canonical_name
        base = Fraction(video.time_base or 1)  # libav frees it with the container
    _has_pictures(path, times, pictures)
    _on_grid(path, "picture", times, base, form.frame_rate, slack=slack, places=_places(clips, form))
    planned = ReelAudio(clips, form, levelled)
    heard.verify(planned.samples, planned.crc() if form.audio.is_lossless else None)
    _refuse(boxes.layout_problem(path, form.container, matrix=matrix_of(form)), path)
    return OutputInfo(
        path=target,
        size_bytes=path.stat().st_size,
        container=form.container,
        duration=frames / form.frame_rate,
        frames=pictures,
        dimensions=form.dimensions,
        frame_rate=average_rate(pictures, frames / form.frame_rate) if form.is_variable else form.frame_rate,
        video_codec=codecs[0],
        audio_codec=codecs[1],
        audio_sample_rate=form.audio.sample_rate,
        audio_channels=len(form.audio.channels),
        audio_layout=form.audio.layout,
        dynamic_range=dynamic_range_of(form.color),
    )


def _refuse(problem: str | None, path: Path) -> None:
    if problem:
        raise VerificationError(problem, path=path)


def _read_packets(
    container: InputContainer,
    path: Path,
    video: VideoStream,
    form: TargetForm,
    clips: Sequence[ProcessedClip],
    starts: _Starts,
    heard: AudioReading,
) -> list[int]:
    """Return the times of all frames; read the audio, and compare each clip's frames on the way."""
    times, compare = list[int](), _Comparison(path, video, clips, starts) if clips else None
    audio = container.streams.audio[0]
    last_dts: int | None = None
    for packet in container.demux(video, audio):
        if packet.stream_index == audio.index:
            heard.take(packet)
        elif packet.size:
            # Matroska stores no decode times: what libavformat makes up for them proves nothing.
            late = last_dts is not None and (packet.dts is None or packet.dts <= last_dts)
            if late and form.container is not Container.MKV:
                raise VerificationError(f"decode times do not rise at picture {len(times)}", path=path)
            last_dts = packet.dts
            times.append(_timestamp(packet, path))
            if compare is not None:
                compare.take(packet)
            elif len(times) == 1:
                starts.take(packet)
    return times


def _frame_data(video: VideoStream) -> FrameData:
    """Return the reader by the codec's own name: that of a decoder may be another (``libdav1d``)."""
    context = video.codec_context
    return FrameData(context.codec.canonical_name, context.extradata or b"")


def _configured_sets(video: VideoStream) -> list[bytes]:
    context = video.codec_context
    return configured_sets(context.codec.canonical_name, context.extradata or b"")


class _Comparison:
    """Compares the frames of a reel with those of its clips, in order, and has the first frame of each decoded."""

    def __init__(self, path: Path, video: VideoStream, clips: Sequence[ProcessedClip], starts: _Starts) -> None:
        self._path, self._starts = path, starts
        self._data = _frame_data(video)
        self._clips = iter(clips)
        self._clip: ProcessedClip | None = None
        self._left = self._crc = 0
        sets = configured_sets(self._data.codec, clips[0].extradata)
        if sorted(_configured_sets(video)) != sorted(sets):
            raise VerificationError("its parameter sets are not those of its first clip", path=path)

    def take(self, packet: Any) -> None:
        """Compare the next frame in file order."""
        if not self._left:
            self._begin(packet)
        self._crc = self._data.crc(bytes(packet), self._crc)
        self._left -= 1
        if not self._left and self._clip is not None and self._crc != self._clip.vcl_crc:
            raise VerificationError(
                f"the pictures of clip {self._clip.index} are not those that were made", path=self._path
            )

    def _begin(self, packet: Any) -> None:
        self._clip = next(self._clips, None)
        if self._clip is None:
            raise VerificationError("has more pictures than were planned", path=self._path)
        self._left, self._crc = self._clip.segment.pictures, 0
        self._starts.take(packet)


class _Starts:
    """Decodes the first frames of clips in threads, and raises the first failure in the end.

    A frame of 1080x1920 takes eight milliseconds: in a reel of many clips that is most of the verification.
    """

    def __init__(self, path: Path, video: VideoStream, form: TargetForm, threads: int) -> None:
        self._path, self._video, self._form, self._most = path, video, form, 2 * threads
        self._running = deque[Future[None]]()
        self._executor = ThreadPool(threads, "proof")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        self._executor.shutdown()
        if kind is None or issubclass(kind, VerificationError):  # what is wrong earlier in the file is said
            for start in self._running:
                start.result()

    def take(self, packet: Any) -> None:
        """Decode the frame of this packet; waits where too many packets would be held."""
        self._running.append(self._executor.submit(_decode_start, self._path, self._video, packet, self._form))
        if len(self._running) > self._most:
            self._running.popleft().result()


def _decode_start(path: Path, video: VideoStream, packet: Any, form: TargetForm) -> None:
    """Verify that the first frame of a clip decodes by itself, to the target's size."""
    decoder: Any = av.CodecContext.create(video.codec_context.codec.name, "r")
    decoder.extradata = video.codec_context.extradata
    decoder.width, decoder.height = video.codec_context.width, video.codec_context.height  # FFV1 has no size itself
    decoder.thread_count = 1
    try:
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.FFmpegError as error:
        refuse_shortage(error)
        raise VerificationError(f"does not decode where a clip begins ({error.strerror})", path=path) from error
    if not packet.is_keyframe or not frames:
        raise VerificationError("a clip does not begin with a picture that decodes by itself", path=path)
    if (frames[0].width, frames[0].height) != (form.dimensions.width, form.dimensions.height):
        raise VerificationError(f"a picture is {frames[0].width}x{frames[0].height}, not {form.dimensions}", path=path)


def _has_pictures(path: Path, times: list[int], planned: int) -> None:
    if len(times) != planned:
        raise VerificationError(f"has {len(times)} pictures, {planned} were planned", path=path)


def _timestamp(packet: Any, path: Path) -> int:
    if packet.pts is None:
        raise VerificationError("a packet has no timestamp", path=path)
    return int(packet.pts)


def _places(clips: Sequence[ProcessedClip], form: TargetForm) -> list[int] | None:
    """Return where on the grid of a reel frames are that keep their own times; None where one is at each place."""
    if not form.is_variable:
        return None
    places, begin = list[int](), 0
    for clip in clips:
        assert clip.times is not None
        places += [begin + place for place in clip.times.places()]
        begin += clip.segment.frames
    return places


def _on_grid(
    path: Path,
    what: str,
    times: list[int],
    base: Fraction,
    rate: Fraction,
    *,
    slack: Fraction,
    origin: int = 0,
    places: list[int] | None = None,
) -> None:
    """Verify that frame k in order of time is at ``origin + k / rate``; in integers for speed.

    With ``places`` frame k is at ``origin + places[k] / rate``.
    """
    ticks = 1 / (rate * base)
    scale, step = ticks.denominator, ticks.numerator
    margin = int(slack / base * scale)
    for k, (time, place) in enumerate(zip(sorted(times), places or range(len(times)), strict=True)):
        if abs((time - origin) * scale - place * step) > margin:
            off = float((time - origin - place * ticks) * base * 1000)
            raise VerificationError(f"{what} {k} is {off:+.3f} ms off its time", path=path)


def carries_metadata(path: Path) -> bool:
    """Return True if a file holds tags or chapters: phones write their location."""
    with _opened(path, _UNDECODED) as container:
        return bool(foreign_tags(container) or container.chapters())


@contextmanager
def _opened(path: Path, options: dict[str, str] = OPEN_OPTIONS) -> Iterator[InputContainer]:
    """Open a file; any error of libav, on opening or while it is read, is a failed verification."""
    doing = "opened"
    try:
        with open_container(path, options) as container:
            doing = "read"
            yield container
    except av.FFmpegError as error:
        refuse_shortage(error)
        raise VerificationError(f"cannot be {doing} ({error.strerror})", path=path) from error


def _only_video(container: InputContainer, path: Path) -> VideoStream:
    if len(container.streams.video) != 1:
        raise VerificationError("does not hold exactly one video stream", path=path)
    return container.streams.video[0]

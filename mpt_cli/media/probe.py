"""What a file really holds: streams, first pictures, and when everything starts and ends.

Nothing is believed that can be looked at: rotation, colours and interlacing come from a decoded
picture, channels from decoded sound, durations from packets.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import av
from av.audio.frame import AudioFrame
from av.stream import Disposition
from av.video.frame import VideoFrame

from mpt_cli.errors import Issue, IssueCode, ProbeError
from mpt_cli.limits import MOST_PIXELS, MOST_STREAMS
from mpt_cli.media import color, dolby, signature
from mpt_cli.media.clock import Clock
from mpt_cli.media.coded import SEEKABLE, CodedPictures
from mpt_cli.media.orientation import orientation_of
from mpt_cli.media.sources import OPEN_OPTIONS, file_url
from mpt_cli.media.timeline import PacketTimes, Timeline
from mpt_cli.media.timing import clip_duration, nominal_rate
from mpt_cli.mediainfo import AudioStreamInfo, Color, MediaInfo, VideoStreamInfo
from mpt_cli.models import Dimensions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from mpt_cli.cancel import CancelToken
    from mpt_cli.config import ValidationConfig

_PLAUSIBLE_BYTES_PER_SECOND = 4000
"""A file that holds less for each second that its header claims is scanned before it is believed."""
_SAMPLE_PACKETS = 300
"""Pictures whose times are looked at when a plausible header is trusted."""
_TOLD_LENGTH = (*SEEKABLE, "avi")
"""Containers whose length stands in a header; that of others is libav's estimate."""
_LEAST_LOSS_SECONDS, _LEAST_LOSS = Fraction(1, 2), Fraction(1, 10)


class Probe(Protocol):
    """Opens a file and says what it holds; raises ProbeError."""

    def __call__(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """What the file holds; raises ProbeError, and Cancelled on a stop."""
        ...


def probe(
    path: Path,
    *,
    scan: bool,
    max_streams: int = MOST_STREAMS,
    max_pixels: int = MOST_PIXELS,
    alive: Callable[[], object] = lambda: None,
) -> MediaInfo:
    """What a file holds; with ``scan`` every packet is read, else only where the header may lie.

    Pictures that are larger than ``max_pixels`` are not decoded. ``alive`` is called for each packet.

    Raises :class:`~mpt_cli.errors.ProbeError` with a file code when the file cannot be a clip.
    """
    _refuse_by_signature(path)

    def look(*, hasty: bool) -> MediaInfo | None:
        with _opened(path) as container:
            video, audio = _choose_streams(path, container, max_streams)
            _refuse_giant(path, video, max_pixels)
            found = _Findings(container, video, audio, hasty=hasty)
            _read(path, found, alive, scan=scan or not _is_plausible(path, container, video))
            return None if found.was_too_hasty else _media_info(path, container, found)

    media = look(hasty=True) or look(hasty=False)
    assert media is not None
    return media


def _read(path: Path, found: _Findings, alive: Callable[[], object], *, scan: bool) -> None:
    """Read the packets; ProbeError where they are none of a clip."""
    try:
        found.read(alive, scan=scan)
    except av.FFmpegError as error:
        if found.picture is None:
            raise ProbeError(IssueCode.NO_FRAMES, f"no picture can be decoded ({_said(error)})", path=path) from error
    except IndexError as error:  # what PyAV makes of it
        message = "has streams that begin in its midst, which cannot be read"
        hint = "write it anew, for example with ffmpeg -i IN -c copy OUT.mkv"
        raise ProbeError(IssueCode.PROBE_FAILED, message, path=path, hint=hint) from error
    if found.encrypted:
        raise ProbeError(IssueCode.ENCRYPTED, "is encrypted", path=path, hint="decrypt it first")
    if found.picture is None and not found.was_too_hasty:
        raise ProbeError(IssueCode.NO_FRAMES, "no picture can be decoded", path=path, hint="it is damaged or cut off")


def _refuse_by_signature(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(signature.SIGNATURE_BYTES)
    except PermissionError as error:
        raise ProbeError(IssueCode.NOT_READABLE, "cannot be read", path=path, hint="check its permissions") from error
    except OSError as error:
        raise ProbeError(IssueCode.NOT_READABLE, f"cannot be read ({error.strerror})", path=path) from error
    if refused := signature.refusal(head):
        raise ProbeError(*refused, path=path)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The file opened by libav, which may open nothing else."""
    try:
        container = av.open(file_url(path), options=OPEN_OPTIONS, metadata_errors="replace")
    except av.FFmpegError as error:
        raise ProbeError(
            IssueCode.NOT_MEDIA,
            f"is not a video file, or was cut off before its index ({_said(error)})",
            path=path,
            hint="play it to see whether it is whole; export it again if it is not",
        ) from error
    except (ValueError, OverflowError, MemoryError) as error:
        raise ProbeError(IssueCode.PROBE_FAILED, f"cannot be understood ({error})", path=path) from error
    with container:
        yield container


def _choose_streams(path: Path, container: InputContainer, limit: int) -> tuple[VideoStream, AudioStream | None]:
    """The video and audio stream to use: the default one, of several the largest or the first."""
    if len(container.streams) > limit:
        raise ProbeError(
            IssueCode.LIMIT_EXCEEDED, f"has {len(container.streams)} streams, more than {limit}", path=path
        )
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise ProbeError(IssueCode.NO_VIDEO_STREAM, "has no video stream", path=path)
    video = max(videos, key=lambda s: (bool(s.disposition & Disposition.default), _pixels(s), -s.index))
    if video.codec_context is None:
        raise ProbeError(
            IssueCode.UNSUPPORTED_CODEC, "its video codec has no decoder", path=path, hint="convert it first"
        )
    sounds = [s for s in container.streams.audio if s.codec_context is not None]
    audio = max(sounds, key=lambda s: (bool(s.disposition & Disposition.default), -s.index), default=None)
    return video, audio


def _refuse_giant(path: Path, video: VideoStream, most: int) -> None:
    """What a header of 300 bytes claims must not cost gigabytes."""
    if _pixels(video) > most:
        size = f"{video.codec_context.width}x{video.codec_context.height}"
        message = f"is {size}, larger than {most} pixels"
        raise ProbeError(IssueCode.DIMENSIONS_TOO_LARGE, message, path=path, hint="raise validation.max_pixels")


def _pixels(stream: VideoStream) -> int:
    context = stream.codec_context
    return context.width * context.height if context is not None else 0


def _is_plausible(path: Path, container: InputContainer, video: VideoStream) -> bool:
    seconds = _header_seconds(container, video)
    return seconds is not None and 0 < seconds * _PLAUSIBLE_BYTES_PER_SECOND <= path.stat().st_size


def _header_seconds(container: InputContainer, video: VideoStream) -> Fraction | None:
    if container.duration is not None:
        return Fraction(container.duration, av.time_base)
    if video.duration is not None and video.time_base is not None:
        return video.duration * Fraction(video.time_base)
    return None


@dataclass(slots=True)
class _Sound:
    """First decoded sound of a stream, and when its packets end."""

    frame: AudioFrame
    start: Fraction
    end: Fraction


class _Findings:
    """What reading the packets of a file brings to light.

    A decoder holds pictures back for those that may be shown before them. A ``hasty`` reading does not
    wait where none can be, which spares the decoding of three or four (13 of 27 ms for 1080x1920). Of
    what is damaged, or the first of two fields, that brings nothing: then all is read without haste.
    """

    def __init__(
        self, container: InputContainer, video: VideoStream, audio: AudioStream | None, *, hasty: bool
    ) -> None:
        self.container, self.video, self.audio = container, video, audio
        self._hasty, self.was_too_hasty = hasty, False
        if hasty:
            video.codec_context.thread_count = 1  # for one picture; other files have the other cores
        self.times = PacketTimes(Fraction(video.time_base or 1))
        self.picture: VideoFrame | None = None
        self.sound: _Sound | None = None
        self.encrypted = False
        self.scanned = self.suspect = False
        self.coded, self.clock = CodedPictures(video), Clock(container.format.name)
        self.undecoded_sound = 0

    def read(self, alive: Callable[[], object], *, scan: bool) -> None:
        """Demux all packets, or only the first ones; decode until the first picture and sound."""
        streams = [self.video] if self.audio is None else [self.video, self.audio]
        for packet in self.container.demux(streams):
            alive()
            if packet.has_sidedata("encryption_info"):
                self.encrypted = True
                return
            if packet.stream_index == self.video.index:
                self._take_picture(packet)
            else:
                self._take_sound(packet)
            if self.was_too_hasty or (not scan and self._knows_enough()):
                return
        self.scanned = True

    def _knows_enough(self) -> bool:
        heard = self.audio is None or self.sound is not None or self.undecoded_sound > _SAMPLE_PACKETS
        return self.picture is not None and heard and len(self.times) >= _SAMPLE_PACKETS

    def _take_picture(self, packet: Packet[Any]) -> None:
        if packet.size and packet.is_discard:
            self.coded.hide()
        elif packet.size:
            shift = round(self.clock.shift_of(packet) / self.times.time_base)
            self.times.add(_later(packet.pts, shift), _later(packet.dts, shift), packet.duration)
            self.suspect = self.suspect or packet.is_corrupt
            self.coded.take(packet)
        if self.picture is None and self._hasty and self.coded.is_shown_first(packet):
            self.picture = _only_frame(packet)
            self.was_too_hasty = self.picture is None
        elif self.picture is None:
            self.picture = _first_frame(packet, VideoFrame)

    def _take_sound(self, packet: Packet[Any]) -> None:
        shift = self.clock.shift_of(packet) if packet.size else Fraction(0)
        if self.sound is None:
            frame = _first_frame(packet, AudioFrame)
            self.undecoded_sound += frame is None
            if frame is None or frame.pts is None or not frame.samples:
                return
            start = frame.pts * Fraction(frame.time_base)
            self.sound = _Sound(frame, start, start + Fraction(frame.samples, frame.sample_rate))
        if packet.size and packet.pts is not None and not packet.is_discard:
            end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
            self.sound.end = max(self.sound.end, end + shift)


def _later(time: int | None, shift: int) -> int | None:
    return None if time is None else time + shift


def _first_frame(packet: Packet[Any], kind: type[Any]) -> Any:
    """The first frame that a packet brings out, or None; a damaged packet brings nothing."""
    try:
        return _first_whole(packet.decode(), kind)
    except (av.FFmpegError, ValueError):
        return None


def _only_frame(packet: Packet[Any]) -> Any:
    """The picture that a packet decodes to if nothing follows, or None; the decoder is spent then."""
    stream: Any = packet.stream
    try:
        return _first_whole([*packet.decode(), *stream.decode(None)], VideoFrame)
    except (av.FFmpegError, ValueError):
        return None


def _first_whole(frames: list[Any], kind: type[Any]) -> Any:
    """Of a stream that is not what its header says another kind may come, and is nothing either."""
    whole = (frame for frame in frames if not getattr(frame, "is_corrupt", False))
    return next((frame for frame in whole if isinstance(frame, kind)), None)


def _media_info(path: Path, container: InputContainer, found: _Findings) -> MediaInfo:
    timeline = _timeline(found)
    sound = found.sound
    zero = min(timeline.first, sound.start) if sound else timeline.first
    duration = clip_duration(zero, timeline.end, sound.end if sound else None)
    if not found.scanned:
        duration = _header_seconds(container, found.video) or duration
    return MediaInfo(
        container=_container_name(container, path),
        size_bytes=path.stat().st_size,
        zero=zero,
        duration=duration,
        video=_video_info(path, found, timeline),
        audio=_audio_info(found) if sound else None,
        video_start=timeline.first,
        last_picture=timeline.last,
        scanned=found.scanned,
        seek_points=found.coded.seek_points(container, found.times.time_base) if found.scanned else (),
        copy_traits=found.coded.traits(container, timeline) if found.scanned else None,
        suspect=found.suspect,
        clock_moves=tuple(found.clock.moves),
        warnings=_cut_off(path, container, found, timeline),
    )


def _cut_off(path: Path, container: InputContainer, found: _Findings, timeline: Timeline) -> tuple[Issue, ...]:
    """A warning where a header that was written with the file says that there should be more."""
    if not (found.scanned and container.duration and container.format.name.startswith(_TOLD_LENGTH)):
        return ()
    start = min(Fraction(0), Fraction(container.start_time or 0, av.time_base))  # a late one is a part of it
    end = max(timeline.end, found.sound.end) if found.sound else timeline.end
    claimed, held = Fraction(container.duration, av.time_base), end - start
    if claimed - held <= max(_LEAST_LOSS_SECONDS, claimed * _LEAST_LOSS):
        return ()
    message = f"lasts {float(claimed):.1f} s by its header but holds {float(held):.1f} s: it was cut off or is damaged"
    return (Issue(IssueCode.DAMAGED, message, path, "look for a whole copy"),)


def _container_name(container: InputContainer, path: Path) -> str:
    """Of libav's names for a container (``mov,mp4,m4a,...``) the file's suffix if it is one, else the first."""
    names = container.format.name.split(",")
    suffix = path.suffix.lower().removeprefix(".")
    return suffix if suffix in names else names[0]


def _timeline(found: _Findings) -> Timeline:
    picture, guessed = found.picture, found.video.guessed_rate
    assert picture is not None
    first = picture.pts * found.times.time_base if picture.pts is not None else None
    if not len(found.times):
        found.times.add(picture.pts or 0, None, None)
    timeline = found.times.timeline(first, Fraction(guessed) if guessed else None)
    average = found.video.average_rate
    if picture.interlaced_frame and average and average * 3 < timeline.frame_rate * 2:
        return replace(timeline, frame_rate=nominal_rate(Fraction(average)))  # a packet was a field
    return timeline


def _video_info(path: Path, found: _Findings, timeline: Timeline) -> VideoStreamInfo:
    stream, frame = found.video, found.picture
    assert frame is not None
    context = stream.codec_context
    transfer = color.TRANSFERS.get(int(frame.color_trc or 0))
    sar = stream.sample_aspect_ratio or context.sample_aspect_ratio
    alone = dolby.lacks_base_layer(path, found.container.format.name, stream.index)
    return VideoStreamInfo(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=context.profile,
        dimensions=Dimensions(frame.width, frame.height),
        sar=Fraction(sar) if sar and sar > 0 else Fraction(1),
        orientation=orientation_of(frame),
        frame_rate=timeline.frame_rate,
        variable_frame_rate=timeline.variable,
        pixel_format=frame.format.name,
        bit_depth=frame.format.components[0].bits,
        has_alpha=_has_alpha(stream, frame),
        color=Color(
            matrix=color.MATRICES.get(int(frame.colorspace)),
            range=color.RANGES.get(int(frame.color_range)),
            primaries=color.PRIMARIES.get(int(frame.color_primaries or 0)),
            transfer=transfer,
        ),
        hdr="dolby_vision" if alone else color.HDR_TRANSFERS.get(transfer or ""),
        interlaced=bool(frame.interlaced_frame),
        changes_size=found.coded.shapes.change_size,
        changes_shape=found.coded.shapes.change_shape,
    )


def _has_alpha(stream: VideoStream, frame: VideoFrame) -> bool:
    """Whether there is transparency; in WebM it is a second stream that only the tag tells of."""
    tagged = any(stream.metadata.get(key) == "1" for key in ("alpha_mode", "ALPHA_MODE"))
    return tagged or any(component.is_alpha for component in frame.format.components)


def _audio_info(found: _Findings) -> AudioStreamInfo:
    assert found.audio is not None
    assert found.sound is not None
    frame = found.sound.frame
    return AudioStreamInfo(
        index=found.audio.index,
        codec=found.audio.codec_context.codec.canonical_name,
        channels=tuple(channel.name for channel in frame.layout.channels),
        layout=frame.layout.name,
        sample_rate=frame.sample_rate,
    )


def _said(error: av.FFmpegError) -> str:
    return (error.strerror or str(error)).lower()

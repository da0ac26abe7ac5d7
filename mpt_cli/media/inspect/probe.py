"""What a file really holds: streams, first pictures, and when everything starts and ends.

Nothing is believed that can be looked at: rotation, colours and interlacing come from a decoded
picture, channels from decoded sound, durations from packets.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import av

from mpt_cli.media.clock_jumps import Jumps
from mpt_cli.media.inspect.audio.levels import levels
from mpt_cli.media.inspect.container import animated_images, file_signature
from mpt_cli.media.inspect.container.movie_heads import extent_of
from mpt_cli.media.inspect.decoding import come_in_disorder, shows_frame_at
from mpt_cli.media.inspect.demux import open_container, packets
from mpt_cli.media.inspect.describe import header_seconds, media_info
from mpt_cli.media.inspect.findings import Findings
from mpt_cli.media.inspect.streams import choose_streams, refuse_giant
from mpt_cli.media.inspect.times.continuation import may_go_on
from mpt_cli.media.inspect.times.transport_packets import is_torn_at
from mpt_cli.media.inspect.video.coded_frames import SEEKABLE
from mpt_cli.media.inspect.video.motion import moving
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import IssueCode, ProbeError
from mpt_cli.model.limits import MOST_PIXELS, MOST_STREAMS
from mpt_cli.model.media_info import MediaInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from mpt_cli.config.sections import ValidationConfig
    from mpt_cli.media.inspect.audio.levels import Level
    from mpt_cli.media.inspect.streams import Chosen
    from mpt_cli.runtime.cancel import CancelToken

_PLAUSIBLE_BYTES_PER_SECOND = 4000
"""A file that holds less for each second that its header claims is scanned before it is believed."""


class Probe(Protocol):
    """Opens a file and says what it holds; raises ProbeError."""

    def __call__(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """Return what the file holds; raise ProbeError, and Cancelled on a stop."""
        ...


def probe(
    path: Path,
    *,
    scan: bool,
    max_streams: int = MOST_STREAMS,
    max_pixels: int = MOST_PIXELS,
    alive: Callable[[], object] = lambda: None,
) -> MediaInfo:
    """Return what a file holds; with ``scan`` every packet is read, else only where the header may lie.

    Pictures that are larger than ``max_pixels`` are not decoded. ``alive`` is called for each packet.

    Raises :class:`~mpt_cli.model.errors.ProbeError` with a file code when the file cannot be a clip.
    """
    _refuse_by_signature(path)
    extent = extent_of(path)
    scan = scan or extent.is_cut or extent.next_movie is not None

    def look(*, hasty: bool, jumps: Jumps | None) -> MediaInfo | Jumps | None:
        with _opened(path, extent.end) as container:
            chosen = choose_streams(path, container, max_streams, motion=motion)
            refuse_giant(path, chosen.video, max_pixels)
            found = Findings(container, chosen, extent, hasty=hasty, jumps=jumps)
            _read(path, found, alive, scan=scan or not _is_plausible(path, container, chosen))
            if found.was_too_hasty:
                return None
            _weigh_last(path, found, alive)
            if found_jumps := found.clock.found(partial(is_torn_at, path)):
                return found_jumps
            _compare_order(path, found, alive)
            return media_info(path, container, found, _levels(path, found, alive))

    def motion(videos: Sequence[VideoStream]) -> set[int]:
        with _opened(path, extent.end) as container:
            streams = {stream.index: stream for stream in container.streams.video}
            return moving(container, [streams[video.index] for video in videos if video.index in streams], alive)

    media = look(hasty=True, jumps=None) or look(hasty=False, jumps=None)
    if isinstance(media, Jumps):  # known only at the end, and needed from the start
        media = look(hasty=False, jumps=media)
    assert isinstance(media, MediaInfo)
    return media


def _read(path: Path, found: Findings, alive: Callable[[], object], *, scan: bool) -> None:
    """Read the packets; ProbeError where they are none of a clip."""
    try:
        found.read(alive, scan=scan)
    except av.FFmpegError as error:
        refuse_shortage(error)
        raise ProbeError(
            IssueCode.NO_FRAMES, f"has no frame that can be decoded ({_reason(error)})", path=path
        ) from error
    if found.encrypted:
        raise ProbeError(IssueCode.ENCRYPTED, "is encrypted", path=path, hint="decrypt it first")
    if found.picture is None and not found.was_too_hasty:
        raise ProbeError(
            IssueCode.NO_FRAMES,
            "has no frame that can be decoded",
            path=path,
            hint="look for a whole copy: it is damaged or cut off",
        )


def _weigh_last(path: Path, found: Findings, alive: Callable[[], object]) -> None:
    """Take no duration from a packet that does not decode: one of a damaged GIF said 514 s."""
    last = found.times.long_last if found.scanned else None
    if last is None or found.clock.moves:
        return
    with _opened(path, found.extent.end) as container:
        stream: Any = container.streams[found.video.index]
        if found.coded.keyframes and container.format.name.startswith(SEEKABLE):
            container.seek(found.coded.keyframes[-1], stream=stream)
        try:
            decodes = shows_frame_at(_watched(packets(container, [stream]), alive), last)
        except av.FFmpegError as error:
            refuse_shortage(error)
            decodes = False
    if not decodes:
        found.times.forget_last_duration()


def _compare_order(path: Path, found: Findings, alive: Callable[[], object]) -> None:
    """Decode where all times ascend though frames may be reordered: they may be those of storing (ffmpeg -r 25)."""
    if not found.may_mislead:
        return
    with _opened(path, found.extent.end) as container:
        stream: Any = container.streams[found.video.index]
        try:
            found.misleads = come_in_disorder(_watched(packets(container, [stream]), alive))
        except av.FFmpegError as error:
            refuse_shortage(error)


def _watched(read: Iterator[Any], alive: Callable[[], object]) -> Iterator[Any]:
    for packet in read:
        alive()
        yield packet


def _levels(path: Path, found: Findings, alive: Callable[[], object]) -> dict[int, Level]:
    """Measure how loud the audio tracks are, where there are several."""
    if len(found.tracks) < 2:
        return {}
    begin = min(track.start for track in found.tracks)
    end = max(track.end for track in found.tracks)
    if not found.scanned:
        end = max(end, begin + (header_seconds(found.container, found.video) or 0))
    with _opened(path, found.extent.end) as container:
        streams = {stream.index: stream for stream in container.streams.audio}
        measured = [streams[track.stream.index] for track in found.tracks if track.stream.index in streams]
        likely = [track.largest_time for track in found.tracks if found.scanned]
        return levels(container, measured, (begin, end), alive, likely=likely)


def _refuse_by_signature(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(file_signature.SIGNATURE_BYTES)
            kind = file_signature.image_kind(head)
            plays = animated_images.verdict(path, file, kind) if kind else False
    except PermissionError as error:
        raise ProbeError(IssueCode.NOT_READABLE, "cannot be read", path=path, hint="check its permissions") from error
    except OSError as error:
        raise ProbeError(IssueCode.NOT_READABLE, f"cannot be read ({error.strerror})", path=path) from error
    if isinstance(plays, tuple):
        code, message, hint = plays
        raise ProbeError(code, message, path=path, hint=hint)
    if not plays and (refused := file_signature.refusal(head)):
        code, message, hint = refused
        raise ProbeError(code, message, path=path, hint=hint)


@contextmanager
def _opened(path: Path, end: int | None) -> Iterator[InputContainer]:
    """Open the file, or its bytes before ``end``, by libav, which may open nothing else."""
    try:
        container = open_container(path, end=end)
    except av.FFmpegError as error:
        refuse_shortage(error)
        raise ProbeError(
            IssueCode.NOT_MEDIA,
            f"is not a video file, or was cut off before its index ({_reason(error)})",
            path=path,
            hint="play it to see whether it is whole; export it again if it is not",
        ) from error
    except (ValueError, OverflowError, MemoryError) as error:
        refuse_shortage(error)
        raise ProbeError(IssueCode.PROBE_FAILED, f"cannot be read as a video ({error})", path=path) from error
    with container:
        yield container


def _is_plausible(path: Path, container: InputContainer, chosen: Chosen) -> bool:
    if chosen.others or may_go_on(container):
        return False
    seconds = header_seconds(container, chosen.video)
    return seconds is not None and 0 < seconds * _PLAUSIBLE_BYTES_PER_SECOND <= path.stat().st_size


def _reason(error: av.FFmpegError) -> str:
    return (error.strerror or str(error)).lower()

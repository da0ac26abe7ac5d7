"""How much of a file decodes: asked of ffmpeg first, and counted where it complains.

ffmpeg's words prove nothing, but where it finds nothing to say there is nothing to count either, and
it decodes on all cores. Counting is done picture by picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

import av

from mpt_cli.media.clock_jumps import OneRow
from mpt_cli.media.ffmpeg.commands import decode_arguments
from mpt_cli.media.inspect.demux import is_cut_off, open_container, packets
from mpt_cli.media.process.run import Limits
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.runtime.cancel import CancelToken

_STALL_SECONDS = 60
_SAME_GAP, _EVEN_SHARE, _HOLE = 0.1, 0.9, 1.5
"""Gaps that differ by less are the same; a stream of which most are is even, and a longer one is a hole."""
_REPEAT_BYTES = 20
"""Of a packet that only says that nothing changes: an "n-vop" of MPEG-4 (7), an empty frame of a screen recorder."""
_EACH_CODED = ("h264", "hevc", "vvc", "vp8", "vp9", "av1")
"""Codecs of which a frame may be that small and yet is one."""
_MOST_REORDERED = 16

TOO_LITTLE = 0.5
"""A clip of which less decodes is refused."""


def damage_issue(path: Path, share: float) -> Issue | None:
    """Return the issue of a file of which only this share decodes; None for all."""
    if share >= 1:
        return None
    lost = f"{1 - share:.1%}" if share < 0.999 else "less than 0.1%"
    return Issue(IssueCode.DAMAGED, f"is damaged: {lost} of its frames do not decode", path, "look for a whole copy")


class DecodedShare(Protocol):
    """Counts the pictures of a file that is known to be damaged."""

    def __call__(
        self,
        path: Path,
        media: MediaInfo,
        span: tuple[Fraction, Fraction] | None = None,
        *,
        cancel: CancelToken | None = None,
    ) -> float:
        """Return the share, 0 to 1, that decodes without damage; raise Cancelled on a stop."""
        ...


class DeepLook:
    """Decodes whole files, each in a child process of its own."""

    def __init__(self, ffmpeg: Ffmpeg, share: DecodedShare) -> None:
        """Ask this ffmpeg first, and count by ``share``."""
        self._ffmpeg, self._share = ffmpeg, share

    def __call__(self, path: Path, media: MediaInfo, *, cancel: CancelToken) -> float:
        """Return the share of the frames of a file, 0 to 1, that decodes without damage; raise Cancelled on a stop."""
        limits = Limits(stall_seconds=_STALL_SECONDS)
        outcome = self._ffmpeg.run(decode_arguments(path, media), cancel=cancel, limits=limits)
        cancel.raise_if_cancelled()
        if outcome.returncode == 0 and not (outcome.stderr_tail.strip() or media.suspect):
            return 1.0
        return self._share(path, media, cancel=cancel)


def decoded_share(
    path: Path,
    stream_index: int,
    span: tuple[Fraction, Fraction] | None = None,
    *,
    interlaced: bool,
    clock_moves: Sequence[Fraction] = (),
    end: int | None = None,
    alive: Callable[[], object] = lambda: None,
) -> float:
    """Return the share of the frames of a file, or of a span of its clock, that decodes without damage.

    For a file that is known to be damaged: then a hole in an even row of pictures is a loss too, as
    of packets that the container could not find again. In one thread, because PyAV loses with a
    damaged picture what is whole in the other threads. ``clock_moves`` are those of the file;
    only bytes before ``end`` are read. ValueError or LookupError where the stream is no
    longer there.
    """
    with open_container(path, end=end) as container:
        stream: Any = container.streams[stream_index]
        if stream.type != "video" or stream.codec_context is None:
            raise ValueError("has other streams than before")
        rows, size = (OneRow(clock_moves), OneRow(clock_moves)), end or path.stat().st_size
        may_repeat = stream.codec_context.codec.canonical_name not in _EACH_CODED
        found = _Found(interlaced, span, *rows, size, may_repeat)
        stream.codec_context.thread_type = "SLICE"
        try:
            for packet in packets(container, [stream]):
                alive()
                found.take(packet)
        except av.FFmpegError as error:
            refuse_shortage(error)
            found.unreadable = 1  # the rest
        return found.share()


@dataclass(slots=True)
class _Found:
    """Times of the packets that were sent to a decoder and of the whole pictures that came out."""

    interlaced: bool
    span: tuple[Fraction, Fraction] | None
    sent_row: OneRow
    whole_row: OneRow
    size: int
    may_repeat: bool
    """Whether a packet of a few bytes may say that the frame before it is shown on."""
    sent: list[float] = field(default_factory=list)
    leading: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    repeats: int = 0
    unreadable: int = 0
    first_key: int | None = None

    def take(self, packet: Any) -> None:
        """Decode a packet, whatever it is; one that the end of the file cuts off is not damaged but missing."""
        if is_cut_off(packet, self.size):
            return
        if packet.size and not packet.is_discard:
            decoded = packet.pts if packet.dts is None else packet.dts
            shift = 0 if decoded is None else self.sent_row.shift_at(decoded * packet.time_base)
            times = self.leading if self._is_leading(packet) else self.sent
            self._note(times, None if packet.pts is None else packet.pts * packet.time_base + shift)
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            refuse_shortage(error)
            return
        self.repeats += self.may_repeat and 0 < packet.size <= _REPEAT_BYTES
        for frame in frames:
            if not getattr(frame, "is_corrupt", False):
                time = None if frame.pts is None else frame.pts * frame.time_base  # exact, as the span is
                self._note(self.whole, None if time is None else time + self.whole_row.shift_at(time))

    def _is_leading(self, packet: Any) -> bool:
        """Return whether a frame needs what is not in the file: it comes, or is shown, before the first keyframe."""
        if self.first_key is None and packet.is_keyframe:
            self.first_key = packet.pts or 0
            return False
        early = packet.pts is not None and len(self.sent) < _MOST_REORDERED
        return self.first_key is None or (early and packet.pts < self.first_key)

    def _note(self, times: list[float], time: Fraction | None) -> None:
        if self.span is None or time is None or self.span[0] <= time < self.span[1]:
            times.append(math.nan if time is None else float(time))

    def share(self) -> float:
        """Whole pictures for each that should be there."""
        if self.first_key is None:  # as of an encoder that refreshes frames part by part
            self.sent, self.leading = [*self.leading, *self.sent], []
        decoded = len(self.whole)
        if self.leading:
            last = max(self.leading)
            decoded -= sum(time <= last for time in self.whole)
        wanted = len(self.sent) + _missing(self.sent) + self.unreadable
        wanted -= min(self.repeats, max(0, wanted - decoded))
        if self.interlaced and _gap(self.whole) * 2 > _gap(self.sent) * 3:
            wanted = (wanted + 1) // 2  # each was a field, as camcorders write them
        return min(1.0, decoded / wanted) if wanted else 1.0  # a held picture loses nothing


def _gaps(times: list[float]) -> list[float]:
    known = sorted(time for time in times if not math.isnan(time))
    return [after - before for before, after in pairwise(known) if after > before]


def _gap(times: list[float]) -> float:
    """Return the usual gap between times in any order; 0.0 where there are too few."""
    return median(gaps) if (gaps := _gaps(times)) else 0.0


def _missing(times: list[float]) -> int:
    """Return how many more times an even row would have; 0 for a row that is not even."""
    gaps, usual = _gaps(times), _gap(times)
    even = sum(abs(gap - usual) <= _SAME_GAP * usual for gap in gaps)
    if not gaps or even < _EVEN_SHARE * len(gaps):
        return 0
    return sum(round(gap / usual) - 1 for gap in gaps if gap > _HOLE * usual)

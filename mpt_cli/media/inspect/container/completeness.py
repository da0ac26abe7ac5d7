"""Say what of a file was not read: its end is missing, or another movie follows the first one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from mpt_cli.media.inspect.container.element_heads import ends_within_element
from mpt_cli.media.inspect.container.movie_heads import second_head, told_seconds
from mpt_cli.model.errors import Issue, IssueCode, ProbeError

if TYPE_CHECKING:
    from pathlib import Path

    from av.stream import Stream

    from mpt_cli.media.inspect.findings import Findings
    from mpt_cli.media.inspect.times.packet_times import Timeline

_TOLD_LENGTH = ("mov,mp4", "matroska", "avi", "flv", "asf", "mxf", "gxf", "rm", "ivf")
"""Containers whose length stands in a header; that of others is libav's estimate."""
_ENDS_AT_SECOND_HEAD = ("flv", "asf", "wtv", "yuv4mpegpipe")
_LEAST_LOSS_SECONDS, _LEAST_LOSS = Fraction(1, 2), Fraction(1, 10)
"""A header that says less more than what is held may be wrong; a file that was cut off shows it otherwise."""
_HINT = "look for a whole copy"
_LEAST_KNOWN = Fraction(1, 20)
_TRACK_LENGTHS_IN_FRAGMENTS = "mov,mp4"
"""Containers whose tracks have lengths also where a header counts no frames: from the heads of their fragments."""
_SURELY_LESS = Fraction(1, 4)
"""Of a length that is only known from bytes: the second movie may be coded in another way."""
_HALF = Fraction(1, 2)
_LEAST_APART = Fraction(1, 10)
"""Seconds between the ends of video and audio that are said."""
_SLACK = Fraction(1, 20)
"""Seconds of padding and rounding that do not count when halves are compared."""


def unread_issues(path: Path, found: Findings, timeline: Timeline) -> tuple[Issue, ...]:
    """Return warnings for what was not read of a file; ProbeError where that is most of it."""
    if not found.scanned:
        return ()
    other = _other_movie(path, found, timeline)
    issues = (other or _missing_end(path, found, timeline),)
    return tuple(issue for issue in issues if issue is not None)


@dataclass(frozen=True, slots=True)
class _Share:
    """Seconds of a file, or of one track, that are held and that were promised."""

    held: Fraction
    promised: Fraction | None
    of: str = ""

    @property
    def lost(self) -> Fraction:
        """Seconds that are known to be missing."""
        return Fraction(0) if self.promised is None else self.promised - self.held

    def __str__(self) -> str:
        """Return what is held of what was promised."""
        if self.promised is None:
            return f"it holds {float(self.held):.2f} s, and how much is missing is not known"
        if self.lost < _LEAST_KNOWN:
            return f"it holds {float(self.held):.2f} s, and its last frame or audio is not whole"
        return f"{float(self.held):.2f} s of {float(self.promised):.2f} s{self.of} are there"


def _missing_end(path: Path, found: Findings, timeline: Timeline) -> Issue | None:
    share, cut, extent = _share(found, timeline), _was_cut(path, found), found.extent
    if not (cut or found.broken):
        if share.promised is None or share.lost <= max(_LEAST_LOSS_SECONDS, share.promised * _LEAST_LOSS):
            return None
        message = f"lasts {float(share.promised):.2f} s by its header but holds {float(share.held):.2f} s"
        return Issue(IssueCode.TRUNCATED, message, path, _HINT)
    if share.promised is None:
        total = extent.promised_bytes if cut else extent.size
        guess = share.held * (total or 0) / (extent.size if cut else max(1, found.reach))
        share = replace(share, promised=guess if guess - share.held >= _LEAST_KNOWN else None)
    elif share.lost < 1 / timeline.frame_rate and not (found.ends_in_packet or extent.ends_early):
        return None  # what is missing is no media
    message = f"was cut off: {share}" if cut else f"cannot be read to its end: {share}"
    message += _ends(found, timeline)
    if share.promised is not None and share.held + _SLACK < share.promised * _HALF:
        raise ProbeError(IssueCode.TRUNCATED, message, path=path, hint=_HINT)
    return Issue(IssueCode.TRUNCATED, message, path, _HINT)


def _was_cut(path: Path, found: Findings) -> bool:
    """Return whether the file ends before its container or its last packet does, or reading it ended in an error."""
    extent, name = found.extent, found.container.format.name
    if extent.is_cut or found.ends_in_packet:
        return True
    if name.startswith("matroska"):
        return extent.next_movie is None and ends_within_element(path, found.reach)
    return name in ("yuv4mpegpipe", "dv") and found.reach != extent.size


def _share(found: Findings, timeline: Timeline) -> _Share:
    """Return the share of the whole file, or that of one track of which more is missing."""
    start = min(Fraction(0), Fraction(found.container.start_time or 0, av.time_base))  # a late one is a part of it
    audio, last_audio = found.track, max((track.end for track in found.tracks), default=timeline.end)
    promised = _promised(found)
    if promised is None:
        start = min(timeline.first, found.sound.start) if found.sound is not None else timeline.first
    if found.clock.moves or timeline.told_end is not None:  # then the header counts what is no part of the clip
        return _Share(max(timeline.end, last_audio) - start, None)
    whole = _Share(max(timeline.end, last_audio) - start, promised)
    if promised is None:
        return whole
    shares = [
        _track_share(found.video, timeline.end),
        _track_share(audio.stream, audio.end) if audio is not None and audio.is_decoded else None,
    ]
    worst = max((share for share in shares if share is not None), key=lambda share: share.lost, default=whole)
    least = _LEAST_KNOWN if found.ends_in_packet or found.extent.ends_early else _LEAST_LOSS_SECONDS
    return worst if worst.lost > max(whole.lost, least) else whole


def _ends(found: Findings, timeline: Timeline) -> str:
    """Return when video and audio end, where one goes on without the other."""
    if found.sound is None or abs(found.sound.end - timeline.end) < _LEAST_APART:
        return ""
    start = min(timeline.first, found.sound.start)
    video, audio = (float(end - start) for end in (timeline.end, found.sound.end))
    return f" (video ends at {video:.2f} s, audio at {audio:.2f} s)"


def _track_share(stream: Stream | None, end: Fraction) -> _Share | None:
    """Return the share of a track that ends at this time, where its header tells its length."""
    if stream is None or not stream.duration or stream.time_base is None:
        return None
    if not stream.frames and not stream.container.format.name.startswith(_TRACK_LENGTHS_IN_FRAGMENTS):
        return None
    promised = (stream.duration + min(0, stream.start_time or 0)) * Fraction(stream.time_base)
    return _Share(end, promised, f" of its {stream.type}")


def _promised(found: Findings) -> Fraction | None:
    """Return the length of the file by its header, in seconds."""
    container, video = found.container, found.video
    if found.extent.promised_seconds is not None:
        return found.extent.promised_seconds
    if not container.format.name.startswith(_TOLD_LENGTH) or not container.duration or found.extent.reads_on:
        return None
    length = Fraction(container.duration, av.time_base)
    if container.format.name == "avi" and video.frames and video.average_rate:
        return max(length, video.frames / Fraction(video.average_rate))  # libav takes less for a file that was cut
    return length


def _other_movie(path: Path, found: Findings, timeline: Timeline) -> Issue | None:
    extent = found.extent
    begin = extent.end
    if begin is None and found.container.format.name in _ENDS_AT_SECOND_HEAD and found.reach < extent.size:
        begin = second_head(path, found.reach)
    if begin is None:
        return None
    held = timeline.end - timeline.first
    missing = extent.size - begin
    told = extent.next_seconds or told_seconds(path, begin)
    seconds = told or held * missing / begin
    message = f"holds another movie behind its end, about {float(seconds):.1f} s ({missing} bytes), which is not read"
    hint = "write each movie into a file of its own, and name the files in their order"
    if held + 2 * _SLACK < (told or seconds * _SURELY_LESS):
        raise ProbeError(IssueCode.DATA_NOT_READ, message, path=path, hint=hint)
    return Issue(IssueCode.DATA_NOT_READ, message, path, hint)

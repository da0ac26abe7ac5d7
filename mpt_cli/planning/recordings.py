"""Place the pieces of one recording in a reel as if they were one file (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from mpt_cli.model.splice import Neighbour, Splice
from mpt_cli.model.timing import round_half_up, sample_boundary
from mpt_cli.planning.recording_borders import ZEROED_PACKETS, border_of, coded_audio, video_begin, video_end
from mpt_cli.planning.used_clip import MOST_LEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpt_cli.planning.recording_borders import Border
    from mpt_cli.planning.used_clip import UsedClip

_MOST_OFF = Fraction(3, 2000)
"""Seconds by which the samples of all pieces in a row may leave the clock of one; if they do, they follow it again."""
_OFF_GRID = Fraction(1, 500)
"""Seconds by which the frames of a piece in a constant rate may miss the length that its rounded times give."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A clip, its border to the piece before, and where its first frame is in the reel, in seconds from the first."""

    used: UsedClip
    border: Border | None
    time: Fraction


def in_recordings(
    clips: Sequence[UsedClip], rate: Fraction, sample_rate: int, alone: Callable[[UsedClip], UsedClip]
) -> list[UsedClip]:
    """Return clips so that those which are pieces of one recording follow each other without a seam.

    Frames are counted, and samples placed, over the whole recording: rounded in each piece by itself, audio would
    leave the video and a frame would be lost or repeated.

    Args:
        clips: The clips in the order of the reel.
        rate: Frames per second of the reel.
        sample_rate: Samples per second of the reel.
        alone: Returns a clip that is no such piece as it is used.
    """
    placed: list[UsedClip] = []
    for group in _groups(clips):
        frames = sum(each.segment.frames for each in placed)
        pieces = _pieces(group) if len(group) > 1 else []
        found = _placed(pieces, rate, sample_rate, frames) if pieces else []
        placed += found or [alone(used) for used, _ in group]
    return placed


def _groups(clips: Sequence[UsedClip]) -> list[list[tuple[UsedClip, Border | None]]]:
    """Return the clips in runs of pieces, each with its border to the one before."""
    groups: list[list[tuple[UsedClip, Border | None]]] = []
    for number, used in enumerate(clips):
        border = border_of(clips[number - 1], used) if number else None
        if border is None:
            groups.append([])
        groups[-1].append((used, border))
    return groups


def _pieces(group: Sequence[tuple[UsedClip, Border | None]]) -> list[_Piece]:
    """Return the pieces of a recording with the times of their first frames."""
    first = group[0][0]
    time = video_begin(first.media) - _origin(first)
    pieces: list[_Piece] = []
    for number, (used, border) in enumerate(group):
        pieces.append(_Piece(used, border, time))
        following = group[number + 1] if number + 1 < len(group) else None
        time += _length(used, following)
    return pieces


def _origin(used: UsedClip) -> Fraction:
    """Return when the first piece of a recording begins: with its first frame, unless it is trimmed or led by audio."""
    media, begin = used.media, video_begin(used.media)
    if used.clip.start or not 0 <= begin - media.zero < MOST_LEAD:
        return media.zero + used.clip.start
    return begin


def _length(used: UsedClip, following: tuple[UsedClip, Border | None] | None) -> Fraction:
    """Return the seconds from the first frame of a piece to that of the next one."""
    media, end = used.media, video_end(used.media)
    if following is not None and following[1] is not None and following[1].shares_clock:
        end = video_begin(following[0].media)
    length = end - video_begin(media)
    if media.video.variable_frame_rate or media.copy_traits is None or not media.copy_traits.on_grid:
        return length
    even = round_half_up(length * media.video.frame_rate) / media.video.frame_rate
    return even if abs(even - length) <= _OFF_GRID else length


def _placed(pieces: Sequence[_Piece], rate: Fraction, sample_rate: int, before: int) -> list[UsedClip]:
    """Return the pieces behind ``before`` frames of the reel; none where one of them has no frame of its own."""
    last = pieces[-1].used
    ends = pieces[-1].time + last.media.zero + last.end - video_begin(last.media)
    bounds = [0, *(round_half_up(piece.time * rate) for piece in pieces[1:]), round_half_up(ends * rate)]
    if any(one >= other for one, other in pairwise(bounds)):
        return []
    placed = [
        _with_frames(piece, Fraction(first) / rate, end - first, rate)
        for piece, (first, end) in zip(pieces, pairwise(bounds), strict=True)
    ]
    begun = sample_boundary(before, rate, sample_rate)
    offsets = [Fraction(sample_boundary(before + first, rate, sample_rate) - begun, sample_rate) for first in bounds]
    return _spliced(placed, pieces, offsets)


def _with_frames(piece: _Piece, begin: Fraction, frames: int, rate: Fraction) -> UsedClip:
    """Return a piece with its frames; ``begin`` is when the first of them is shown in the recording."""
    used = piece.used
    media, clip = used.media, used.clip
    zero = video_begin(media) + begin - piece.time - clip.start
    reason = f"continues the clip before: {piece.border.reason}" if piece.border is not None else None
    return replace(
        used,
        media=replace(media, zero=zero, duration=frames / rate + clip.start),
        segment=replace(used.segment, frames=frames),
        reason=reason,
    )


def _spliced(placed: Sequence[UsedClip], pieces: Sequence[_Piece], offsets: Sequence[Fraction]) -> list[UsedClip]:
    """Return pieces with the place of their samples; ``offsets`` are when each begins in the recording."""
    first = placed[0]
    assert first.media.audio is not None
    rate = first.media.audio.sample_rate
    torn = [0 if piece.border is None else round(piece.border.torn_seconds * rate) for piece in pieces]
    counts = [coded_audio(used.media).samples for used in placed]
    begins = [sum(torn[: number + 1]) + done for number, done in enumerate([0, *accumulate(counts)][:-1])]
    late = first.media.zero + first.clip.start - coded_audio(first.media).first  # of the reel behind the first sample
    spliced: list[UsedClip] = []
    for number, (used, piece, offset) in enumerate(zip(placed, pieces, offsets, strict=False)):
        coded, origin = coded_audio(used.media), used.media.zero + used.clip.start
        moved = origin - late - offset + Fraction(begins[number], rate) - coded.first
        zeroed = piece.border is not None and piece.border.zeroed
        if abs(moved) > (Fraction(ZEROED_PACKETS * coded.packet, rate) if zeroed else _MOST_OFF + coded.tick):
            late, moved = late + moved, Fraction(0)
        before = _neighbour(placed, number - 1, pieces[number].border) if number else None
        after = _neighbour(placed, number + 1, pieces[number + 1].border) if number + 1 < len(placed) else None
        zero = origin - late - offset
        splice = Splice(before, after, zero, begins[number], coded.samples, rate, moved, _audio_end(used))
        spliced.append(_with_splice(used, splice))
    return spliced


def _with_splice(used: UsedClip, splice: Splice) -> UsedClip:
    media = used.media
    assert media.audio is not None
    track = replace(media.audio, irregular=True, spliced=True)
    return replace(used, media=replace(media, audio=track, audio_with=()), splice=splice)


def _neighbour(placed: Sequence[UsedClip], number: int, border: Border | None) -> Neighbour:
    """Return a piece as a neighbour of the one beyond a border."""
    used = placed[number]
    track = used.media.audio
    assert track is not None
    assert border is not None
    torn = border.torn if border.torn[0] < border.torn[1] else None
    return Neighbour(used.clip.path, track.index, used.media.readable_bytes, _audio_end(used), torn)


def _audio_end(used: UsedClip) -> Fraction:
    coded, track = coded_audio(used.media), used.media.audio
    assert track is not None
    return coded.first + Fraction(coded.samples, track.sample_rate)

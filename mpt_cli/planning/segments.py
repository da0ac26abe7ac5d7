"""Segments of a long clip: where it is cut for processing (pure).

Several cores can then encode one clip, and a run that was killed continues from the finished segments. Borders
follow from the clip, its trim and the target format only, never from cores: the reel is the same bytes on every
machine, and the cache finds the segments again.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg.segment_commands import segment_origin
from mpt_cli.model.clips import Segment
from mpt_cli.model.errors import IssueCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from mpt_cli.model.clips import TargetForm, VideoClip
    from mpt_cli.model.media_info import MediaInfo

_LEAST_SECONDS, _USUAL_SECONDS, _MOST_SECONDS = 16, 20, 24
_LEAST_LAST_SECONDS = 8
"""Each segment costs the start of an ffmpeg and the frames from the last keyframe on: 2 % of its time at 20 s of
1080x1920, where a segment of 5 s would pay 8 % (measured, ffmpeg 9)."""
ASSUMED_TIMES = {
    IssueCode.DAMAGED,
    IssueCode.DATA_NOT_READ,
    IssueCode.IMPLAUSIBLE_DURATION,
    IssueCode.LEADING_FRAMES_LOST,
    IssueCode.NO_TIMESTAMPS,
    IssueCode.TIMESTAMPS_REPAIRED,
    IssueCode.TRUNCATED,
}
"""Warnings of files with times that are assumed in part; decoders may assume others."""


def segments_of(clip: VideoClip, media: MediaInfo, whole: Segment, form: TargetForm) -> list[Segment]:
    """Return the segments of a clip that is encoded, in order.

    Args:
        clip: The clip.
        media: Description of its file.
        whole: All output frames of the clip.
        form: The target format.
    """
    frames, rate = whole.frames, form.frame_rate
    if not is_long(frames, rate) or reason_to_stay_whole(media) is not None:
        return [whole]

    def lead(border: int) -> Fraction:
        """Return the seconds that are decoded before a border, for nothing."""
        origin = segment_origin(clip, media, replace(whole, first_frame=border), rate)
        sought = media.seek_point_for(origin)
        return origin - (media.zero if sought is None else sought)

    bounds = [*borders(frames, rate, _group_frames(form), lead), frames]
    return [Segment(whole.clip_index, first, end - first) for first, end in pairwise(bounds)]


def is_long(frames: int, frame_rate: Fraction) -> bool:
    """Return whether a clip of this many frames is cut into segments."""
    return frames > _MOST_SECONDS * frame_rate


def borders(frames: int, frame_rate: Fraction, group: int, lead: Callable[[int], Fraction]) -> list[int]:
    """Return the first frame of each segment of a clip.

    Each is a multiple of a group of pictures, so that keyframes stand where they would in one piece, and of those
    in reach the one that is nearest behind a keyframe of the source.

    Args:
        frames: Number of output frames of the clip.
        frame_rate: Output frames per second.
        group: Frames from one keyframe of the encoder to the next.
        lead: Returns the seconds of the source that must be decoded before a border.
    """
    found = [0]
    while is_long(frames - found[-1], frame_rate):
        last = found[-1]
        least = -((-(last + _LEAST_SECONDS * frame_rate)) // group)
        most = min(last + _MOST_SECONDS * frame_rate, frames - _LEAST_LAST_SECONDS * frame_rate) // group
        usual = last + _USUAL_SECONDS * frame_rate
        in_reach = [number * group for number in range(int(least), int(most) + 1)]
        if not in_reach:
            break
        found.append(min(in_reach, key=lambda border: (lead(border), abs(border - usual))))
    return found


def reason_to_stay_whole(media: MediaInfo) -> str | None:
    """Return why a file is read from its start only; None where decoding may begin in its middle."""
    if media.clock_moves:
        return "its clock jumps"
    if media.suspect or any(warning.code in ASSUMED_TIMES for warning in media.warnings):
        return "it is damaged, or its times are assumed"
    if media.video.changes_size:
        return "its frames change in size"
    if not media.seek_points or media.frame_times is None or media.shows_hidden:
        return "no place in it can be sought exactly"
    return None


def _group_frames(form: TargetForm) -> int:
    return int(form.encoder.named_options["-g"])

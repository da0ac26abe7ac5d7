"""The part of a clip that a reel uses, before it is decided what is done with it (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.model.clips import Segment
from mpt_cli.model.timing import frame_count

if TYPE_CHECKING:
    from mpt_cli.config.sections import Config
    from mpt_cli.model.clips import VideoClip
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.splice import Splice

MOST_LEAD = Fraction(1, 10)
"""Seconds that audio may begin before the frames without being content: the priming of its encoder, or the way in
which a recorder interleaves. The same length is ignored at the end of a clip.
"""


@dataclass(frozen=True, slots=True)
class UsedClip:
    """A clip, the description of its file, and the output frames that the reel shows of it.

    Attributes:
        index: Index of the clip in the request.
        clip: The clip.
        media: Description of its file.
        segment: Its output frames.
        duration: Exact seconds that are used.
        splice: The files around whose audio is decoded with that of the clip, or None.
        reason: Why it goes on with the clip before, or None.
    """

    index: int
    clip: VideoClip
    media: MediaInfo
    segment: Segment
    duration: Fraction
    splice: Splice | None = None
    reason: str | None = None

    @property
    def end(self) -> Fraction:
        """Seconds from the start of the file to the end of what is used."""
        return self.clip.start + self.duration

    @property
    def reaches_end(self) -> bool:
        """True if it is used up to the end of its file."""
        return self.end >= self.media.duration


def wanted_duration(clip: VideoClip, media: MediaInfo, config: Config) -> Fraction:
    """Return the exact seconds of a clip that are used: its trim, cut to the longest allowed."""
    end = media.duration if clip.end is None else min(clip.end, media.duration)
    duration = end - clip.start
    limit = config.video.max_clip_duration
    return duration if limit is None else min(duration, limit)


def used_clip(index: int, clip: VideoClip, media: MediaInfo, config: Config, rate: Fraction) -> UsedClip:
    """Return a clip with its output frames at this rate."""
    duration = wanted_duration(clip, media, config)
    return UsedClip(index, clip, media, Segment(index, 0, frame_count(duration, rate)), duration)


def from_first_frame(used: UsedClip, config: Config, rate: Fraction) -> UsedClip:
    """Return a whole clip without the little audio before its first frame.

    A copied frame cannot be held until the audio has caught up, as an encoded one is.
    """
    media, clip = used.media, used.clip
    lead = media.video_start - media.zero
    if not 0 < lead < MOST_LEAD or clip.start or clip.end is not None:
        return used
    later = replace(media, zero=media.video_start, duration=media.duration - lead)
    return used_clip(used.index, clip, later, config, rate)

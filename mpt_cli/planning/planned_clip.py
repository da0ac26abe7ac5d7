"""The action for one clip of a plan, and the command that it follows from (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, Tracks

if TYPE_CHECKING:
    from fractions import Fraction

    from mpt_cli.model.clips import Segment, TargetForm, VideoClip
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.splice import Splice


@dataclass(frozen=True, slots=True)
class Recipe:
    """A command that encodes a clip, with placeholders for its files, and what it follows from.

    ffmpeg-python takes 2 ms to write one, so the command of the cache key also serves the run.
    """

    clip: VideoClip
    media: MediaInfo
    segment: Segment
    form: TargetForm
    text: str
    """The arguments, with a NUL between them."""

    def is_of(self, planned: PlannedClip, form: TargetForm) -> bool:
        """Return whether this is the command of a clip, but for the names of its files."""
        same = self.media is planned.media and (self.segment, self.form) == (planned.segment, form)
        return same and self.clip == replace(planned.clip, path=self.clip.path)


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """The action for one clip. ``index`` counts in the request; the order of the plan is that of the reel.

    A long clip has ``parts``: the segments of its frames in order, then its audio. Each is a planned clip of its own,
    with a shorter ``segment`` or one of the ``tracks``, and is processed, cached and repeated by itself.
    """

    index: int
    clip: VideoClip
    media: MediaInfo
    segment: Segment
    action: Action
    reasons: tuple[str, ...]
    need_bytes: int
    work: int
    """Pixels decoded plus pixels encoded: what orders clips, longest first."""
    copied_from: Fraction | None = None
    """When the first copied frame is shown, in the clock of the file; None where the file is joined as it is."""
    key: str | None = None
    """Cache key of its segment; None where nothing is cached."""
    content: str | None = None
    """Hash of the file that the key is made of."""
    recipe: Recipe | None = None
    """The command that the key is made of."""
    tracks: Tracks = Tracks.BOTH
    splice: Splice | None = None
    """The files around whose audio is decoded with that of the clip; None where it begins and ends by itself."""
    parts: tuple[PlannedClip, ...] = ()
    like_source: bool = False
    """True to encode frames in profile and level of the file, whose other frames are copied beside them."""

    @property
    def steps(self) -> tuple[PlannedClip, ...]:
        """Its parts; the clip itself where it is processed in one piece."""
        return self.parts or (self,)

    @property
    def encodes_frames(self) -> bool:
        """True if frames are encoded, and not only copied, reused, or left to other parts."""
        return self.action is Action.ENCODE and self.tracks is not Tracks.AUDIO

    @property
    def encoded_frames(self) -> int:
        """Number of its frames that an encoder makes, or has made for an earlier run."""
        made = (step for step in self.steps if step.tracks is not Tracks.AUDIO and step.action is not Action.COPY)
        return sum(step.segment.pictures for step in made)

    @property
    def whole(self) -> PlannedClip:
        """The same, to be encoded in one piece."""
        return replace(self, parts=(), action=Action.ENCODE, key=None, recipe=None)

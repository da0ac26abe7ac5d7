"""Contact sheet and poster of a finished reel, drawn with Pillow.

Pictures are taken from the published file, so that they show what is there.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from mpt_cli.model.formatting import counted, exact_seconds_text, rate_text
from mpt_cli.model.results import ClipStatus
from mpt_cli.reporting import pictures, sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mpt_cli.model.clips import Dimensions
    from mpt_cli.model.media_info import Still
    from mpt_cli.model.results import ClipResult, OutputInfo
    from mpt_cli.runtime.cancel import CancelToken


class TakesStills(Protocol):
    """Takes stills out of files."""

    def stills(self, path: Path, times: Sequence[Fraction], box: Dimensions, cancel: CancelToken) -> list[Still | None]:
        """Return the frames that a file shows at these times, None where there is none."""
        ...


class ReelPictures:
    """Contact sheet and poster of one reel; its stills are taken once."""

    def __init__(
        self, source: TakesStills, reel: OutputInfo, clips: Sequence[ClipResult], clips_in_all: int, cancel: CancelToken
    ) -> None:
        """Keep what is to be drawn; nothing is taken yet.

        Args:
            source: Takes stills.
            reel: The published reel.
            clips: The clips to show.
            clips_in_all: Number of clips in the request.
            cancel: Stops the work.
        """
        self._source, self._reel, self._clips = source, reel, clips
        self._clips_in_all, self._cancel = clips_in_all, cancel

    @cached_property
    def layout(self) -> sheet.Layout:
        """The grid of the sheet."""
        return sheet.layout_for(len(self._clips), self._reel.dimensions)

    @cached_property
    def stills(self) -> Mapping[int, Still]:
        """The frame in the middle of each clip, by its index among the clips shown."""
        times = [middle_of(clip, self._reel) for clip in self._clips]
        found = self._source.stills(self._reel.path, times, self.layout.picture, self._cancel)
        return {place: still for place, still in enumerate(found) if still is not None}

    def sheet(self) -> pictures.Picture:
        """Draw one frame of each clip."""
        if not self.stills:
            raise ValueError("the reel shows no picture")
        cells = [
            sheet.Cell(clip.index + 1, clip.path.name, clip.start or Fraction(0), clip.duration or Fraction(0), still)
            for clip, still in ((clip, self.stills.get(place)) for place, clip in enumerate(self._clips))
        ]
        reel = self._reel
        number = counted(len(cells), "clip")
        if (shown := len(cells)) < self._clips_in_all:
            number = f"{shown} of {counted(self._clips_in_all, 'clip')}"
        facts = (number, exact_seconds_text(reel.duration), str(reel.dimensions), f"{rate_text(reel.frame_rate)} fps")
        return sheet.draw_sheet(reel.path.name, " · ".join(facts), cells, self.layout)

    def poster(self) -> pictures.Picture:
        """Return the most telling of the middle frames, at full size."""
        best = pictures.best_still(self.stills)
        if best is None:
            raise ValueError("the reel shows no picture")
        time = middle_of(self._clips[best], self._reel)
        still = self._source.stills(self._reel.path, [time], self._reel.dimensions, self._cancel)[0]
        if still is None:
            raise ValueError("its picture does not decode at full size")
        return pictures.image_of(still)


def clips_shown(clips: Sequence[ClipResult], most: int = sheet.MOST_CELLS) -> list[ClipResult]:
    """Return the clips that are in the reel, in its order; of too many, a selection from all over it."""
    inside = [clip for clip in clips if clip.status is ClipStatus.PROCESSED and clip.start is not None]
    inside.sort(key=lambda clip: clip.start or Fraction(0))
    if len(inside) <= most:
        return inside
    return [inside[place * len(inside) // most] for place in range(most)]


def middle_of(clip: ClipResult, reel: OutputInfo) -> Fraction:
    """Return a time at which the reel shows the middle frame of a clip: half a frame after that frame begins.

    Not at its start, which Matroska rounds to a millisecond.
    """
    assert clip.start is not None
    assert clip.frames is not None
    return clip.start + (clip.frames // 2 + Fraction(1, 2)) / reel.frame_rate

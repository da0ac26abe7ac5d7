"""JoinOrder: what is to be joined, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.timing import sample_boundary

if TYPE_CHECKING:
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.clips import ProcessedClip, TargetForm


@dataclass(frozen=True, slots=True)
class JoinOrder:
    """What is to be joined: clips in the order of the reel, and the rules that hold."""

    clips: tuple[ProcessedClip, ...]
    form: TargetForm
    allow_mixed: bool
    timeout_seconds: float
    chapters: tuple[Chapter, ...] = ()
    reuse: bool = True
    """Whether what was finished before may be used, and what is finished now is kept."""
    engine: str | None = None
    """The only engine to join by; None for all in their order, after a byte copy where that is enough."""
    fallback: bool = True
    """Whether another engine may have its turn after one that failed."""
    stall_seconds: float | None = None
    """How long a join may stand still, beside the time that its file takes to be copied."""

    @property
    def seconds(self) -> float:
        """Length of the reel."""
        return float(self._frames / self.form.frame_rate)

    @property
    def samples(self) -> int:
        """Samples of its sound."""
        return sample_boundary(self._frames, self.form.frame_rate, self.form.sample_rate)

    @property
    def _frames(self) -> int:
        return sum(clip.segment.frames for clip in self.clips)

"""JoinOrder: the clips of a reel in their order, and the rules of their join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.media.formats.chapters import reel_chapters
from mpt_cli.model.choices import JoinMethod
from mpt_cli.model.timing import sample_boundary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.config.sections import Config
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.planning.plan import Plan

MOVIEPY = "MoviePy"
"""Name of the engine that ``--method moviepy`` asks for."""
_LEAST_SECONDS, _SECONDS_PER_SECOND = 600, 5
"""A join may take ten minutes and five times the reel, unless the configuration says otherwise."""


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


def join_order(clips: Sequence[ProcessedClip], plan: Plan, config: Config, method: JoinMethod | None) -> JoinOrder:
    """Return the order to join these clips, which are in the order of the reel.

    Args:
        clips: The clips that were processed.
        plan: The plan that they were processed by.
        config: The configuration of the request.
        method: The join method of ``mpt concat``; None for ``mpt process``.
    """
    seconds = sum(clip.segment.frames for clip in clips) / plan.form.frame_rate
    return JoinOrder(
        tuple(clips),
        plan.software_form or plan.form,  # a join that must encode again is no place to find that hardware fails
        plan.mixed_parameter_sets,
        float(config.concat.timeout or _LEAST_SECONDS + _SECONDS_PER_SECOND * seconds),
        chapters=reel_chapters(clips, plan.form.frame_rate) if config.concat.chapters else (),
        reuse=config.cache.enabled,
        engine=MOVIEPY if method is JoinMethod.MOVIEPY else None,
        # --method copy means it, and no other engine copies.
        fallback=config.concat.fallback and method is not JoinMethod.COPY,
        stall_seconds=float(config.processing.stall_timeout),
    )

"""JoinOrder: the clips of a reel in their order, and the rules of their join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.audio import is_encoded_apart
from mpt_cli.media.formats.chapters import reel_chapters
from mpt_cli.model.choices import JoinMethod
from mpt_cli.model.timing import sample_boundary
from mpt_cli.planning.levels import wanted_levels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.loudness import WantedLevels
    from mpt_cli.planning.plan import Plan

MOVIEPY = "MoviePy"
"""Name of the engine that ``--method moviepy`` asks for."""
_LEAST_SECONDS, _SECONDS_PER_SECOND = 600, 5
"""Time limit of a join: ten minutes and five times the reel, unless the configuration has one."""


@dataclass(frozen=True, slots=True)
class JoinOrder:
    """Order of a join: clips in the order of the reel, and the rules of the join."""

    clips: tuple[ProcessedClip, ...]
    form: TargetForm
    allow_mixed: bool
    timeout_seconds: float
    chapters: tuple[Chapter, ...] = ()
    reuse: bool = True
    """True to take encoded audio from the cache, and to store it there."""
    engine: str | None = None
    """Name of the only engine; None for all in their order, after a byte copy where that is enough."""
    fallback: bool = True
    """True to try another engine after one that failed."""
    stall_seconds: float | None = None
    """Seconds that a join may show no progress, beside the time to copy its file."""
    levels: WantedLevels | None = None
    """Levels that are asked for; None to leave the audio as it is, unmeasured."""
    levelled: Path | None = None
    """Raw PCM of the reel with these levels, once it is there."""

    @property
    def seconds(self) -> float:
        """Length of the reel in seconds."""
        return float(self._frames / self.form.frame_rate)

    @property
    def samples(self) -> int:
        """Number of audio samples of the reel."""
        return sample_boundary(self._frames, self.form.frame_rate, self.form.audio.sample_rate)

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
        # --method copy means it, and no other engine copies; none makes frames such as the clips have, either.
        fallback=config.concat.fallback
        and method is not JoinMethod.COPY
        and plan.form.kept is None
        and is_encoded_apart(plan.form.audio),  # nor does MoviePy write other audio
        stall_seconds=float(config.processing.stall_timeout),
        levels=wanted_levels(plan, config, method),
    )

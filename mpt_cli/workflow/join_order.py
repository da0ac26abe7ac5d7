"""What a run asks of its join: the clips in the order of the reel, and the rules that its configuration gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.concatenation.moviepy import MoviePyConcatenator
from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.media.formats.chapters import reel_chapters
from mpt_cli.model.choices import JoinMethod

if TYPE_CHECKING:
    from mpt_cli.planning.plan import Plan
    from mpt_cli.workflow.run_state import Run

_JOIN_SECONDS, _JOIN_SECONDS_PER_SECOND = 600, 5
"""The join may take ten minutes and five times the reel, unless the configuration says otherwise."""


def join_order(run: Run, plan: Plan) -> JoinOrder:
    """The order to join the clips of a run that were processed."""
    clips = tuple(result.clip for result in run.good() if result.clip is not None)
    seconds = sum(clip.segment.frames for clip in clips) / plan.form.frame_rate
    timeout = run.config.concat.timeout or _JOIN_SECONDS + _JOIN_SECONDS_PER_SECOND * seconds
    method = run.params.join
    return JoinOrder(
        clips,
        plan.software_form or plan.form,  # a join that must encode again is no place to find that hardware fails
        plan.mixed_parameter_sets,
        float(timeout),
        chapters=reel_chapters(clips, plan.form.frame_rate) if run.config.concat.chapters else (),
        reuse=run.config.cache.enabled,
        engine=MoviePyConcatenator.name if method is JoinMethod.MOVIEPY else None,
        # --method copy means it, and no other engine copies.
        fallback=run.config.concat.fallback and method is not JoinMethod.COPY,
        stall_seconds=float(run.config.processing.stall_timeout),
    )

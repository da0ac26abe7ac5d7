"""Reuse: the clips of a plan whose segment is in the cache, or will be encoded for an equal clip."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.planning.plan import costed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.planning.plan import Plan
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.planning.recipe import Recipes
    from mpt_cli.storage.store import Store

FINISHED_BEFORE = "finished before"
"""Why a clip is reused whose segment is in the cache."""


class Reuse:
    """Find finished segments in a cache."""

    def __init__(self, recipes: Recipes, cache: Store, content: Callable[[Path], str]) -> None:
        """Look into this cache; ``content`` returns the hash of a file's bytes, and may raise OSError."""
        self._recipes, self._cache, self._content = recipes, cache, content

    def apply(self, plan: Plan) -> Plan:
        """Return the plan without encoding what is in the cache, or what an equal clip of the plan encodes."""
        first = dict[str, int]()
        clips = tuple(self._without_finished(clip, plan.light_form, first) for clip in plan.clips)
        again = costed(plan.form, plan.light_form, clips, plan.jobs, plan.seed, mixed=plan.mixed_parameter_sets)
        return replace(again, output_bytes=plan.output_bytes)

    def _without_finished(self, clip: PlannedClip, form: TargetForm, first: dict[str, int]) -> PlannedClip:
        """Return a clip with the keys of its steps, those in the cache to be reused.

        Args:
            clip: The clip.
            form: The format that keys are made of.
            first: Index of the first clip with a step of each key, which grows here.
        """
        if all(step.action is not Action.ENCODE for step in clip.steps):
            return clip
        try:
            content = self._content(clip.clip.path)
            clip = _with_contents(clip, self._content)
        except OSError:  # a file that is gone is missed where it is needed
            return clip
        keyed = replace(clip, content=content)
        if not clip.parts:
            return self._reused(self._keyed(keyed, form), first)
        if clip.action is Action.COPY:
            return _of_parts(keyed, tuple(self._cached(part, content, form, first) for part in clip.parts))
        whole = self._keyed(keyed.whole, form)  # so it was stored where its segments could not be proven
        if (stored := self._reused(whole, {})).action is Action.REUSE:
            return stored
        return _of_parts(keyed, tuple(self._cached(part, content, form, first) for part in clip.parts))

    def _cached(self, part: PlannedClip, content: str, form: TargetForm, first: dict[str, int]) -> PlannedClip:
        part = replace(part, content=content)
        return self._reused(self._keyed(part, form), first) if part.action is Action.ENCODE else part

    def _keyed(self, step: PlannedClip, form: TargetForm) -> PlannedClip:
        assert step.content is not None
        key, recipe = self._recipes.keyed(step, form, step.content)
        return replace(step, key=key, recipe=recipe)

    def _reused(self, step: PlannedClip, first: dict[str, int]) -> PlannedClip:
        assert step.key is not None
        index = first.setdefault(step.key, step.index)
        if self._cache.has(step.key):
            return reused(step, FINISHED_BEFORE)
        return step if index == step.index else reused(step, f"the same as clip {index + 1}")


def _with_contents(clip: PlannedClip, content: Callable[[Path], str]) -> PlannedClip:
    """Return a clip that knows the contents of the files around that are decoded with it."""
    if clip.splice is None:
        return clip
    parts = tuple(_with_contents(part, content) for part in clip.parts)
    return replace(clip, splice=clip.splice.with_contents(content), parts=parts)


def reused(step: PlannedClip, reason: str) -> PlannedClip:
    """Return a step that takes its result from the cache."""
    return replace(step, action=Action.REUSE, reasons=(reason,), work=0, need_bytes=0)


def _of_parts(clip: PlannedClip, parts: tuple[PlannedClip, ...]) -> PlannedClip:
    """Return a clip with other parts, and what follows from them for the whole."""
    left = [part for part in parts if part.action is Action.ENCODE]
    finished = list(dict.fromkeys(reason for part in parts if part.action is Action.REUSE for reason in part.reasons))
    share = f"{sum(part.action is Action.REUSE for part in parts)} of {len(parts)} parts are "
    action = Action.ENCODE if left else Action.REUSE
    action = Action.COPY if clip.action is Action.COPY else action
    return replace(
        clip,
        parts=parts,
        action=action,
        reasons=(*clip.reasons, *(share + reason for reason in finished))
        if action is not Action.REUSE
        else tuple(finished),
        need_bytes=max(part.need_bytes for part in parts),
        work=sum(part.work for part in parts),
    )

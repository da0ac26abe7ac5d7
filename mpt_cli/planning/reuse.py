"""Reuse: the clips of a plan whose segment is in the cache, or will be encoded for an equal clip."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.planning.plan import costed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mpt_cli.planning.plan import Plan, Recipe
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
        keys: dict[int, str] = {}
        recipes: dict[int, Recipe] = {}
        contents: dict[int, str] = {}
        reasons: dict[int, str] = {}
        first: dict[str, int] = {}
        for clip in plan.clips:
            if clip.action is not Action.ENCODE:
                continue
            with suppress(OSError):  # a file that is gone is missed where it is needed
                content = contents[clip.index] = self._content(clip.clip.path)
                key, recipes[clip.index] = self._recipes.keyed(clip, plan.light_form, content)
                keys[clip.index] = key
                if self._cache.has(key):
                    reasons[clip.index] = FINISHED_BEFORE
                elif key in first:
                    reasons[clip.index] = f"the same as clip {first[key] + 1}"
                first.setdefault(key, clip.index)
        keyed = (replace(clip, recipe=recipes.get(clip.index)) for clip in plan.clips)
        return with_reuse(replace(plan, clips=tuple(keyed)), keys, contents, reasons)


def with_reuse(plan: Plan, keys: Mapping[int, str], contents: Mapping[int, str], reasons: Mapping[int, str]) -> Plan:
    """Return the plan with clips that are reused.

    Args:
        plan: The plan of a request.
        keys: Cache key of each clip by its index.
        contents: Hash of the file of each clip by its index.
        reasons: Why a clip is reused, by its index; other clips keep their action.
    """
    keyed = (replace(clip, key=keys.get(clip.index), content=contents.get(clip.index)) for clip in plan.clips)
    clips = tuple(
        replace(clip, action=Action.REUSE, reasons=(reasons[clip.index],), work=0, need_bytes=0)
        if clip.index in reasons
        else clip
        for clip in keyed
    )
    again = costed(plan.form, plan.light_form, clips, plan.jobs, plan.seed, mixed=plan.mixed_parameter_sets)
    return replace(again, output_bytes=plan.output_bytes)

"""Summaries of many clips in a few words or rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action
from mpt_cli.model.results import ClipStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mpt_cli.model.results import ClipResult


def fates_of(clips: Sequence[ClipResult]) -> list[str]:
    """Return the count of clips for each outcome that occurred, such as ``3 encoded``."""
    made: Counter[str | None] = Counter(clip.action for clip in clips if clip.status is ClipStatus.PROCESSED)
    ends: Counter[ClipStatus] = Counter(clip.status for clip in clips if clip.status is not ClipStatus.PROCESSED)
    fates = [f"{made[action]} {words}" for action, words in DONE.items() if made[action]]
    return fates + [f"{ends[status]} {status.replace('_', ' ')}" for status in ClipStatus if ends[status]]


def most_telling(clips: Sequence[ClipResult], most: int) -> list[ClipResult]:
    """Return at most ``most`` clips in their order: those that did not succeed, then the first ones."""
    ranked = sorted(clips, key=lambda clip: (clip.status is ClipStatus.PROCESSED, clip.status is ClipStatus.NOT_RUN))
    chosen = {clip.index for clip in ranked[:most]}
    return [clip for clip in clips if clip.index in chosen]


DONE: Mapping[str, str] = {Action.ENCODE: "encoded", Action.COPY: "copied", Action.REUSE: "reused"}
"""Past participle of each action."""

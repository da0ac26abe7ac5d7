"""Summaries of many clips in a few words or rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from mpt_cli.model.choices import Action
from mpt_cli.model.formatting import counted
from mpt_cli.model.results import ClipStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mpt_cli.model.results import ClipResult


Item = TypeVar("Item")


def count_clips(clips: Iterable[ClipResult]) -> dict[str, int]:
    """Return the number of clips for each outcome: the action on a processed clip, or the status of another."""
    found = Counter[str | None](clip.action if clip.status is ClipStatus.PROCESSED else clip.status for clip in clips)
    return {outcome: found[outcome] for outcome in OUTCOMES}


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of several counts of clips."""
    listed = list(counts)
    return {outcome: sum(count.get(outcome, 0) for count in listed) for outcome in OUTCOMES}


def fates_of(clips: Iterable[ClipResult]) -> list[str]:
    """Return the count of clips for each outcome that occurred, such as ``3 encoded``."""
    return fates_in(count_clips(clips))


def fates_in(counts: Mapping[str, int]) -> list[str]:
    """Return each count of :func:`count_clips` that is not 0, such as ``3 encoded``."""
    return [f"{counts[outcome]} {words}" for outcome, words in OUTCOMES.items() if counts.get(outcome)]


def encoded_of_copied(clips: Iterable[ClipResult]) -> str:
    """Return how many frames of copied clips were encoded, to be written behind their number; nothing for none."""
    cut = [clip for clip in clips if clip.action is Action.COPY and clip.encoded_frames]
    encoded, frames = sum(clip.encoded_frames or 0 for clip in cut), sum(clip.frames or 0 for clip in cut)
    return f" ({encoded} of {counted(frames, 'frame')} of {counted(len(cut), 'trimmed clip')} encoded)" if cut else ""


def failed_first(clips: Sequence[ClipResult], most: int) -> list[ClipResult]:
    """Return at most ``most`` clips in their order: those that did not succeed, then the first ones."""

    def rank(clip: ClipResult) -> tuple[bool, bool]:
        return clip.status is ClipStatus.PROCESSED, clip.status is ClipStatus.NOT_RUN

    return selection(clips, most, rank=rank)


def selection(items: Sequence[Item], most: int, *, rank: Callable[[Item], Any]) -> list[Item]:
    """Return at most ``most`` items in their order: those of the lowest ranks, and of equal ones the first."""
    ranked = sorted(range(len(items)), key=lambda index: rank(items[index]))
    return [items[index] for index in sorted(ranked[:most])]


def job_fates(statuses: Iterable[RunStatus]) -> str:
    """Return the count of jobs for each status that occurred, such as ``2 succeeded, 1 failed``."""
    count = Counter(statuses)
    return ", ".join(f"{count[status]} {word}" for status, word in _JOB_WORDS.items() if count[status])


DONE: Mapping[str, str] = {Action.ENCODE: "encoded", Action.COPY: "copied", Action.REUSE: "reused"}
"""Past participle of each action."""
OUTCOMES: Mapping[str, str] = {
    **DONE,
    **{status.value: status.replace("_", " ") for status in ClipStatus if status is not ClipStatus.PROCESSED},
}
"""Words for each outcome of a clip."""
_JOB_WORDS = {
    RunStatus.SUCCESS: "succeeded",
    RunStatus.PARTIAL: "partial",
    RunStatus.ERROR: "failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.SKIPPED: "skipped",
}

"""Admission of work by memory figures (pure)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Admission:
    """Question whether a need fits; all figures are bytes.

    Attributes:
        need: Predicted need of the work that asks.
        reserved: Needs of the work that was admitted before, and has not ended.
        idle: Memory of the process tree without any work.
        budget: Memory that the process tree may use.
        most: Use above which nothing is admitted.
        available: Memory that the machine can give.
    """

    need: int
    reserved: int
    idle: int
    budget: int
    most: float
    available: int

    def fits(self, usage: int) -> bool:
        """Return True if the need fits beside what is reserved or used, whichever is more.

        Work that just began does not use yet what it reserved.

        Args:
            usage: Memory of the process tree.
        """
        promised = max(usage, self.idle + self.reserved)
        return self._fits_budget(usage) and promised - usage + self.need <= self.available

    def surely_fits(self, most_usage: int) -> bool:
        """Return True if the need fits at any use up to this one.

        Args:
            most_usage: Memory of the process tree, where some of it may have been given back.
        """
        return self._fits_budget(most_usage) and self.reserved + self.need <= self.available

    def _fits_budget(self, usage: int) -> bool:
        return usage <= self.most and max(usage, self.idle + self.reserved) + self.need <= self.budget


def window_size(free_share: float, clip_count: int, base: int) -> int:
    """Return the number of clips to keep in progress at once: at least 1, at most ``clip_count``.

    With a free share below 0.3 a third of the base (2 at least), below 0.5 half of it (3 at least), neither above
    the base; above 0.8 with more than 20 clips twice the base.

    Args:
        free_share: Free share of the budget.
        clip_count: Number of clips.
        base: Number to begin with.
    """
    size = base
    if free_share < 0.3:
        size = min(size, max(2, size // 3))
    elif free_share < 0.5:
        size = min(size, max(3, size // 2))
    elif free_share > 0.8 and clip_count > 20:
        size *= 2
    return max(1, min(clip_count, size))

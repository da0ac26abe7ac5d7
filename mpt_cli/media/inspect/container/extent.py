"""How far the movie in a file should go, by the heads of its container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the movie in a file goes."""

    size: int
    """Bytes of the file."""
    promised_bytes: int | None = None
    """How many it should have; None where its heads do not tell."""
    ends_early: bool = False
    """Whether the last thing in it ends behind its end, where heads do not tell how many bytes there should be."""
    promised_seconds: Fraction | None = None
    """How long it should be, where libav does not tell."""
    next_movie: int | None = None
    """Where another movie begins behind the first one."""
    next_seconds: Fraction | None = None
    """How long those behind the first one are, where their heads tell."""
    reads_on: bool = False
    """Whether libav reads on there and all comes out right."""

    @property
    def is_cut(self) -> bool:
        """Whether the file ends before its heads say."""
        return self.ends_early or (self.promised_bytes or 0) > self.size

    @property
    def end(self) -> int | None:
        """Where to stop reading; None for the end of the file."""
        return None if self.reads_on else self.next_movie

"""Audio of a clip that is decoded together with that of the clips around it (frozen values).

A recorder that begins a new file while it records cuts the audio between two coded packets. A decoder of most
codecs needs the packet before to decode the first one: without it the audio fades in, which is heard as a dip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction  # noqa: TC003 - splices are read back from JSON, which needs types at run time
from pathlib import Path  # noqa: TC003 - the same
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The file before or after a clip, with which its recording goes on.

    Attributes:
        path: The file.
        index: Index of its audio stream.
        bytes_end: Offset in the file at which another movie begins; None to read all.
        audio_end: End of its last packet of audio, in seconds of the file's clock.
        torn: Times, in the clock that both files share, between which each holds a part of some packets; or None.
        content: Hash of the file's content, where that is known.
    """

    path: Path
    index: int
    bytes_end: int | None
    audio_end: Fraction
    torn: tuple[Fraction, Fraction] | None = None
    content: str | None = None

    @property
    def recipe(self) -> str:
        """Text of all that the audio of the clip depends on."""
        return f"{self.content} {self.index} {self.bytes_end} {self.torn}"


@dataclass(frozen=True, slots=True)
class Splice:
    """Place of the audio of one file in a recording that is in several.

    Attributes:
        before: The file whose last packets are decoded first, or None.
        after: The file whose first packets are decoded last, or None.
        zero: When the first sample of the whole recording is heard, in seconds of this file's clock.
        first: Offset in the recording of the first sample of this file.
        samples: Number of samples of all packets of this file.
        rate: Samples per second of all files.
        moved: Seconds by which the samples are later than the file's own timestamps say.
        audio_end: End of its last packet of audio, in seconds of the file's clock.
    """

    before: Neighbour | None
    after: Neighbour | None
    zero: Fraction
    first: int
    samples: int
    rate: int
    moved: Fraction
    audio_end: Fraction

    def with_contents(self, content: Callable[[Path], str]) -> Splice:
        """Return the same with the hashes of the files around; ``content`` may raise OSError."""
        before, after = (
            None if side is None else replace(side, content=content(side.path)) for side in (self.before, self.after)
        )
        return replace(self, before=before, after=after)

    @property
    def absolute(self) -> Splice:
        """The same with absolute paths."""
        before, after = (
            None if side is None else replace(side, path=side.path.absolute()) for side in (self.before, self.after)
        )
        return replace(self, before=before, after=after)

    @property
    def recipe(self) -> tuple[str, ...]:
        """Text of all that the audio depends on beside its own file, for a cache key."""
        sides = ["" if side is None else side.recipe for side in (self.before, self.after)]
        return ("splice", *sides, f"{self.zero} {self.first} {self.samples} {self.moved}")

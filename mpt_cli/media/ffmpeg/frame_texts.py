"""Texts of a clip's filter graph that differ from clip to clip, and stand-ins that they take the place of (pure).

ffmpeg-python takes more than a millisecond to write a graph, most of what planning a short clip costs. Clips of one
camera share the graph but for these texts, so it is written once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAPH = "-filter_complex"
_IN_ARGUMENT, _IN_GRAPH = "\\'=:", "\\'[],;"
"""Characters that ffmpeg-python escapes in an argument of a filter, and in a graph; the backslash comes first."""
_TICKS, _SHOWN, _CLOCK, _FRAMES = "<ticks>", "<shown>", "<clock>", "<frames>"
_SEEK, _SOUND = "<seek>", "<sound>"


@dataclass(frozen=True, slots=True)
class FrameTexts:
    """Arguments of filters that follow from the times of a clip and the length of its segment.

    Attributes:
        time_base: Time base in which frames are counted.
        shown: Expression of ``setpts`` that puts frames on their own clock; None if they are on it.
        clock: Expression of ``setpts`` that counts from the segment's origin.
        frames: Number of frames of the segment.
        shape: Width by height of a frame as stored and shown, in ffmpeg's expression language.
    """

    time_base: str
    shown: str | None
    clock: str
    frames: str
    shape: str

    @property
    def stand_ins(self) -> Self:
        """The texts of a graph in which this clip's texts can be filled; the shape is not replaced."""
        shown = None if self.shown is None else _SHOWN
        return replace(self, time_base=_TICKS, shown=shown, clock=_CLOCK, frames=_FRAMES)


@dataclass(frozen=True, slots=True)
class OptionTexts:
    """Values of options that follow from the times of a clip.

    Attributes:
        seek: Time to seek to, in seconds; None to read from the start.
        sound: Filters of the only audio track; None without audio.
    """

    seek: str | None
    sound: str | None

    @property
    def stand_ins(self) -> Self:
        """The values in whose place those of a clip can be filled."""
        return type(self)(None if self.seek is None else _SEEK, None if self.sound is None else _SOUND)


def filled(template: Sequence[str], frames: FrameTexts, options: OptionTexts) -> list[str]:
    """Return the arguments of one clip.

    Args:
        template: Arguments that were written with the stand-ins of both.
        frames: Texts of the graph.
        options: Values of options.
    """
    values = {_SEEK: options.seek, _SOUND: options.sound}
    arguments = [values.get(argument) or argument for argument in template]
    graph = arguments.index(_GRAPH) + 1
    texts = {_TICKS: frames.time_base, _SHOWN: frames.shown, _CLOCK: frames.clock, _FRAMES: frames.frames}
    for stand_in, text in texts.items():
        if text is not None:
            arguments[graph] = arguments[graph].replace(stand_in, _escaped(text))
    return arguments


def _escaped(text: str) -> str:
    """Return an argument without a name as ffmpeg-python writes it: it escapes those twice, and then the filter."""
    for characters in (_IN_ARGUMENT, _IN_ARGUMENT, _IN_GRAPH):
        for character in characters:
            text = text.replace(character, f"\\{character}")
    return text

"""What a file says of its colours: in its coded frames, in its container, and later on."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING

from mpt_cli.media import color
from mpt_cli.model.clips import Color, Dimensions
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from mpt_cli.media.color import SourceColor

_TOLD_BY_CONTAINER = ("prores", "vp8", "mjpeg")
"""Codecs whose decoder says what is usual (VP8, JPEG), or what editors do not read (ProRes)."""

_TELLING = ("mov", "matroska", "mxf", "flv", "yuv4mpegpipe")
"""Containers that have words for colours; of others libav repeats what it found in frames."""


def description_of(carrier: VideoFrame | VideoCodecContext) -> Color:
    """Return what a decoded frame says, or a decoder that has not decoded: that is what the container says."""
    return Color(
        matrix=color.named(color.MATRICES, int(carrier.colorspace)),
        range=color.named(color.RANGES, int(carrier.color_range or 0)),
        primaries=color.named(color.PRIMARIES, int(carrier.color_primaries or 0)),
        transfer=color.named(color.TRANSFERS, int(carrier.color_trc or 0)),
    )


def told_by(container: InputContainer, video: VideoStream) -> Color:
    """Return what a container says; to be asked before its stream is decoded."""
    tells = container.format.name.startswith(_TELLING)
    return description_of(video.codec_context) if tells else Color()


@dataclass(frozen=True, slots=True)
class Descriptions:
    """What is said of the colours of one stream, by whom and when."""

    codec: str
    first: VideoFrame
    """Which says what the stream says."""
    container: Color
    later: tuple[tuple[Fraction | None, Color], ...] = ()
    """What later frames say, and when they are shown."""

    @property
    def used(self) -> Color:
        """The description that counts, each part from the first who tells it: stream, container, later frames.

        Players do so too, but for the codecs whose streams cannot tell.
        """
        order = (description_of(self.first), self.container)
        told = tuple(reversed(order)) if self.codec in _TOLD_BY_CONTAINER else order
        return _filled(*told, *(said for _, said in self.later))

    @property
    def converted(self) -> SourceColor:
        """What the frames are converted as."""
        return self._look(self.used)

    @property
    def agree(self) -> bool:
        """Whether the frames say all that is said of them."""
        stream = description_of(self.first)
        others = (self.container, *(said for _, said in self.later))
        return all(_filled(stream, other) == stream == _filled(other, stream) for other in others)

    def issues(self, path: Path, zero: Fraction) -> tuple[Issue, ...]:
        """Return a warning for each guess; ``zero`` is the time at which the file starts."""
        hint = "if it looks wrong, write its colours anew, for example with ffmpeg's -color_trc and -colorspace"
        return tuple(Issue(IssueCode.COLOR_GUESSED, message, path, hint) for message in self._guesses(zero))

    def _guesses(self, zero: Fraction) -> Iterator[str]:
        used, taken = self.used, self.converted
        for guess in color.guesses(used, _size(self.first), self.first.format.name):
            yield f"has {guess}"
        for teller, said in (("stream", description_of(self.first)), ("container", self.container)):
            if self._look(_filled(said, used)) != taken:
                yield f"has colours that are {_text(said)} by its {teller}, but are taken for {_text(used)}"
        for time, said in self.later:
            if self._look(_filled(said, used)) != taken:
                at = "later" if time is None else f"from {float(time - zero):.1f} s on"
                yield f"has other colours {at} ({_text(said)}), which are taken for {_text(used)} too"
                return

    def _look(self, description: Color) -> SourceColor:
        """Return the parts of a description that conversion depends on; two matrices are the same under two names."""
        found = color.source_color(description, _size(self.first), self.first.format.name)
        return replace(found, matrix="smpte170m") if found.matrix == "bt470bg" else found


def _size(frame: VideoFrame) -> Dimensions:
    return Dimensions(frame.width, frame.height)


def _filled(*descriptions: Color) -> Color:
    """Each part from the first description that tells it."""
    parts = (
        next((said for each in descriptions if (said := getattr(each, part.name))), None) for part in fields(Color)
    )
    return Color(*parts)


def _text(description: Color) -> str:
    return "/".join(part or "-" for part in astuple(description))

"""The target format of a reel: what the request leaves open is taken from the most seconds of the clips (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.software import fits_container
from mpt_cli.model import timing
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mpt_cli.config.sections import Config
    from mpt_cli.model.choices import Container
    from mpt_cli.model.media_info import MediaInfo

_OF_A_CODEC = frozenset({"codec", "encoder", "crf", "preset"})
"""Keys of ``[encode]`` that imply a codec, or mean something else for another one."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Size, rate and codec of frames."""

    dimensions: Dimensions
    frame_rate: Fraction
    codec: Codec


def settled(
    config: Config, clips: Iterable[tuple[MediaInfo, Fraction]], container: Container, *, of_clips: bool
) -> Config:
    """Return the configuration with size, frame rate and codec of the reel filled in.

    Values that the configuration leaves open are not chosen key by key, which could give a format that
    no clip has. Clips that agree in all of them form a group, and the group with the most seconds
    decides; of equal groups, the one with more pixels, then with more frames a second.

    Args:
        config: The configuration of the request.
        clips: Each clip with the seconds that are used of it.
        container: The container of the reel.
        of_clips: Whether size and codec may come from the clips; else only the frame rate may.
    """
    seconds: dict[_Form, Fraction] = defaultdict(Fraction)
    for media, used in clips:
        rate = config.video.fps or timing.auto_rate(media.video.frame_rate)
        size, codec = _size_and_codec(media, config, container, of_clips=of_clips)
        seconds[_Form(size, rate, codec)] += used
    most = max(seconds, key=lambda form: (seconds[form], form.dimensions.pixels, form.frame_rate, form.codec))
    video = config.video.model_copy(update={"size": most.dimensions, "fps": most.frame_rate})
    return config.model_copy(update={"video": video, "encode": config.encode.model_copy(update={"codec": most.codec})})


def turned(config: Config, clips: Sequence[tuple[MediaInfo, Fraction]]) -> tuple[Config, Issue | None]:
    """Return the configuration whose default size lies on its side if landscape clips hold the most seconds.

    A size that was given, also as a preset, stays: only a size that nobody chose can be wrong by surprise. A
    landscape clip of 16:9 fills a third of the upright default. Square clips fill both sizes alike and do not count.

    Args:
        config: The configuration of the request.
        clips: Each clip with the seconds that are used of it.

    Returns:
        The configuration, and the issue that reports the turn, or None.
    """
    size = config.video.size
    if "size" in config.video.model_fields_set or size.width >= size.height:
        return config, None
    shown = [(media.video.display, used) for media, used in clips]
    wide = sum((used for display, used in shown if display.width > display.height), Fraction(0))
    high = sum((used for display, used in shown if display.width < display.height), Fraction(0))
    if wide <= high:
        return config, None
    video = config.video.model_copy(update={"size": size.turned})
    total = sum((used for _, used in shown), Fraction(0))
    message = f"the reel is {size.turned}: landscape clips hold {seconds_text(wide)} of {seconds_text(total)}"
    hint = f"add --size {size} to keep it upright"
    return config.model_copy(update={"video": video}), Issue(IssueCode.SIZE_TURNED, message, hint=hint)


def even(size: Dimensions) -> Dimensions:
    """Return the next smaller size that 4:2:0 video can have."""
    return Dimensions(size.width // 2 * 2 or 2, size.height // 2 * 2 or 2)


def _size_and_codec(
    media: MediaInfo, config: Config, container: Container, *, of_clips: bool
) -> tuple[Dimensions, Codec]:
    """Return size and codec of a clip where they are open, else those of the configuration."""
    size, codec = config.video.size, config.encode.codec
    if of_clips and "size" not in config.video.model_fields_set:
        size = even(media.video.display)
    if of_clips and not names_codec(config):
        own = (each for each in Codec if each == media.video.codec and fits_container(each, container))
        codec = next(own, codec)
    return size, codec


def names_codec(config: Config) -> bool:
    """Return True if a configuration chooses a codec, or an option that only one codec has."""
    given = config.encode.model_fields_set & _OF_A_CODEC
    return any(getattr(config.encode, key) not in (None, "auto") for key in given)

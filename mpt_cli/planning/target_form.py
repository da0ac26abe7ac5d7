"""The form that the clips themselves ask for: that of which they hold the most seconds (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.software import fits_container
from mpt_cli.model import timing
from mpt_cli.model.choices import Codec
from mpt_cli.model.clips import Dimensions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mpt_cli.config.sections import Config
    from mpt_cli.model.choices import Container
    from mpt_cli.model.media_info import MediaInfo

_OF_A_CODEC = frozenset({"codec", "encoder", "crf", "preset"})
"""Keys of ``[encode]`` that say which codec is meant, or mean something else for another one."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Size, rate and codec of pictures."""

    dimensions: Dimensions
    frame_rate: Fraction
    codec: Codec


def settled(
    config: Config, clips: Iterable[tuple[MediaInfo, Fraction]], container: Container, *, of_clips: bool
) -> Config:
    """The configuration that says the form of a reel of clips, each given with the seconds that are used of it.

    What the configuration leaves open is not chosen key by key, which could give a form that no
    clip has: the clips that agree in all of it are taken together, and those that hold the most
    seconds decide; of two that hold the same, those with more pixels, then those with more pictures.
    Without ``of_clips`` only the rate can be open.
    """
    seconds: dict[_Form, Fraction] = defaultdict(Fraction)
    for media, used in clips:
        rate = config.video.fps or timing.auto_rate(media.video.frame_rate)
        size, codec = _size_and_codec(media, config, container, of_clips=of_clips)
        seconds[_Form(size, rate, codec)] += used
    most = max(seconds, key=lambda form: (seconds[form], form.dimensions.pixels, form.frame_rate, form.codec))
    video = config.video.model_copy(update={"size": most.dimensions, "fps": most.frame_rate})
    return config.model_copy(update={"video": video, "encode": config.encode.model_copy(update={"codec": most.codec})})


def _size_and_codec(
    media: MediaInfo, config: Config, container: Container, *, of_clips: bool
) -> tuple[Dimensions, Codec]:
    """Those of a clip, as far as the reel may have them, with what was said in their place."""
    size, codec = config.video.size, config.encode.codec
    if of_clips and "size" not in config.video.model_fields_set:
        shown = media.video.display
        size = Dimensions(shown.width // 2 * 2 or 2, shown.height // 2 * 2 or 2)
    if of_clips and not _names_codec(config):
        own = (each for each in Codec if each == media.video.codec and fits_container(each, container))
        codec = next(own, codec)
    return size, codec


def _names_codec(config: Config) -> bool:
    given = config.encode.model_fields_set & _OF_A_CODEC
    return any(getattr(config.encode, key) not in (None, "auto") for key in given)

"""The request for one reel, and its effective configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.config.quantities import parse_frame_rate
from mpt_cli.config.sections import Config, QualitySettings
from mpt_cli.model.arguments import choice_of, flag_of, instance_of, parsed, path_of, wrong
from mpt_cli.model.choices import ConcatenationMode, JoinMethod, QualityLevel
from mpt_cli.model.clips import Dimensions, VideoClip
from mpt_cli.model.errors import Issue

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.model.left_out import LeftOut


PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""Extensions of contact sheets and posters."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Pictures of the finished reel, each written to its own path.

    Args:
        contact_sheet: Picture with one frame of each clip; None for no picture.
        poster: Picture with one representative frame of the reel; None for no picture.

    Raises:
        UsageError: An argument is no path.
    """

    contact_sheet: Path | None = None
    poster: Path | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            contact_sheet: str | os.PathLike[str] | None = None,
            poster: str | os.PathLike[str] | None = None,
        ) -> None:
            """Accept text too, which :meth:`__post_init__` turns into paths."""

    def __post_init__(self) -> None:
        """Turn text into paths."""
        for name in ("contact_sheet", "poster"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else path_of(f"Extras.{name}", value))

    def named(self) -> Mapping[str, Path]:
        """Return the path of each picture to write by its name in messages."""
        wanted = {"contact sheet": self.contact_sheet, "poster": self.poster}
        return {name: path for name, path in wanted.items() if path is not None}


NO_EXTRAS = Extras()
"""No picture beside the reel."""


@dataclass(frozen=True, slots=True)
class VideoParams:
    """A request for one reel.

    A value that is None comes from ``config``, and without ``config`` from the configuration of the orchestrator
    (:func:`mpt_cli.config.request.effective_config`).

    Args:
        clips: The clips in order, each a :class:`VideoClip` or a path; a single one may stand alone.
        output_path: The reel. The extension sets the container: ``.mp4``, ``.mov`` or ``.mkv``.
        overwrite: Replace an existing output.
        keep_temp: Leave temporary files, for debugging.
        dimensions: Width and height in pixels: :class:`Dimensions`, ``(1080, 1920)`` or ``"1080x1920"``.
        frame_rate: Exact frames per second: ``30``, ``Fraction(30000, 1001)`` or ``"30000/1001"``.
        quality: How video is encoded; a level such as ``"draft"`` changes only the level of the configuration.
        concat_mode: Order of the clips: ``"sequential"`` or ``"random"``.
        config: Configuration of this request, in place of the one of the orchestrator.
        join: Method of ``mpt concat``, or None for the full workflow of ``mpt process``.
        extras: Pictures to write beside the reel.
        problems: Faults found before the request was built; reported together with all others.
        warnings: Warnings found before the request was built; part of the result.
        left_out: What the folders of the clips hold beside them; part of the result.
        if_changed: Do nothing if the output is up to date; otherwise replace it if mpt published it last.
        evidence: Put hashes of the clips and of the reel into the result.

    Raises:
        UsageError: An argument has a wrong type or is out of bounds; the message names the field.
    """

    clips: tuple[VideoClip, ...]
    output_path: Path
    overwrite: bool = False
    keep_temp: bool = False
    dimensions: Dimensions | None = None
    frame_rate: Fraction | None = None
    quality: QualitySettings | QualityLevel | None = None
    concat_mode: ConcatenationMode | None = None
    config: Config | None = None
    join: JoinMethod | None = None
    extras: Extras = NO_EXTRAS
    problems: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    if_changed: bool = False
    evidence: bool = False

    if TYPE_CHECKING:  # the arguments accept more types than the fields hold

        def __init__(
            self,
            clips: Iterable[VideoClip | str | os.PathLike[str]] | VideoClip | os.PathLike[str],
            output_path: str | os.PathLike[str],
            *,
            overwrite: bool = False,
            keep_temp: bool = False,
            dimensions: Dimensions | tuple[int, int] | str | None = None,
            frame_rate: Fraction | float | str | None = None,
            quality: QualitySettings | QualityLevel | str | None = None,
            concat_mode: ConcatenationMode | str | None = None,
            config: Config | None = None,
            join: JoinMethod | str | None = None,
            extras: Extras = ...,
            problems: Iterable[Issue] = (),
            warnings: Iterable[Issue] = (),
            left_out: Iterable[LeftOut] = (),
            if_changed: bool = False,
            evidence: bool = False,
        ) -> None:
            """Accept natural arguments, which :meth:`__post_init__` turns into exact values."""

    def __post_init__(self) -> None:
        """Turn natural arguments into exact values."""
        changed: dict[str, object] = {
            "clips": _clips_of(self.clips),
            "output_path": path_of(_field("output_path"), self.output_path),
            "problems": tuple(instance_of(_field("problems"), one, Issue, "give issues") for one in self.problems),
            "warnings": tuple(instance_of(_field("warnings"), one, Issue, "give issues") for one in self.warnings),
            "left_out": tuple(self.left_out),
        }
        for name, turned in _TURNED.items():
            if (value := getattr(self, name)) is not None:
                changed[name] = turned(_field(name), value)
        for name, value in changed.items():
            object.__setattr__(self, name, value)
        for name in ("overwrite", "keep_temp", "if_changed", "evidence"):
            flag_of(_field(name), getattr(self, name))
        instance_of(_field("extras"), self.extras, Extras, "give Extras(contact_sheet=..., poster=...)")


def _field(name: str) -> str:
    return f"VideoParams.{name}"


def _clips_of(clips: object) -> tuple[VideoClip, ...]:
    if isinstance(clips, VideoClip | str | os.PathLike):
        clips = (clips,)
    if isinstance(clips, bytes | Mapping) or not isinstance(clips, Iterable):
        raise wrong(_field("clips"), clips, "give a list of paths and of VideoClip objects")
    return tuple(
        clip if isinstance(clip, VideoClip) else VideoClip(path_of(f"{_field('clips')}[{index}]", clip))
        for index, clip in enumerate(clips)
    )


def _rate_of(field: str, value: object) -> Fraction:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    rate = parsed(field, value, parse_frame_rate)
    if rate is None:
        raise wrong(field, value, "give a rate, or nothing for that of the configuration")
    return rate


def _quality_of(field: str, value: object) -> QualitySettings | QualityLevel:
    return value if isinstance(value, QualitySettings) else choice_of(field, value, QualityLevel)


_TURNED: Mapping[str, Callable[[str, object], object]] = {
    "dimensions": lambda field, value: parsed(field, value, Dimensions.of),
    "frame_rate": _rate_of,
    "quality": _quality_of,
    "concat_mode": lambda field, value: choice_of(field, value, ConcatenationMode),
    "join": lambda field, value: choice_of(field, value, JoinMethod),
    "config": lambda field, value: instance_of(field, value, Config, "give Settings(...) or Config(...)"),
}
"""How the natural arguments of optional fields are turned into their values."""


def effective_config(params: VideoParams, base: Config) -> Config:
    """Return the configuration of a request: its own or ``base``, changed by the values that the request sets.

    Args:
        params: The request.
        base: Configuration for a request that has none.
    """
    config = params.config or base
    video: dict[str, object] = {}
    if params.dimensions is not None:
        video["size"] = params.dimensions
    if params.frame_rate is not None:
        video["fps"] = params.frame_rate
    updates: dict[str, object] = {}
    if video:
        updates["video"] = config.video.model_copy(update=video)
    if isinstance(params.quality, QualitySettings):
        updates["encode"] = params.quality
    elif params.quality is not None:
        updates["encode"] = config.encode.model_copy(update={"quality": params.quality})
    if params.concat_mode is not None:
        updates["concat"] = config.concat.model_copy(update={"mode": params.concat_mode})
    return config.model_copy(update=updates) if updates else config

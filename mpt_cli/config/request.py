"""The request for one reel, and its effective configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.clips import Dimensions, VideoClip

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from mpt_cli.config.sections import Config, QualitySettings
    from mpt_cli.model.choices import ConcatenationMode, JoinMethod
    from mpt_cli.model.errors import Issue


PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""Extensions of contact sheets and posters."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Pictures of the finished reel, each written to its own path.

    Args:
        contact_sheet: Picture with one frame of each clip; None for no picture.
        poster: Picture with one representative frame of the reel; None for no picture.
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
            object.__setattr__(self, name, None if value is None else Path(value))

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
        clips: The clips in order, as :class:`VideoClip` or as paths.
        output_path: The reel. The extension sets the container: ``.mp4``, ``.mov`` or ``.mkv``.
        overwrite: Replace an existing output.
        keep_temp: Leave temporary files, for debugging.
        dimensions: Width and height in pixels.
        frame_rate: Exact frames per second.
        quality: How video is encoded.
        concat_mode: Order of the clips.
        config: Configuration of this request, in place of the one of the orchestrator.
        join: Method of ``mpt concat``, or None for the full workflow of ``mpt process``.
        extras: Pictures to write beside the reel.
        problems: Faults found before the request was built; reported together with all others.
        if_changed: Do nothing if the output is up to date; otherwise replace it if mpt published it last.
        evidence: Put hashes of the clips and of the reel into the result.
    """

    clips: tuple[VideoClip, ...]
    output_path: Path
    overwrite: bool = False
    keep_temp: bool = False
    dimensions: Dimensions | None = None
    frame_rate: Fraction | None = None
    quality: QualitySettings | None = None
    concat_mode: ConcatenationMode | None = None
    config: Config | None = None
    join: JoinMethod | None = None
    extras: Extras = NO_EXTRAS
    problems: tuple[Issue, ...] = ()
    if_changed: bool = False
    evidence: bool = False

    if TYPE_CHECKING:  # the arguments accept more types than the fields hold

        def __init__(
            self,
            clips: Sequence[VideoClip | str | os.PathLike[str]],
            output_path: str | os.PathLike[str],
            *,
            overwrite: bool = False,
            keep_temp: bool = False,
            dimensions: Dimensions | None = None,
            frame_rate: Fraction | None = None,
            quality: QualitySettings | None = None,
            concat_mode: ConcatenationMode | None = None,
            config: Config | None = None,
            join: JoinMethod | None = None,
            extras: Extras = ...,
            problems: Sequence[Issue] = (),
            if_changed: bool = False,
            evidence: bool = False,
        ) -> None:
            """Accept paths too, which :meth:`__post_init__` turns into clips."""

    def __post_init__(self) -> None:
        """Turn paths and text into clips and paths."""
        object.__setattr__(self, "clips", tuple(map(VideoClip.of, self.clips)))
        object.__setattr__(self, "problems", tuple(self.problems))
        object.__setattr__(self, "output_path", Path(self.output_path))


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
    if params.quality is not None:
        updates["encode"] = params.quality
    if params.concat_mode is not None:
        updates["concat"] = config.concat.model_copy(update={"mode": params.concat_mode})
    return config.model_copy(update=updates) if updates else config

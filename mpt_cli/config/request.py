"""The request for one reel, and the configuration that holds for it."""

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
"""Names of contact sheets and posters end in one of these."""


@dataclass(frozen=True, slots=True)
class Extras:
    """Pictures of the finished reel: one frame of each clip on a sheet, and a single telling one."""

    contact_sheet: Path | None = None
    poster: Path | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            contact_sheet: str | os.PathLike[str] | None = None,
            poster: str | os.PathLike[str] | None = None,
        ) -> None:
            """What :meth:`__post_init__` makes the fields of."""

    def __post_init__(self) -> None:
        """Turn paths given as text into paths."""
        for name in ("contact_sheet", "poster"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else Path(value))

    def named(self) -> Mapping[str, Path]:
        """The wanted files by what they are called; empty where nothing is wanted."""
        wanted = {"contact sheet": self.contact_sheet, "poster": self.poster}
        return {name: path for name, path in wanted.items() if path is not None}


NO_EXTRAS = Extras()
"""Nothing but the reel."""


@dataclass(frozen=True, slots=True)
class VideoParams:
    """A request for one reel.

    ``clips`` takes paths as well as :class:`VideoClip`. What is left None comes from ``config``,
    and that, when it is None too, from the configuration of the orchestrator
    (:func:`mpt_cli.config.request.effective_config`). ``join`` is the method of ``mpt concat``; None means
    the full workflow of ``mpt process``.
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
    """What was found wrong while the request was made; reported together with everything else."""
    if_changed: bool = False
    """Do nothing where the output is up to date; else replace it, if it is what mpt published there last."""
    evidence: bool = False
    """Say in the result by hashes what the reel was made of."""

    if TYPE_CHECKING:  # what may be given is wider than what then stands in the fields

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
            """What :meth:`__post_init__` makes the fields of."""

    def __post_init__(self) -> None:
        """Turn paths given as text into clips and paths."""
        object.__setattr__(self, "clips", tuple(map(VideoClip.of, self.clips)))
        object.__setattr__(self, "problems", tuple(self.problems))
        object.__setattr__(self, "output_path", Path(self.output_path))


def effective_config(params: VideoParams, base: Config) -> Config:
    """The configuration that holds for a request.

    Its own configuration where it brings one, else ``base``; then the fields it sets directly.
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

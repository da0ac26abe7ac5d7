"""What keeps each of a set of clips from being copied, whatever the reel is (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.formats.containers import containers_of
from mpt_cli.model.choices import Container
from mpt_cli.planning.kept_frames import keep_refusals, kept_of
from mpt_cli.planning.stream_copy import OTHER_SETS, keeps_times, own_refusals, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.clips import Dimensions, KeptFrames
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.results import FileValidationResult

    Group = tuple[Dimensions, Fraction, KeptFrames]


def with_copy_obstacles(files: Sequence[FileValidationResult]) -> list[FileValidationResult]:
    """Return verdicts with what keeps each usable file from being copied beside the others."""
    medias = [file.media for file in files if file.media is not None and file.is_valid]
    found = iter(copy_obstacles(medias))
    return [
        replace(file, copy_obstacles=next(found)) if file.media is not None and file.is_valid else file
        for file in files
    ]


def copy_obstacles(medias: Sequence[MediaInfo]) -> list[tuple[str, ...] | None]:
    """Return why the frames of each whole clip would not be copied into a reel of them all.

    The clips that agree and hold the most seconds are what the others are compared with.

    Args:
        medias: Description of each file.

    Returns:
        The reasons for each clip: none where nothing stands in the way, None where its packets were not all read.
    """
    seconds: dict[Group, Fraction] = defaultdict(Fraction)
    for media in medias:
        seconds[_group(media)] += media.duration
    if not seconds:
        return []
    most = max(seconds, key=lambda group: seconds[group])
    sets: dict[str, Fraction] = defaultdict(Fraction)
    for media in medias:
        if _group(media) == most and media.copy_traits is not None:
            sets[media.copy_traits.parameter_sets] += media.duration
    return [_obstacles(media, most, max(sets, key=lambda digest: sets[digest], default="")) for media in medias]


def _group(media: MediaInfo) -> Group:
    """Return what clips must share; MP4 stands for the containers that say an orientation."""
    return media.video.dimensions, media.video.frame_rate, kept_of(media.video, Container.MP4)


def _obstacles(media: MediaInfo, most: Group, sets: str) -> tuple[str, ...] | None:
    video, traits, (dimensions, rate, kept) = media.video, media.copy_traits, most
    checks = {
        f"no container holds {video.codec}": bool(containers_of(video.codec)),
        f"codec is {video.codec}": video.codec == kept.codec,
        f"frame rate is {video.frame_rate}": video.frame_rate == rate or video.variable_frame_rate,
    }
    if video.codec == kept.codec:  # else what differs beside it is no help
        checks |= keep_refusals(video, dimensions, kept)
    if traits is not None:
        checks |= own_refusals(media, traits) | {
            "its frames have no times of their own": traits.on_grid or keeps_times(media, traits),
        }
    reasons = tuple(reason for reason, fine in checks.items() if not fine)
    if traits is not None and not reasons and traits.parameter_sets != sets:
        return (OTHER_SETS,)  # where the format differs, they do so too
    if traits is not None or reasons:
        return reasons
    return (unreadable(media),) if media.scanned else None

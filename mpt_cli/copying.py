"""Which clips are stream-copied, and why others are not (pure: no file is opened here)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.color import source_color
from mpt_cli.models import Codec, CopyPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.models import MediaInfo, Segment, TargetForm, VideoClip

OTHERS_ENCODED = "other clips must be encoded, which gives other parameter sets"
"""Why a clip that could be copied by itself is not."""


def copy_refusals(clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm) -> tuple[str, ...]:
    """Why the coded pictures of a clip cannot be used as they are; empty when they can.

    Parameter sets are judged over all clips, in :func:`copied_places`.
    """
    video, traits = media.video, media.copy_traits
    if video.codec != form.encoder.codec:
        return (f"codec is {video.codec}",)
    if traits is None:
        return (f"pictures in {media.container} are not copied",)
    color = source_color(video.color, video.dimensions, video.pixel_format)
    checks = {
        f"profile is {video.profile}": video.profile in _profiles(form.encoder.codec),
        f"size is {video.dimensions}": video.dimensions == form.dimensions,
        "pixels are not square": video.sar == 1,
        "stored rotated": video.orientation.is_identity,
        f"pixel format is {video.pixel_format}": video.pixel_format == form.encoder.pixel_format,
        "interlaced": not video.interlaced,
        "its size changes": not video.changes_size,
        "colours are not tagged BT.709": (video.color.matrix, video.color.primaries, video.color.transfer)
        == ("bt709", "bt709", "bt709")
        and video.color.range in ("tv", "pc"),
        "full colour range": not color.full_range,
        f"frame rate is {video.frame_rate}": video.frame_rate == form.frame_rate,
        "picture times are not on the grid": traits.on_grid
        and abs(media.video_start - media.zero) * 2 < 1 / form.frame_rate,
        "keyframes are not closed": traits.closed_gop,
        "trimmed": not clip.start and (clip.end is None or clip.end >= media.duration),
        "its length is not that of its pictures": segment.frames == traits.pictures
        or video.frame_rate != form.frame_rate
        or not traits.on_grid,
    }
    return tuple(reason for reason, fine in checks.items() if not fine)


def _profiles(codec: Codec) -> tuple[str, ...]:
    return {
        Codec.H264: ("Constrained Baseline", "Baseline", "Main", "High"),
        Codec.HEVC: ("Main",),
        Codec.AV1: ("Main",),
    }[codec]


def copied_places(
    medias: Sequence[MediaInfo], refusals: Sequence[tuple[str, ...]], policy: CopyPolicy, codec: Codec
) -> tuple[set[int], bool]:
    """Places of the clips that are copied, and whether their parameter sets differ.

    With ``identical`` the reel has one set: so either all clips are copied, or none, because what
    is encoded here has other sets than what was encoded elsewhere. HEVC is never mixed: ``hvc1``
    promises that all sets stand in the header.
    """
    fit = {i for i, reasons in enumerate(refusals) if not reasons}
    if policy is CopyPolicy.NEVER or not fit:
        return set(), False
    sets = {(t.parameter_sets, t.level) for i in fit if (t := medias[i].copy_traits) is not None}
    uniform = len(sets) == 1 and len(fit) == len(medias)
    if policy is CopyPolicy.IDENTICAL or codec is Codec.HEVC:
        return (fit, False) if uniform else (set(), False)
    return fit, not uniform


def copy_reasons(copied: bool, refusals: tuple[str, ...], policy: CopyPolicy, *, all_fit: bool) -> tuple[str, ...]:
    """Why a clip is copied, or is not; ``all_fit`` where each clip by itself could be."""
    if copied:
        return ("already has the target form",)
    if refusals:
        return refusals
    if policy is CopyPolicy.NEVER:
        return ("copying is ruled out",)
    return ("parameter sets differ from the other clips'",) if all_fit else (OTHERS_ENCODED,)

"""Kept frames: the target format "as the clips are", which holds where all clips are copied (pure).

Clips of one camera have equal parameter sets, and so agree in profile, pixel format and colours. Joined as they
are, the reel keeps what they have, also what no encoder here would make: 10 bits, HDR, full range, no colour tags.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.media.formats.containers import holds
from mpt_cli.model.choices import Container
from mpt_cli.model.clips import KeptFrames, Orientation
from mpt_cli.model.limits import MOST_TICKS
from mpt_cli.planning.target_form import even

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from mpt_cli.model.clips import Color, Dimensions, TargetForm
    from mpt_cli.model.media_info import MediaInfo, VideoStreamInfo

    Group = tuple[str, Dimensions, Fraction, KeptFrames]

_WITHOUT_RANGE = ("ffv1", "mpeg2video", "mpeg4")
"""Codecs whose frames do not say their range, which an MP4 forgets if it is all that is told of the colours."""


def kept_form(
    clips: Sequence[tuple[MediaInfo, int]],
    form: TargetForm,
    *,
    any_codec: bool,
    any_rate: bool,
    variable: bool = False,
    any_sets: bool = False,
) -> TargetForm | None:
    """Return the format that the frames of most seconds have, to keep it in the reel.

    Args:
        clips: Each clip with the number of frames that are used of it.
        form: The format that clips are encoded to if they are not copied.
        any_codec: True to keep also a codec that is not that of the format, where the container holds it.
        any_rate: True to keep also a frame rate that is not that of the format.
        variable: True to keep the times of frames, on the grid of their ticks.
        any_sets: True if clips of different parameter sets are of one group.

    Returns:
        The format with the frames as they are; None where those clips cannot be copied by any means.
    """
    frames: dict[Group, int] = defaultdict(int)
    first: dict[Group, VideoStreamInfo] = {}
    for media, used in clips:
        video, traits = media.video, media.copy_traits
        fits = video.codec == form.encoder.codec or (any_codec and holds(form.container, video.codec))
        if traits is not None and fits:
            rate = 1 / traits.time_base if variable else video.frame_rate
            rate = rate if any_rate and rate.numerator <= MOST_TICKS else form.frame_rate
            kept = replace(kept_of(video, form.container), variable=variable)
            group = "" if any_sets else traits.parameter_sets, video.dimensions, rate, kept
            frames[group] += used
            first.setdefault(group, video)
    if not frames:
        return None
    most = max(frames, key=lambda group: frames[group])
    if even(first[most].display) != form.dimensions:
        return None  # another size is asked for, or held by more seconds
    _, dimensions, rate, kept = most
    if variable and rate.denominator != 1:
        return None
    return replace(form, dimensions=dimensions, frame_rate=rate, kept=kept)


def kept_of(video: VideoStreamInfo, container: Container) -> KeptFrames:
    """Return what the frames of a clip would keep in a reel of this container."""
    return KeptFrames(
        video.codec,
        video.profile,
        video.pixel_format,
        video.sar,
        video.color,
        _kept_orientation(video, container),
        interlaced=video.interlaced,
        field_order=video.field_order if video.interlaced else None,
    )


def keep_refusals(video: VideoStreamInfo, dimensions: Dimensions, kept: KeptFrames) -> dict[str, bool]:
    """Return what could keep a clip out of a reel of kept frames, each with whether it is fine.

    HEVC and MJPEG code a field as a frame of its own, of half the lines.
    """
    order = video.field_order if video.interlaced else None
    return {
        f"profile is {video.profile}": video.profile == kept.profile,
        f"size is {video.dimensions}": video.dimensions == dimensions,
        f"sample aspect ratio is {video.sar}": video.sar == kept.sar,
        f"pixel format is {video.pixel_format}": video.pixel_format == kept.pixel_format,
        "stored upright" if video.orientation.is_identity else "stored rotated": video.orientation == kept.orientation,
        f"colours are {_text(video.color)}": video.color.with_range == kept.color.with_range,
        "interlaced" if video.interlaced else "progressive": video.interlaced == kept.interlaced,
        f"field order is {order}": order == kept.field_order or not (video.interlaced and kept.interlaced),
        "its frames are single fields": not video.interlaced or video.codec not in ("hevc", "mjpeg"),
        "full colour range, which only its container says": not (
            video.codec in _WITHOUT_RANGE and video.color.range == "pc"
        ),
        "Dolby Vision without a base layer": video.hdr != "dolby_vision",
    }


def _text(color: Color) -> str:
    """Return the tags of a colour description in ffmpeg's names."""
    tags = [tag for tag in (color.primaries, color.transfer, color.matrix, color.range) if tag]
    return "/".join(tags) or "not tagged"


def _kept_orientation(video: VideoStreamInfo, container: Container) -> Orientation:
    """Return the orientation that the container of the reel can say: Matroska has no word for it."""
    return Orientation() if container is Container.MKV else video.orientation

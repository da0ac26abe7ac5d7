"""Kept frames: the target format "as the clips are", which holds where all clips are copied (pure).

Clips of one camera have equal parameter sets, and so agree in profile, pixel format and colours. Joined as they
are, the reel keeps what they have, also what no encoder here would make: 10 bits, HDR, full range, no colour tags.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Container
from mpt_cli.model.clips import KeptFrames, Orientation
from mpt_cli.planning.target_form import even

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.clips import Color, TargetForm
    from mpt_cli.model.media_info import MediaInfo, VideoStreamInfo


def kept_form(clips: Sequence[tuple[MediaInfo, int]], form: TargetForm) -> TargetForm | None:
    """Return the format that the frames of most seconds have, to keep it in the reel.

    Args:
        clips: Each clip with the number of frames that are used of it.
        form: The format that clips are encoded to if they are not copied.

    Returns:
        The format with the frames as they are; None where those clips cannot be copied by any means.
    """
    frames: dict[str, int] = defaultdict(int)
    first: dict[str, MediaInfo] = {}
    for media, used in clips:
        if media.copy_traits is not None and media.video.codec == form.encoder.codec:
            group = media.copy_traits.parameter_sets
            frames[group] += used
            first.setdefault(group, media)
    if not frames:
        return None
    video = first[max(frames, key=lambda group: frames[group])].video
    if even(video.display) != form.dimensions:
        return None  # another size is asked for, or held by more seconds
    kept = KeptFrames(video.pixel_format, video.sar, video.color, _kept_orientation(video, form))
    return replace(form, dimensions=video.dimensions, kept=kept)


def keep_refusals(video: VideoStreamInfo, form: TargetForm, kept: KeptFrames) -> dict[str, bool]:
    """Return what could keep a clip out of a reel of kept frames, each with whether it is fine.

    The profile needs no look: all clips must have the same parameter sets.
    """
    return {
        f"size is {video.dimensions}": video.dimensions == form.dimensions,
        f"sample aspect ratio is {video.sar}": video.sar == kept.sar,
        f"pixel format is {video.pixel_format}": video.pixel_format == kept.pixel_format,
        "stored upright" if video.orientation.is_identity else "stored rotated": video.orientation == kept.orientation,
        f"colours are {_text(video.color)}": video.color.with_range == kept.color.with_range,
        "Dolby Vision without a base layer": video.hdr != "dolby_vision",
    }


def _text(color: Color) -> str:
    """Return the tags of a colour description in ffmpeg's names."""
    tags = [tag for tag in (color.primaries, color.transfer, color.matrix, color.range) if tag]
    return "/".join(tags) or "not tagged"


def _kept_orientation(video: VideoStreamInfo, form: TargetForm) -> Orientation:
    """Return the orientation that the container of the reel can say: Matroska has no word for it."""
    return Orientation() if form.container is Container.MKV else video.orientation

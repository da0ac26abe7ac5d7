"""What a probe would say of a file, for tests that need no file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpt_cli.model.clips import Dimensions
from mpt_cli.model.media_info import AudioStreamInfo, Color, CopyTraits, MediaInfo, Orientation, VideoStreamInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    Changes = Mapping[str, Any]

BT709 = Color("bt709", "tv", "bt709", "bt709")

_VIDEO = VideoStreamInfo(
    index=0,
    codec="h264",
    profile="High",
    dimensions=Dimensions(160, 90),
    sar=Fraction(1),
    orientation=Orientation(),
    frame_rate=Fraction(30),
    variable_frame_rate=False,
    pixel_format="yuv420p",
    bit_depth=8,
    has_alpha=False,
    color=BT709,
    hdr=None,
    interlaced=False,
)
_TRAITS = CopyTraits(
    closed_gop=True,
    hides_pictures=False,
    on_grid=True,
    exact=True,
    leads=True,
    time_base=Fraction(1, 15_360),
    delay=2,
    pictures=30,
    carries_metadata=False,
    level=11,
    parameter_sets="sets",
    extradata=b"extradata",
)
_MEDIA = MediaInfo(
    container="mov,mp4,m4a,3gp,3g2,mj2",
    size_bytes=50_000,
    zero=Fraction(0),
    duration=Fraction(1),
    video=_VIDEO,
    audio=AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48_000),
    video_start=Fraction(0),
    last_picture=Fraction(29, 30),
    scanned=True,
    copy_traits=_TRAITS,
)


def media_of(
    *, video: Mapping[str, Any] | None = None, traits: Mapping[str, Any] | None = None, **of: Any
) -> MediaInfo:
    """A second of 160x90 at 30 in the form of :func:`tests.forms.form_of`, with these fields changed."""
    changed: dict[str, Any] = {
        "video": replace(_VIDEO, **(video or {})),
        "copy_traits": replace(_TRAITS, **(traits or {})),
        **of,
    }
    return replace(_MEDIA, **changed)

"""The dynamic range of a reel: what the request says, or what the clips of the most seconds have (pure)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.hdr import hindrance, way_out
from mpt_cli.model.choices import Codec, DynamicRange
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted, seconds_text
from mpt_cli.model.samples import SDR_SAMPLES, Samples, dynamic_range_of, samples_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.config.sections import Config
    from mpt_cli.model.choices import JoinMethod
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.model.samples import HdrMetadata


@dataclass(frozen=True, slots=True)
class RangeChoice:
    """The dynamic range of a reel.

    Attributes:
        samples: Samples of its encoded frames.
        issue: Warning for clips that lose their HDR though nobody asked for it, or None.
    """

    samples: Samples = SDR_SAMPLES
    issue: Issue | None = None


def settled_range(
    config: Config, clips: Sequence[tuple[MediaInfo, Fraction]], *, of_clips: bool, join: JoinMethod | None = None
) -> RangeChoice:
    """Return the dynamic range of a reel.

    Args:
        config: The configuration of the request.
        clips: Each clip with the seconds that are used of it.
        of_clips: Whether the clips decide where nobody gave a dynamic range.
        join: The join method of ``mpt concat``, or None.
    """
    given = "dynamic_range" in config.video.model_fields_set
    wanted = config.video.dynamic_range if given or not of_clips else DynamicRange.AUTO
    hindered = None
    if wanted is DynamicRange.AUTO:
        wanted = _of_most_seconds(clips)
        hindered = None if wanted is DynamicRange.SDR else hindrance(config, join)
        wanted = DynamicRange.SDR if hindered else wanted
        given = False
    issue = None if given or wanted is not DynamicRange.SDR else _lost(clips, hindered, join)
    return RangeChoice(samples_of(wanted, _shared_metadata(clips)), issue)


def with_range(config: Config, samples: Samples) -> Config:
    """Return the configuration that names the dynamic range of these samples, and a codec that holds them."""
    found = dynamic_range_of(samples.color)
    video = config.video.model_copy(update={"dynamic_range": found})
    encode = config.encode
    if encode.codec is Codec.H264 and found is not DynamicRange.SDR:  # which nobody named
        encode = encode.model_copy(update={"codec": Codec.HEVC})
    return config.model_copy(update={"video": video, "encode": encode})


def _of_most_seconds(clips: Sequence[tuple[MediaInfo, Fraction]]) -> DynamicRange:
    """Return HDR if clips with HDR hold more seconds than others, of the transfer with the most of these."""
    seconds: dict[DynamicRange, Fraction] = defaultdict(Fraction)
    for media, used in clips:
        seconds[_range_of(media)] += used
    sdr = seconds.pop(DynamicRange.SDR, Fraction(0))
    if sum(seconds.values(), Fraction(0)) <= sdr:
        return DynamicRange.SDR
    return max(seconds, key=lambda each: seconds[each])


def _range_of(media: MediaInfo) -> DynamicRange:
    """Return the dynamic range of a clip; one with transparency is drawn over the background in SDR."""
    hdr = None if media.video.has_alpha else media.video.hdr
    return DynamicRange(hdr) if hdr in ("hlg", "pq") else DynamicRange.SDR


def _shared_metadata(clips: Sequence[tuple[MediaInfo, Fraction]]) -> HdrMetadata | None:
    """Return the static metadata in which all clips agree, else None."""
    found = {media.video.hdr_metadata for media, _ in clips}
    return found.pop() if len(found) == 1 else None


def _lost(clips: Sequence[tuple[MediaInfo, Fraction]], hindered: str | None, join: JoinMethod | None) -> Issue | None:
    """Return the warning for clips with HDR in an SDR reel, or None."""
    seconds: dict[DynamicRange, Fraction] = defaultdict(Fraction)
    hdr = [(media, used) for media, used in clips if _range_of(media) is not DynamicRange.SDR]
    for media, used in hdr:
        seconds[_range_of(media)] += used
    if not hdr:
        return None
    most, lost = max(seconds, key=lambda each: seconds[each]), sum(seconds.values(), Fraction(0))
    why = f": HDR needs 10 bits, and {hindered}" if hindered else ""
    verbs = "is HDR and becomes" if len(hdr) == 1 else "are HDR and become"
    message = f"{counted(len(hdr), 'clip')} of {seconds_text(lost)} {verbs} SDR{why}"
    hint = f"{way_out(join)} to keep it" if hindered else f"use --dynamic-range {most} to keep it"
    return Issue(IssueCode.HDR_CONVERTED, message, hint=hint)

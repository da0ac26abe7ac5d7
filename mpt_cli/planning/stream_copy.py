"""Stream copy: the clips that are copied, and the reasons of the others (pure: no file is opened here)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from mpt_cli.media.color import source_color
from mpt_cli.media.formats.containers import containers_of, mixes_sets
from mpt_cli.model.choices import Codec, Container, CopyPolicy
from mpt_cli.model.frame_times import Timing
from mpt_cli.model.samples import BT709
from mpt_cli.model.timing import frame_count, round_half_up, timescale
from mpt_cli.planning.kept_frames import keep_refusals
from mpt_cli.planning.segments import ASSUMED_TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.clips import EncoderSettings, Segment, TargetForm, VideoClip
    from mpt_cli.model.media_info import CopyTraits, MediaInfo, VideoStreamInfo

_WITHOUT_TIMES = ("avi",)
_NOT_JOINED = ("mpegts", "avi", "flv")
"""Containers of which the join cannot read a file itself: decode times, start codes."""
OTHER_SETS = "parameter sets differ from the other clips'"
OTHERS_ENCODED = "other clips must be encoded, which gives other parameter sets"
"""The reason of a clip that could be copied alone."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames of a file in the order in which they are shown: the index of the first one, and their number."""

    first: int
    frames: int


def wanted_part(clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm) -> Part:
    """Return the frames that a segment shows, for a clip whose frames are on the grid of the target's rate."""
    late = media.zero + clip.start - media.video_start
    return Part(round_half_up(late * form.frame_rate), segment.frames)


def copy_refusals(clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm) -> tuple[str, ...]:
    """Return why the coded frames of a clip cannot be used as they are; empty when they can.

    Parameter sets are judged over all clips, in :func:`copied_places`.
    """
    reasons, traits = form_refusals(clip, media, segment, form), media.copy_traits
    if traits is None or form.is_variable or media.video.codec != form.codec:
        return reasons
    if media.video.frame_rate == form.frame_rate and _is_on_grid(clip, media, traits, form):
        reasons = (*reasons, *_cut_refusals(clip, wanted_part(clip, media, segment, form), media, traits))
    return reasons


def form_refusals(clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm) -> tuple[str, ...]:
    """Return why the coded frames of a clip cannot be used as they are, wherever it is trimmed."""
    video, traits = media.video, media.copy_traits
    if video.codec != form.codec:
        return (f"codec is {video.codec}{_unheld(video.codec, form.container)}",)
    if traits is None:
        return (unreadable(media),)
    kept, dimensions = form.kept, form.dimensions
    checks = {
        **(_encoded_refusals(video, form) if kept is None else keep_refusals(video, dimensions, kept)),
        **own_refusals(media, traits),
    }
    if form.is_variable:
        checks |= _variable_refusals(clip, media, segment, form)
    else:
        checks |= {
            f"frame rate is {video.frame_rate}": video.frame_rate == form.frame_rate,
            _off_grid(video): _is_on_grid(clip, media, traits, form),
        }
    return tuple(reason for reason, fine in checks.items() if not fine)


def _is_on_grid(clip: VideoClip, media: MediaInfo, traits: CopyTraits, form: TargetForm) -> bool:
    return traits.on_grid and media.video_start - (media.zero + clip.start) < 1 / (2 * form.frame_rate)


def own_refusals(media: MediaInfo, traits: CopyTraits) -> dict[str, bool]:
    """Return what could keep frames from being copied into any reel, each with whether it is fine."""
    video = media.video
    return {
        traits.obstacle or "": traits.obstacle is None,
        "its display matrix is not plain": video.plain_matrix or not video.orientation.is_identity,
        "its container crops its pictures": video.crop is None,
        "its decoder configuration changes": traits.one_description,
        "its size changes": not video.changes_size,
        "some of its frames are damaged": not media.suspect,
        "transparent": not video.has_alpha,
        "frames or container say other colours": video.one_color,
        "its first frame does not decode by itself": traits.clean_start,
        "an edit list hides some of its pictures": not traits.hides_pictures,
    }


def keeps_times(media: MediaInfo, traits: CopyTraits) -> bool:
    """Return whether each frame has a time of its own, which a reel can keep."""
    times = media.frame_times
    if times is None or times.timing is Timing.COUNTED or times.frames != traits.pictures or traits.field_pairs:
        return False
    if media.container in _WITHOUT_TIMES or any(warning.code in ASSUMED_TIMES for warning in media.warnings):
        return False
    return all(earlier < later for earlier, later in pairwise(times.ticks()))


def _variable_refusals(clip: VideoClip, media: MediaInfo, segment: Segment, form: TargetForm) -> dict[str, bool]:
    """Return what could keep a clip out of a reel whose frames keep their times, each with whether it is fine."""
    traits, times = media.copy_traits, media.frame_times
    assert traits is not None
    whole = segment.frames == frame_count(media.duration, form.frame_rate)
    return {
        "its frames have no times of their own": keeps_times(media, traits),
        f"its clock ticks {1 / traits.time_base} times a second": 1 / traits.time_base == form.frame_rate,
        "frame rate is variable, and it is trimmed": whole and not clip.start and clip.end is None,
        "its audio begins before its frames": media.video_start == media.zero,
        "its frames last longer than its audio and frames": times is None or segment.frames > times.last - times.first,
    }


def _off_grid(video: VideoStreamInfo) -> str:
    return "frame rate is variable" if video.variable_frame_rate else "picture times are not on the grid"


def _encoded_refusals(video: VideoStreamInfo, form: TargetForm) -> dict[str, bool]:
    """Return in what a clip may differ from what is encoded here, each with whether it is fine."""
    color = source_color(video.color, video.dimensions, video.pixel_format)
    tags, wanted = replace(video.color, range="tv"), form.encoder.color
    named = "BT.709" if wanted == BT709 else f"{wanted.primaries}/{wanted.transfer}/{wanted.matrix}"
    return {
        f"profile is {video.profile}": video.profile in _profiles(form.encoder),
        f"size is {video.dimensions}": video.dimensions == form.dimensions,
        "pixels are not square": video.sar == 1,
        "stored rotated": video.orientation.is_identity,
        f"pixel format is {video.pixel_format}": video.pixel_format == form.encoder.pixel_format,
        f"colours are not tagged {named}": tags == wanted and video.color.range in ("tv", "pc"),
        "full colour range": not color.full_range,
        "interlaced" if video.interlaced else "may be interlaced": not (video.interlaced or video.may_interlace),
    }


def _unheld(codec: str, container: Container) -> str:
    """Return the words that name the containers of a codec which this one does not hold, else nothing."""
    others = containers_of(codec)
    if container in others or not others:
        return ""
    return f", which {container} does not hold: name the output .{' or .'.join(others)}"


def unreadable(media: MediaInfo) -> str:
    """Return why nothing is known of a file that a copy needs."""
    if not media.scanned:
        return "not all of its packets were read"
    return "its clock jumps" if media.clock_moves else f"pictures in {media.container} are not copied"


def _cut_refusals(clip: VideoClip, part: Part, media: MediaInfo, traits: CopyTraits) -> list[str]:
    """Return why a part cannot be cut out of a file whose frames are on a grid.

    Decoding begins at a keyframe. It may end wherever the frames stored so far are the frames shown
    so far: before a keyframe, and anywhere in a file without reordering.
    """
    end, reasons = part.first + part.frames, []
    keyframes = {round((point - media.video_start) * media.video.frame_rate) for point in media.seek_points}
    if part.first and part.first not in keyframes:
        reasons.append("its trim does not start at a keyframe")
    if part != Part(0, traits.pictures) and not traits.closed_gop:
        reasons.append("keyframes are not closed")
    if part != Part(0, traits.pictures) and traits.field_pairs:
        reasons.append("its fields are packets of their own, which a trim could tear apart")
    if end > traits.pictures or (end < traits.pictures and traits.delay and end not in keyframes):
        whole = part.frames == frame_count(media.duration - clip.start, media.video.frame_rate)
        reasons.append("its length is not that of its pictures" if whole else "its trim does not end at a keyframe")
    return reasons


def shown_at(media: MediaInfo, part: Part) -> Fraction:
    """Return when the first frame of a copied part is shown, in the clock of the file; roughly where none can seek."""
    about = media.video_start + part.first / media.video.frame_rate
    if not media.seek_points:
        return about
    return min((media.video_start, *media.seek_points), key=lambda point: abs(point - about))


def is_copied_in_place(media: MediaInfo, part: Part, form: TargetForm, *, alone: bool) -> bool:
    """Return whether the join can read the file of a copied clip itself, so that no segment is written.

    The join rounds times to ticks of the first file (measured: with another time base than that of the
    target every frame is off its time, ffmpeg 7 and 9), and starts the earliest stream of a file, which
    may be its audio, where the clip before ends. Milliseconds of Matroska are not rounded there: they
    are right only where a clip is alone. Metadata inside frames is removed when a segment is written.
    """
    traits = media.copy_traits
    assert traits is not None
    into_matroska = form.container is Container.MKV
    matroska = alone and into_matroska
    clock = Fraction(1, 1000) if matroska else Fraction(1, timescale(form.frame_rate))
    if into_matroska and not alone and media.audio_tracks:
        return False  # times are not rounded there, and audio that is primed moves the frames (measured: 21 ms)
    untouched = traits.exact and traits.leads and not traits.carries_metadata
    return (
        media.container not in _NOT_JOINED
        and untouched
        and traits.time_base == clock
        and part == Part(0, traits.pictures)
    )


def _profiles(encoder: EncoderSettings) -> tuple[str, ...]:
    return {
        Codec.H264: ("Constrained Baseline", "Baseline", "Main", "High"),
        Codec.HEVC: ("Main",) if encoder.pixel_format == "yuv420p" else ("Main 10",),
        Codec.AV1: ("Main",),
    }[encoder.codec]


def copied_places(
    medias: Sequence[MediaInfo], refusals: Sequence[tuple[str, ...]], policy: CopyPolicy, form: TargetForm
) -> tuple[set[int], bool]:
    """Return the offsets of clips that are copied, and whether their parameter sets differ.

    With ``identical`` the reel has one set: either all clips are copied or none, because a clip encoded
    here has other sets than one encoded elsewhere.
    """
    fit = {i for i, reasons in enumerate(refusals) if not reasons}
    if policy is CopyPolicy.NEVER or not fit:
        return set(), False
    uniform = len({_sets(medias[i]) for i in fit}) == 1 and len(fit) == len(medias)
    if policy is CopyPolicy.IDENTICAL or not mixes_sets(form.codec, form.container):
        return (fit, False) if uniform else (set(), False)
    return fit, not uniform


def places_of_other_sets(medias: Sequence[MediaInfo], refusals: Sequence[tuple[str, ...]]) -> set[int]:
    """Return the offsets of clips that could be copied but for parameter sets that most others do not have."""
    fit = [i for i, reasons in enumerate(refusals) if not reasons]
    counts = Counter(_sets(medias[i]) for i in fit)
    most = max(counts, key=lambda sets: counts[sets], default=None)
    return {i for i in fit if _sets(medias[i]) != most}


def _sets(media: MediaInfo) -> tuple[str, int | None] | None:
    traits = media.copy_traits
    return None if traits is None else (traits.parameter_sets, traits.level)


def copy_reasons(media: MediaInfo, part: Part, *, in_place: bool) -> tuple[str, ...]:
    """Return why a clip is copied, and what changes on the way."""
    traits = media.copy_traits
    assert traits is not None
    if part.frames > traits.pictures:
        return ("already has the target form", "each frame keeps its time")
    whole_ticks = (1 / (media.video.frame_rate * traits.time_base)).denominator == 1
    trimmed = () if part == Part(0, traits.pictures) else ("trimmed without encoding",)
    rounded = () if in_place or (traits.exact and whole_ticks) else ("picture times rounded to the grid",)
    cleaned = ("metadata in its frames is left out",) if traits.carries_metadata else ()
    return ("already has the target form", *trimmed, *rounded, *cleaned)


def refusal_reasons(refusals: tuple[str, ...], policy: CopyPolicy, *, has_other_sets: bool) -> tuple[str, ...]:
    """Return why a clip is not copied; ``has_other_sets`` where its parameter sets are not those of most others."""
    if refusals:
        return refusals
    if policy is CopyPolicy.NEVER:
        return ("copying is ruled out",)
    return (OTHER_SETS,) if has_other_sets else (OTHERS_ENCODED,)

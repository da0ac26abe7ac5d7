"""Cuts between keyframes: only the frames from a trim to the next keyframe are encoded, and the rest is copied (pure).

Such a clip has up to three parts: an encoded head, a copied body and an encoded tail. Encoded frames have parameter
sets of their own, so that only a reel of mixed ones can hold them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg.segment_commands import segment_origin
from mpt_cli.model.choices import Action, Codec, Tracks
from mpt_cli.model.clips import Segment
from mpt_cli.model.formatting import counted
from mpt_cli.planning.estimates import COPY_BYTES, audio_work, need_bytes
from mpt_cli.planning.segments import ASSUMED_TIMES
from mpt_cli.planning.stream_copy import Part, form_refusals

if TYPE_CHECKING:
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.planning.used_clip import UsedClip

_LEAST_COPIED = Fraction(1, 2)
"""Share of the frames of a clip that a cut must copy: below, two more starts of an encoder save too little."""
_LEAST_COPIED_SECONDS = Fraction(1, 2)
_PROFILES = {
    "Constrained Baseline": "baseline",
    "Baseline": "baseline",
    "Main": "main",
    "High": "high",
    "High 10": "high10",
}
_LEVELS = (10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62)


@dataclass(frozen=True, slots=True)
class Cut:
    """Frames of a clip that are copied, and those beside them that are encoded.

    Attributes:
        first: Index of the first frame in its file, in the order of showing.
        head: Number of frames that are encoded before those that are copied.
        body: Number of frames that are copied.
        tail: Number of frames that are encoded after them.
    """

    first: int
    head: int
    body: int
    tail: int

    @property
    def copied(self) -> Part:
        """The frames of the file that are copied."""
        return Part(self.first + self.head, self.body)

    @property
    def encoded(self) -> int:
        """Number of frames that are encoded."""
        return self.head + self.tail

    @property
    def frames(self) -> int:
        """Number of frames of the clip."""
        return self.head + self.body + self.tail

    @property
    def spans(self) -> str:
        """The frames of the clip that are encoded, in words."""
        ends = [(0, self.head), (self.head + self.body, self.frames)]
        spans = [f"{a}-{b - 1}" if b > a + 1 else str(a) for a, b in ends if b > a]
        return f"frame{'s' if self.encoded > 1 else ''} {' and '.join(spans)}"


def cut_of(used: UsedClip, form: TargetForm) -> Cut | None:
    """Return how a clip can be cut that only its trim keeps from being copied; None where that is not worth it.

    The encoder must make frames of the same kind, and players take other parameter sets in mid-stream: so far that
    is known of H.264. The join writes them before frames that nothing refers behind (IDR), and not before a keyframe
    of an open group, which a player that seeks there would decode by those of another part (measured, ffmpeg 9).
    """
    media, traits = used.media, used.media.copy_traits
    if form.codec != Codec.H264 or form.is_variable or traits is None or traits.cut_points is None:
        return None
    if form_refusals(used.clip, media, used.segment, form):
        return None
    if not traits.closed_gop or any(warning.code in ASSUMED_TIMES for warning in media.warnings):
        return None
    late, frames = media.zero + used.clip.start - media.video_start, used.segment.frames
    first = ceil(late * form.frame_rate - Fraction(1, 2))  # of two equally near the one that is shown where encoded
    start, end = traits.cut_points.start_from(first), traits.cut_points.end_until(first + frames)
    if start is None or first < 0 or first + frames > traits.pictures:
        return None
    cut = Cut(first, start - first, end - start, first + frames - end)
    enough = cut.body >= max(_LEAST_COPIED * frames, _LEAST_COPIED_SECONDS * form.frame_rate)
    return cut if enough and cut.body > 0 else None


def cut_clip(planned: PlannedClip, cut: Cut, form: TargetForm) -> PlannedClip:
    """Return a copied clip with the parts that it is processed in.

    The encoded parts begin at a frame and not at the time of the trim, which may be half a frame beside: so each
    frame of the file is in one part.

    Args:
        planned: The clip, to be copied from the first frame of its body on.
        cut: Which frames are copied.
        form: The target format.
    """
    media, index = planned.media, planned.index
    at_frame = media.video_start - media.zero + cut.first / form.frame_rate
    clip = replace(planned.clip, start=at_frame)

    def encoded(first: int, frames: int) -> PlannedClip:
        segment = Segment(index, first, frames)
        origin = segment_origin(clip, media, segment, form.frame_rate)
        sought = media.seek_point_for(origin) or media.video_start
        decoded = frames + int((origin - sought) * form.frame_rate)
        return replace(
            planned,
            clip=clip,
            segment=segment,
            action=Action.ENCODE,
            tracks=Tracks.FRAMES,
            like_source=True,
            need_bytes=need_bytes(media, form),
            work=media.video.dimensions.pixels * decoded + form.dimensions.pixels * frames,
            copied_from=None,
        )

    body = replace(planned, segment=Segment(index, cut.head, cut.body), tracks=Tracks.FRAMES, work=cut.body)
    parts = [body]
    if cut.head:
        parts.insert(0, encoded(0, cut.head))
    if cut.tail:
        parts.append(encoded(cut.head + cut.body, cut.tail))
    if media.audio is not None and not planned.clip.mute:
        work = audio_work(cut.frames / form.frame_rate)
        parts.append(replace(planned, action=Action.ENCODE, tracks=Tracks.AUDIO, work=work, copied_from=None))
    need = max(COPY_BYTES, *(part.need_bytes for part in parts))
    reasons = (f"{cut.spans} encoded", *planned.reasons)
    return replace(planned, parts=tuple(parts), reasons=reasons, need_bytes=need, work=sum(part.work for part in parts))


def in_kind_of(media: MediaInfo, form: TargetForm) -> TargetForm:
    """Return a target format with profile and level of a file, beside whose frames others are encoded.

    Decoders are chosen by the first parameter sets of a reel, which then hold for what follows.
    """
    profile, traits = _PROFILES.get(media.video.profile or ""), media.copy_traits
    if form.encoder.encoder != "libx264" or profile is None or traits is None:
        return form
    options = form.encoder.named_options | {"-profile:v": profile}
    if traits.level is not None and traits.level in _LEVELS:
        options["-level:v"] = str(traits.level)
    flat = tuple(part for pair in options.items() for part in pair)
    return replace(form, encoder=replace(form.encoder, options=flat))


def saving(cut: Cut) -> str:
    """Return what cutting a clip would encode, in words."""
    return f"--copy compatible encodes {cut.encoded} of its {counted(cut.frames, 'frame')}"

"""Decide which clips of a reel are copied, and into which format (pure)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Container, CopyPolicy, DynamicRange
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.formatting import counted
from mpt_cli.planning.cuts import cut_of, saving
from mpt_cli.planning.kept_frames import kept_form
from mpt_cli.planning.stream_copy import OTHER_SETS, copied_places, copy_refusals, places_of_other_sets, refusal_reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.media_info import MediaInfo
    from mpt_cli.planning.cuts import Cut
    from mpt_cli.planning.used_clip import UsedClip

    EncoderLike = Callable[[TargetForm], TargetForm | None]


@dataclass(frozen=True, slots=True)
class Copying:
    """What may be copied.

    Attributes:
        policy: Which clips may be copied.
        keep: True to keep frames in the format that the clips have, where all can be copied.
        any_codec: True to keep also another codec than that of the target format.
        any_rate: True to keep also another frame rate than that of the target format.
        dynamic_range: The dynamic range that kept frames must have.
        cuts: True to encode a few frames beside those that are copied of a clip.
    """

    policy: CopyPolicy
    keep: bool = False
    any_codec: bool = False
    any_rate: bool = False
    dynamic_range: DynamicRange = DynamicRange.SDR
    cuts: bool = True


@dataclass(frozen=True, slots=True)
class Copies:
    """What is copied.

    Attributes:
        places: Offsets of the clips that are copied.
        refusals: Why each clip cannot be copied; empty where it could.
        other_sets: Offsets of clips that could be copied but for their parameter sets.
        mixed: True if parameter sets of copied clips differ from others.
        clips: The clips with the output frames that are copied of them.
        kept: The format of the reel where it keeps that of its clips; None for the target format.
        cuts: How clips can be copied, by their offsets, of which a few frames must be encoded.
    """

    places: frozenset[int]
    refusals: tuple[tuple[str, ...], ...]
    other_sets: frozenset[int] = frozenset()
    mixed: bool = False
    clips: tuple[UsedClip, ...] = ()
    kept: TargetForm | None = None
    cuts: Mapping[int, Cut] = field(default_factory=dict)

    @property
    def frames_copied(self) -> int:
        """Number of frames that are copied."""
        return sum(
            self.cuts[place].body if place in self.cuts else self.clips[place].segment.frames for place in self.places
        )

    def reasons(self, place: int, policy: CopyPolicy) -> tuple[str, ...]:
        """Return why the clip at an offset is not copied, and what would help."""
        reasons = refusal_reasons(self.refusals[place], policy, has_other_sets=place in self.other_sets)
        if policy is CopyPolicy.IDENTICAL and place in self.cuts:
            return (*reasons, saving(self.cuts[place]))
        return reasons


def copies_of(
    used_at: Callable[[Fraction], Sequence[UsedClip]], form: TargetForm, copying: Copying, like: EncoderLike
) -> Copies:
    """Decide what is copied: clips in the target format, or in the one that most of them share.

    Frames are kept in a format of their own where all clips share it. With ``--copy compatible`` some may differ, if
    an encoder makes such frames of them and more frames are copied so than in the target format.

    Args:
        used_at: Returns the clips in the order of the reel, with their output frames at a rate.
        form: The format that clips are encoded to.
        copying: What may be copied.
        like: Returns a format of kept frames with an encoder that makes such ones, or None.
    """
    clips = used_at(form.frame_rate)
    copies = _copies(clips, form, copying.policy, cuts=copying.cuts)
    mixes = copying.policy is CopyPolicy.COMPATIBLE and (len(copies.places) < len(clips) or bool(copies.cuts))
    if not copying.keep or copying.policy is CopyPolicy.NEVER or (copies.places and not mixes):
        return copies
    used = [(each.media, each.segment.frames) for each in clips if _has_range(each.media, copying.dynamic_range)]
    refused = copies
    for variable in (False, True) if copying.any_rate else (False,):
        kept = _kept(used, form, copying, variable=variable)
        found = (
            copies if kept is None else _copies(_kept_at(used_at(kept.frame_rate), kept), kept, CopyPolicy.IDENTICAL)
        )
        if kept is not None and found.places:
            return found
        refused = refused if variable else found
    kept = _kept(used, form, copying, any_sets=True) if mixes else None
    if kept is not None and (alike := like(kept)) is not None:
        mixed = _copies(used_at(kept.frame_rate), alike, CopyPolicy.COMPATIBLE, cuts=copying.cuts)
        if mixed.frames_copied / kept.frame_rate > copies.frames_copied / form.frame_rate:
            return mixed
    return copies if copies.places else replace(refused, cuts=copies.cuts)


def _kept(
    used: Sequence[tuple[MediaInfo, int]],
    form: TargetForm,
    copying: Copying,
    *,
    variable: bool = False,
    any_sets: bool = False,
) -> TargetForm | None:
    return kept_form(
        used, form, any_codec=copying.any_codec, any_rate=copying.any_rate, variable=variable, any_sets=any_sets
    )


def _has_range(media: MediaInfo, dynamic_range: DynamicRange) -> bool:
    return (media.video.hdr or DynamicRange.SDR) == dynamic_range


def _kept_at(clips: Sequence[UsedClip], form: TargetForm) -> list[UsedClip]:
    """Return clips whose frames, where they keep their own times, are only some of those on the grid."""
    if not form.is_variable:
        return list(clips)
    return [
        replace(each, segment=replace(each.segment, coded=each.media.copy_traits.pictures))
        if each.media.copy_traits is not None
        else each
        for each in clips
    ]


def all_encoded_notice(
    used_at: Callable[[Fraction], Sequence[UsedClip]],
    form: TargetForm,
    copies: Copies,
    copying: Copying,
    like: EncoderLike,
) -> Issue | None:
    """Return a warning where a few clips keep the others from being copied.

    Args:
        used_at: Returns the clips in the order of the reel, with their output frames at a rate.
        form: The format that clips are encoded to.
        copies: What is copied.
        copying: What may be copied.
        like: Returns a format of kept frames with an encoder that makes such ones, or None.
    """
    odd = [i for i, reasons in enumerate(copies.refusals) if reasons or i in copies.other_sets]
    if copies.places or copying.policy is CopyPolicy.NEVER or not odd:
        return None
    compatible = replace(copying, policy=CopyPolicy.COMPATIBLE)
    mixed, elsewhere = copies_of(used_at, form, compatible, like), False
    if not mixed.places and form.container is not Container.MKV:
        mixed, elsewhere = copies_of(used_at, replace(form, container=Container.MKV), compatible, like), True
    if copying.policy is CopyPolicy.COMPATIBLE and not mixed.places:
        return None
    few, clips = 2 * len(odd) <= len(copies.clips), len(copies.clips)
    if not few and not mixed.cuts:
        return None
    differences = Counter((copies.refusals[i] or (OTHER_SETS,))[0] for i in odd)
    difference, _ = differences.most_common(1)[0]
    differ = "differs" if len(odd) == 1 else "differ"
    message = f"{len(odd)} of {clips} clips {differ} ({difference}): all are encoded"
    if len(odd) == clips:
        message = f"{'all clips are' if clips > 1 else 'the clip is'} encoded ({difference})"
    hint = "leave out or convert what differs, to copy the others"
    if mixed.places:
        message += f"; --copy compatible {'into .mkv ' if elsewhere else ''}encodes {_encoded_by(mixed)}"
        hint = "add --copy compatible where the players are known"
        hint = f"name the output .mkv, and {hint}" if elsewhere else hint
    return Issue(IssueCode.ALL_ENCODED, message, hint=hint)


def _encoded_by(copies: Copies) -> str:
    """Return what is encoded where some clips are copied, in words: whole clips, and frames of others."""
    whole, cuts = len(copies.clips) - len(copies.places), copies.cuts.values()
    frames = sum(cut.encoded for cut in cuts)
    if not frames:
        return str(whole)
    of = f"{frames} of {counted(sum(cut.frames for cut in cuts), 'frame')}"
    return f"{counted(whole, 'clip')}, and {of} of {len(cuts)} trimmed" if whole else of


def _copies(clips: Sequence[UsedClip], form: TargetForm, policy: CopyPolicy, *, cuts: bool = False) -> Copies:
    medias = [each.media for each in clips]
    refusals = tuple(copy_refusals(each.clip, each.media, each.segment, form) for each in clips)
    places, mixed = copied_places(medias, refusals, policy, form)
    other_sets = frozenset(places_of_other_sets(medias, refusals))
    refused = ((i, cut_of(each, form)) for i, each in enumerate(clips) if cuts and refusals[i])
    found = {i: cut for i, cut in refused if cut is not None}
    if policy is CopyPolicy.COMPATIBLE:
        places, mixed = places | set(found), mixed or bool(found)
    kept = form if places and form.kept is not None else None
    return Copies(frozenset(places), refusals, other_sets, mixed, tuple(clips), kept, found)

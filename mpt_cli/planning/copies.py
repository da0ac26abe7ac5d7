"""Decide which clips of a reel are copied, and into which format (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.model.choices import CopyPolicy
from mpt_cli.planning.kept_frames import kept_form
from mpt_cli.planning.stream_copy import copied_places, copy_refusals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.planning.used_clip import UsedClip


@dataclass(frozen=True, slots=True)
class Copying:
    """What may be copied.

    Attributes:
        policy: Which clips may be copied.
        keep: True to keep frames in the format that the clips have, where all can be copied.
        any_codec: True to keep also another codec than that of the target format.
    """

    policy: CopyPolicy
    keep: bool = False
    any_codec: bool = False


@dataclass(frozen=True, slots=True)
class Copies:
    """What is copied.

    Attributes:
        places: Offsets of the clips that are copied.
        refusals: Why each clip cannot be copied; empty where it could.
        mixed: True if parameter sets of copied clips differ from others.
        kept: The format of the reel where it keeps that of its clips; None for the target format.
    """

    places: frozenset[int]
    refusals: tuple[tuple[str, ...], ...]
    mixed: bool = False
    kept: TargetForm | None = None


def copies_of(clips: Sequence[UsedClip], form: TargetForm, copying: Copying) -> Copies:
    """Decide what is copied: clips in the target format, else all of them in the one that they share."""
    copies = _copies(clips, form, copying.policy)
    if not copying.keep or copies.places or copying.policy is CopyPolicy.NEVER:
        return copies
    used = [(each.media, each.segment.frames) for each in clips]
    kept = kept_form(used, form, any_codec=copying.any_codec)
    return copies if kept is None else _copies(clips, kept, CopyPolicy.IDENTICAL)


def _copies(clips: Sequence[UsedClip], form: TargetForm, policy: CopyPolicy) -> Copies:
    refusals = tuple(copy_refusals(each.clip, each.media, each.segment, form) for each in clips)
    places, mixed = copied_places([each.media for each in clips], refusals, policy, form.codec)
    kept = form if places and form.kept is not None else None
    return Copies(frozenset(places), refusals, mixed, kept)

"""Levels of the audio that a request asks for, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.formatting import counted
from mpt_cli.model.loudness import WantedLevels

if TYPE_CHECKING:
    from mpt_cli.config.sections import Config
    from mpt_cli.model.choices import JoinMethod
    from mpt_cli.planning.plan import Plan


def wanted_levels(plan: Plan, config: Config, method: JoinMethod | None) -> WantedLevels | None:
    """Return the levels that are asked for; None where nothing is changed, and to measure would cost too much.

    The meter takes a five hundredth of the time of a clip (measured), which is nothing beside an encoder of video,
    and a tenth of what a join by copies takes.

    Args:
        plan: The plan of the request.
        config: The configuration of the request.
        method: The join method of ``mpt concat``; None for ``mpt process``.
    """
    audio, volumes = config.audio, {clip.index: clip.clip.volume for clip in plan.clips if clip.clip.volume}
    heard = sum(clip.media.audio is not None and not clip.clip.mute for clip in plan.clips)
    measures = method is None and heard > 1 and any(step.encodes_frames for step in plan.steps)
    levels = WantedLevels(audio.loudness, audio.true_peak, audio.even_out, volumes, measures)
    return levels if levels.changes or measures else None


def with_levels(plan: Plan, config: Config) -> Plan:
    """Return the plan with the levels that are asked for: in words, and with the disk space that they take."""
    audio, volumes = config.audio, sum(bool(clip.clip.volume) for clip in plan.clips)
    words = (
        *((f"loudness {audio.loudness:g} LUFS",) if audio.loudness is not None else ()),
        *(("clips evened out",) if audio.even_out else ()),
        *((f"{counted(volumes, 'clip')} with a volume of its own",) if volumes else ()),
    )
    if not words:
        return plan
    samples = plan.duration * plan.form.audio.sample_rate
    size = plan.temporary_bytes + int(samples * plan.form.audio.frame_bytes)
    return replace(plan, temporary_bytes=size, audio_reasons=tuple(dict.fromkeys((*plan.audio_reasons, *words))))

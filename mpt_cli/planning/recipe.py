"""Recipes: the ffmpeg command of a planned clip, and the cache key of the segment that it writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg import segment_commands
from mpt_cli.media.ffmpeg.audio_chain import rendered_path
from mpt_cli.media.ffmpeg.commands import with_frame_map
from mpt_cli.media.open_options import file_url
from mpt_cli.model.choices import Action, Tracks
from mpt_cli.planning.cuts import in_kind_of
from mpt_cli.planning.planned_clip import Recipe
from mpt_cli.storage.store import recipe_key

if TYPE_CHECKING:
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.planning.plan import Plan
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.storage.temp_files import TempFileManager

_INPUT, _FRAMES, _AUDIO = Path("/input"), Path("/pictures"), Path("/sound")
"""Stand for the files in a command that is only compared: keys of cached segments are made of these names."""


class Recipes:
    """Write the command of each planned clip for one ffmpeg; nothing is started."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        """Write commands for this ffmpeg, and keys of its build."""
        self._ffmpeg = ffmpeg

    def key(self, planned: PlannedClip, form: TargetForm, content: str) -> str:
        """Return the cache key of the segment encoded from this content."""
        return self.keyed(planned, form, content)[0]

    def keyed(self, planned: PlannedClip, form: TargetForm, content: str) -> tuple[str, Recipe]:
        """Return the cache key of the segment encoded from this content, and the recipe that the key is made of."""
        unnamed = replace(planned.clip, path=_INPUT)
        audio = _AUDIO if is_heard(planned) else None
        arguments = self.arguments(replace(planned, clip=unnamed, recipe=None), form, _FRAMES, audio)
        recipe = Recipe(unnamed, planned.media, planned.segment, form, "\0".join(arguments))
        around = planned.splice.recipe if planned.splice is not None and audio is not None else ()
        return recipe_key(content, self._ffmpeg.build, [*arguments, *around]), recipe

    def frame_map_path(self, planned: PlannedClip, files: TempFileManager) -> Path | None:
        """Return where ffmpeg writes which frame it encodes; None where it encodes none, or does not report it."""
        copies = planned.action is Action.COPY or planned.tracks is Tracks.AUDIO
        if copies or not self._ffmpeg.reports_frames:
            return None
        return files.frame_map_path(planned.segment)

    def arguments(
        self, planned: PlannedClip, form: TargetForm, frames: Path, audio: Path | None, frame_map: Path | None = None
    ) -> list[str]:
        """Return the arguments of the one ffmpeg that is needed; empty where frames are copied without audio."""
        if planned.recipe is not None and planned.recipe.is_of(planned, form):
            known = _renamed(planned, frames, audio)
            return with_frame_map(known, frames, frame_map)
        if planned.action is not Action.COPY and planned.tracks is not Tracks.AUDIO:
            form = in_kind_of(planned.media, form) if planned.like_source else form
            return segment_commands.segment_arguments(
                planned.clip,
                planned.media,
                planned.segment,
                form,
                video_path=frames,
                audio_path=audio,
                frame_map_path=frame_map,
            )
        if audio is None:
            return []
        return segment_commands.audio_arguments(planned.clip, planned.media, planned.segment, form, audio_path=audio)

    def command(self, planned: PlannedClip, form: TargetForm, files: TempFileManager) -> tuple[str, ...]:
        """Return the whole command that a run starts for a clip; empty for none."""
        if planned.action is Action.REUSE:
            return ()
        frames, audio = segment_paths(planned, files)
        arguments = self.arguments(planned, form, frames, audio, self.frame_map_path(planned, files))
        return (str(self._ffmpeg.binary), *arguments) if arguments else ()

    def commands_of(self, plan: Plan, files: TempFileManager) -> dict[int, tuple[tuple[str, ...], ...]]:
        """Return the command of each step of each clip of a plan by the clip's index, for a dry run."""
        return {clip.index: tuple(self.command(step, plan.form, files) for step in clip.steps) for clip in plan.clips}


def _renamed(planned: PlannedClip, frames: Path, audio: Path | None) -> list[str]:
    """Return the arguments of a clip's recipe with the names of its files."""
    assert planned.recipe is not None
    media = planned.media
    names = {
        file_url(_INPUT, media.readable_bytes): file_url(planned.clip.path, media.readable_bytes),
        file_url(_FRAMES): file_url(frames),
    }
    if audio is not None:
        names[file_url(_AUDIO)] = file_url(audio)
        for track in media.heard:
            names[file_url(rendered_path(_AUDIO, track.index))] = file_url(rendered_path(audio, track.index))
    return [names.get(argument, argument) for argument in planned.recipe.text.split("\0")]


def segment_paths(planned: PlannedClip, files: TempFileManager) -> tuple[Path, Path | None]:
    """Return where frames and audio of a clip are written; no audio where none is heard."""
    frames, audio = files.segment_paths(planned.segment)
    return frames, audio if is_heard(planned) else None


def is_heard(planned: PlannedClip) -> bool:
    """Return whether a step of processing a clip creates audio."""
    return planned.media.audio is not None and not planned.clip.mute and planned.tracks is not Tracks.FRAMES

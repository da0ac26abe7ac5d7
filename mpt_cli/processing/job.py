"""Job of one clip: the planned clip with the target format, configuration, files and context of its run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Tracks
from mpt_cli.planning.recipe import segment_paths

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import ProcessingConfig
    from mpt_cli.model.clips import TargetForm
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager


@dataclass(frozen=True, slots=True)
class ClipJob:
    """Everything that the steps of processing one clip share."""

    planned: PlannedClip
    form: TargetForm
    config: ProcessingConfig
    files: TempFileManager
    context: RunContext
    frames_path: Path = field(init=False)
    """File for the frames of the segment."""
    audio_path: Path | None = field(init=False)
    """File for the audio of the segment, or None if the clip has no audio in the reel."""

    def __post_init__(self) -> None:
        """Name the files once: the steps ask for them a dozen times."""
        frames, audio = segment_paths(self.planned, self.files)
        object.__setattr__(self, "frames_path", frames)
        object.__setattr__(self, "audio_path", audio)

    @property
    def source(self) -> Path:
        """File of the clip."""
        return self.planned.clip.path

    @property
    def created_paths(self) -> tuple[Path, ...]:
        """Files that the work creates."""
        frames, audio = self.files.segment_paths(self.planned.segment)
        of = self.planned.tracks
        return (*([frames] if of is not Tracks.AUDIO else []), *([audio] if of is not Tracks.FRAMES else []))

    @property
    def seconds(self) -> float:
        """Length of the segment in seconds."""
        return float(self.planned.segment.frames / self.form.frame_rate)

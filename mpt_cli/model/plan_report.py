"""The plan of a request as a dry run reports it, and what its run is predicted to cost (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction  # noqa: TC003 - reports are read back from JSON, which needs types at run time
from pathlib import Path  # noqa: TC003

from mpt_cli.model.audio_form import AudioForm  # noqa: TC001 - the same
from mpt_cli.model.choices import Action, Container, DynamicRange  # noqa: TC001 - the same
from mpt_cli.model.clips import Dimensions  # noqa: TC001


@dataclass(frozen=True, slots=True)
class Prediction:
    """Cost of a run as its plan predicted it."""

    memory_peak_bytes: int
    temporary_bytes: int
    output_bytes: int
    total_duration_seconds: float


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """Planned work on one clip, as a dry run reports it.

    Attributes:
        index: Index of the clip in the request, counted from 0.
        action, reasons: Action on the clip, and the reasons for it.
        start, duration: Offset of the clip in the reel and its duration there, in seconds.
        frames: Number of output frames.
        argv: Command line of ffmpeg; empty where none is needed, or several are.
        commands: Command lines of a clip that is processed in segments: one for each, then that of its audio.
        segments: Frames of each segment; empty for a clip in one piece.
        encoded_frames: Number of frames that are encoded, or were for an earlier run.
    """

    index: int
    path: Path
    action: Action
    reasons: tuple[str, ...]
    start: Fraction
    duration: Fraction
    frames: int
    predicted_memory_bytes: int
    argv: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...] = ()
    segments: tuple[int, ...] = ()
    encoded_frames: int = 0


@dataclass(frozen=True, slots=True)
class PlanReport:
    """Plan of a whole request, as a dry run reports it.

    Attributes:
        output, container: Path and container of the reel.
        dimensions: Size of each frame, in pixels.
        frame_rate: Frames per second.
        frames, duration: Length of the reel, in frames and in seconds.
        dynamic_range: Dynamic range of the frames.
        encoder: Video encoder, in ffmpeg's name.
        audio: Format of the audio.
        audio_reasons: Where it comes from, and why something is not as in the clips.
        jobs, threads: Number of clips processed at once, and encoder threads of each.
        predicted: Predicted cost.
        seed: Seed of a random order, or None.
        steps: Planned work on each clip.
    """

    output: Path
    container: Container
    dimensions: Dimensions
    frame_rate: Fraction
    frames: int
    duration: Fraction
    dynamic_range: DynamicRange
    encoder: str
    audio: AudioForm
    audio_reasons: tuple[str, ...]
    jobs: int
    threads: int
    predicted: Prediction
    seed: int | None
    steps: tuple[PlannedStep, ...]

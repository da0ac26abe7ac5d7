"""The frozen sections of the configuration, with defaults and limits: what the core is given.

Reads no file, no environment and no flag (that is ``settings``). Field names are the TOML keys.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mpt_cli.config.quantities import (
    AutoByteSize,
    BitRate,
    ByteSize,
    Color,
    FrameRate,
    OptionalSeconds,
    OrAuto,
    Seconds,
    Size,
    TrackChoice,
    _auto_text,
    _whole,
)
from mpt_cli.model.choices import Codec, ConcatenationMode, CopyPolicy, Fit, FormSource, OnError, QualityLevel
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.limits import LEAST_SIDE, MOST_PIXELS, MOST_SIDE, MOST_STREAMS


class Section(BaseModel):
    """A frozen section that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="null")


class VideoConfig(Section):
    """``[video]``: the picture of the reel."""

    form: FormSource = FormSource.GIVEN
    size: Size = Dimensions(1080, 1920)
    fps: FrameRate = None
    fit: Fit = Fit.CONTAIN
    background: Color = "black"
    max_clip_duration: OptionalSeconds = None


class QualitySettings(Section):
    """``[encode]``: how pictures are coded. None means: from ``quality``, cores and clips."""

    codec: Codec = Codec.H264
    encoder: str = "auto"
    quality: QualityLevel = QualityLevel.BALANCED
    threads: Annotated[int | None, Field(ge=1, le=128), OrAuto, _auto_text] = None
    crf: Annotated[int | None, Field(ge=0, le=63), OrAuto] = None
    preset: Annotated[str | None, OrAuto] = None
    fallback: bool = True


class AudioConfig(Section):
    """``[audio]``: the sound of the reel."""

    codec: Literal["aac"] = "aac"
    bitrate: BitRate = 192_000
    sample_rate: Annotated[Literal[48000], BeforeValidator(_whole)] = 48000
    channels: Annotated[Literal[2], BeforeValidator(_whole)] = 2
    tracks: TrackChoice = "auto"


class ConcatConfig(Section):
    """``[concat]``: order and join."""

    mode: ConcatenationMode = ConcatenationMode.SEQUENTIAL
    seed: Annotated[int | None, Field(ge=0, lt=2**63), OrAuto] = None
    copy_policy: CopyPolicy = Field(default=CopyPolicy.IDENTICAL, alias="copy")
    timeout: OptionalSeconds = None
    fallback: bool = True
    chapters: bool = True

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class ProcessingConfig(Section):
    """``[processing]``: parallel work, failures and limits."""

    on_error: OnError = OnError.FAIL
    min_success_rate: Annotated[float | None, Field(ge=0, le=1), OrAuto] = None
    jobs: Annotated[int | None, Field(ge=1, le=1024), OrAuto, _auto_text] = None
    clip_timeout: OptionalSeconds = None
    stall_timeout: Seconds = Fraction(60)
    deadline: OptionalSeconds = None
    max_clips: Annotated[int, Field(ge=1)] = 10_000

    @property
    def required_success_rate(self) -> float:
        """The least share of clips that must end well."""
        if self.min_success_rate is not None:
            return self.min_success_rate
        return 1.0 if self.on_error is OnError.FAIL else 0.0

    def is_enough(self, good: int, total: int) -> bool:
        """Whether this many good clips of ``total`` make a reel; without one there is none."""
        return good > 0 and good / total >= self.required_success_rate


class MemoryConfig(Section):
    """``[memory]``: the budget of the whole process tree."""

    max: AutoByteSize = None
    pressure_threshold: Annotated[float, Field(gt=0, le=1)] = 0.8
    cleanup_interval: Seconds = Fraction(30)


class ValidationConfig(Section):
    """``[validation]``: limits of what is accepted as a clip."""

    max_file_size: ByteSize = 2**40
    min_width: Annotated[int, Field(ge=1)] = LEAST_SIDE
    min_height: Annotated[int, Field(ge=1)] = LEAST_SIDE
    max_width: Annotated[int, Field(ge=1)] = MOST_SIDE
    max_height: Annotated[int, Field(ge=1)] = MOST_SIDE
    max_pixels: Annotated[int, Field(ge=1)] = MOST_PIXELS
    min_aspect_ratio: Annotated[float, Field(gt=0)] = 0.25
    max_aspect_ratio: Annotated[float, Field(gt=0)] = 4.0
    max_duration: Seconds = Fraction(24 * 3600)
    max_streams: Annotated[int, Field(ge=1)] = MOST_STREAMS
    probe_timeout: Seconds = Fraction(20)
    probe_memory: ByteSize = 2**30


class BatchConfig(Section):
    """``[batch]``: many requests."""

    max_jobs: Annotated[int, Field(ge=1)] = 10_000


class CacheConfig(Section):
    """``[cache]``: the store of finished clips."""

    enabled: bool = True
    paranoid: bool = False
    max_size: ByteSize = 20 * 2**30
    dir: Annotated[Path | None, OrAuto] = None


class PathsConfig(Section):
    """``[paths]``: where temporary files and history go; None means the documented default."""

    temp: Annotated[Path | None, OrAuto] = None
    state: Annotated[Path | None, OrAuto] = None


class FfmpegConfig(Section):
    """``[ffmpeg]``: the program that does the work."""

    binary: Annotated[Path | None, OrAuto] = None


class Config(Section):
    """All sections; what the factory and the orchestrator are given."""

    video: VideoConfig = VideoConfig()
    encode: QualitySettings = QualitySettings()
    audio: AudioConfig = AudioConfig()
    concat: ConcatConfig = ConcatConfig()
    processing: ProcessingConfig = ProcessingConfig()
    memory: MemoryConfig = MemoryConfig()
    validation: ValidationConfig = ValidationConfig()
    batch: BatchConfig = BatchConfig()
    cache: CacheConfig = CacheConfig()
    paths: PathsConfig = PathsConfig()
    ffmpeg: FfmpegConfig = FfmpegConfig()


PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "tiktok": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "192k"}},
    "reels": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "128k"}},
    "shorts": {"video": {"size": "1080x1920", "fps": "auto"}, "audio": {"bitrate": "384k"}},
    "youtube": {"video": {"size": "1920x1080", "fps": "auto"}, "audio": {"bitrate": "384k"}},
    "square": {"video": {"size": "1080x1080", "fps": "auto"}, "audio": {"bitrate": "192k"}},
}
"""What each ``--preset`` stands for; keys of the layer that names it win over these."""

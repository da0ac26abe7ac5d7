"""Frozen sections of the configuration: the one place with the default, the bounds and the meaning of each setting.

``examples/mpt.toml``, ``mpt config show``, the JSON Schema of settings, the man page and the help of options are made
from these fields (:mod:`mpt_cli.settings.reference`). ``description`` explains a setting; ``title`` is the help of its
option, for a setting that has one. Reads no file, environment variable or flag: that is the task of
:mod:`mpt_cli.settings`. Field names, or their aliases, are the TOML keys.
"""

from __future__ import annotations

import inspect
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mpt_cli.config.quantities import (
    NO_VALUE,
    AutoByteSize,
    BitRate,
    ByteSize,
    Color,
    FrameRate,
    Lufs,
    OptionalSeconds,
    OrAuto,
    Seconds,
    Size,
    TrackChoice,
    _auto_text,
    _whole,
)
from mpt_cli.model.choices import (
    ClipOrder,
    Codec,
    ConcatenationMode,
    CopyPolicy,
    DynamicRange,
    Fit,
    FormSource,
    OnError,
    QualityLevel,
)
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.limits import LEAST_SIDE, MOST_PIXELS, MOST_SIDE, MOST_STREAMS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

AudioCodecName = Literal["auto", "aac", "opus", "ac3", "eac3", "flac", "alac", "pcm"]
SampleRate = Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000]


class Section(BaseModel):
    """A frozen section that refuses unknown keys.

    None stands for a value that mpt chooses. The docstring of each section lists its settings, from their fields.

    Raises:
        pydantic.ValidationError: A key is unknown, or a value has a wrong type or is out of bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, ser_json_inf_nan="null")

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Complete the docstring of a section by its settings, so that each is explained once."""
        text, raises, errors = inspect.cleandoc(cls.__doc__ or "").partition("\n\nRaises:")
        settings = [f"    {name}: {_meaning(field)}" for name, field in cls.model_fields.items()]
        cls.__doc__ = "\n".join([text, "", "Args:", *settings]) + raises + errors


def _meaning(field: FieldInfo) -> str:
    """Return the description of a setting, or the first line about a section."""
    return field.description or (field.annotation.__doc__ or "").splitlines()[0]


class VideoConfig(Section):
    """``[video]``: size, rate and shape of the frames of the reel."""

    form: FormSource = Field(
        default=FormSource.GIVEN,
        title="Take size, rate and codec from options and defaults, or from the clips",
        description='What sets size, rate and codec: "given" (these keys), or "auto" (for keys that are not set, the'
        ' target format that covers the most seconds of the clips). mpt concat uses "auto".',
    )
    size: Size = Field(
        default=Dimensions(1080, 1920),
        title="Frame size",
        description="Width and height of the reel. A default that no preset replaces lies on its side where landscape"
        " clips hold the most seconds.",
    )
    fps: FrameRate = Field(
        default=None,
        title="Frame rate: auto, or such as 30 or 30000/1001",
        description='Frame rate: "auto" (the rate that covers the most seconds of the clips, a standard one from 10'
        ' to 60), 30 or "30000/1001".',
    )
    fit: Fit = Field(
        default=Fit.CONTAIN,
        title="How a frame of another shape fills the reel",
        description="How a frame of another shape fills the reel: contain, cover, stretch or blur.",
    )
    background: Color = Field(
        default="black",
        title="Colour of bars and behind transparent parts, a name or #rrggbb",
        description='Colour of the bars of contain, and behind transparent parts: a name such as "navy", or "#rrggbb".',
    )
    dynamic_range: DynamicRange = Field(
        default=DynamicRange.SDR,
        title="Dynamic range of the reel; auto is that of most seconds of the clips",
        description='Dynamic range: "sdr", HDR as "hlg" or "pq" (10 bits of hevc or av1; white of SDR is at 203 cd/m2),'
        ' or "auto" (HDR if clips with HDR hold the most seconds). mpt concat uses auto.',
    )
    max_clip_duration: Annotated[OptionalSeconds, NO_VALUE] = Field(
        default=None,
        title="Use at most this many seconds of each clip",
        description="Longest part of each clip that is used, from its start, in seconds.",
    )


class QualitySettings(Section):
    """``[encode]``: how video is encoded."""

    codec: Codec = Field(default=Codec.H264, title="Video codec", description="Video codec: h264, hevc or av1.")
    encoder: str = Field(
        default="auto",
        title="Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works",
        description='Name of an ffmpeg encoder, such as "libx264"; "auto" takes the best one that works here.',
    )
    quality: QualityLevel = Field(
        default=QualityLevel.BALANCED,
        title="Trade between size, speed and quality",
        description="Trade between size, speed and quality: draft, balanced or high.",
    )
    threads: Annotated[int | None, Field(ge=1, le=128), OrAuto, _auto_text] = Field(
        default=None,
        title="Threads of one encoder",
        description='Threads of each encoder, 1 to 128; "auto" depends on cores and jobs.',
    )
    crf: Annotated[int | None, Field(ge=0, le=63), OrAuto] = Field(
        default=None,
        title="Constant rate factor, lower is better",
        description='Constant rate factor, lower is better; "auto" depends on quality.',
    )
    preset: Annotated[str | None, OrAuto] = Field(
        default=None,
        title="Preset of the encoder, such as slow",
        description='Preset of the encoder, such as "slow"; "auto" depends on quality.',
    )
    fallback: bool = Field(default=True, description="Whether an encoder that fails may be replaced by one that works.")


class AudioConfig(Section):
    """``[audio]``: the audio of the reel."""

    codec: Annotated[AudioCodecName | None, OrAuto, _auto_text] = Field(
        default="aac",
        title="Audio codec; auto is that of the clips",
        description='Audio codec: aac, opus, ac3, eac3, flac, alac or pcm; "auto" is that of the clips that agree in'
        " their audio and hold the most seconds, if the container takes it. mpt concat uses auto.",
    )
    bitrate: BitRate = Field(
        default=192_000,
        description='Bits per second, "16k" to "512k". If it is not set and codec, rate or channels are auto, it is at'
        " least that of the clips.",
    )
    sample_rate: Annotated[SampleRate | None, OrAuto, BeforeValidator(_whole), _auto_text] = Field(
        default=48000,
        title="Audio samples per second, or auto",
        description='Samples per second, such as 44100; "auto" is that of the clips. mpt concat uses auto.',
    )
    channels: Annotated[Literal[1, 2, 6] | None, OrAuto, BeforeValidator(_whole), _auto_text] = Field(
        default=2,
        title="Audio channels: 1, 2, 6 (5.1) or auto",
        description='Channels: 1 (mono), 2 (stereo) or 6 (5.1); "auto" is the layout of the clips. mpt concat uses'
        " auto.",
    )
    tracks: TrackChoice = Field(
        default="auto",
        title="Audio tracks of a clip that are used, or the number of one",
        description='Audio tracks of a clip that are used: "auto" (two mono tracks of a recorder, else the default'
        ' track), "first" (the default track), "mix" (all that are not silent), or the number of a track.',
    )
    loudness: Lufs = Field(
        default=None,
        title="Loudness of the reel in LUFS, such as -14",
        description='Integrated loudness of the reel (BS.1770) in LUFS, such as -14, by one gain; "none" leaves it.',
    )
    true_peak: Annotated[float, Field(ge=-9, le=0)] = Field(
        default=-1.0,
        description="Highest true peak in dBTP of a reel whose loudness or volume is changed, -9 to 0. A limiter holds"
        " it where that is needed.",
    )
    even_out: bool = Field(
        default=False,
        title="Bring all clips to one loudness, by at most 12 dB each",
        description="Whether each clip gets one gain of at most 12 dB, so that all are equally loud.",
    )


class ConcatConfig(Section):
    """``[concat]``: order of the clips, and how they are joined."""

    order: ClipOrder = Field(
        default=ClipOrder.GIVEN,
        title="Put the clips in this order; time is that of recording",
        description='Order of the clips: "given" (as they are named, those of a folder by name), "name" (all by name;'
        ' chapters of a recording stay together), or "time" (all by the time of recording: that of the container, else'
        " that in the name, else that of the file).",
    )
    mode: ConcatenationMode = Field(
        default=ConcatenationMode.SEQUENTIAL,
        title="Keep that order, or shuffle the clips",
        description="Whether the clips are joined in that order (sequential), or shuffled (random).",
    )
    seed: Annotated[int | None, Field(ge=0, lt=2**63), OrAuto, NO_VALUE] = Field(
        default=None,
        title="Makes a random order repeatable",
        description="Makes a random order repeatable: a whole number from 0.",
    )
    copy_policy: CopyPolicy = Field(
        default=CopyPolicy.IDENTICAL,
        alias="copy",
        title="Clips that may be copied; of compatible ones some players show black",
        description="Clips that may be copied without encoding: identical, compatible or never.",
    )
    timeout: OptionalSeconds = Field(
        default=None,
        description='Time limit of the join in seconds; "auto" is 600, and 5 more for each second of the reel.',
    )
    fallback: bool = Field(default=True, description="Whether MoviePy may join the clips where ffmpeg fails.")
    chapters: bool = Field(
        default=True,
        description="Whether the reel has a chapter for each clip. Its title is the file name of the clip, which"
        " anyone who has the reel can read.",
    )

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


class ProcessingConfig(Section):
    """``[processing]``: parallel work, failures and limits."""

    on_error: OnError = Field(
        default=OnError.FAIL,
        title="Create no reel if a clip is bad, or leave that clip out",
        description='What a bad clip does. "fail": no reel is created; the other clips are still finished for the next'
        ' run, unless a clip was refused before any work. "skip": the reel is created without the clip.',
    )
    min_success_rate: Annotated[float | None, Field(ge=0, le=1), OrAuto] = Field(
        default=None,
        title="Smallest share of good clips, 0 to 1, with --on-error skip",
        description='Smallest share of good clips, 0 to 1; "auto" is 1 with fail and 0 with skip.',
    )
    jobs: Annotated[int | None, Field(ge=1, le=1024), OrAuto, _auto_text] = Field(
        default=None,
        title="Clips at a time",
        description='Clips that are processed at a time, 1 to 1024; "auto" depends on clips, cores and memory.',
    )
    clip_timeout: OptionalSeconds = Field(
        default=None,
        title="Time limit of one clip",
        description='Time limit of a clip in seconds; "auto" is 600, and 20 more for each second of the clip.',
    )
    stall_timeout: Seconds = Field(
        default=Fraction(60),
        title="Longest time without progress of a clip",
        description="Longest time without progress of a clip, in seconds.",
    )
    deadline: Annotated[OptionalSeconds, NO_VALUE] = Field(
        default=None,
        title="Stop after this time; the next run continues",
        description="Time limit of a whole run, or of a whole batch, in seconds. The next run uses what is finished by"
        " then.",
    )
    max_clips: Annotated[int, Field(ge=1)] = Field(default=10_000, description="Most clips of a request.")

    @property
    def required_success_rate(self) -> float:
        """Return the smallest share of clips that must succeed, 0 to 1."""
        if self.min_success_rate is not None:
            return self.min_success_rate
        return 1.0 if self.on_error is OnError.FAIL else 0.0

    def is_enough(self, good: int, total: int) -> bool:
        """Return whether the good clips are enough for a reel.

        Args:
            good: Clips that succeeded; with none there is no reel.
            total: All clips of the request, at least 1.
        """
        return good > 0 and good / total >= self.required_success_rate


class MemoryConfig(Section):
    """``[memory]``: the memory budget of the whole process tree."""

    max: AutoByteSize = Field(
        default=None,
        title="Memory budget of mpt and all its processes, such as 2GiB",
        description='Budget of mpt and all processes that it starts; "auto" is 80 % of what the machine or its'
        " container allows.",
    )
    pressure_threshold: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.8,
        description="Memory counts as short, and no clip begins, above this share of the budget; above 0, at most 1.",
    )
    cleanup_interval: Seconds = Field(
        default=Fraction(30), description="Shortest time between two cleanups, in seconds."
    )


class ValidationConfig(Section):
    """``[validation]``: limits for the files that are accepted as clips."""

    max_file_size: ByteSize = Field(default=2**40, description="Largest file that is accepted.")
    min_width: Annotated[int, Field(ge=1)] = Field(default=LEAST_SIDE, description="Smallest width, as displayed.")
    min_height: Annotated[int, Field(ge=1)] = Field(default=LEAST_SIDE, description="Smallest height, as displayed.")
    max_width: Annotated[int, Field(ge=1)] = Field(default=MOST_SIDE, description="Largest width, as displayed.")
    max_height: Annotated[int, Field(ge=1)] = Field(default=MOST_SIDE, description="Largest height, as displayed.")
    max_pixels: Annotated[int, Field(ge=1)] = Field(default=MOST_PIXELS, description="Most pixels of a frame.")
    min_aspect_ratio: Annotated[float, Field(gt=0)] = Field(
        default=0.25, description="Width over height: a clip below this gets a warning."
    )
    max_aspect_ratio: Annotated[float, Field(gt=0)] = Field(
        default=4.0, description="Width over height: a clip above this gets a warning."
    )
    max_duration: Seconds = Field(default=Fraction(24 * 3600), description="Longest clip, in seconds.")
    max_streams: Annotated[int, Field(ge=1)] = Field(default=MOST_STREAMS, description="Most streams of a file.")
    probe_timeout: Seconds = Field(default=Fraction(20), description="Time limit of probing one file, in seconds.")
    probe_memory: ByteSize = Field(default=2**30, description="Memory limit of probing one file.")


class BatchConfig(Section):
    """``[batch]``: limits for many requests."""

    max_jobs: Annotated[int, Field(ge=1)] = Field(default=10_000, description="Most jobs of a batch.")


class CacheConfig(Section):
    """``[cache]``: the cache of finished segments."""

    enabled: bool = Field(default=True, description="Whether finished clips are kept and used again.")
    paranoid: bool = Field(
        default=False,
        title="Read inputs again even if size and times are unchanged",
        description="Whether every input is read again, even if its size and times are unchanged.",
    )
    max_size: ByteSize = Field(
        default=20 * 2**30,
        description="Largest size of the cache. The cache never takes more than half of the free disk space.",
    )
    dir: Annotated[Path | None, OrAuto] = Field(
        default=None, description='Folder of the cache; "auto" is the cache folder of the user.'
    )


class PathsConfig(Section):
    """``[paths]``: where temporary files and history are written."""

    temp: Annotated[Path | None, OrAuto] = Field(
        default=None, description='Folder of the temporary output file; "auto" is the folder of the output.'
    )
    state: Annotated[Path | None, OrAuto] = Field(
        default=None, description='Folder of earlier reports; "auto" is the state folder of the user.'
    )


class FfmpegConfig(Section):
    """``[ffmpeg]``: the ffmpeg program."""

    binary: Annotated[Path | None, OrAuto] = Field(
        default=None,
        description='The ffmpeg to run; "auto" is the one that comes with mpt. Only the user file and the variable'
        " MPT_FFMPEG__BINARY may set it: a downloaded folder must not make mpt run a program.",
    )


class Config(Section):
    """All sections: the configuration of the factory and the orchestrator."""

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

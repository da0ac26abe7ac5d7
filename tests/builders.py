"""Builders of values for tests that need no file: each has defaults, and takes what matters by name."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, QualitySettings
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.audio_form import AudioForm
from mpt_cli.model.choices import Action, Codec, Container, Fit, QualityLevel
from mpt_cli.model.clips import Color, Dimensions, Orientation, ProcessedClip, Segment, TargetForm, VideoClip
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.media_info import AudioStreamInfo, CopyTraits, MediaInfo, VideoStreamInfo
from mpt_cli.model.results import (
    FileValidationResult,
    OutputInfo,
    ProcessingResult,
    ValidationResult,
)
from mpt_cli.planning.plan import Plan
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.runtime.events import RunContext
from mpt_cli.workflow.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mpt_cli.processing.clip import Processed


AAC_STEREO = AudioForm()


def form_of(
    *,
    size: str = "160x90",
    rate: Fraction | str = "30",
    fit: Fit = Fit.CONTAIN,
    codec: Codec = Codec.H264,
    container: Container = Container.MP4,
    background: str = "black",
    threads: int = 1,
    audio: AudioForm = AAC_STEREO,
) -> TargetForm:
    """The form of a small, quick reel."""
    frame_rate = Fraction(rate)
    quality = QualitySettings(codec=codec, quality=QualityLevel.BALANCED)
    return TargetForm(
        dimensions=Dimensions.parse(size),
        frame_rate=frame_rate,
        fit=fit,
        background=background,
        encoder=CodecOptimizer().get_optimal_settings(quality, frame_rate=frame_rate, threads=threads),
        container=container,
        audio=audio,
    )


BT709 = Color("bt709", "tv", "bt709", "bt709")

_VIDEO = VideoStreamInfo(
    index=0,
    codec="h264",
    profile="High",
    dimensions=Dimensions(160, 90),
    sar=Fraction(1),
    orientation=Orientation(),
    frame_rate=Fraction(30),
    variable_frame_rate=False,
    pixel_format="yuv420p",
    bit_depth=8,
    has_alpha=False,
    color=BT709,
    hdr=None,
    interlaced=False,
)
_TRAITS = CopyTraits(
    closed_gop=True,
    hides_pictures=False,
    on_grid=True,
    exact=True,
    leads=True,
    time_base=Fraction(1, 15_360),
    delay=2,
    pictures=30,
    carries_metadata=False,
    level=11,
    parameter_sets="sets",
    extradata=b"extradata",
)
_MEDIA = MediaInfo(
    container="mov,mp4,m4a,3gp,3g2,mj2",
    size_bytes=50_000,
    zero=Fraction(0),
    duration=Fraction(1),
    video=_VIDEO,
    audio=AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48_000),
    video_start=Fraction(0),
    last_picture=Fraction(29, 30),
    scanned=True,
    copy_traits=_TRAITS,
)


def media_of(
    *, video: Mapping[str, Any] | None = None, traits: Mapping[str, Any] | None = None, **of: Any
) -> MediaInfo:
    """A second of 160x90 at 30 in the form of :func:`form_of`, with these fields changed."""
    changed: dict[str, Any] = {
        "video": replace(_VIDEO, **(video or {})),
        "copy_traits": replace(_TRAITS, **(traits or {})),
        **of,
    }
    return replace(_MEDIA, **changed)


PATHS = [Path(f"{name}.mp4") for name in ("a", "b", "c", "d")]
FORM = form_of(rate="10")
FRAMES = {0: 10, 1: 20, 2: 30, 3: 40}
OUTPUT = OutputInfo(
    Path("/reel.mp4"), 9, Container.MP4, Fraction(6), 60, Dimensions(160, 90), Fraction(10), "h264", "aac"
)


def issue(code: IssueCode, number: int) -> Issue:
    return Issue(code, f"is wrong ({number})", PATHS[number])


def plan_of(info: MediaInfo, *order: int) -> Plan:
    """A plan that shows these clips in this order; each needs a hundred bytes a frame."""
    clips = tuple(
        PlannedClip(
            n,
            VideoClip(PATHS[n]),
            info,
            Segment(n, 0, FRAMES[n]),
            Action.ENCODE,
            (f"r{n}",),
            100 * FRAMES[n],
            FRAMES[n],
        )
        for n in order
    )
    return Plan(FORM, FORM, clips, 2, 7, 1.5, 1000, 500, False)


def validation_of(info: MediaInfo, **refused: Issue) -> ValidationResult:
    """A verdict in which the clips of these names are refused."""
    files = tuple(
        FileValidationResult(path, errors=(refused[path.stem],))
        if path.stem in refused
        else FileValidationResult(path, media=info)
        for path in PATHS
    )
    return ValidationResult(warnings=(issue(IssueCode.EXTREME_ASPECT_RATIO, 0),), files=files)


def clip_of(done: Processed) -> ProcessedClip:
    """The clip that was made, where frames were."""
    assert isinstance(done.made, ProcessedClip)
    return done.made


def good(number: int) -> ProcessingResult:
    clip = ProcessedClip(
        number,
        PATHS[number],
        Path(f"{number}.mp4"),
        None,
        FORM.dimensions,
        Segment(number, 0, FRAMES[number]),
        FRAMES[number] / FORM.frame_rate,
        0,
        "",
        b"",
        owned=True,
    )
    return ProcessingResult(number, (clip,), None, 2.5, 4711)


def bad(number: int, code: IssueCode = IssueCode.CLIP_FAILED) -> ProcessingResult:
    return ProcessingResult(number, (), issue(code, number), 1.5, None)


def run_of(info: MediaInfo, *order: int, processed: tuple[ProcessingResult, ...] = (), **refused: Issue) -> RunState:
    """A run that got as far as these results."""
    return RunState(
        VideoParams(tuple(map(VideoClip, PATHS)), Path("reel.mp4")),
        Config(),
        RunContext("w"),
        validation=validation_of(info, **refused),
        plan=plan_of(info, *order) if order else None,
        processed={result.index: result for result in processed},
    )

"""Makes reels with the whole orchestrator, and holds them against the rules of time.

The rules stand here once more, written from the design and not from the product, so that a mistake
in one of the two shows.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import ConcatConfig, Config, QualitySettings, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Codec, CopyPolicy, QualityLevel
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import (
    ClipFailed,
    ClipFinished,
    ClipProgress,
    ClipsRestarted,
    ClipStarted,
    ConcatStarted,
    RunFinished,
    RunStarted,
    ValidationFinished,
)
from tests import reader
from tests.marks import SIGNAL_RATE
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.model.choices import ConcatenationMode
    from mpt_cli.model.results import VideoResult
    from tests.fakes import ListEmit
    from tests.marks import Samples
    from tests.media import MediaFolder, NumberedClip

PATIENCE = 20
"""Seconds to wait for what must happen; a test that needs them all has failed."""
MOST_OFF = 96
"""Samples, 2 ms, by which sound may miss its place."""
PADDING = Fraction(1, 10)
_SPREAD = 2200
"""Samples that a codec of 1024-sample windows may smear a sound's edge over."""
_COARSE = {".mkv": Fraction(1, 1000), ".webm": Fraction(1, 1000), ".ts": Fraction(1, 90_000)}
_SILENT = 0.01


def config_of(
    *,
    size: str = "160x90",
    fps: str = "30",
    codec: Codec = Codec.H264,
    quality: QualityLevel = QualityLevel.BALANCED,
    crf: int | None = None,
    mode: ConcatenationMode | None = None,
    seed: int | None = None,
    **video: Any,
) -> Config:
    """A configuration for small, quick reels; further arguments are fields of ``[video]``."""
    video = {"dynamic_range": "sdr"} | video
    wanted = {"seed": seed, "copy_policy": CopyPolicy.NEVER} | ({"mode": mode} if mode else {})
    return Config(
        video=VideoConfig(size=size, fps=fps, **video),  # type: ignore[arg-type]  # the validators read text
        encode=QualitySettings(codec=codec, quality=quality, threads=1, crf=crf),
        concat=ConcatConfig(**wanted),  # type: ignore[arg-type]
    )


def make_reel(output: Path, clips: Sequence[VideoClip | Path], config: Config) -> VideoResult:
    """How the whole workflow ended for these clips."""
    orchestrator = ModuleFactory(config).create_video_orchestrator()
    params = VideoParams(clips=tuple(VideoClip.of(clip) for clip in clips), output_path=output)
    return orchestrator.process_video_request(params)


def finished_reel(output: Path, clips: Sequence[VideoClip | Path], config: Config) -> Path:
    """The reel of these clips; fails where there is none."""
    result = make_reel(output, clips, config)
    assert result.success, result.errors
    assert not result.warnings
    return output


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered clip in a reel: trimmed to ``start`` … ``end``, cut to ``limit`` seconds.

    ``lead`` is how much sooner than said the sound starts: what an encoder puts in front of it,
    where the container has no way to say so.
    """

    clip: NumberedClip
    start: Fraction = Fraction(0)
    end: Fraction | None = None
    limit: Fraction | None = None
    mute: bool = False
    lead: Fraction = Fraction(0)

    @property
    def sound_span(self) -> tuple[Fraction, Fraction] | None:
        """From when to when the clip sounds, in its own time; None without a sound."""
        if self.clip.sound is None:
            return None
        begin = Fraction(str(self.clip.sound.delay))
        return begin, begin + Fraction(str(self.clip.sound_seconds))

    @property
    def zero(self) -> Fraction:
        """The earlier of the first picture and the first sound, in the clip's own time."""
        span = self.sound_span
        return self.clip.times[0] if span is None else min(self.clip.times[0], span[0] - self.lead)

    @property
    def duration(self) -> Fraction:
        """Seconds that the reel shows of it."""
        whole = self.clip.end
        if self.sound_span and self.sound_span[1] - whole >= PADDING:
            whole = self.sound_span[1]
        whole -= self.zero
        wanted = (whole if self.end is None else min(self.end, whole)) - self.start
        return wanted if self.limit is None else min(wanted, self.limit)

    def frames(self, rate: Fraction) -> int:
        """Output frames that it becomes."""
        return max(1, floor(self.duration * rate + Fraction(1, 2)))

    def request(self, media: MediaFolder) -> VideoClip:
        """What the orchestrator is asked for."""
        return VideoClip(media.numbered(self.clip), self.start, self.end, self.mute)


def of(*clips: NumberedClip) -> list[Part]:
    """Untrimmed parts."""
    return [Part(clip) for clip in clips]


PARTS = of(*(numbered(number, seconds=0.2 * number) for number in (1, 2, 3)))
"""Clips of 6, 12 and 18 frames; the last is begun first."""
NAMES = ("a.mp4", "b.mp4", "c.mp4")


def three_clips(media: MediaFolder, folder: Path) -> tuple[VideoClip, ...]:
    """:data:`PARTS` as files of these names, which a test may change."""
    clips = tuple(VideoClip(folder / name) for name in NAMES)
    for clip, part in zip(clips, PARTS, strict=True):
        shutil.copyfile(media.numbered(part.clip), clip.path)
    return clips


def problems(path: Path, parts: Sequence[Part], rate: Fraction, *, most_off: int = MOST_OFF) -> list[str]:
    """Everything that is wrong with the times, pictures and sound of a reel of numbered clips."""
    frames = [part.frames(rate) for part in parts]
    found = _wrong_pictures(path, parts, frames, rate)
    sound = reader.samples(path)
    bounds = [floor(SIGNAL_RATE * sum(frames[:i]) / rate + Fraction(1, 2)) for i in range(len(frames) + 1)]
    if not bounds[-1] <= sound.shape[1] < bounds[-1] + 1024:
        found.append(f"{sound.shape[1]} samples decode instead of {bounds[-1]}")
    for place, part in enumerate(parts):
        for channel in sound:
            found += _wrong_sound(channel, part, place, (bounds[place], bounds[place + 1]), most_off)
    return found


def _wrong_pictures(path: Path, parts: Sequence[Part], frames: list[int], rate: Fraction) -> list[str]:
    """Wrong count, order, times, or pictures."""
    shown = reader.pictures(path, {part.clip.size for part in parts})
    found = [] if len(shown) == sum(frames) else [f"{len(shown)} pictures instead of {frames}"]
    slack = Fraction(1, 2000) if path.suffix == ".mkv" else Fraction(0)
    found += [f"picture {k} at {p.pts}" for k, p in enumerate(shown) if abs(p.pts - k / rate) > slack]
    wanted = [(part, k) for part, count in zip(parts, frames, strict=True) for k in range(count)]
    for (part, k), picture in zip(wanted, shown, strict=False):
        time = part.zero + part.start + k / rate
        tick = _COARSE.get(part.clip.suffix, Fraction(1, 50_000))
        least = part.clip.shown_at(time - tick)
        most = part.clip.shown_at(time + 1 / (2 * rate) + tick)
        right = picture.clip_id == part.clip.clip_id and picture.number is not None and least <= picture.number <= most
        if not right:
            found.append(f"clip {part.clip.clip_id} frame {k}: {picture} instead of {least} to {most}")
    return found


def _wrong_sound(sound: Samples, part: Part, place: int, own: tuple[int, int], most_off: int) -> list[str]:
    """Sound that is not where it belongs at its start, middle or end, and noise where none belongs."""
    name, span, (low, high) = f"part {place} (clip {part.clip.clip_id})", part.sound_span, own
    if span is None or part.mute:
        return [] if _is_silent(sound, low, high) else [f"{name} is not silent"]
    begin, end = (low + round((time - part.zero - part.start) * SIGNAL_RATE) for time in span)
    first, last = max(low, begin), min(high, end)
    found = [] if _is_silent(sound, low, first) else [f"{name} sounds before its sound"]
    if not _is_silent(sound, last, high):
        found.append(f"{name} sounds after its sound")
    length = min(4800, last - first)
    for at in sorted({first, (first + last - length) // 2, last - length} if length > 1000 else set()):
        heard = reader.find_sound(sound, part.clip.clip_id, at=at - begin, length=length, near=begin, reach=2400)
        if abs(heard.start - begin) > most_off or heard.strength < 0.5:
            found.append(f"{name} sound is {heard.start - begin:+d} samples off at {at - begin} ({heard.strength:.2f})")
    return found


def _is_silent(sound: Samples, low: int, high: int) -> bool:
    """Whether nothing can be heard between two samples, a codec's spread aside."""
    low, high = low + _SPREAD, high - _SPREAD
    return high <= low or float(np.abs(sound[low:high]).max()) < _SILENT


def assert_well_told(emit: ListEmit, status: RunStatus) -> None:
    """The order that every run's events keep, however it ends."""
    assert emit.types[0] == RunStarted.type
    last = emit.events[-1]
    assert isinstance(last, RunFinished)
    assert last.status == status.value
    assert (last.code is None) == (status in (RunStatus.SUCCESS, RunStatus.PARTIAL))
    assert (len(emit.of(RunStarted)), len(emit.of(RunFinished))) == (1, 1)
    open_clips, seen, ends = set[int](), set[int](), Counter[str]()
    for event in emit.events:
        if isinstance(event, ClipStarted):
            assert event.index not in seen
            seen.add(event.index)
            open_clips.add(event.index)
        elif isinstance(event, ClipProgress):
            assert event.index in open_clips
        elif isinstance(event, ClipFinished | ClipFailed):
            open_clips.remove(event.index)
            ends[event.type] += 1
        elif isinstance(event, ClipsRestarted):
            assert not open_clips
            assert (event.finished, event.failed) == (ends[ClipFinished.type], ends[ClipFailed.type])
            seen.clear()
            ends.clear()
        elif isinstance(event, ValidationFinished):
            assert not seen
        elif isinstance(event, ConcatStarted):
            assert not open_clips
    assert not open_clips

"""The audio of joined clips keeps what it is: codec, rate, channels, and without loss each sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import AudioConfig, Config
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import JoinMethod
from mpt_cli.model.clips import Evidence, VideoClip
from mpt_cli.model.errors import IssueCode, exit_code_of
from tests import reader
from tests.audio_clips import label_channels
from tests.media import Color, Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mpt_cli.model.results import VideoResult
    from tests.media import MediaFolder

SECONDS = (1.0, 0.7, 1.3)
"""Lengths of the clips, in which joints are no multiple of a codec's packet."""
HERTZ = (331.0, 523.0, 797.0)
"""The tone of each clip; each channel has one of its own above it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Clips of one recorder, and what their reel is expected to have."""

    codec: str
    rate: int
    channels: int
    suffix: str
    reel: str = ""
    made: str = ""
    """Container and codec of the reel, where they are not those of the clips."""
    fps: str = "30"
    video: str = "libx264"
    options: tuple[str, ...] = ()

    def clips(self, media: MediaFolder) -> list[Path]:
        """Return three clips."""
        plain = Recipe(fps=self.fps, codec=self.video, color=Color(), suffix=self.suffix, options=self.options)
        return [
            media.make(replace(plain, seconds=seconds, sound=self.tone(hertz)))
            for seconds, hertz in zip(SECONDS, HERTZ, strict=True)
        ]

    def tone(self, hertz: float) -> Tone:
        """Return the tones of a clip."""
        tones = tuple(hertz + 40 * channel for channel in range(self.channels))
        return Tone(tones, codec=self.codec, sample_rate=self.rate, layout={8: "7.1"}.get(self.channels))


_DEEP, _DEEP_PLANAR = ("-sample_fmt", "s32"), ("-sample_fmt", "s32p")
LOSSLESS: dict[str, Kind] = {
    "pcm of 16 bits": Kind("pcm_s16le", 48_000, 2, ".mov"),
    "pcm of 24 bits": Kind("pcm_s24le", 48_000, 2, ".mov"),
    "pcm of 24 bits at 29.97": Kind("pcm_s24le", 44_100, 2, ".mov", fps="30000/1001"),
    "big-endian pcm": Kind("pcm_s16be", 48_000, 2, ".mov", made="pcm_s16le"),
    "pcm of 32 bits": Kind("pcm_s32le", 48_000, 1, ".mov"),
    "floating point": Kind("pcm_f32le", 44_100, 2, ".mov"),
    "double": Kind("pcm_f64le", 48_000, 1, ".mov"),
    "eight bits": Kind("pcm_u8", 11_025, 1, ".avi", ".mov", "pcm_s16le", video="libx264"),
    "telephone": Kind("pcm_s16le", 8000, 1, ".mov"),
    "odd rate": Kind("pcm_s16le", 37_800, 2, ".mov"),
    "high rate": Kind("pcm_s24le", 96_000, 2, ".mov"),
    "5.1": Kind("pcm_s24le", 48_000, 6, ".mov"),
    "7.1": Kind("pcm_s16le", 48_000, 8, ".mov"),
    "matroska": Kind("pcm_s16le", 44_100, 2, ".mkv"),
    "5.1 in matroska": Kind("pcm_s24le", 48_000, 6, ".mkv", made="flac"),
    "pcm into mp4": Kind("pcm_s24le", 48_000, 2, ".mov", ".mp4", "flac"),
    "flac": Kind("flac", 44_100, 2, ".mkv"),
    "flac of 24 bits": Kind("flac", 96_000, 2, ".mkv", options=_DEEP),
    "flac into mov": Kind("flac", 44_100, 2, ".mkv", ".mov", "alac"),
    "flac in mp4": Kind("flac", 48_000, 6, ".mp4"),
    "alac": Kind("alac", 44_100, 2, ".mp4"),
    "alac of 24 bits": Kind("alac", 48_000, 6, ".mov", options=_DEEP_PLANAR),
}
CODED: dict[str, Kind] = {
    "aac, 44.1 kHz, mono": Kind("aac", 44_100, 1, ".mp4"),
    "aac, 5.1": Kind("aac", 48_000, 6, ".mp4"),
    "aac, 8 kHz": Kind("aac", 8000, 1, ".mp4"),
    "aac into matroska": Kind("aac", 44_100, 2, ".mp4", ".mkv"),
    "opus": Kind("libopus", 48_000, 2, ".webm", ".mkv", "opus", video="libvpx-vp9"),
    "opus into mp4": Kind("libopus", 48_000, 2, ".mkv", ".mp4", "aac"),
    "ac-3, 5.1": Kind("ac3", 48_000, 6, ".mkv"),
    "ac-3 in mp4": Kind("ac3", 48_000, 6, ".mp4"),
    "e-ac-3 in mov": Kind("eac3", 44_100, 2, ".mov"),
    "mp3": Kind("libmp3lame", 44_100, 1, ".mp4", made="aac"),
    "vorbis": Kind("libvorbis", 22_050, 1, ".mkv", made="aac"),
}


def joined(
    output: Path, clips: Sequence[Path], audio: AudioConfig | None = None, method: JoinMethod = JoinMethod.AUTO
) -> VideoResult:
    """Return the result of ``mpt concat``."""
    config = Config() if audio is None else Config(audio=audio)
    params = VideoParams(tuple(map(VideoClip, clips)), output, join=method)
    return ModuleFactory(config).create_video_orchestrator().process_video_request(params)


def samples_of(path: Path, form: str) -> NDArray[np.generic]:
    """Return the decoded samples of a file as they are, a row a channel; ``form`` is one of interleaved samples."""
    kind = {"s32": np.int32, "dbl": np.float64}[form]
    with av.open(str(path)) as container:
        resampler = AudioResampler(form)
        made = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        count = made[0].layout.nb_channels
        size = count * np.dtype(kind).itemsize
        raw = b"".join(bytes(part.planes[0])[: part.samples * size] for part in made)
    return np.frombuffer(raw, kind).reshape(-1, count).T


def heard_of(path: Path) -> tuple[str, int, int]:
    """Return codec, rate and number of channels."""
    with av.open(str(path)) as container:
        context = container.streams.audio[0].codec_context
        return context.codec.canonical_name, context.sample_rate, len(context.layout.channels)


def one_after_another(clips: Sequence[Path], kind: Kind, form: str) -> NDArray[np.generic]:
    """Return the samples of clips, each cut or filled to the samples that its frames own."""
    bound, frames, parts = 0, 0, []
    for clip in clips:
        found = samples_of(clip, form)
        frames += sum(1 for _ in reader.frames(clip))
        end = floor(frames * kind.rate / Fraction(kind.fps) + Fraction(1, 2))
        own = np.zeros((found.shape[0], end - bound), found.dtype)
        own[:, : found.shape[1]] = found[:, : end - bound]
        parts.append(own)
        bound = end
    return np.concatenate(parts, axis=1)


@pytest.mark.core(1)
@pytest.mark.parametrize("name", LOSSLESS)
def test_samples_of_clips_are_those_of_the_reel(media: MediaFolder, tmp_path: Path, name: str) -> None:
    kind = LOSSLESS[name]
    clips, reel = kind.clips(media), tmp_path / f"reel{kind.reel or kind.suffix}"
    result = joined(reel, clips)
    assert result.success, result.errors
    assert heard_of(reel) == (kind.made or kind.codec, kind.rate, kind.channels)
    form = "dbl" if kind.codec.startswith("pcm_f") else "s32"
    assert np.array_equal(samples_of(reel, form), one_after_another(clips, kind, form))
    verified = [clip.verified.audio for clip in result.clips if clip.verified is not None]
    assert verified == [Evidence.PROVEN] * 3
    assert not result.warnings


@pytest.mark.core(1)
@pytest.mark.parametrize("name", CODED)
def test_coded_audio_keeps_rate_and_channels_without_a_hole(media: MediaFolder, tmp_path: Path, name: str) -> None:
    kind = CODED[name]
    clips, reel = kind.clips(media), tmp_path / f"reel{kind.reel or kind.suffix}"
    result = joined(reel, clips)
    assert result.success, result.errors
    assert heard_of(reel) == (kind.made or kind.codec, kind.rate, kind.channels)
    assert result.output is not None
    assert (result.output.audio_sample_rate, result.output.audio_channels) == (kind.rate, kind.channels)
    sound, bounds = reader.samples(reel), [round(kind.rate * sum(SECONDS[:number])) for number in range(4)]
    assert sound.shape[1] >= bounds[-1]
    edge = 1024 if kind.rate > 16_000 else 1536  # a packet, of which the first one of an MP4 is that of the encoder
    full = [channel for channel in range(kind.channels) if (kind.channels, channel) != (6, 3)]  # that is for the lows
    for number, (begin, end) in enumerate(pairwise(bounds)):
        for channel in full:
            row = sound[channel]
            tone = reader.tone_level(row[begin + edge : end - edge], HERTZ[number] + 40 * channel, rate=kind.rate)
            assert -13 < tone < -11, (number, channel)  # a quarter of full scale
    assert min(_quietest(sound[channel], bounds, kind.rate) for channel in full) > 0.08


def _quietest(sound: NDArray[np.float32], bounds: Sequence[int], rate: int) -> float:
    """Return the level of the quietest 8 ms around the joints, where a hole would be; a tone has 0.18."""
    size = rate // 125
    places = [start for joint in bounds[1:-1] for start in range(joint - 6 * size, joint + 6 * size, size // 2)]
    return min(float(np.sqrt(np.mean(sound[start : start + size] ** 2))) for start in places)


@pytest.mark.core(0)
def test_most_seconds_decide_and_others_follow(media: MediaFolder, tmp_path: Path) -> None:
    deep, coded = Kind("pcm_s24le", 44_100, 2, ".mov"), Kind("aac", 48_000, 1, ".mov")
    clips = [*deep.clips(media)[:2], coded.clips(media)[2], media.make(seconds=0.4, sound=None, color=Color())]
    reel = tmp_path / "reel.mov"
    result = joined(reel, clips)
    assert result.success, result.errors
    assert heard_of(reel) == ("pcm_s24le", 44_100, 2)
    found, own = samples_of(reel, "s32"), one_after_another(clips[:2], deep, "s32")
    assert np.array_equal(found[:, : own.shape[1]], own)
    begin, end = own.shape[1], own.shape[1] + round(44_100 * SECONDS[2])
    other = found[:, begin + 2000 : end - 2000].astype(np.float32) / 2**31
    assert [round(reader.tone_level(side, HERTZ[2], rate=44_100)) for side in other] == [-12, -12]
    assert not found[:, end + 3000 :].any()
    assert found.shape[1] == round(44_100 * (sum(SECONDS) + 0.4))


@pytest.mark.core(0)
def test_clips_without_audio_give_silent_stereo(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = [media.make(seconds=0.4, sound=None, color=Color())] * 2, tmp_path / "reel.mp4"
    assert joined(reel, clips).success
    assert heard_of(reel) == ("aac", 48_000, 2)
    assert reader.peak(reader.samples(reel)) == 0


@pytest.mark.core(1)
@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "pcm"), (".mov", "flac"), (".mp4", "opus")])
def test_codec_that_container_does_not_take_is_refused(
    media: MediaFolder, tmp_path: Path, suffix: str, codec: str
) -> None:
    reel = tmp_path / f"reel{suffix}"
    result = joined(reel, [media.make(seconds=0.4)], AudioConfig(codec=codec))  # type: ignore[arg-type]
    (error,) = (issue for issue in result.errors if issue.code is not IssueCode.VALIDATION_FAILED)
    assert (error.code, error.path) == (IssueCode.CODEC_CONTAINER_MISMATCH, reel)
    assert exit_code_of(error.code) == 3
    assert not reel.exists()


@pytest.mark.core(0)
def test_samples_that_container_does_not_hold_are_a_warning(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = Kind("pcm_f32le", 48_000, 2, ".mov").clips(media), tmp_path / "reel.mp4"
    result = joined(reel, clips)
    assert [(issue.code, issue.hint) for issue in result.warnings] == [
        (IssueCode.AUDIO_CHANGED, "use .mov or .mkv to keep it")
    ]
    assert heard_of(reel) == ("flac", 48_000, 2)


@pytest.mark.core(0)
def test_moviepy_writes_aac_of_the_clips(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = Kind("pcm_s16le", 44_100, 1, ".mov").clips(media)[:2], tmp_path / "reel.mov"
    result = joined(reel, clips, method=JoinMethod.MOVIEPY)
    assert result.success, result.errors
    assert heard_of(reel) == ("aac", 44_100, 1)


@pytest.mark.core(1)
def test_process_stays_at_stereo_of_48_khz(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = Kind("pcm_s24le", 44_100, 1, ".mov").clips(media)[:2], tmp_path / "reel.mov"
    params = VideoParams(tuple(map(VideoClip, clips)), reel, dimensions="160x90", frame_rate=30)
    assert ModuleFactory(Config()).create_video_orchestrator().process_video_request(params).success
    assert heard_of(reel) == ("aac", 48_000, 2)


@pytest.mark.core(0)
@pytest.mark.parametrize("method", [JoinMethod.AUTO, JoinMethod.REENCODE])
def test_trim_keeps_the_samples_of_its_frames(media: MediaFolder, tmp_path: Path, method: JoinMethod) -> None:
    clip, reel = Kind("pcm_s24le", 44_100, 2, ".mov").clips(media)[2], tmp_path / "reel.mov"
    parts = (VideoClip(clip, start="0.4", end="0.9"), VideoClip(clip, start="0.1", end="0.5"))
    params = VideoParams(parts, reel, join=method)
    result = ModuleFactory(Config()).create_video_orchestrator().process_video_request(params)
    assert result.success, result.errors
    whole, tenth = samples_of(clip, "s32"), 4410
    wanted = np.concatenate([whole[:, 4 * tenth : 9 * tenth], whole[:, tenth : 5 * tenth]], axis=1)
    assert np.array_equal(samples_of(reel, "s32"), wanted)


@pytest.mark.core(0)
@pytest.mark.parametrize("kind", [Kind("aac", 44_100, 1, ".mp4"), Kind("pcm_s24le", 44_100, 2, ".mov")])
def test_reel_of_one_clip_keeps_its_audio(media: MediaFolder, tmp_path: Path, kind: Kind) -> None:
    (clip, *_), reel = kind.clips(media), tmp_path / f"reel{kind.suffix}"
    result = joined(reel, [clip])
    assert result.success, result.errors
    assert heard_of(reel) == (kind.codec, kind.rate, kind.channels)
    if kind.codec != "aac":
        assert np.array_equal(samples_of(reel, "s32"), one_after_another([clip], kind, "s32"))


@pytest.mark.core(0)
def test_sides_in_tracks_of_their_own_are_stereo(media: MediaFolder, tmp_path: Path) -> None:
    clips, reel = Kind("pcm_s24le", 48_000, 1, ".mov").clips(media), tmp_path / "reel.mov"
    two = tmp_path / "two.mov"
    titles = ("-metadata:s:a:0", "title=left", "-metadata:s:a:1", "title=right")
    run_ffmpeg("-i", clips[0], "-i", clips[2], "-map", "0", "-map", "1:a", "-c", "copy", *titles, two)
    result = joined(reel, [two, two])
    assert result.success, result.errors
    assert heard_of(reel) == ("pcm_s24le", 48_000, 2)
    found, left, right = samples_of(reel, "s32"), samples_of(clips[0], "s32"), samples_of(clips[2], "s32")
    frames = result.output.frames if result.output is not None else 0
    own = frames // 2 * 1600
    assert np.array_equal(found[1, :own], right[0, :own])
    assert np.array_equal(found[0, : left.shape[1]], left[0])
    assert not found[0, left.shape[1] : own].any()


@pytest.mark.core(0)
def test_unusual_order_of_channels_keeps_the_samples(media: MediaFolder, tmp_path: Path) -> None:
    (clip, *_), reel = Kind("pcm_s24le", 48_000, 2, ".mov").clips(media), tmp_path / "reel.mov"
    crossed = tmp_path / "crossed.mov"
    crossed.write_bytes(clip.read_bytes())
    label_channels(crossed, (2, 1))
    assert joined(reel, [crossed, crossed]).success
    assert np.array_equal(samples_of(reel, "s32")[:, :40_000], samples_of(clip, "s32")[::-1, :40_000])

"""One recording in several files: its audio is decoded across the borders, and neither frame nor sample is lost."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import AudioConfig, Config, QualitySettings, VideoConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.inspect.audio.comparison import AudioMatch, HeardTrack, MadeAudio, compare
from mpt_cli.media.inspect.audio.render import WantedTrack, render
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.audio_form import AudioForm, SampleFormat
from mpt_cli.model.choices import Action, JoinMethod
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.planning.recordings import in_recordings
from mpt_cli.planning.used_clip import used_clip
from tests import reader
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.results import VideoResult
    from mpt_cli.model.splice import Splice
    from mpt_cli.planning.used_clip import UsedClip
    from tests.marks import Samples

RATE = 48_000
MOST_OFF = RATE // 500
CODED = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "25",
    "-video_track_timescale",
    "12800",
)
KINDS = {
    "AAC in MP4": (".mp4", "aac"),
    "AAC in MKV": (".mkv", "aac"),
    "AAC in TS": (".ts", "aac"),
    "MP2 in TS": (".ts", "mp2"),
    "AC-3 in TS": (".ts", "ac3"),
    "Opus in MKV": (".mkv", "libopus"),
    "MP3 in MKV": (".mkv", "libmp3lame"),
    "PCM in MKV": (".mkv", "pcm_s16le"),
    "FLAC in MKV": (".mkv", "flac"),
}
EXACT, DITHERED = 2 / 32768, 0.01
"""How much samples may differ: AC-3 is decoded with random noise where it has no bits."""
PCM = AudioConfig(codec="pcm", sample_rate=48_000, channels=1)


def recording(path: Path, codec: str, *, seconds: int = 4, seed: int = 1, rate: int = RATE) -> Path:
    """A recording of a tone and noise, no part of which is like another."""
    sound = f"anoisesrc=r={rate}:d={seconds}:a=0.1:seed={seed},lowpass=f=4000[n];sine=f=500:r={rate}:d={seconds}[s]"
    graph = f"{sound};[n][s]amix=2:normalize=0,aformat=channel_layouts=mono"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x36:r=25:d={seconds}")
    audio = ("-c:a", codec, *(("-aac_pns", "0") if codec == "aac" else ()))  # random noise is another each time
    muxed = CODED if path.suffix == ".mp4" else CODED[:-2]
    run_ffmpeg(*picture, "-filter_complex", f"{graph}[a]", "-map", "0:v", "-map", "[a]", *muxed, *audio, path)
    return path


def cut(whole: Path, folder: Path, *how: str, seconds: float = 1) -> list[Path]:
    """The pieces of a recording that begins another file at keyframes."""
    folder.mkdir()
    segment = ("-c", "copy", "-f", "segment", "-segment_time", f"{seconds}", *(how or ("-reset_timestamps", "1")))
    run_ffmpeg("-i", whole, *segment, folder / f"p%d{whole.suffix}")
    return sorted(folder.iterdir(), key=lambda path: int(path.stem[1:]))


def concat(clips: list[Path], output: Path, audio: AudioConfig = PCM) -> VideoResult:
    params = VideoParams([VideoClip(clip) for clip in clips], output, join=JoinMethod.AUTO)
    return ModuleFactory(Config(audio=audio)).create_video_orchestrator().process_video_request(params)


def process(clips: list[Path], output: Path, fps: str = "25", audio: AudioConfig = PCM) -> VideoResult:
    video = VideoConfig(size="64x36", fps=fps)  # type: ignore[arg-type]  # the validators read text
    config = Config(video=video, encode=QualitySettings(threads=1), audio=audio)
    params = VideoParams([VideoClip(clip) for clip in clips], output)
    return ModuleFactory(config).create_video_orchestrator().process_video_request(params)


def heard_from_first_frame(path: Path) -> Samples:
    """The samples of a whole recording from its first frame on."""
    starts = []
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            frame: Any = next(container.decode(**{kind: 0}))
            starts.append(frame.pts * Fraction(frame.time_base))
    late = round((starts[1] - starts[0]) * RATE)
    sound = reader.samples(path)[0]
    return np.concatenate([np.zeros(late, np.float32), sound]) if late > 0 else sound[-late:]


def lag_and_error(made: Samples, whole: Samples) -> tuple[int, float]:
    """By how many samples a reel is late, and by how much any of its samples differs then; its ends do not count."""
    edge, length = 4800, min(made.size, whole.size) - 9600
    part = made[edge : edge + length]

    def error(lag: int) -> float:
        return float(np.abs(part - whole[edge - lag : edge - lag + length]).max())

    best = min(range(-MOST_OFF, MOST_OFF + 1), key=error)
    return best, error(best)


def goes_on(result: VideoResult) -> list[bool]:
    return [any("continues the" in reason for reason in clip.reasons) for clip in result.clips]


@pytest.mark.core(1)
@pytest.mark.parametrize("kind", KINDS)
def test_copied_pieces_sound_as_the_whole(tmp_path: Path, kind: str) -> None:
    suffix, codec = KINDS[kind]
    whole, reel = recording(tmp_path / f"whole{suffix}", codec), tmp_path / "reel.mov"
    result = concat(cut(whole, tmp_path / "pieces"), reel)
    assert result.success, result.errors
    assert {clip.action for clip in result.clips} == {Action.COPY}
    assert goes_on(result) == [False, True, True, True]
    assert len(reader.track(reel).packets) == 100
    lag, error = lag_and_error(reader.samples(reel)[0], heard_from_first_frame(whole))
    assert abs(lag) <= MOST_OFF
    assert error <= (DITHERED if codec == "ac3" else EXACT)


@pytest.mark.core(1)
@pytest.mark.parametrize(("fps", "rate"), [("25", RATE), ("30000/1001", RATE), ("24", 44_100)])
def test_encoded_pieces_are_placed_as_the_whole(tmp_path: Path, fps: str, rate: int) -> None:
    whole = recording(tmp_path / "whole.mp4", "aac", rate=rate)
    pieces = cut(whole, tmp_path / "pieces")
    reels = [tmp_path / "one.mov", tmp_path / "many.mov"]
    results = [process([whole], reels[0], fps), process(pieces, reels[1], fps)]
    assert goes_on(results[1]) == [False, True, True, True]
    counts = [len(reader.track(reel).packets) for reel in reels]
    assert counts[0] == counts[1]
    lag, error = lag_and_error(reader.samples(reels[1])[0], reader.samples(reels[0])[0])
    assert abs(lag) <= MOST_OFF
    assert error <= (EXACT if rate == RATE else 0.05)  # resampled between two others of the samples


def test_many_pieces_do_not_drift(tmp_path: Path) -> None:
    whole = recording(tmp_path / "whole.mkv", "aac", seconds=60)
    result = concat(cut(whole, tmp_path / "pieces"), tmp_path / "reel.mov")
    assert goes_on(result) == [False] + [True] * 59
    assert len(reader.track(tmp_path / "reel.mov").packets) == 1500
    lag, error = lag_and_error(reader.samples(tmp_path / "reel.mov")[0], heard_from_first_frame(whole))
    assert abs(lag) <= MOST_OFF
    assert error <= EXACT


def joined_alone(clips: list[Path], folder: Path) -> list[Samples]:
    """The samples of a reel of each clip by itself."""
    found = []
    for number, clip in enumerate(clips):
        reel = folder / f"alone{number}.mov"
        assert concat([clip], reel).success
        found.append(reader.samples(reel)[0])
    return found


def assert_joined_as_single_clips(clips: list[Path], folder: Path) -> None:
    reel = folder / "reel.mov"
    result = concat(clips, reel)
    assert result.success, result.errors
    assert not any(goes_on(result))
    assert np.array_equal(reader.samples(reel)[0], np.concatenate(joined_alone(clips, folder)))


@pytest.mark.core(1)
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "aac"), (".ts", "aac"), (".mkv", "libopus"), (".mov", "pcm_s16le")]
)
def test_two_clips_of_one_camera_are_joined_as_single_ones(tmp_path: Path, suffix: str, codec: str) -> None:
    clips = [recording(tmp_path / f"clip{n}{suffix}", codec, seconds=2, seed=n) for n in (1, 2)]
    assert_joined_as_single_clips(clips, tmp_path)


def test_pieces_in_another_order_or_with_one_missing_do_not_go_on(tmp_path: Path) -> None:
    pieces = cut(recording(tmp_path / "whole.mp4", "aac", seconds=6), tmp_path / "pieces")
    assert_joined_as_single_clips([pieces[1], pieces[0], pieces[3], pieces[5]], tmp_path)


def test_a_trim_at_the_border_keeps_it_and_another_does_not(tmp_path: Path) -> None:
    pieces = cut(recording(tmp_path / "whole.mkv", "aac", seconds=3), tmp_path / "pieces")
    begun, cut_short = VideoClip(pieces[0], start="0.4"), VideoClip(pieces[1], end="0.6")
    params = VideoParams([begun, cut_short, VideoClip(pieces[2])], tmp_path / "reel.mov", join=JoinMethod.AUTO)
    result = ModuleFactory(Config(audio=PCM)).create_video_orchestrator().process_video_request(params)
    assert goes_on(result) == [False, True, False]


@pytest.mark.parametrize(("codec", "packed"), [("mp2", 4), ("mp2", 0), ("ac3", 4), ("ac3", 0), ("aac", 4)])
def test_audio_goes_on_where_a_transport_stream_is_cut_anywhere(tmp_path: Path, codec: str, packed: int) -> None:
    whole = tmp_path / "whole.ts"
    given = recording(tmp_path / "given.mkv", codec)
    run_ffmpeg("-i", given, "-c", "copy", "-pes_payload_size", f"{packed * 800}", whole)
    result = process(torn(whole, tmp_path), tmp_path / "reel.mov")
    assert goes_on(result) == [False, True]
    assert IssueCode.LEADING_FRAMES_LOST in {issue.code for issue in result.warnings}
    assert len(reader.track(tmp_path / "reel.mov").packets) == 100
    lag, error = lag_and_error(reader.samples(tmp_path / "reel.mov")[0], heard_from_first_frame(whole))
    assert abs(lag) <= MOST_OFF
    assert error <= (DITHERED if codec == "ac3" else EXACT)


def torn(whole: Path, folder: Path) -> list[Path]:
    """Both parts of a transport stream that is cut within some audio in its middle."""
    data, audio = whole.read_bytes(), 0x101
    numbers = [place for place in range(len(data) * 6 // 1880 * 188, len(data), 188)
               if (data[place + 1] & 0x1F) << 8 | data[place + 2] == audio]  # fmt: skip
    middle = next(place for place in numbers if not data[place + 1] & 0x40)
    parts = [folder / f"r{number}.ts" for number in (1, 2)]
    for path, part in zip(parts, (data[:middle], data[middle:]), strict=True):
        path.write_bytes(part)
    return parts


def test_cached_audio_of_a_piece_is_not_reused_beside_another_neighbour(tmp_path: Path) -> None:
    one = cut(recording(tmp_path / "one.mp4", "aac", seconds=2), tmp_path / "first")
    other = cut(recording(tmp_path / "other.mp4", "aac", seconds=2, seed=9), tmp_path / "second")
    expected = tmp_path / "expected.mov"
    assert goes_on(process(one, expected)) == [False, True]
    assert {clip.action for clip in process(one, tmp_path / "again.mov").clips} == {Action.REUSE}
    one[0].write_bytes(other[0].read_bytes())
    replaced = process(one, tmp_path / "replaced.mov")
    assert Action.ENCODE in {clip.action for clip in replaced.clips[1:]}
    sounds = [reader.samples(reel)[0] for reel in (expected, tmp_path / "replaced.mov")]
    assert np.abs(sounds[0] - sounds[1])[RATE - 100 : RATE + 1024].max() > 0.01


def rendered(piece: UsedClip, output: Path, splice: Splice | None) -> MadeAudio:
    """The samples of a piece, with the files around that a splice names."""
    form, media = AudioForm("pcm", RATE, "mono", None, SampleFormat.F32), piece.media
    samples = RATE * piece.segment.frames // 25
    assert media.audio is not None
    render(piece.clip.path, WantedTrack(media.audio.index), media.zero, samples, output, form, splice=splice)
    track, seekable = HeardTrack(media.audio.index), bool(media.seek_points)
    made = MadeAudio(output, (track,), media.zero, samples, media.zero, seekable, rate=RATE, layout="mono")
    return replace(made, format=SampleFormat.F32, splice=piece.splice)


ALONE = [(".mkv", "aac", 1, "before", 0.0), (".mkv", "libopus", 1, "before", 0.0), (".ts", "mp2", 0, "after", 4.8)]


@pytest.mark.core(1)
@pytest.mark.parametrize(("suffix", "codec", "number", "side", "at"), ALONE)
def test_proof_finds_audio_that_was_decoded_alone(
    tmp_path: Path, suffix: str, codec: str, number: int, side: str, at: float
) -> None:
    whole = recording(tmp_path / f"whole{suffix}", codec, seconds=8)
    paths = torn(whole, tmp_path) if side == "after" else cut(whole, tmp_path / "pieces", seconds=2)
    rate, config = Fraction(25), Config()
    clips = [used_clip(n, VideoClip(path), probe(path, scan=True), config, rate) for n, path in enumerate(paths)]
    piece = in_recordings(clips, rate, RATE, lambda used: used)[number]
    assert piece.splice is not None
    path = piece.clip.path
    assert compare(path, rendered(piece, tmp_path / "spliced.pcm", piece.splice)) == AudioMatch(5 if number else 4)
    alone = replace(piece.splice, before=None) if side == "before" else replace(piece.splice, after=None)
    problem = compare(path, rendered(piece, tmp_path / "alone.pcm", alone)).problem
    assert problem is not None
    assert problem.endswith(f"at {at} s")

"""The PCM of a segment is compared with its source: what is wrong fails, what is only unusual does not."""

from __future__ import annotations

import subprocess
from array import array
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.ffmpeg import segment_commands
from mpt_cli.media.inspect.audio.comparison import AudioMatch, HeardTrack, MadeAudio, compare
from mpt_cli.model.clips import Evidence
from mpt_cli.model.errors import IssueCode, ProcessingError
from mpt_cli.model.timing import stored_samples
from mpt_cli.reporting.envelope import verified_dict
from tests.audio_clips import FORM, RATE, clip, tone
from tests.integration.reels import config_of, make_reel
from tests.integration.segments import Bench, LyingFfmpeg, planned
from tests.media import ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOISE = (
    *("-f", "lavfi", "-i", "anoisesrc=r=48000:d=2.4:c=pink:a=0.3:s=1,volume=0.5"),
    *("-f", "lavfi", "-i", "anoisesrc=r=48000:d=2.4:c=brown:a=0.6:s=2,volume=0.5"),
    *("-filter_complex", "[1:a][2:a]join=inputs=2:channel_layout=stereo[a]", "-map", "0:v", "-map", "[a]"),
)
SURROUND = (
    *("-f", "lavfi", "-i", "anoisesrc=r=48000:d=2.4:c=pink:a=0.5:s=3"),
    *("-filter_complex", "[1:a]pan=5.1|FC=0.7*c0|BL=0.3*c0[a]", "-map", "0:v", "-map", "[a]"),
)
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "AAC": (".mp4", (*NOISE, "-c:a", "aac", "-b:a", "160k")),
    "Opus": (".mkv", (*NOISE, "-c:a", "libopus")),
    "AAC in TS": (".ts", (*NOISE, "-c:a", "aac")),
    "MP2": (".ts", (*NOISE, "-c:a", "mp2")),
    "MP3 at another rate": (".avi", (*NOISE, "-c:a", "libmp3lame", "-ar", "22050")),
    "5.1": (".mov", (*SURROUND, "-c:a", "pcm_s16le")),
}
UNUSUAL: dict[str, tuple[str, str]] = {
    "drifting clock": (".mkv", "asetpts=PTS*1.001"),
    "trembling clock": (".mkv", "asetpts=PTS+mod(N\\,2)*0.015/TB"),
    "gap": (".mkv", "asetpts=PTS+gt(T\\,1)*0.5/TB"),
    "full scale": (".mp4", "volume=20dB"),
    "faint": (".mp4", "volume=-50dB"),
    "silent in the midst": (".mp4", "volume=0:enable='between(t,0.5,2)'"),
}


def made_of(path: Path, start: Fraction = Fraction(0), *, mixed: bool = False) -> MadeAudio:
    """The PCM that ffmpeg makes of a clip from a trim on, of its first track or of all."""
    whole = planned(path, FORM)
    if mixed:
        whole = replace(whole, media=replace(whole.media, audio_with=whole.media.audio_tracks[1:]))
    frames = int((whole.media.duration - start) * FORM.frame_rate)
    segment = replace(whole.segment, frames=frames)
    trimmed = replace(whole.clip, start=start)
    output, media = path.with_suffix(".pcm"), whole.media
    arguments = segment_commands.audio_arguments(trimmed, media, segment, FORM, audio_path=output)
    subprocess.run([ffmpeg(), *arguments], check=True, stdout=subprocess.DEVNULL)
    origin = segment_commands.segment_origin(trimmed, media, segment, FORM.frame_rate)
    begun, seekable = media.seek_point_for(origin) or media.zero, bool(media.seek_points)
    samples = stored_samples(frames, FORM.frame_rate)
    tracks = tuple(HeardTrack(track.index, track.channels if track.is_part else ()) for track in media.heard)
    return MadeAudio(output, tracks, origin, samples, begun=begun, seekable=seekable)


def late(samples: array[int]) -> array[int]:
    """Ten milliseconds later."""
    return array("h", bytes(4 * RATE // 100)) + samples[: -2 * RATE // 100]


def early(samples: array[int]) -> array[int]:
    """Ten milliseconds earlier."""
    return samples[2 * RATE // 100 :] + array("h", bytes(4 * RATE // 100))


def swapped(samples: array[int]) -> array[int]:
    """Left and right in each other's place."""
    other = array("h", samples)
    other[0::2], other[1::2] = samples[1::2], samples[0::2]
    return other


def left_silent(samples: array[int]) -> array[int]:
    """Only the right side."""
    other = array("h", samples)
    other[0::2] = array("h", bytes(len(samples)))
    return other


def silent(samples: array[int]) -> array[int]:
    """No sound at all."""
    return array("h", bytes(2 * len(samples)))


def quieter(samples: array[int]) -> array[int]:
    """At a level that is 2 dB lower."""
    return array("h", [round(sample * 0.79) for sample in samples])


SPOILT: dict[Callable[[array[int]], array[int]], str] = {
    late: "ms off its time",
    early: "ms off its time",
    swapped: "has left and right swapped",
    left_silent: "is silent on the left",
    silent: "is silent",
    quieter: "dB off its level",
}


def compared(source: Path, made: MadeAudio, spoil: Callable[[array[int]], array[int]]) -> AudioMatch:
    """What is found where the PCM is spoilt."""
    spoilt = made.path.with_suffix(".spoilt")
    spoilt.write_bytes(spoil(array("h", made.path.read_bytes())).tobytes())
    return compare(source, replace(made, path=spoilt))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["0", "7/10"])
def test_wrong_audio_is_found_and_right_audio_is_proven(tmp_path: Path, kind: str, start: str) -> None:
    suffix, audio = KINDS[kind]
    source = clip(tmp_path / f"clip{suffix}", audio, seconds=2.4)
    made = made_of(source, Fraction(start))
    match = compare(source, made)
    assert match.problem is None
    assert match.places >= 2
    for spoil, words in SPOILT.items():
        problem = compared(source, made, spoil).problem
        same_on_both_sides = kind == "5.1" and spoil is swapped
        limited = kind == "5.1" and spoil is quieter
        if not (same_on_both_sides or limited):
            assert problem is not None, spoil.__name__
            assert words in problem


@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_audio_is_no_problem(tmp_path: Path, kind: str) -> None:
    suffix, filters = UNUSUAL[kind]
    audio = tuple(part.replace("stereo[a]", f"stereo,{filters}[a]") for part in NOISE)
    source = clip(tmp_path / f"clip{suffix}", (*audio, "-c:a", "pcm_s16le" if suffix == ".mkv" else "aac"), seconds=2.4)
    made = made_of(source)
    assert compare(source, made).problem is None


def test_clip_fails_whose_audio_ffmpeg_made_late(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", (*NOISE, "-c:a", "aac"), seconds=2.4)

    def spoil(_frames: Path, audio: Path) -> None:
        audio.write_bytes(late(array("h", audio.read_bytes())).tobytes())

    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(ProcessingError, match="10 ms off its time") as caught:
        Bench(folder, ffmpeg=LyingFfmpeg(spoil)).clip(source, FORM)
    assert caught.value.code is IssueCode.CLIP_FAILED
    assert caught.value.issue.path == source


def test_result_says_what_was_proven_of_audio(tmp_path: Path) -> None:
    heard = clip(tmp_path / "heard.mp4", (*NOISE, "-c:a", "aac"), seconds=1)
    mute = clip(tmp_path / "mute.mp4", (), seconds=1)
    config = config_of(size="64x36", fps="25")
    result = make_reel(tmp_path / "reel.mp4", [heard, mute], config)
    verified = [found.verified for found in result.clips if found.verified]
    assert [found.audio for found in verified] == [Evidence.PROVEN, None]
    assert verified_dict(verified[0])["audio"] == "proven"


def test_steady_tone_is_no_problem(tmp_path: Path) -> None:
    source = clip(tmp_path / "clip.mp4", tone(500, 2), "-c:a", "aac", seconds=2)
    made = made_of(source)
    assert compare(source, made) == AudioMatch(3)
    assert compared(source, made, silent).problem


def test_mix_of_tracks_is_compared_with_all_of_them(tmp_path: Path) -> None:
    noises = (*NOISE[:8], "-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:a", "aac")
    source = clip(tmp_path / "clip.mp4", noises, seconds=2.4)
    mixed = made_of(source, mixed=True)
    assert len(mixed.tracks) == 2
    assert compare(source, mixed) == AudioMatch(3)
    assert "10 ms" in str(compared(source, mixed, late).problem)

"""Of several audio tracks those are heard that belong together, and the others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.config import AudioConfig
from mpt_cli.errors import IssueCode
from mpt_cli.media.inspect.probe import probe
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.models import AudioTracks
    from mpt_cli.results import VideoResult

PICTURE = ("-f", "lavfi", "-i", "color=gray:s=64x36:r=25:d=1")
LEVEL, MISSING = -18.06, -70.0
"""Of lavfi's sine, and of what is not there."""
DESKTOP, MIC = 500, 1000
PCM, AAC = ("-c:a", "pcm_s16le"), ("-c:a", "aac")
NAMED = ("-metadata:s:a:0", "title=Desktop", "-metadata:s:a:1", "title=Mic")


def sine(hertz: float, *, layout: str = "mono") -> tuple[str, ...]:
    gains = "stereo|c0=c0|c1=c0" if layout == "stereo" else "mono|c0=c0"
    source = f"sine=f={hertz}:r=48000:d=1,pan={gains}"
    return ("-f", "lavfi", "-i", source if hertz else f"anullsrc=cl={layout}:r=48000:d=1")


def recording(path: Path, *sounds: tuple[str, ...], how: tuple[str, ...]) -> Path:
    """A clip with these audio tracks."""
    inputs = [part for sound in sounds for part in sound]
    maps = [part for number in range(len(sounds) + 1) for part in ("-map", str(number))]
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    run_ffmpeg(*PICTURE, *inputs, *maps, *video, *how, path)
    return path


def reel_of(clip: Path, output: Path, tracks: AudioTracks = "auto") -> VideoResult:
    config = config_of(size="64x36", fps="25")
    return make_reel(output, [clip], config.model_copy(update={"audio": AudioConfig(tracks=tracks)}))


def levels(reel: Path, *hertz: float) -> list[tuple[float, float]]:
    """Level of each tone at the left and at the right side."""
    left, right = (side[4800:-4800] for side in reader.samples(reel))
    return [(reader.tone_level(left, tone), reader.tone_level(right, tone)) for tone in hertz]


def near(level: float) -> object:
    return pytest.approx((level, level), abs=0.5)


@pytest.mark.parametrize(
    ("tracks", "desktop", "mic", "warns"),
    [("auto", True, False, True), ("first", True, False, False), ("mix", True, True, False), (2, False, True, False)],
)
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_game_and_microphone_are_heard_as_asked(
    tmp_path: Path, tracks: AudioTracks, desktop: bool, mic: bool, warns: bool, layout: str
) -> None:
    sounds = (sine(DESKTOP, layout=layout), sine(MIC, layout=layout))
    clip, output = recording(tmp_path / "obs.mkv", *sounds, how=(*AAC, *NAMED)), tmp_path / "reel.mp4"
    result = reel_of(clip, output, tracks)
    assert result.success, result.errors
    for found, wanted in zip(levels(output, DESKTOP, MIC), (desktop, mic), strict=True):
        assert found == near(LEVEL) if wanted else max(found) < MISSING
    assert [warning.code for warning in result.warnings] == [IssueCode.AUDIO_TRACKS_LEFT_OUT] * warns
    if warns:
        assert 'track 2 "Mic" (-21.1 dB)' in result.warnings[0].message


@pytest.mark.parametrize("name", ["camera.mov", "camera.mxf"])
def test_two_microphones_of_a_camera_are_heard_on_both_sides(tmp_path: Path, name: str) -> None:
    how = (*PCM, "-c:v", "mpeg2video", "-q:v", "2") if name.endswith("mxf") else PCM
    clip, output = recording(tmp_path / name, sine(DESKTOP), sine(MIC), how=how), tmp_path / "reel.mp4"
    result = reel_of(clip, output)
    assert result.success, result.errors
    assert not result.warnings
    assert levels(output, DESKTOP, MIC) == [near(LEVEL), near(LEVEL)]


@pytest.mark.parametrize("titles", [("Mic L", "Mic R"), ("Right", "Left")])
def test_labelled_sides_are_heard_on_their_sides(tmp_path: Path, titles: tuple[str, str]) -> None:
    how = (*PCM, "-metadata:s:a:0", f"title={titles[0]}", "-metadata:s:a:1", f"title={titles[1]}")
    clip, output = recording(tmp_path / "iso.mkv", sine(DESKTOP), sine(MIC), how=how), tmp_path / "reel.mp4"
    result = reel_of(clip, output)
    assert result.success, result.errors
    assert not result.warnings
    left, right = (DESKTOP, MIC) if titles[0] == "Mic L" else (MIC, DESKTOP)
    assert levels(output, left)[0] == pytest.approx((LEVEL, -120), abs=1)
    assert levels(output, right)[0] == pytest.approx((-120, LEVEL), abs=1)


@pytest.mark.parametrize("second", [0, DESKTOP])
def test_silent_or_equal_track_is_not_named(tmp_path: Path, second: int) -> None:
    clip, output = recording(tmp_path / "a.mkv", sine(DESKTOP), sine(second), how=AAC), tmp_path / "reel.mp4"
    result = reel_of(clip, output, "mix")
    assert not result.warnings
    assert levels(output, DESKTOP) == [near(LEVEL)]
    assert not reel_of(clip, tmp_path / "auto.mp4").warnings


def test_audible_track_is_heard_when_the_default_is_silent(tmp_path: Path) -> None:
    clip, output = recording(tmp_path / "a.mov", sine(0), sine(MIC), how=PCM), tmp_path / "reel.mp4"
    result = reel_of(clip, output)
    assert not result.warnings
    assert levels(output, MIC) == [near(LEVEL)]


def test_dub_is_named_with_its_language(tmp_path: Path) -> None:
    how = (*AAC, "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra")
    clip, output = recording(tmp_path / "film.mp4", sine(DESKTOP), sine(MIC), how=how), tmp_path / "reel.mp4"
    result = reel_of(clip, output)
    (warning,) = result.warnings
    assert "track 2 [fra]" in warning.message
    assert max(levels(output, MIC)[0]) < MISSING


def test_mix_at_full_scale_does_not_clip(tmp_path: Path) -> None:
    loud = ("-f", "lavfi", "-i", "aevalsrc=0.9*sin(2*PI*500*t):s=48000:d=1")
    again = ("-f", "lavfi", "-i", "aevalsrc=0.9*sin(2*PI*700*t):s=48000:d=1")
    clip, output = recording(tmp_path / "loud.mkv", loud, again, how=PCM), tmp_path / "reel.mp4"
    assert reel_of(clip, output, "mix").success
    assert reader.peak(reader.samples(output)) <= 1.0
    assert levels(output, 500)[0][0] > -8


def test_later_track_lengthens_a_mix(tmp_path: Path) -> None:
    late = ("-itsoffset", "0.5", *sine(MIC))
    clip, output = recording(tmp_path / "late.mkv", sine(DESKTOP), late, how=PCM), tmp_path / "reel.mp4"
    assert reel_of(clip, output, "mix").success
    assert reader.samples(output).shape[1] == pytest.approx(72_000, abs=3000)
    assert probe(clip, scan=True).duration == pytest.approx(1, abs=0.05)


def test_missing_track_number_is_told(tmp_path: Path) -> None:
    clip, output = recording(tmp_path / "one.mp4", sine(DESKTOP), how=AAC), tmp_path / "reel.mp4"
    result = reel_of(clip, output, 2)
    assert [warning.code for warning in result.warnings] == [IssueCode.AUDIO_TRACKS_LEFT_OUT]
    assert levels(output, DESKTOP) == [near(LEVEL)]


def test_tracks_keep_number_title_and_level_without_a_scan(tmp_path: Path) -> None:
    clip = recording(tmp_path / "obs.mkv", sine(DESKTOP), sine(MIC), how=(*AAC, *NAMED))
    found, scanned = (probe(clip, scan=scan).audio_tracks for scan in (False, True))
    assert [(track.number, track.title) for track in found] == [(1, "Desktop"), (2, "Mic")]
    assert [track.level_db for track in found] == pytest.approx([-21.1, -21.1], abs=0.3)
    assert [track.level_db for track in scanned] == [track.level_db for track in found]

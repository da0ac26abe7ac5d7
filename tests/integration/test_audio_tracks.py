"""Of several audio tracks those are heard that belong together, and the others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.sections import AudioConfig
from mpt_cli.media.audio_tracks import with_heard_tracks
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.choices import AudioTracks
    from mpt_cli.model.results import VideoResult

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
@pytest.mark.core(1)
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
        assert 'track 2 "Mic" (-21.' in result.warnings[0].message


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


@pytest.mark.parametrize(
    "titles", [("Score l'original", "Dialogue FR"), ("Mic L", "Desktop R"), ("Mic L", "Mic Right"), ("EN", "FR")]
)
def test_words_of_other_meaning_are_no_sides(tmp_path: Path, titles: tuple[str, str]) -> None:
    how = (*PCM, "-metadata:s:a:0", f"title={titles[0]}", "-metadata:s:a:1", f"title={titles[1]}")
    clip = recording(tmp_path / "film.mkv", sine(DESKTOP), sine(MIC), how=how)
    media = with_heard_tracks(probe(clip, scan=True), "auto", clip)
    assert [(track.number, track.is_part) for track in media.heard] == [(1, False)]
    assert [warning.code for warning in media.warnings] == [IssueCode.AUDIO_TRACKS_LEFT_OUT]


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


def test_missing_track_number_is_told_of_a_clip_without_audio(tmp_path: Path) -> None:
    clip = recording(tmp_path / "mute.mp4", how=())
    (warning,) = with_heard_tracks(probe(clip, scan=True), 3, clip).warnings
    assert (warning.code, warning.path) == (IssueCode.AUDIO_TRACKS_LEFT_OUT, clip)
    assert with_heard_tracks(probe(clip, scan=True), "mix", clip).warnings == ()


def test_tracks_keep_number_title_and_level_without_a_scan(tmp_path: Path) -> None:
    clip = recording(tmp_path / "obs.mkv", sine(DESKTOP), sine(MIC), how=(*AAC, *NAMED))
    found, scanned = (probe(clip, scan=scan).audio_tracks for scan in (False, True))
    assert [(track.number, track.title) for track in found] == [(1, "Desktop"), (2, "Mic")]
    assert [track.level_db for track in found] == pytest.approx([-21.1, -21.1], abs=0.3)
    assert [track.level_db for track in scanned] == [track.level_db for track in found]


def layered(path: Path, sound: str, pans: tuple[str, ...], element: str) -> Path:
    """A clip whose audio is in several tracks of one layout, as new phones write it."""
    names = "abcdef"[: len(pans)]
    split = f"[0:a]asplit={len(pans)}" + "".join(f"[{name}]" for name in names)
    parts = ";".join(f"[{name}]pan={pan}[{name}{name}]" for name, pan in zip(names, pans, strict=True))
    count = len(pans)
    maps = [part for name in names for part in ("-map", f"[{name}{name}]")]
    stages = ":".join(f"st={number}" for number in range(count))
    ids = [part for number in range(count + 1) for part in ("-streamid", f"{number}:{number}")]
    mix = (
        "type=iamf_mix_presentation:id=3:stg=0:annotations=en-us=Mix,submix=parameter_id=100:parameter_rate=48000"
        ":default_mix_gain=0.0|element=stg=0:parameter_id=100:annotations=en-us=Scene"
        "|layout=sound_system=stereo:integrated_loudness=0.0:digital_peak=0.0"
    )
    coding = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "libopus", "-b:a", "64k")
    groups = ("-stream_group", f"type=iamf_audio_element:id=1:{stages}:{element}", "-stream_group", mix)
    inputs = ("-f", "lavfi", "-i", sound, *PICTURE)
    run_ffmpeg(*inputs, "-filter_complex", f"{split};{parts}", *maps, "-map", "1:v", *coding, *groups, *ids, path)
    return path


TONE, MUTE = "0.25*sin(2*PI*500*t)", "0"
SURROUND = ("stereo|c0=c0|c1=c1", "stereo|c0=c4|c1=c5", "mono|c0=c2", "mono|c0=c3")


@pytest.mark.parametrize(
    ("channel", "sides"), [(2, (-3.01, -3.01)), (0, (0.0, None)), (5, (None, -3.01))], ids=["centre", "left", "back"]
)
def test_layered_surround_is_heard_whole(
    tmp_path: Path, channel: int, sides: tuple[float | None, float | None]
) -> None:
    tones = "|".join(TONE if number == channel else MUTE for number in range(6))
    sound = f"aevalsrc={tones}:s=48000:d=1:c=5.1(side)"
    clip = layered(tmp_path / "phone.mp4", sound, SURROUND, "audio_element_type=channel,layer=ch_layout=5.1(side)")
    result = reel_of(clip, tmp_path / "reel.mp4")
    assert result.success, result.errors
    assert not result.warnings
    for found, wanted in zip(levels(tmp_path / "reel.mp4", 500)[0], sides, strict=True):
        assert found < MISSING + 20 if wanted is None else found == pytest.approx(-12.04 + wanted, abs=0.5)


def test_layered_ambisonic_is_heard_from_its_side(tmp_path: Path) -> None:
    sound = f"aevalsrc={TONE}|{TONE}|{MUTE}|{MUTE}:s=48000:d=1:c=4.0"
    pans = tuple(f"mono|c0=c{number}" for number in range(4))
    element = "audio_element_type=scene,layer=ch_layout=ambisonic\\ 1:ambisonics_mode=mono"
    clip = layered(tmp_path / "phone.mp4", sound, pans, element)
    result = reel_of(clip, tmp_path / "reel.mp4")
    assert result.success, result.errors
    assert not result.warnings
    left, right = levels(tmp_path / "reel.mp4", 500)[0]
    assert left == pytest.approx(-12.04, abs=0.7)
    assert right < MISSING + 20


def spoken(path: Path, first: float, last: float, *, seconds: int, how: tuple[str, ...]) -> Path:
    """A clip whose second track is silent but for a span; all its frames but the first are like the one before."""
    speech = f"aevalsrc='0.3*sin(2*PI*900*t)*between(t\\,{first}\\,{last})':s=48000:d={seconds}"
    inputs = ("-f", "lavfi", "-i", f"sine=f=500:r=48000:d={seconds}", "-f", "lavfi", "-i", speech)
    frames = ("-f", "lavfi", "-i", f"color=gray:s=64x36:r=5:d={seconds}")
    video = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "9999")
    run_ffmpeg(*frames, *inputs, "-map", "0", "-map", "1", "-map", "2", *video, *how, path)
    return path


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4"])
def test_track_that_speaks_late_is_measured_where_keyframes_are_few(tmp_path: Path, name: str) -> None:
    found = probe(spoken(tmp_path / name, 55, 60, seconds=60, how=AAC), scan=True)
    assert [track.level_db for track in found.audio_tracks] == pytest.approx([-21.1, -13.5], abs=0.7)


@pytest.mark.parametrize(("first", "last", "how"), [(26.2, 29.7, PCM), (26.3, 26.9, AAC)], ids=["a sentence", "a word"])
def test_track_that_speaks_little_is_measured(tmp_path: Path, first: float, last: float, how: tuple[str, ...]) -> None:
    found = probe(spoken(tmp_path / "little.mkv", first, last, seconds=60, how=how), scan=True)
    assert found.audio_tracks[1].level_db == pytest.approx(-13.5, abs=0.7)


@pytest.mark.parametrize("loud", [0, 1])
def test_track_of_8_bits_is_heard(tmp_path: Path, loud: int) -> None:
    sounds = [sine(0, layout="stereo"), sine(0, layout="stereo")]
    sounds[loud] = sine(DESKTOP, layout="stereo")
    clip = recording(tmp_path / "old.mov", *sounds, how=("-c:a", "pcm_u8"))
    silent, heard = sorted((track.level_db or 0) for track in probe(clip, scan=True).audio_tracks)
    assert [silent, heard] == pytest.approx([-120, -21.1], abs=0.3)
    assert not reel_of(clip, tmp_path / "reel.mp4").warnings
    assert levels(tmp_path / "reel.mp4", DESKTOP) == [near(LEVEL)]


def test_second_track_of_8_bits_is_named_and_mixed(tmp_path: Path) -> None:
    sounds = (sine(DESKTOP, layout="stereo"), sine(MIC, layout="stereo"))
    clip, output = recording(tmp_path / "old.mov", *sounds, how=("-c:a", "pcm_u8")), tmp_path / "reel.mp4"
    (warning,) = reel_of(clip, output).warnings
    assert "track 2 (-21." in warning.message
    reel_of(clip, tmp_path / "mix.mp4", "mix")
    assert levels(tmp_path / "mix.mp4", DESKTOP, MIC) == [near(LEVEL), near(LEVEL)]


def test_track_that_does_not_decode_everywhere_is_not_silent(tmp_path: Path) -> None:
    clip = spoken(tmp_path / "damaged.mkv", 0, 4, seconds=8, how=AAC)
    data = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        stream = container.streams.audio[1]
        hit = [packet for packet in container.demux(stream) if packet.pos is not None and (packet.pts or 0) < 4500]
    for packet in hit[4:]:
        assert packet.pos is not None
        start = data.index(bytes(packet), packet.pos)
        data[start : start + packet.size] = b"\xff" * packet.size
    clip.write_bytes(data)
    found = probe(clip, scan=True)
    assert found.audio_tracks[1].level_db is None

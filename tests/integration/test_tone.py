"""Sound: every layout and sample rate becomes stereo at its level, its side and its pitch, and joints are not heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.builders import form_of
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.integration.segments import Bench
from tests.media import Recipe, Tone, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.media import MediaFolder
    from tests.reader import Samples

QUARTER = -12.04
"""Decibels of a sine of a quarter of full scale, as clips have it here."""
MISSING = -70.0
"""A tone below this level is not there."""
EDGE = 4800
"""Samples at both ends of a reel that are not measured: there the encoder fades in or pads."""
PICTURE = Recipe(seconds=1.0, size="64x36", source="color=gray", suffix=".mov")
PLAIN = config_of(size="64x36")


def heard(path: Path) -> Samples:
    """Left and right of a reel without its ends."""
    sound = reader.samples(path)
    assert sound.shape[0] == 2
    return sound[:, EDGE:-EDGE]


def levels(path: Path, hertz: float = 1000) -> tuple[float, float]:
    """Level of a tone at the left and at the right side."""
    left, right = (reader.tone_level(side, hertz) for side in heard(path))
    return left, right


def reel_of(media: MediaFolder, tmp_path: Path, tone: Tone, *, suffix: str = ".mov") -> Path:
    """A reel of one clip with this sound."""
    return finished_reel(tmp_path / "reel.mp4", [media.make(PICTURE, sound=tone, suffix=suffix)], PLAIN)


@pytest.mark.parametrize(
    ("hertz", "level"), [((1000.0,), 0.0), ((1000.0, 1000.0), 0.0), ((0.0, 0.0, 1000.0, 0.0, 0.0, 0.0), -3.01)]
)
@pytest.mark.parametrize("codec", ["pcm_s16le", "aac"])
def test_mono_stereo_and_centre_have_their_level_on_both_sides(
    media: MediaFolder, tmp_path: Path, hertz: tuple[float, ...], level: float, codec: str
) -> None:
    reel = reel_of(media, tmp_path, Tone(hertz, codec=codec))
    assert levels(reel) == pytest.approx((QUARTER + level,) * 2, abs=0.5)
    rms = 20 * np.log10(np.sqrt((heard(reel) ** 2).mean(axis=1)) * np.sqrt(2))
    assert rms == pytest.approx(QUARTER + level, abs=0.5), "there is more than the tone"


@pytest.mark.parametrize(
    ("layout", "channel", "left", "right"),
    [
        ("stereo", 0, 0.0, None), ("stereo", 1, None, 0.0),
        ("5.1", 0, 0.0, None), ("5.1", 1, None, 0.0), ("5.1", 3, None, None), ("5.1", 4, -3.01, None),
        ("5.1", 5, None, -3.01), ("5.1(side)", 4, -3.01, None), ("quad", 3, None, -3.01), ("7.1", 7, None, -3.01),
        ("2.1", 0, 0.0, None), ("downmix", 1, None, 0.0),
    ],
)  # fmt: skip
@pytest.mark.core(1)
def test_each_channel_goes_to_its_side(
    media: MediaFolder, tmp_path: Path, layout: str, channel: int, left: float | None, right: float | None
) -> None:
    count = {"stereo": 2, "downmix": 2, "2.1": 3, "quad": 4, "7.1": 8}.get(layout, 6)
    hertz = tuple(1000.0 if k == channel else 0.0 for k in range(count))
    reel = reel_of(media, tmp_path, Tone(hertz, codec="flac", layout=layout), suffix=".mkv")
    for level, wanted in zip(levels(reel), (left, right), strict=True):
        assert level < MISSING if wanted is None else level == pytest.approx(QUARTER + wanted, abs=0.5)


def test_of_channels_without_a_place_the_first_two_are_heard(media: MediaFolder, tmp_path: Path) -> None:
    recorder, tones = tmp_path / "recorder.mov", (500, 700, *(900,) * 9)
    sound = "aevalsrc=" + "|".join(f"0.25*sin(2*PI*{hertz}*t)" for hertz in tones) + ":s=48000:d=1"
    picture = media.make(PICTURE, sound=None)
    run_ffmpeg("-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "copy", "-c:a", "pcm_s16le", recorder)
    reel = finished_reel(tmp_path / "reel.mp4", [recorder], PLAIN)
    for side, hertz in enumerate((500, 700)):
        assert levels(reel, hertz)[side] == pytest.approx(QUARTER, abs=0.5)
        assert levels(reel, hertz)[1 - side] < MISSING
    assert max(levels(reel, 900)) < MISSING


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s32le", "pcm_f32le"])
def test_surround_at_full_scale_does_not_clip(media: MediaFolder, tmp_path: Path, codec: str) -> None:
    clip = media.make(PICTURE, sound=Tone((500.0,) * 6, codec=codec, level=1.0))
    pcm = Bench(tmp_path).clip(clip, form_of(size="64x36")).audio_path
    assert pcm is not None
    mixed = np.fromfile(pcm, "<i2").astype(np.float32) / np.float32(32768)
    assert reader.peak(mixed) < 0.99, "the mix is 2.4 times full scale"
    reel = finished_reel(tmp_path / "reel.mp4", [clip], PLAIN)
    for side in heard(reel):
        assert reader.peak(side) <= 1.0
        assert reader.tone_level(side, 500) == pytest.approx(0, abs=1)
        # A sine that is cut has a third harmonic 10 to 20 dB below itself.
        assert reader.tone_level(side, 1500) < -45


def test_quiet_surround_is_not_touched_by_the_limiter(media: MediaFolder, tmp_path: Path) -> None:
    reel = reel_of(media, tmp_path, Tone((1000.0, 0.0, 0.0, 0.0, 1000.0, 0.0), codec="pcm_s16le"))
    assert levels(reel)[0] == pytest.approx(QUARTER + 20 * np.log10(1 + np.sqrt(0.5)), abs=0.1)


@pytest.mark.parametrize(
    ("rate", "codec"),
    [(8_000, "pcm_s16le"), (11_025, "pcm_s16le"), (22_050, "pcm_u8"), (44_100, "aac"), (44_100, "pcm_s24le"),
     (96_000, "pcm_f32le"), (192_000, "pcm_s32le")],
)  # fmt: skip
def test_every_sample_rate_keeps_pitch_level_and_length(
    media: MediaFolder, tmp_path: Path, rate: int, codec: str
) -> None:
    reel = reel_of(media, tmp_path, Tone((1000.0, 2000.0), codec=codec, sample_rate=rate))
    for hertz, own, other in ((1000, 0, 1), (2000, 1, 0)):
        found = levels(reel, hertz)
        assert found[own] == pytest.approx(QUARTER, abs=0.5)
        assert found[other] < MISSING
    sound = reader.samples(reel)[0]
    assert np.sqrt((sound[-9600:-2400] ** 2).mean()) == pytest.approx(0.25 / np.sqrt(2), rel=0.05)
    assert 48_000 <= sound.size < 48_000 + 1024


@pytest.mark.parametrize("default", [0, 1])
def test_of_two_tracks_the_default_one_is_heard(media: MediaFolder, tmp_path: Path, default: int) -> None:
    two, picture = tmp_path / "two.mkv", media.make(PICTURE, sound=None)
    tones = [Tone((hertz,)).source(1.0) for hertz in (500.0, 1500.0)]
    sounds = [part for tone in tones for part in ("-f", "lavfi", "-i", tone)]
    chosen = [part for k in (0, 1) for part in (f"-disposition:a:{k}", "default" if k == default else "0")]
    run_ffmpeg("-i", picture, *sounds, "-map", "0:v", "-map", "1", "-map", "2", "-c:v", "copy", *chosen, two)
    reel = tmp_path / "reel.mp4"
    result = make_reel(reel, [two], PLAIN)
    assert [warning.code for warning in result.warnings] == [IssueCode.AUDIO_TRACKS_LEFT_OUT]
    wanted, other = (500.0, 1500.0) if default == 0 else (1500.0, 500.0)
    assert levels(reel, wanted) == pytest.approx((QUARTER,) * 2, abs=0.5)
    assert max(levels(reel, other)) < MISSING


def error_of(path: Path, wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each sample is from what was wanted, the larger of both sides, without the ends of the reel."""
    found = reader.samples(path).astype(np.float64)[:, : wanted.shape[1]]
    assert found.shape == wanted.shape
    error: NDArray[np.float64] = np.abs(found - wanted).max(axis=0)
    return error[EDGE:-EDGE]


@pytest.mark.parametrize(("fps", "length"), [("30", 48_000), ("30000/1001", 48_048)])
def test_no_joint_is_heard(media: MediaFolder, tmp_path: Path, fps: str, length: int) -> None:
    """Each clip begins and ends at zero; at 29.97 it becomes a millisecond of silence longer."""
    clip = media.make(PICTURE, sound=Tone((400.0, 600.0), codec="pcm_s16le"))
    reel = finished_reel(tmp_path / "reel.mp4", [clip] * 3, config_of(size="64x36", fps=fps))
    own = np.zeros((2, length))
    for side, hertz in zip(own, (400, 600), strict=True):
        side[:48_000] = 0.25 * np.sin(2 * np.pi * hertz * np.arange(48_000) / 48_000)
    error = error_of(reel, np.concatenate([own] * 3, axis=1))
    at_joints = [error[joint - EDGE - 2048 : joint - EDGE + 2048] for joint in (length, 2 * length)]
    assert max(part.max() for part in at_joints) < 0.02, "a click"  # the tones are 0.25 high, the codec is 0.01 off
    assert np.median(error) < 0.005


def test_a_reel_without_sound_has_a_silent_track(media: MediaFolder, tmp_path: Path) -> None:
    reel = finished_reel(tmp_path / "reel.mp4", [media.make(PICTURE, sound=None)] * 2, PLAIN)
    sound = reader.samples(reel)
    assert sound.shape[0] == 2
    assert 96_000 <= sound.shape[1] < 96_000 + 1024
    assert reader.peak(sound) == 0.0


def test_a_silent_clip_does_not_move_the_next_one(media: MediaFolder, tmp_path: Path) -> None:
    silent, loud = media.make(PICTURE, sound=None), media.make(PICTURE, sound=Tone((1000.0,), codec="pcm_s16le"))
    sound = reader.samples(finished_reel(tmp_path / "reel.mp4", [silent, loud, silent], PLAIN))[0]
    seconds = [sound[start + 2048 : start + 45_952] for start in (0, 48_000, 96_000)]
    assert [reader.tone_level(second, 1000) for second in seconds] == pytest.approx([-120, QUARTER, -120], abs=0.5)
    assert reader.peak(seconds[0]) < 0.001

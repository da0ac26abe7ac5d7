"""Kinds of input that cameras, recorders and messengers make: each comes out right, picture by picture.

What other files prove is not repeated here: rotation, shapes and odd sizes (``test_shape.py``), colours,
HDR, alpha, interlacing (``test_picture.py``), tracks and sample rates (``test_tone.py``), rates, late
starts and trims (``test_time.py``), sizes that change (``test_changes.py``), damage (``test_damage.py``).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.model.choices import QualityLevel
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import Part, config_of, finished_reel, make_reel, of, problems
from tests.media import Color, MediaFolder, NumberedClip, Recipe, Signature, numbered, run_ffmpeg
from tests.oddities import with_sound_that_never_comes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RATE = Fraction(30)
CONFIG = config_of(fps="30")
PCM = Signature(codec="pcm_s16le")
LEAD = 1.4
"""Seconds that ffmpeg puts in front of a transport stream."""
WRAP = 2**33 / 90_000
"""Seconds after which the clock of a transport stream begins anew."""


def assert_right(
    media: MediaFolder,
    tmp_path: Path,
    *clips: NumberedClip,
    rate: Fraction = RATE,
    lead: Fraction = Fraction(0),
    codes: Sequence[IssueCode] = (),
) -> None:
    """The reel of these clips has every picture and every sample in its place, and is warned of by these codes."""
    parts = [Part(clip, lead=lead) for clip in clips]
    config = config_of(fps=str(rate))
    reel = tmp_path / f"{rate.numerator}.mp4"
    result = make_reel(reel, [part.request(media) for part in parts], config)
    assert [issue.code for issue in result.warnings] == list(codes)
    assert problems(reel, parts, rate) == []


def numbers(reel: Path) -> list[int | None]:
    return [picture.number for picture in reader.pictures(reel)]


# --- clocks


@pytest.mark.parametrize(
    "begin",
    [-0.5, WRAP - 0.5, WRAP, *(pytest.param(begin, marks=pytest.mark.slow) for begin in (0.0, 59_857.0, WRAP - 0.05))],
)
def test_a_transport_stream_may_begin_anywhere_and_wrap_around(
    media: MediaFolder, tmp_path: Path, begin: float
) -> None:
    stream = replace(numbered(1, seconds=1.2, fps="25"), suffix=".ts", start=begin - LEAD, sound=None)
    sounding = replace(stream, sound=Signature(codec="mp2"))
    # Of MP2 a decoder gives out the encoder's delay of 481 samples first.
    rate, lead = Fraction(25), Fraction(481, 48_000)
    assert_right(media, tmp_path, stream, numbered(2, seconds=0.2), rate=rate)
    reel = finished_reel(tmp_path / "sound.mp4", [media.numbered(sounding)], config_of(fps="25"))
    assert problems(reel, [Part(sounding, lead=lead)], rate, most_off=700) == []


@pytest.mark.parametrize("suffix", [".webm", ".mkv"])
@pytest.mark.core(1)
def test_a_sound_that_begins_before_zero_keeps_its_place(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    clip = replace(numbered(3, fps="25"), codec="libvpx-vp9", sound=Signature(codec="libopus"), suffix=suffix)
    assert_right(media, tmp_path, clip, rate=Fraction(25))


@pytest.mark.parametrize("movflags", ["frag_keyframe+empty_moov", "frag_keyframe"])
def test_fragments_are_one_clip(media: MediaFolder, tmp_path: Path, movflags: str) -> None:
    clip = replace(numbered(4), encoder_options=(("g", "10"),), sound=PCM, suffix=".mov")
    path = tmp_path / "fragments.mov"
    run_ffmpeg("-i", media.numbered(clip), "-c", "copy", "-movflags", movflags, path)
    reel = finished_reel(tmp_path / "reel.mp4", [path], CONFIG)
    assert problems(reel, of(clip), RATE) == []


def test_an_edit_list_cuts_the_start_of_pictures_and_sound(media: MediaFolder, tmp_path: Path) -> None:
    clip = replace(numbered(5, seconds=1.5), sound=PCM, suffix=".mov")
    cut = tmp_path / "cut.mov"
    run_ffmpeg("-ss", "0.5", "-i", media.numbered(clip), "-c", "copy", "-avoid_negative_ts", "disabled", cut)
    reel = finished_reel(tmp_path / "reel.mp4", [cut], CONFIG)
    assert numbers(reel) == list(range(15, 45))
    heard = reader.find_sound(reader.samples(reel)[0], 5, at=36_000, length=4800, near=-24_000, reach=2400)
    assert abs(heard.start + 24_000) < 96


def test_a_recording_that_starts_inside_of_a_group_shows_nothing_broken(media: MediaFolder, tmp_path: Path) -> None:
    clip = replace(numbered(6, seconds=2.0), encoder_options=(("g", "20"), ("sc_threshold", "0")), suffix=".ts")
    whole, cut = media.numbered(replace(clip, sound=Signature(codec="mp2"))), tmp_path / "cut.ts"
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    begin = places[8] // 188 * 188
    cut.write_bytes(whole.read_bytes()[begin:])
    reel = tmp_path / "reel.mp4"
    result = make_reel(reel, [cut], CONFIG)
    assert result.success
    assert [issue.code for issue in result.warnings] == [IssueCode.LEADING_FRAMES_LOST]
    shown = numbers(reel)
    first = shown.count(20)
    assert shown == [20] * first + list(range(21, 60))
    # What is heard before the first whole picture is kept, and stays with the pictures.
    heard = reader.find_sound(reader.samples(reel)[0], 6, at=48_000, length=4800, near=1600 * (first - 21), reach=4800)
    assert heard.strength > 0.5
    assert abs(heard.start - 1600 * (first - 21)) < 1200


# --- uneven times

STEPS_MS = (5, 5, 40, 100, 33, 2000, 5, 1, 250, 16, 17, 700)
UNEVEN = tuple(Fraction(sum(STEPS_MS[:place]), 1000) for place in range(len(STEPS_MS) + 1))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("rate", ["24", "30", "60"])
def test_gaps_of_milliseconds_and_of_seconds_are_kept(
    media: MediaFolder, tmp_path: Path, suffix: str, rate: str
) -> None:
    clip = replace(numbered(7, times=UNEVEN), suffix=suffix, sound=PCM if suffix == ".mkv" else Signature())
    assert_right(media, tmp_path, clip, rate=Fraction(rate))


@pytest.mark.parametrize("rate", ["25", "30"])
@pytest.mark.core(1)
def test_a_gif_keeps_its_odd_delays(media: MediaFolder, tmp_path: Path, rate: str) -> None:
    times = tuple(Fraction(hundredths, 100) for hundredths in (0, 3, 5, 12, 62, 64, 71, 81))
    clip = replace(numbered(8, times=times), sound=None)
    path = tmp_path / "odd.gif"
    exact = ("-fps_mode", "passthrough", "-enc_time_base", "1:100")
    run_ffmpeg("-i", media.numbered(clip), *exact, "-c:v", "gif", "-pix_fmt", "gray", path)
    reel = finished_reel(tmp_path / "reel.mp4", [path], config_of(fps=rate))
    assert problems(reel, of(clip), Fraction(rate)) == []


# --- one picture

ONE: dict[str, Recipe] = {
    "h264": Recipe(),
    "hevc": Recipe(codec="libx265"),
    "vp8": Recipe(codec="libvpx", suffix=".webm"),
    "vp9": Recipe(codec="libvpx-vp9", suffix=".webm"),
    "av1": Recipe(codec="libsvtav1", suffix=".mkv"),
    "prores": Recipe(codec="prores_ks", pixel_format="yuv422p10le", suffix=".mov"),
    "mjpeg": Recipe(codec="mjpeg", pixel_format="yuvj420p", suffix=".avi"),
    "mpeg-4": Recipe(codec="mpeg4", suffix=".avi"),
    "mpeg-2": Recipe(codec="mpeg2video", suffix=".mpg"),
    "gif": Recipe(codec="gif", pixel_format="rgb8", suffix=".gif"),
    "wmv": Recipe(codec="wmv2", suffix=".wmv"),
    "theora": Recipe(codec="libtheora", suffix=".ogv"),
}


@pytest.mark.parametrize("kind", ONE)
@pytest.mark.core(1)
def test_one_picture_is_a_clip(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    clip = media.make(ONE[kind], seconds=0.04, fps="25", sound=None, source="color=red")
    config = config_of(size="64x36", fps="25", quality=QualityLevel.HIGH)
    result = make_reel(tmp_path / "reel.mp4", [clip, clip], config)
    assert result.success, result.errors
    assert result.output is not None
    assert result.output.frames == sum(item.frames or 0 for item in result.clips)
    assert {item.frames for item in result.clips} <= {1, 2, 3}
    for number in (0, result.output.frames - 1):
        assert reader.mean_color(tmp_path / "reel.mp4", number) == pytest.approx((255, 0, 0), abs=12)


# --- pictures and sound of other lengths, and other tracks


def test_a_sound_may_be_far_longer_or_shorter_than_the_picture(media: MediaFolder, tmp_path: Path) -> None:
    longer = replace(numbered(9, seconds=0.2), sound=replace(PCM, seconds=3.0), suffix=".mov")
    shorter = replace(numbered(10, seconds=2.0), sound=replace(PCM, seconds=0.1), suffix=".mov")
    assert_right(media, tmp_path, longer, shorter, numbered(11, seconds=0.3), codes=[IssueCode.FRAME_HELD])


def test_a_sound_that_never_comes_is_silence(media: MediaFolder, tmp_path: Path) -> None:
    clip, path = replace(numbered(12), sound=None), tmp_path / "mute.mkv"
    with_sound_that_never_comes(media.numbered(clip), path)
    after = numbered(13, seconds=0.5)
    reel = finished_reel(tmp_path / "reel.mp4", [path, media.numbered(after)], CONFIG)
    assert problems(reel, of(clip, after), RATE) == []


def test_covers_subtitles_and_data_in_front_do_not_matter(media: MediaFolder, tmp_path: Path) -> None:
    clip, after = numbered(14), numbered(15, seconds=0.3)
    cover, titles, covered = tmp_path / "cover.png", tmp_path / "titles.srt", tmp_path / "covered.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:size=640x640", "-frames:v", "1", cover)
    titles.write_text("1\n00:00:00,000 --> 00:00:03,000\nhello\n", encoding="ascii")
    maps = ("-map", "0:v", "-map", "1:s", "-map", "2:v", "-map", "2:a")
    codecs = ("-c", "copy", "-c:s", "mov_text", "-disposition:v:0", "attached_pic")
    run_ffmpeg("-i", cover, "-i", titles, "-i", media.numbered(clip), *maps, *codecs, covered)
    data, first = tmp_path / "data.bin", tmp_path / "first.ts"
    data.write_bytes(bytes(range(256)) * 8)
    other = replace(numbered(16, fps="25"), sound=None)
    plain = media.numbered(replace(other, suffix=".ts"))
    run_ffmpeg("-f", "data", "-i", data, "-i", plain, "-map", "0:d", "-map", "1:v", "-c", "copy", first)
    with av.open(str(covered)) as one, av.open(str(first)) as two:
        assert [stream.type for stream in one.streams][-1] == "video"  # libav sorts covers to the end
        assert two.streams[0].type == "data"
    reel = finished_reel(tmp_path / "reel.mp4", [covered, first, media.numbered(after)], CONFIG)
    assert problems(reel, of(clip, other, after), RATE) == []


# --- colours in the codecs that carry them


@pytest.mark.parametrize("codec", ["libsvtav1", "libx265"])
@pytest.mark.parametrize(("transfer", "shade"), [("smpte2084", "949494"), ("arib-std-b67", "bfbfbf")])
def test_white_of_an_hdr_clip_is_nearly_white(
    media: MediaFolder, tmp_path: Path, codec: str, transfer: str, shade: str
) -> None:
    color = Color("bt2020nc", "bt2020", transfer)
    clip = media.make(
        seconds=0.2, sound=None, codec=codec, pixel_format="yuv420p10le", color=color, source=f"color=0x{shade}"
    )
    reel = finished_reel(tmp_path / "reel.mp4", [clip], config_of(size="64x36", quality=QualityLevel.HIGH))
    assert [80 <= value / 2.55 <= 90 for value in reader.mean_color(reel)] == [True] * 3

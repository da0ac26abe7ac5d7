"""Pictures that change their size, shape or rate inside of a clip are all shown, and stay undistorted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config.sections import Config
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action
from tests import reader
from tests.integration.reels import config_of, finished_reel, make_reel
from tests.media import MediaFolder, NumberedClip, Recipe, Signature, numbered, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LARGE, TALL = (320, 180), (90, 160)
START = 5.0
"""Seconds at which the first stream begins; from zero ffmpeg would move it, to keep decode times positive."""
STREAM = replace(numbered(1), suffix=".ts", sound=None, start=START)


def later(clip: NumberedClip, **changes: object) -> NumberedClip:
    """A stream that begins where the first one ends."""
    wanted = replace(clip, suffix=".ts", start=START + float(STREAM.end), sound=None)
    return replace(wanted, **changes)  # type: ignore[arg-type]


def joined(media: MediaFolder, path: Path, *clips: NumberedClip) -> Path:
    """Streams one after the other, byte for byte."""
    path.write_bytes(b"".join(media.numbered(clip).read_bytes() for clip in clips))
    return path


def said(reel: Path, sizes: Sequence[tuple[int, int]] = ((160, 90),)) -> list[tuple[int | None, int | None]]:
    return [(picture.clip_id, picture.number) for picture in reader.pictures(reel, sizes)]


def all_of(clip_id: int, pictures: int = 30) -> list[tuple[int, int]]:
    return [(clip_id, number) for number in range(pictures)]


def assert_all_shown(reel: Path, rate: Fraction, sizes: Sequence[tuple[int, int]], *pictures: int) -> None:
    """Clips 1, 2, … of so many pictures at 30 follow each other, each picture within half an output frame."""
    shown = said(reel, sizes)
    assert len(shown) == sum(pictures) * rate / 30
    for frame, (clip_id, number) in enumerate(shown):
        assert clip_id is not None
        assert number is not None
        time = Fraction(sum(pictures[: clip_id - 1]) + number, 30)
        assert abs(time - frame / rate) <= 1 / (2 * rate), (frame, clip_id, number)
    assert {clip_id for clip_id, _ in shown} == set(range(1, len(pictures) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("size", [LARGE, (80, 46), TALL])
@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
@pytest.mark.parametrize("rate", ["30", "15"])
def test_another_size_in_the_midst_of_a_stream_ends_nothing(
    media: MediaFolder, tmp_path: Path, size: tuple[int, int], suffix: str, rate: str
) -> None:
    path = joined(media, tmp_path / "change.ts", STREAM, later(replace(numbered(2), size=size)))
    if suffix == ".mkv":
        run_ffmpeg("-i", path, "-c", "copy", tmp_path / "change.mkv")
    clip, after = tmp_path / f"change{suffix}", numbered(3, seconds=0.4)
    for fit, sizes in (("contain", ((160, 90), size)), ("stretch", ((160, 90),))):
        config = config_of(fps=rate, fit=fit)
        reel = finished_reel(tmp_path / f"{fit}.mp4", [clip, media.numbered(after)], config)
        assert_all_shown(reel, Fraction(rate), sizes, 30, 30, 12)


def test_another_size_in_hevc_ends_nothing(media: MediaFolder, tmp_path: Path) -> None:
    first = replace(STREAM, codec="libx265")
    path = joined(media, tmp_path / "change.ts", first, later(replace(numbered(2), size=LARGE, codec="libx265")))
    assert probe(path, scan=True).video.changes_size
    reel = finished_reel(tmp_path / "reel.mp4", [path], config_of(fps="30"))
    assert_all_shown(reel, Fraction(30), ((160, 90), LARGE), 30, 30)


def test_a_shape_that_changes_is_centred_between_black_bars(media: MediaFolder, tmp_path: Path) -> None:
    path = joined(media, tmp_path / "turned.ts", STREAM, later(replace(numbered(2), size=TALL)))
    last = list(reader.frames(finished_reel(tmp_path / "reel.mp4", [path], config_of(fps="30"))))[-3]
    gray = last.to_ndarray(format="gray")
    assert gray[:, :52].max() < 24
    assert gray[:, -52:].max() < 24
    assert gray[:, 58:-58].mean() > 80


@pytest.mark.parametrize("fps", ["15", "60", "24000/1001"])
@pytest.mark.core(1)
def test_another_rate_in_the_midst_of_a_stream_keeps_its_times(media: MediaFolder, tmp_path: Path, fps: str) -> None:
    second = later(numbered(2, fps=fps))
    path = joined(media, tmp_path / "change.ts", STREAM, second)
    times = (*STREAM.times, *(STREAM.end + time for time in second.times))
    shown = said(finished_reel(tmp_path / "reel.mp4", [path], config_of(fps="30")))
    whole = replace(STREAM, times=times, end=STREAM.end + second.end)
    wanted = [whole.shown_at(Fraction(frame, 30) + Fraction(1, 120)) for frame in range(len(shown))]
    assert abs(len(shown) - whole.end * 30) <= Fraction(3, 2)
    for frame, (clip_id, number) in enumerate(shown):
        assert clip_id is not None
        assert number is not None
        off = abs(times[number + 30 * (clip_id - 1)] - times[wanted[frame]])
        assert off <= Fraction(1, 15), (frame, clip_id, number)
    assert {clip_id for clip_id, _ in shown} == {1, 2}


@pytest.mark.parametrize(("sar", "width"), [("4/3", 160), ("1/1", 120)])
def test_other_pixels_in_the_midst_of_a_stream_have_their_shape(
    media: MediaFolder, tmp_path: Path, sar: str, width: int
) -> None:
    """Broadcasters change between 720 and 544 columns for one width on the screen."""
    kind = Recipe(source="color=white", codec="mpeg2video", suffix=".ts", sound=None, fps="25", seconds=0.4)
    clips = media.make(kind, sar="1/1", start=START), media.make(kind, size="120x90", sar=sar, start=START + 0.4)
    path = tmp_path / "pixels.ts"
    path.write_bytes(b"".join(clip.read_bytes() for clip in clips))
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(fps="25")).success  # a picture is lost at the change
    widths = [int((frame.to_ndarray(format="gray")[45] > 126).sum()) for frame in reader.frames(reel)]
    assert len(widths) == 20
    assert widths[2] == 160
    assert widths[-3] == pytest.approx(width, abs=4)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_browsers_change_the_size_without_a_word(media: MediaFolder, tmp_path: Path, codec: str) -> None:
    kinds = [Recipe(codec=codec, sound=None, seconds=0.4, size=size, suffix=".webm") for size in ("160x90", "96x96")]
    path = rewritten(tmp_path / "change.webm", [media.make(kind) for kind in kinds], 400)
    assert probe(path, scan=True).video.changes_shape
    reel = finished_reel(tmp_path / "reel.mp4", [path], config_of(fps="30"))
    frames = [frame.to_ndarray(format="gray") for frame in reader.frames(reel)]
    assert len(frames) == 24
    assert np.count_nonzero(frames[2].mean(axis=0) > 20) > 150
    assert abs(np.count_nonzero(frames[-3].mean(axis=0) > 20) - 90) < 8  # a square in 90 lines


def rewritten(path: Path, parts: Sequence[Path], length: int) -> Path:
    """A file of the packets of several, each so many ticks long; all by the description of the first."""
    with av.open(str(path), "w") as output:
        stream = None
        for number, part in enumerate(parts):
            with av.open(str(part)) as source:
                if stream is None:
                    stream = output.add_stream_from_template(source.streams.video[0])
                    stream.metadata.update(source.streams.video[0].metadata)
                for packet in source.demux(video=0):
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + number * length, packet.dts + number * length
                        packet.stream = stream
                        output.mux(packet)
    return path


def test_transparent_pictures_of_two_sizes_are_laid_over_the_background(media: MediaFolder, tmp_path: Path) -> None:
    clear = ("format=rgba", "geq=r=255:g=0:b=0:a='if(lt(X,W/2),255,0)'")
    kind = Recipe(codec="libvpx-vp9", pixel_format="yuva420p", suffix=".webm", sound=None, source="color=red")
    parts = [media.make(kind, seconds=0.4, size=size, filters=clear) for size in ("160x90", "320x180")]
    whole = rewritten(tmp_path / "change.webm", parts, 400)
    assert probe(whole, scan=True).video.has_alpha
    reel = finished_reel(tmp_path / "reel.mp4", [whole], config_of(fps="30", background="blue"))
    left, right = reader.Region(left=0.1, right=0.4), reader.Region(left=0.6, right=0.9)
    for number in (2, 20):
        assert reader.mean_color(reel, number, region=left) == pytest.approx((255, 0, 0), abs=16)
        assert reader.mean_color(reel, number, region=right) == pytest.approx((0, 0, 255), abs=16)


def test_a_clip_whose_size_changes_is_never_copied(media: MediaFolder, tmp_path: Path) -> None:
    first = finished_reel(tmp_path / "first.mp4", [media.numbered(numbered(4, seconds=0.5))], config_of(fps="30"))
    other = finished_reel(
        tmp_path / "other.mp4", [media.numbered(numbered(5, seconds=0.5))], config_of(fps="30", size="320x180")
    )
    streams = [tmp_path / "first.ts", tmp_path / "other.ts"]
    for number, (reel, stream) in enumerate(zip((first, other), streams, strict=True)):
        run_ffmpeg("-i", reel, "-c", "copy", "-an", "-output_ts_offset", str(START + number / 2), stream)
    both, path = tmp_path / "both.ts", tmp_path / "both.mkv"
    both.write_bytes(b"".join(stream.read_bytes() for stream in streams))
    run_ffmpeg("-i", both, "-c", "copy", path)
    config = config_of(fps="30")
    result = make_reel(tmp_path / "reel.mp4", [path], Config(video=config.video, encode=config.encode))
    assert [clip.action for clip in result.clips] == [Action.ENCODE]
    assert said(tmp_path / "reel.mp4") == [*all_of(4, 15), *all_of(5, 15)]


def test_sound_goes_on_where_the_pictures_change(media: MediaFolder, tmp_path: Path) -> None:
    one = replace(numbered(6), suffix=".mov", sound=Signature(seconds=2.0, codec="pcm_s16le"))
    whole = media.numbered(one)
    path = joined(media, tmp_path / "change.ts", STREAM, later(replace(numbered(2), size=LARGE)))
    mixed = tmp_path / "mixed.mkv"
    run_ffmpeg("-i", path, "-i", whole, "-map", "0:v", "-map", "1:a", "-c", "copy", mixed)
    reel = finished_reel(tmp_path / "reel.mp4", [mixed], config_of(fps="30"))
    sound = reader.samples(reel)[0]
    for at in (0, 40_000, 86_000):
        heard = reader.find_sound(sound, 6, at=at, length=4800, near=0, reach=2400)
        assert abs(heard.start) < 96
        assert heard.strength > 0.5


def later_tags(flv: bytes, milliseconds: int) -> bytes:
    """The tags of an FLV without its header (Adobe's specification, E.3 and E.4), that much later."""
    tags, place = b"", 13
    while place < len(flv):
        size, time = int.from_bytes(flv[place + 1 : place + 4]), int.from_bytes(flv[place + 4 : place + 7])
        end = place + 11 + size + 4
        tags += flv[place : place + 4] + (time + milliseconds).to_bytes(3) + flv[place + 7 : end]
        place = end
    return tags


def test_a_live_recording_may_announce_another_size(media: MediaFolder, tmp_path: Path) -> None:
    clips = replace(numbered(1), sound=None, suffix=".flv"), replace(numbered(2), sound=None, suffix=".flv", size=TALL)
    first, second = (media.numbered(clip).read_bytes() for clip in clips)
    path = tmp_path / "live.flv"
    path.write_bytes(first + later_tags(second, 1000))
    assert probe(path, scan=True).video.changes_shape
    reel = finished_reel(tmp_path / "reel.mp4", [path], config_of(fps="15"))
    assert_all_shown(reel, Fraction(15), ((160, 90), TALL), 30, 30)

"""What the probe says of a file is what a decoder finds in it, and what is no clip is refused by name."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.clips import Dimensions, Orientation
from mpt_cli.model.errors import IssueCode, ProbeError
from tests.media import Color, MediaFolder, Recipe, Signature, Tone, numbered, run_ffmpeg
from tests.oddities import with_sound_that_never_comes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.model.media_info import MediaInfo

NTSC = Fraction(30_000, 1001)
MILLISECOND = Fraction(1, 1000)
MKV_DURATION = b"\x44\x89\x88"
"""Identifier and size of Matroska's Duration, a float of eight bytes in milliseconds."""
KEY = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1", "-encryption_kid", "0" * 31 + "2")


def of(media: MediaInfo, name: str) -> object:
    """A field of the file, or of its picture or sound: ``video.sar``."""
    found: object = media
    for part in name.split("."):
        found = getattr(found, part)
    return found


HDR10 = Color("bt2020nc", "bt2020", "smpte2084")
KINDS: dict[str, tuple[Recipe, dict[str, object]]] = {
    "plain": (
        Recipe(),
        {
            "duration": Fraction(1),
            "zero": Fraction(0),
            "video.codec": "h264",
            "video.frame_rate": Fraction(30),
            "video.variable_frame_rate": False,
            "video.dimensions": Dimensions(160, 90),
            "video.display": Dimensions(160, 90),
            "video.pixel_format": "yuv420p",
            "video.bit_depth": 8,
            "video.hdr": None,
            "video.interlaced": False,
            "video.has_alpha": False,
            "video.orientation": Orientation(),
            "last_picture": Fraction(29, 30),
            "audio.channels": ("FC",),
            "audio.sample_rate": 48_000,
            "scanned": True,
        },
    ),
    "film": (Recipe(fps="24000/1001"), {"video.frame_rate": Fraction(24_000, 1001)}),
    "ntsc": (Recipe(fps="30000/1001"), {"video.frame_rate": NTSC, "video.variable_frame_rate": False}),
    "ntsc in milliseconds": (
        Recipe(fps="30000/1001", suffix=".mkv"),
        {"video.frame_rate": NTSC, "video.variable_frame_rate": False},
    ),
    "pal": (Recipe(fps="25", suffix=".mov"), {"video.frame_rate": Fraction(25)}),
    "fast": (Recipe(fps="120", seconds=0.5), {"video.frame_rate": Fraction(120), "duration": Fraction(1, 2)}),
    "dropped": (
        Recipe(drop="mod(n,3)", sound=None),
        {"video.variable_frame_rate": True, "video.frame_rate": Fraction(30)},
    ),
    "rotated": (
        Recipe(rotation=90),
        {
            "video.orientation": Orientation(270),
            "video.display": Dimensions(90, 160),
            "video.dimensions": Dimensions(160, 90),
        },
    ),
    "upside down": (Recipe(rotation=180), {"video.orientation": Orientation(180)}),
    "mirrored": (Recipe(mirrored=True), {"video.orientation": Orientation(0, mirrored=True)}),
    "anamorphic": (Recipe(sar="4/3", size="120x90"), {"video.sar": Fraction(4, 3), "video.display.width": 160}),
    "pq": (
        Recipe(codec="libx265", pixel_format="yuv420p10le", color=HDR10),
        {
            "video.hdr": "pq",
            "video.bit_depth": 10,
            "video.color.matrix": "bt2020nc",
            "video.color.primaries": "bt2020",
            "video.color.transfer": "smpte2084",
        },
    ),
    "hlg": (
        Recipe(codec="libx265", pixel_format="yuv420p10le", color=replace(HDR10, transfer="arib-std-b67")),
        {"video.hdr": "hlg"},
    ),
    "full range": (Recipe(color=Color("smpte170m", full_range=True)), {"video.color.range": "pc"}),
    "untagged": (Recipe(color=Color(tagged=False)), {"video.color.matrix": None, "video.color.range": None}),
    "interlaced": (
        Recipe(interlaced=True, fps="25", size="160x96"),
        {"video.interlaced": True, "video.frame_rate": Fraction(25)},
    ),
    "interlaced mpeg-2": (
        Recipe(interlaced=True, fps="25", size="160x96", codec="mpeg2video", suffix=".ts", sound=None),
        {"video.interlaced": True, "video.frame_rate": Fraction(25)},
    ),
    "alpha": (
        Recipe(codec="prores_ks", pixel_format="yuva444p10le", suffix=".mov"),
        {"video.has_alpha": True, "video.codec": "prores"},
    ),
    "alpha beside it": (
        Recipe(codec="libvpx-vp9", pixel_format="yuva420p", suffix=".webm", sound=None),
        {"video.has_alpha": True, "video.codec": "vp9"},
    ),
    "4:4:4 of odd size": (
        Recipe(pixel_format="yuv444p", size="161x91", source="testsrc"),
        {"video.pixel_format": "yuv444p", "video.dimensions": Dimensions(161, 91)},
    ),
    "gif": (
        Recipe(codec="gif", pixel_format="rgb8", suffix=".gif", sound=None, fps="10"),
        {"video.codec": "gif", "duration": Fraction(1), "audio": None, "seek_points": (), "copy_traits": None},
    ),
    "blink": (Recipe(seconds=0.05, fps="60", sound=None), {"duration": Fraction(1, 20)}),
    "one picture": (Recipe(seconds=0.04, fps="25", sound=None), {"duration": Fraction(1, 25)}),
    "surround": (
        Recipe(sound=Tone((100, 200, 300, 400, 500, 600), codec="ac3"), suffix=".mkv"),
        {"audio.layout": "5.1(side)", "audio.channels": ("FL", "FR", "FC", "LFE", "SL", "SR")},
    ),
    "low rate": (Recipe(sound=Tone(sample_rate=8000, codec="pcm_s16le"), suffix=".mov"), {"audio.sample_rate": 8000}),
    "no packet says pts": (
        Recipe(codec="mpeg4", pixel_format=None, options=("-bf", "2"), suffix=".avi", sound=None, fps="25"),
        {"video.frame_rate": Fraction(25), "video.variable_frame_rate": False, "duration": Fraction(1)},
    ),
    "vp9": (
        Recipe(codec="libvpx-vp9", suffix=".webm", sound=None),
        {"copy_traits.parameter_sets": "vp9", "video.codec": "vp9"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.core(4)
def test_a_file_is_what_it_was_made_to_be(media: MediaFolder, kind: str) -> None:
    recipe, expected = KINDS[kind]
    found = probe(media.make(recipe), scan=True)
    assert {name: of(found, name) for name in expected} == expected


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts"])
@pytest.mark.core
def test_times_count_from_the_first_packet_whatever_it_says(media: MediaFolder, suffix: str) -> None:
    found = probe(media.make(start=59_857.0, suffix=suffix, sound=None, fps="25"), scan=True)
    assert abs(found.duration - 1) <= MILLISECOND
    assert found.zero == found.video_start
    # An mp4 cannot start late: its edit list is a pause, which is not a part of the clip.
    assert found.zero >= 59_857 - MILLISECOND


def test_a_late_and_an_early_sound_move_the_start(media: MediaFolder) -> None:
    pcm = Signature(codec="pcm_s16le")
    clip = replace(numbered(71, seconds=1.0), suffix=".mkv")
    late = probe(media.numbered(replace(clip, sound=replace(pcm, delay=0.4))), scan=True)
    assert late.zero == late.video_start == 0
    assert late.duration == pytest.approx(1.4, abs=0.002)
    early = probe(media.numbered(replace(clip, sound=replace(pcm, delay=-0.4))), scan=True)
    assert early.zero == 0
    assert early.video_start == pytest.approx(0.4, abs=0.002)
    assert early.duration == pytest.approx(1.4, abs=0.002)


@pytest.mark.core
def test_an_edit_list_that_cuts_the_start_counts(media: MediaFolder, tmp_path: Path) -> None:
    plain, cut = media.make(seconds=2.0, keyframe_interval=60), tmp_path / "cut.mp4"
    run_ffmpeg("-ss", "0.5", "-i", plain, "-c", "copy", "-avoid_negative_ts", "disabled", cut)
    found = probe(cut, scan=True)
    shown = [frame.time for frame in av.open(str(cut)).decode(video=0)]
    assert float(found.video_start) == pytest.approx(shown[0], abs=0.001)
    assert found.duration == pytest.approx(1.5, abs=0.05)
    assert found.last_picture == pytest.approx(shown[-1], abs=0.001)


def test_sound_that_is_announced_and_never_comes_is_none(media: MediaFolder, tmp_path: Path) -> None:
    path = tmp_path / "empty.mkv"
    with_sound_that_never_comes(media.make(sound=None), path)
    for scan in (True, False):
        found = probe(path, scan=scan)
        assert found.audio is None
        assert found.duration == pytest.approx(1.0, abs=0.002)


def test_cover_art_subtitles_and_data_come_first_and_are_passed_by(media: MediaFolder, tmp_path: Path) -> None:
    cover, titles, path = tmp_path / "cover.png", tmp_path / "titles.srt", tmp_path / "covered.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:size=640x640", "-frames:v", "1", cover)
    titles.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n", encoding="ascii")
    codecs = ("-c:v:0", "copy", "-disposition:v:0", "attached_pic", "-c:v:1", "copy", "-c:a", "copy")
    inputs = ("-i", cover, "-i", titles, "-i", media.make())
    maps = ("-map", "0:v", "-map", "1:s", "-map", "2:v", "-map", "2:a")
    run_ffmpeg(*inputs, *maps, *codecs, "-c:s", "mov_text", path)
    found = probe(path, scan=True)
    assert (found.video.codec, found.video.dimensions) == ("h264", Dimensions(160, 90))
    with av.open(str(path)) as container:
        assert container.streams[found.video.index].codec_context.name == "h264"
        assert len(container.streams.video) == 2


@pytest.mark.parametrize(("flagged", "rate"), [(0, 44_100), (1, 22_050), (None, 44_100)])
@pytest.mark.core(1)
def test_of_two_tracks_the_default_one_is_taken(
    media: MediaFolder, tmp_path: Path, flagged: int | None, rate: int
) -> None:
    one, other = (media.make(sound=Tone(sample_rate=hertz)) for hertz in (44_100, 22_050))
    path = tmp_path / "two.mkv"
    flags = [f"-disposition:a:{n}" for n in range(2)]
    values = ["default" if n == flagged else "0" for n in range(2)]
    maps = ("-map", "0:v", "-map", "0:a", "-map", "1:a")
    dispositions = [part for pair in zip(flags, values, strict=True) for part in pair]
    run_ffmpeg("-i", one, "-i", other, *maps, "-c", "copy", *dispositions, "-default_mode", "passthrough", path)
    found = probe(path, scan=True)
    assert found.audio is not None
    assert found.audio.sample_rate == rate


def test_of_two_pictures_the_default_one_is_taken_else_the_largest(media: MediaFolder, tmp_path: Path) -> None:
    small, large = media.make(), media.make(size="320x180")
    for flagged, width in ((0, 160), (1, 320), (None, 320)):
        path = tmp_path / f"{flagged}.mkv"
        flags = [part for n in range(2) for part in (f"-disposition:v:{n}", "default" if n == flagged else "0")]
        run_ffmpeg(
            "-i", small, "-i", large, "-map", "0:v", "-map", "1:v", "-c", "copy", *flags,
            "-default_mode", "passthrough", path,
        )  # fmt: skip
        assert probe(path, scan=True).video.dimensions.width == width


@pytest.mark.core
def test_copy_traits_tell_closed_groups_and_the_grid(media: MediaFolder) -> None:
    closed = probe(media.make(), scan=True).copy_traits
    assert closed is not None
    assert (closed.closed_gop, closed.on_grid, closed.pictures) == (True, True, 30)
    gaps = probe(media.make(drop="mod(n,3)", sound=None), scan=True).copy_traits
    assert gaps is not None
    assert not gaps.on_grid
    options = ("-x264-params", "open-gop=1:bframes=3:keyint=10:min-keyint=10:scenecut=0", "-preset", "fast")
    opened = probe(media.make(options=options, suffix=".mkv"), scan=True).copy_traits
    assert opened is not None
    assert not opened.closed_gop
    assert closed.parameter_sets != opened.parameter_sets


def test_keyframes_can_be_sought_and_only_where_it_is_exact(media: MediaFolder) -> None:
    for suffix in (".mp4", ".mkv", ".mov"):
        found = probe(media.make(keyframe_interval=10, suffix=suffix), scan=True)
        start = found.video_start
        assert [float(point - start) for point in found.seek_points] == pytest.approx([0, 1 / 3, 2 / 3], abs=0.001)
    assert probe(media.make(keyframe_interval=10, suffix=".ts"), scan=True).seek_points == ()


# --- refusals -------------------------------------------------------------------------------------


def _text(media: MediaFolder, path: Path) -> None:
    path.write_text("This is no film.\n" * 100, encoding="ascii")


def _image(media: MediaFolder, path: Path) -> None:
    png = path.with_suffix(".png")
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", png)
    png.rename(path)


def _playlist(media: MediaFolder, path: Path) -> None:
    path.write_text(f"#EXTM3U\n#EXTINF:1,\n{media.make()}\n", encoding="utf-8")


def _concat_list(media: MediaFolder, path: Path) -> None:
    path.write_text(f"ffconcat version 1.0\nfile '{media.make()}'\n", encoding="utf-8")


def _sound_only(media: MediaFolder, path: Path) -> None:
    run_ffmpeg("-i", media.make(), "-vn", "-c:a", "copy", path)


def _cover_only(media: MediaFolder, path: Path) -> None:
    image = path.with_suffix(".png")
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", image)
    maps = ("-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v:0", "attached_pic")
    run_ffmpeg("-i", media.make(), "-i", image, *maps, path)


def _encrypted(media: MediaFolder, path: Path) -> None:
    run_ffmpeg("-i", media.make(), "-c", "copy", *KEY, path)


def _without_index(media: MediaFolder, path: Path) -> None:
    whole = media.make().read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _without_frames(media: MediaFolder, path: Path) -> None:
    """Every picture is there, and each holds nothing but noise."""
    whole = bytearray(media.make(suffix=".mkv", sound=None).read_bytes())
    with av.open(str(media.make(suffix=".mkv", sound=None))) as container:
        sizes = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for data in sizes:
        start = bytes(whole).index(data)
        whole[start : start + len(data)] = bytes(len(data))
    path.write_bytes(whole)


def _unknown_codec(media: MediaFolder, path: Path) -> None:
    whole = media.make(codec="mpeg4", suffix=".avi", sound=None, pixel_format=None).read_bytes()
    path.write_bytes(whole.replace(b"FMP4", b"ZZZ9"))


def _archive(media: MediaFolder, path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(500))


REFUSED: dict[str, tuple[Callable[[MediaFolder, Path], None], str, IssueCode]] = {
    "text": (_text, ".mp4", IssueCode.NOT_MEDIA),
    "archive": (_archive, ".mov", IssueCode.NOT_MEDIA),
    "still image": (_image, ".mp4", IssueCode.STILL_IMAGE),
    "playlist": (_playlist, ".mp4", IssueCode.PLAYLIST_REFUSED),
    "concat list": (_concat_list, ".mkv", IssueCode.PLAYLIST_REFUSED),
    "sound": (_sound_only, ".mp4", IssueCode.NO_VIDEO_STREAM),
    "sound with a cover": (_cover_only, ".mp4", IssueCode.NO_VIDEO_STREAM),
    "encrypted": (_encrypted, ".mp4", IssueCode.ENCRYPTED),
    "cut before its index": (_without_index, ".mp4", IssueCode.NOT_MEDIA),
    "nothing decodes": (_without_frames, ".mkv", IssueCode.NO_FRAMES),
    "unknown codec": (_unknown_codec, ".avi", IssueCode.UNSUPPORTED_CODEC),
}


@pytest.mark.parametrize("scan", [True, False])
@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.core
def test_what_is_no_clip_is_refused_by_name(media: MediaFolder, tmp_path: Path, kind: str, *, scan: bool) -> None:
    build, suffix, code = REFUSED[kind]
    path = tmp_path / f"refused{suffix}"
    build(media, path)
    with pytest.raises(ProbeError) as refusal:
        probe(path, scan=scan)
    assert refusal.value.code is code
    assert refusal.value.issue.path == path


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.mp4"):
        with pytest.raises(ProbeError) as refusal:
            probe(path, scan=False)
        assert refusal.value.code is IssueCode.NOT_READABLE


def test_more_streams_than_allowed_are_refused(media: MediaFolder) -> None:
    with pytest.raises(ProbeError) as refusal:
        probe(media.make(), scan=True, max_streams=1)
    assert refusal.value.code is IssueCode.LIMIT_EXCEEDED
    assert probe(media.make(), scan=True, max_streams=2).video.codec == "h264"


# --- headers --------------------------------------------------------------------------------------

LARGE: dict[str, Any] = {"size": "320x240", "source": "testsrc", "options": ("-crf", "4")}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("fps", ["25", "30000/1001", "60"])
def test_an_honest_header_agrees_with_the_packets(media: MediaFolder, suffix: str, fps: str) -> None:
    path = media.make(Recipe(seconds=14 if fps == "25" else 12, fps=fps, suffix=suffix, **LARGE))
    header, scanned = probe(path, scan=False), probe(path, scan=True)
    assert (header.scanned, scanned.scanned) == (False, True)
    assert abs(header.duration - scanned.duration) < Fraction(1, 20)
    assert header.video == scanned.video
    assert header.audio is not None
    assert scanned.audio is not None
    assert (header.audio.bit_rate, header.audio.coded) == (None, None)
    of_all_packets = replace(
        header.audio, end=scanned.audio.end, bit_rate=scanned.audio.bit_rate, coded=scanned.audio.coded
    )
    assert of_all_packets == scanned.audio
    assert header.zero == scanned.zero
    assert header.seek_points == ()
    assert header.copy_traits is None


def test_a_header_that_claims_too_much_is_not_believed(media: MediaFolder, tmp_path: Path) -> None:
    path = tmp_path / "liar.mkv"
    data = bytearray(media.make(sound=None, suffix=".mkv").read_bytes())
    place = data.index(MKV_DURATION) + len(MKV_DURATION)
    data[place : place + 8] = struct.pack(">d", 143_165_000.0)
    path.write_bytes(data)
    with av.open(str(path)) as container:
        assert container.duration == 143_165 * 10**6
    found = probe(path, scan=False)
    assert found.scanned
    assert found.duration == pytest.approx(1.0, abs=0.002)


def test_a_damaged_packet_does_not_hide_what_follows(media: MediaFolder, tmp_path: Path) -> None:
    path = tmp_path / "hurt.mkv"
    shutil.copyfile(media.make(suffix=".mkv", sound=None, keyframe_interval=10), path)
    with av.open(str(path)) as container:
        first = next(packet for packet in container.demux(video=0))
        size, data = first.size, bytes(first)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(data, bytes(size), 1))
    found = probe(path, scan=True)
    assert found.video_start >= Fraction(3, 10)
    assert found.last_picture == pytest.approx(29 / 30, abs=0.001)

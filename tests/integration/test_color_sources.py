"""Where a clip says what its colours are: stream, container, later frames, and what is beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.builders import form_of
from tests.integration.segments import Bench
from tests.media import Recipe, run_ffmpeg
from tests.reader import Region

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.model.clips import TargetForm
    from tests.media import MediaFolder

    RGB = tuple[float, float, float]

LEFT, MIDDLE, RIGHT = Region(0.05, 0.2, 0.25, 0.8), Region(0.4, 0.2, 0.6, 0.8), Region(0.75, 0.2, 0.95, 0.8)
FORM = form_of(size="96x54", rate="25")
GREY = "color=0x949494:s=96x54:r=25:d=0.08"
WHITE_OF_PQ = 214.0
"""What 58 % of PQ, diffuse white, is shown as: 84 % of 255."""
HDR = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
SDR = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
QUICK = {
    "libx264": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "4"),
    "libx265": ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:qp=4"),
    "prores_ks": ("-c:v", "prores_ks", "-profile:v", "4444"),
    "ffv1": ("-c:v", "ffv1"),
    "qtrle": ("-c:v", "qtrle"),
    "png": ("-c:v", "png"),
    "libvpx-vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
}


def shown(clip: Path, folder: Path, *, form: TargetForm = FORM, at: Region = MIDDLE) -> RGB:
    """The colour of a part of what is made of a clip."""
    return reader.mean_color(Bench(folder).clip(clip, form).processed_path, region=at)


def guesses(clip: Path) -> list[str]:
    """What is said of colours that are guessed."""
    found = probe(clip, scan=True).warnings
    return [issue.message for issue in found if issue.code is IssueCode.COLOR_GUESSED]


def retagged(source: Path, target: Path, *options: str) -> Path:
    """The same packets in a container that says these colours."""
    run_ffmpeg("-i", source, "-c", "copy", *options, target)
    return target


def grey_clip(folder: Path, codec: str, pixel_format: str, *, tags: str = "") -> Path:
    """A clip of 58 % grey whose stream says nothing of colours, or what ``tags`` say."""
    path = folder / "stream.mov"
    spoken = [f"setparams={tags}"] if tags else []
    chain = ",".join([f"format={pixel_format}", *spoken])
    run_ffmpeg("-f", "lavfi", "-i", GREY, "-vf", chain, *QUICK[codec], "-pix_fmt", pixel_format, path)
    return path


BT709_STREAM = "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
PQ_STREAM = "range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084"


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [
        ("libx265", "yuv420p10le", ".mp4"), ("libx265", "yuv420p10le", ".mkv"), ("libx265", "yuv420p10le", ".mov"),
        ("libx264", "yuv420p10le", ".mp4"), ("prores_ks", "yuv444p10le", ".mov"), ("ffv1", "yuv422p10le", ".mkv"),
    ],
)  # fmt: skip
@pytest.mark.core(1)
def test_hdr_that_only_the_container_tells_is_tone_mapped(
    tmp_path: Path, codec: str, pixel_format: str, suffix: str
) -> None:
    clip = retagged(grey_clip(tmp_path, codec, pixel_format), tmp_path / f"clip{suffix}", *HDR)
    assert probe(clip, scan=False).video.hdr == "pq"
    assert shown(clip, tmp_path) == pytest.approx((WHITE_OF_PQ,) * 3, abs=3)
    assert guesses(clip) == []


def test_bt601_that_only_the_container_tells_is_converted(tmp_path: Path) -> None:
    red = "color=red:s=1280x720:r=25:d=0.08"
    chain = "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p,setparams=colorspace=unknown"
    run_ffmpeg("-f", "lavfi", "-i", red, "-vf", chain, *QUICK["libx264"], tmp_path / "stream.mp4")
    tags = ("-color_primaries", "smpte170m", "-color_trc", "smpte170m", "-colorspace", "smpte170m")
    clip = retagged(tmp_path / "stream.mp4", tmp_path / "clip.mp4", *tags)
    assert probe(clip, scan=True).video.color.matrix == "smpte170m"
    assert shown(clip, tmp_path) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.parametrize(
    ("codec", "stream", "container", "level"),
    [
        ("libx265", PQ_STREAM, SDR, WHITE_OF_PQ),
        ("libx265", BT709_STREAM, HDR, 148),
        ("prores_ks", BT709_STREAM, HDR, WHITE_OF_PQ),  # as editors do, which do not read its frames
    ],
)
@pytest.mark.core(1)
def test_of_two_descriptions_one_counts_and_both_are_named(
    tmp_path: Path, codec: str, stream: str, container: tuple[str, ...], level: float
) -> None:
    pixel_format = "yuv444p10le" if codec == "prores_ks" else "yuv420p10le"
    clip = retagged(grey_clip(tmp_path, codec, pixel_format, tags=stream), tmp_path / "clip.mov", *container)
    assert shown(clip, tmp_path) == pytest.approx((level,) * 3, abs=3)
    (message,) = guesses(clip)
    assert "bt709/tv/bt709/bt709" in message
    assert "bt2020nc/tv/bt2020/smpte2084" in message
    assert not probe(clip, scan=True).video.one_color


def test_two_names_of_one_matrix_are_no_guess(tmp_path: Path) -> None:
    tags = "range=tv:colorspace=bt470bg:color_primaries=bt470bg:color_trc=bt709"
    container = ("-color_primaries", "smpte170m", "-color_trc", "smpte170m", "-colorspace", "smpte170m")
    clip = retagged(grey_clip(tmp_path, "libx264", "yuv420p", tags=tags), tmp_path / "clip.mov", *container)
    assert guesses(clip) == []


def parts(folder: Path, *tags: str, codec: str = "libx264", suffix: str = "ts") -> Path:
    """Clips of these descriptions one behind the other in one stream."""
    path, pieces = folder / f"joined.{suffix}", []
    for number, spoken in enumerate(tags):
        piece = folder / f"{number}.ts"
        chain = f"format=yuv420p10le,setparams={spoken or 'range=tv:colorspace=unknown'}"
        offset = ("-output_ts_offset", str(number))
        run_ffmpeg("-f", "lavfi", "-i", GREY, "-vf", chain, *QUICK[codec], *offset, piece)
        pieces.append(piece.read_bytes())
    path.write_bytes(b"".join(pieces))
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_colours_that_change_later_are_named(tmp_path: Path, codec: str) -> None:
    clip = parts(tmp_path, BT709_STREAM, PQ_STREAM, codec=codec)
    (message,) = guesses(clip)
    assert "from 1.0 s on" in message
    assert "smpte2084" in message
    assert not probe(clip, scan=True).video.one_color
    assert shown(clip, tmp_path) == pytest.approx((148,) * 3, abs=3)


def test_a_description_that_begins_later_counts(tmp_path: Path) -> None:
    clip = parts(tmp_path, "", PQ_STREAM)
    assert probe(clip, scan=True).video.hdr == "pq"
    assert guesses(clip) == []


BARS = bytes([16]) * 32 + bytes([126]) * 32 + bytes([235]) * 32
"""A line of black, grey and white of limited range."""


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [
        ("libx265", "gray"), ("libx265", "gray10le"), ("libx265", "gray12le"), ("libx264", "gray"), ("ffv1", "gray"),
        ("ffv1", "gray10le"), ("ffv1", "gray16le"),
    ],
)  # fmt: skip
@pytest.mark.core(1)
def test_grey_of_limited_range_keeps_its_luma(tmp_path: Path, codec: str, pixel_format: str) -> None:
    clip = tmp_path / "clip.mkv"
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "96x54", "-r", "25", "-i", "-")
    deep = f"scale=in_range=pc:out_range=pc,format={pixel_format},setparams=range=tv"
    run_ffmpeg(*raw, "-vf", deep, *QUICK[codec], "-pix_fmt", pixel_format, clip, stdin=BARS * 54 * 2)
    for region, luma in ((LEFT, 16), (MIDDLE, 126), (RIGHT, 235)):
        level = (luma - 16) / 219 * 255
        assert shown(clip, tmp_path, at=region) == pytest.approx((level,) * 3, abs=2)


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [("ffv1", "gray"), ("ffv1", "gray16le"), ("png", "gray"), ("png", "gray16be"), ("png", "monob"), ("ffv1", "ya8")],
)
def test_grey_of_full_range_is_scaled(tmp_path: Path, codec: str, pixel_format: str) -> None:
    clip = tmp_path / "clip.mov" if codec == "png" else tmp_path / "clip.mkv"
    line = bytes([0]) * 32 + bytes([128]) * 32 + bytes([255]) * 32
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "96x54", "-r", "25", "-i", "-")
    run_ffmpeg(*raw, "-vf", f"format={pixel_format}", *QUICK[codec], clip, stdin=line * 54 * 2)
    for region, level in ((LEFT, 0), (MIDDLE, 128), (RIGHT, 255)):
        if pixel_format != "monob" or region != MIDDLE:
            assert shown(clip, tmp_path, at=region) == pytest.approx((level,) * 3, abs=3)


HALF = "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,W/2),255,0)'"
RUST: RGB = (200, 80, 48)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix", "size"),
    [
        ("libx265", "yuva420p", ".mov", "162x90"), ("prores_ks", "yuva444p10le", ".mov", "160x90"),
        ("qtrle", "argb", ".mov", "161x91"), ("png", "rgba", ".mov", "161x91"), ("png", "rgba64be", ".mov", "161x91"),
        ("ffv1", "yuva420p", ".mkv", "161x91"), ("ffv1", "yuva422p10le", ".mkv", "162x91"),
        ("libvpx-vp9", "yuva420p", ".webm", "161x91"),
    ],
)  # fmt: skip
@pytest.mark.core(1)
def test_what_is_transparent_shows_the_background(
    tmp_path: Path, codec: str, pixel_format: str, suffix: str, size: str
) -> None:
    clip = tmp_path / f"clip{suffix}"
    source = f"color=0xC85030:s={size}:r=25:d=0.08"
    run_ffmpeg("-f", "lavfi", "-i", source, "-vf", f"format=rgba,{HALF}", *QUICK[codec], "-pix_fmt", pixel_format, clip)
    assert probe(clip, scan=True).video.has_alpha
    blue = replace(FORM, background="blue")
    assert shown(clip, tmp_path, form=blue, at=LEFT) == pytest.approx(RUST, abs=5)
    assert shown(clip, tmp_path, form=blue, at=RIGHT) == pytest.approx((0, 0, 255), abs=3)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_with_transparency_is_tone_mapped(tmp_path: Path, transfer: str) -> None:
    clip, level = tmp_path / "clip.mkv", {"smpte2084": "0x949494", "arib-std-b67": "0xBFBFBF"}[transfer]
    tags = f"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    chain = f"format=rgba,{HALF},scale=out_color_matrix=bt2020:out_range=tv,format=yuva444p10le,{tags}"
    run_ffmpeg("-f", "lavfi", "-i", f"color={level}:s=161x91:r=25:d=0.08", "-vf", chain, *QUICK["ffv1"], clip)
    blue = replace(FORM, background="blue")
    assert shown(clip, tmp_path, form=blue, at=LEFT) == pytest.approx((WHITE_OF_PQ,) * 3, abs=3)
    assert shown(clip, tmp_path, form=blue, at=RIGHT) == pytest.approx((0, 0, 255), abs=3)


ALPHA_MESSAGE = b"\x4e\x01\xa5\x04"
"""An SEI unit with "alpha channel information", whose next byte says how the alpha is used."""


@pytest.fixture
def half_red(tmp_path: Path) -> Path:
    """HEVC whose colours are dark red, 50 % opaque."""
    clip = tmp_path / "alpha.mov"
    chain = "format=rgba,geq=r=128:g=0:b=0:a=128,format=yuva420p"
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=96x54:r=25:d=0.08", "-vf", chain, *QUICK["libx265"], clip)
    return clip


@pytest.mark.parametrize(("use", "red"), [(0, 64), (1, 128)])
def test_colours_are_multiplied_by_alpha_once(tmp_path: Path, half_red: Path, use: int, red: int) -> None:
    data = half_red.read_bytes()
    assert data.count(ALPHA_MESSAGE + b"\0") == 1
    clip = tmp_path / "clip.mov"
    clip.write_bytes(data.replace(ALPHA_MESSAGE + b"\0", ALPHA_MESSAGE + bytes([use << 4])))
    blue = replace(FORM, background="blue")
    assert shown(clip, tmp_path, form=blue) == pytest.approx((red, 0, 127), abs=4)


def test_an_ffmpeg_without_alpha_of_hevc_is_named(tmp_path: Path, half_red: Path) -> None:
    class Older(Ffmpeg):
        @property
        def decodes_hevc_alpha(self) -> bool:
            return False

    made = Bench(tmp_path, ffmpeg=Older()).processed(half_red, FORM)
    assert [issue.code for issue in made.warnings] == [IssueCode.COLOR_GUESSED]
    assert "without its transparency" in made.warnings[0].message


HELD_BY_FFV1 = (
    "yuv410p", "yuv411p", "yuv440p", "yuv440p10le", "yuv422p16le", "yuv444p14le", "gbrp10le", "gbrp16le", "rgb48le",
    "bgr0", "rgba64le", "gbrap12le",
)  # fmt: skip
RAW = ("nv12", "uyvy422", "yuyv422", "pal8", "rgb565le", "rgb24", "abgr")
FORMATS = [*((name, "ffv1") for name in HELD_BY_FFV1), *((name, "rawvideo") for name in RAW)]


@pytest.mark.parametrize(("pixel_format", "codec"), FORMATS)
@pytest.mark.core(4)
def test_each_pixel_format_keeps_its_colour(tmp_path: Path, pixel_format: str, codec: str) -> None:
    clip = tmp_path / ("clip.mkv" if codec == "ffv1" else "clip.nut")
    how = "out_color_matrix=bt601:out_range=tv:flags=accurate_rnd+full_chroma_int"
    source = ("-f", "lavfi", "-i", "color=0x508CC8:s=48x32:r=25:d=0.08", "-vf", f"scale={how},format={pixel_format}")
    run_ffmpeg(*source, "-c:v", codec, "-pix_fmt", pixel_format, "-strict", "-1", clip)
    assert shown(clip, tmp_path, form=form_of(size="48x32", rate="25")) == pytest.approx((80, 140, 200), abs=6)


def test_xyz_becomes_the_colour_it_was(tmp_path: Path) -> None:
    clip = tmp_path / "clip.nut"
    source = ("-f", "lavfi", "-i", "color=0x508CC8:s=48x32:r=25:d=0.08", "-vf", "format=rgb48le,format=xyz12le")
    run_ffmpeg(*source, "-c:v", "rawvideo", clip)
    assert shown(clip, tmp_path, form=form_of(size="48x32", rate="25")) == pytest.approx((80, 140, 200), abs=4)


def test_pixels_of_a_sensor_become_a_colour(tmp_path: Path) -> None:
    clip, pattern = tmp_path / "clip.nut", (bytes([200, 100]) * 24 + bytes([100, 50]) * 24) * 16
    raw = ("-f", "rawvideo", "-pix_fmt", "bayer_rggb8", "-s", "48x32", "-r", "25", "-i", "-")
    run_ffmpeg(*raw, "-c", "copy", clip, stdin=pattern * 2)
    assert shown(clip, tmp_path, form=form_of(size="48x32", rate="25")) == pytest.approx((200, 100, 50), abs=4)


def test_an_ordinary_clip_has_one_description(media: MediaFolder) -> None:
    clip = media.make(Recipe(seconds=0.2, sound=None))
    assert probe(clip, scan=True).video.one_color
    assert guesses(clip) == []

"""Image files that move play as clips with the times of their frames; those that do not are refused as stills."""

from __future__ import annotations

import zlib
from struct import pack
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProbeError
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg
from tests.patched import box

if TYPE_CHECKING:
    from pathlib import Path

PLAYED = {
    ".apng": ("-c:v", "apng", "-f", "apng"),
    ".png": ("-c:v", "apng", "-f", "apng"),
    ".avif": ("-pix_fmt", "yuv420p", "-c:v", "libsvtav1", "-preset", "12", "-f", "avif"),
    ".mjpeg": ("-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg"),
    ".mjpg": ("-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg"),
    ".gif": (),
}


def animated(path: Path, *options: str, pictures: int = 10, times: str = "null") -> Path:
    """Frames of eight stripes that say their number, the lowest bit at the left."""
    stripes = "geq=lum='if(mod(floor(N/pow(2,floor(8*X/W))),2),220,30)':cb=128:cr=128"
    source = f"color=gray:s=160x90:r=25:d={pictures / 25},{stripes}"
    run_ffmpeg("-f", "lavfi", "-i", source, "-vf", times, "-fps_mode", "passthrough", *options, path)
    return path


def refusal_of(path: Path) -> tuple[IssueCode, str]:
    with pytest.raises(ProbeError) as raised:
        probe(path, scan=True)
    return raised.value.code, raised.value.issue.message


def chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I4s", len(data), kind) + data + pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("suffix", PLAYED)
@pytest.mark.core(1)
def test_an_image_that_moves_plays(tmp_path: Path, suffix: str) -> None:
    path = animated(tmp_path / f"a{suffix}", *PLAYED[suffix])
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="160x90", fps="25", crf=15)).success
    assert reader.stripe_numbers(reel) == list(range(10))


def test_frames_of_an_animated_png_last_as_long_as_they_say(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.png", *PLAYED[".png"], pictures=4, times="setpts='(N+3*gte(N,2))*0.04/TB'")
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="160x90", fps="25", crf=15)).success
    assert reader.stripe_numbers(reel)[:7] == [0, 1, 1, 1, 1, 2, 3]


@pytest.mark.parametrize(("length", "read"), [(500, True), (20_000, False)])
def test_an_animated_png_is_known_behind_text(tmp_path: Path, length: int, *, read: bool) -> None:
    data = animated(tmp_path / "a.png", *PLAYED[".png"]).read_bytes()
    path = tmp_path / "b.png"
    path.write_bytes(data[:33] + chunk(b"tEXt", b"Comment\0" + b"x" * length) + data[33:])
    if read:
        assert probe(path, scan=True).video.codec == "apng"
    else:
        code, message = refusal_of(path)
        assert code is IssueCode.UNSUPPORTED_CODEC
        assert message.startswith("is an animated PNG")


def test_motion_under_the_name_of_a_photograph_is_named(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.jpg", *PLAYED[".mjpeg"])
    assert refusal_of(path) == (IssueCode.STILL_IMAGE, "is a still image by its name, and several JPEG images inside")


def test_a_sequence_under_the_brand_of_a_still_plays(tmp_path: Path) -> None:
    data = bytearray(animated(tmp_path / "a.avif", *PLAYED[".avif"]).read_bytes())
    assert data[8:12] == b"avis"
    place = data.index(b"avif", 12)
    data[8:12], data[place : place + 4] = b"avif", b"avis"
    (tmp_path / "b.avif").write_bytes(data)
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [tmp_path / "b.avif"], config_of(size="160x90", fps="25", crf=15)).success
    assert reader.stripe_numbers(reel) == list(range(10))


def test_an_animated_webp_is_named_as_what_is_not_read(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.webp", "-c:v", "libwebp_anim")
    assert refusal_of(path) == (IssueCode.UNSUPPORTED_CODEC, "is an animated WebP, which is not read")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("a.png", ("-f", "apng"), "PNG"),
        ("a.webp", ("-c:v", "libwebp_anim"), "WebP"),
        ("a.avif", ("-pix_fmt", "yuv420p", "-c:v", "libsvtav1", "-preset", "12"), "AVIF"),
        ("a.jpg", (), "JPEG"),
    ],
)
@pytest.mark.core(1)
def test_an_image_of_one_frame_is_still(tmp_path: Path, name: str, options: tuple[str, ...], kind: str) -> None:
    path = animated(tmp_path / name, *options, pictures=1)
    assert refusal_of(path) == (IssueCode.STILL_IMAGE, f"is a still image ({kind})")


@pytest.mark.parametrize("kind", ["several views", "preview of another size", "film behind it", "cut off"])
def test_what_follows_a_photograph_does_not_make_it_move(tmp_path: Path, kind: str) -> None:
    photo = animated(tmp_path / "photo.jpg", pictures=1).read_bytes()
    run_ffmpeg("-i", tmp_path / "photo.jpg", "-vf", "scale=80:46", tmp_path / "small.jpg")
    index = b"\xff\xe2" + pack(">H", 10) + b"MPF\0" + bytes(4)
    data = {
        "several views": photo[:2] + index + photo[2:] + photo,
        "preview of another size": photo + (tmp_path / "small.jpg").read_bytes(),
        "film behind it": photo + box(b"ftyp", b"isom", bytes(4)) + photo,
        "cut off": photo + photo[:100],
    }[kind]
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    assert refusal_of(path)[0] is IssueCode.STILL_IMAGE


@pytest.mark.parametrize("head", [b"\xff\x0a\xfa\x3f", b"\0\0\0\x0cJXL \r\n\x87\n"])
def test_jpeg_xl_is_named(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "a.jxl"
    path.write_bytes(head + bytes(100))
    assert refusal_of(path) == (IssueCode.STILL_IMAGE, "is a still image (JPEG XL)")


def test_a_clip_whose_only_track_is_not_the_first_is_read_to_its_end(tmp_path: Path) -> None:
    """At the end a decoder is asked for what it holds back, in the name of its own track."""
    path = tmp_path / "a.mp4"
    tone = ("-f", "lavfi", "-i", "sine=d=0.4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=0.4")
    run_ffmpeg(*tone, "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", path)
    media = probe(path, scan=True)
    assert (media.video.index, media.scanned) == (1, True)

"""What a file is not shows in its first bytes, and no real clip is turned away by them."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.inspect.container.file_signature import SIGNATURE_BYTES, refusal
from mpt_cli.model.errors import IssueCode
from mpt_cli.settings.file_kinds import MEDIA_SUFFIXES
from tests.media import MediaFolder, Recipe, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


def code_of(head: bytes) -> IssueCode | None:
    """The code of the refusal, if there is one."""
    found = refusal(head)
    return found[0] if found else None


CLIPS = {
    "mp4": Recipe(),
    "mov": Recipe(suffix=".mov"),
    "mkv": Recipe(suffix=".mkv"),
    "webm": Recipe(codec="libvpx-vp9", suffix=".webm", sound=None),
    "avi": Recipe(codec="mpeg4", suffix=".avi", sound=None, pixel_format=None),
    "ts": Recipe(suffix=".ts"),
    "flv": Recipe(suffix=".flv"),
    "mpg": Recipe(codec="mpeg2video", suffix=".mpg", sound=None),
    "ogv": Recipe(codec="libtheora", suffix=".ogv", sound=None),
    "wmv": Recipe(codec="wmv2", suffix=".wmv", sound=None),
    "mxf": Recipe(codec="mpeg2video", suffix=".mxf", sound=None, fps="25"),
    "gif": Recipe(codec="gif", pixel_format="rgb8", suffix=".gif", sound=None, fps="10"),
    "y4m": Recipe(codec="wrapped_avframe", suffix=".y4m", sound=None, seconds=0.1),
    "m2v": Recipe(codec="mpeg2video", suffix=".m2v", sound=None),
}


@pytest.mark.parametrize("kind", CLIPS)
@pytest.mark.core(5)
def test_the_beginning_of_a_real_clip_is_no_reason_to_refuse_it(media: MediaFolder, kind: str) -> None:
    recipe = CLIPS[kind]
    assert recipe.suffix in MEDIA_SUFFIXES
    assert refusal(media.make(recipe).read_bytes()[:SIGNATURE_BYTES]) is None


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels", "name"),
    [
        (".png", "png", "rgb24", "PNG"),
        (".jpg", "mjpeg", "yuvj420p", "JPEG"),
        (".bmp", "bmp", "bgr24", "BMP"),
        (".tiff", "tiff", "rgb24", "TIFF"),
        (".webp", "libwebp", "yuv420p", "WebP"),
    ],
)
@pytest.mark.heavy
def test_a_still_image_is_named_with_its_kind(tmp_path: Path, suffix: str, codec: str, pixels: str, name: str) -> None:
    path = tmp_path / f"image{suffix}"
    source = ("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1")
    run_ffmpeg(*source, "-pix_fmt", pixels, "-c:v", codec, path)
    found = refusal(path.read_bytes()[:SIGNATURE_BYTES])
    assert found is not None
    assert found[0] is IssueCode.STILL_IMAGE
    assert name in found[1]


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"avif"])
def test_the_images_of_phones_are_no_clips_though_they_are_mp4_by_structure(brand: bytes) -> None:
    assert code_of(b"\0\0\0\x18ftyp" + brand + bytes(100)) is IssueCode.STILL_IMAGE
    assert code_of(b"\0\0\0\x18ftypisom" + brand + bytes(100)) is None


def test_two_letters_alone_are_no_bitmap() -> None:
    assert code_of(b"BM" + b"\1\2\3\4" + bytes(4) + b"rest") is IssueCode.STILL_IMAGE
    assert code_of(b"BMx\x01\x02 anything else") is None


PLAYLISTS = {
    "m3u8": b"#EXTM3U\n#EXT-X-VERSION:3\n",
    "m3u8 that begins late": b"\n\r\n  #EXTM3U\n",
    "m3u8 with a mark": b"\xef\xbb\xbf#EXTM3U\n",
    "concat list": b"ffconcat version 1.0\nfile 'a.mp4'\n",
    "pls": b"[playlist]\nFile1=http://example.org/\n",
    "mpd": b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
    "bare mpd": b"<MPD>",
    "asx": b'<asx version="3.0">',
    "smil": b"<smil><body>",
    "wpl": b'<?wpl version="1.0"?>',
    "quicktime link": b"RTSPtext\r\nrtsp://example.org/",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_before_anything_opens_what_it_names(kind: str) -> None:
    assert code_of(PLAYLISTS[kind]) is IssueCode.PLAYLIST_REFUSED


TEXTS = {
    "subtitles (SRT)": b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n",
    "subtitles (SRT) in UTF-8 with a mark": b"\xef\xbb\xbf1\n00:00:01,000 --> 00:00:02,000\nHello\n",
    "subtitles (SRT) in Latin-1": b"1\n00:00:01,000 --> 00:00:02,000\nGr\xfc\xdfe aus der Stadt\n",
    "subtitles (SRT) in UTF-16": "1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n".encode("utf-16"),
    "subtitles (WebVTT)": b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n",
    "subtitles (ASS)": b"[Script Info]\nTitle: x\n",
    "job file": b'# week\n[[job]]\noutput = "a.mp4"\n',
    "web page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "list of files": b"a.mp4\r\nfolder/b 2.MOV\r\nfile 'c.mkv'\r\n",
    "text": b"a text that speaks of <MPD> and #EXTM3U",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_is_named_for_what_it_is(kind: str) -> None:
    found = refusal(TEXTS[kind])
    assert found is not None
    code, message, hint = found
    assert code is IssueCode.NOT_MEDIA
    assert kind.partition(" in ")[0] in message
    assert hint


def test_list_that_is_longer_than_the_look_is_a_list() -> None:
    names = "".join(f"clips/IMG_{number:04}.MOV\n" for number in range(1000)).encode()
    found = refusal(names[:SIGNATURE_BYTES])
    assert found is not None
    assert "list of files" in found[1]


def test_video_whose_samples_are_letters_is_no_text() -> None:
    assert refusal(b"YUV4MPEG2 W16 H16 F25:1\nFRAME\n" + b"n" * 384) is None


AUDIO = {
    "MP3": (".mp3", ()),
    "WAV": (".wav", ()),
    "FLAC": (".flac", ()),
    "AAC": (".aac", ()),
    "AIFF": (".aiff", ()),
    "CAF": (".caf", ()),
    "MP3 without a tag": (".mp3", ("-id3v2_version", "0", "-write_xing", "0")),
    "MP3 of half the rate": (".mp3", ("-id3v2_version", "0", "-write_xing", "0", "-ar", "22050")),
}


@pytest.mark.parametrize("kind", AUDIO)
@pytest.mark.heavy
def test_audio_is_named_with_its_kind(tmp_path: Path, kind: str) -> None:
    suffix, options = AUDIO[kind]
    path = tmp_path / f"audio{suffix}"
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", *options, path)
    found = refusal(path.read_bytes()[:SIGNATURE_BYTES])
    assert found is not None
    assert (found[0], kind.split()[0] in found[1]) == (IssueCode.NO_VIDEO_STREAM, True)


def test_two_bytes_of_a_frame_are_no_audio() -> None:
    assert code_of(b"\xff\xfb\x90\x64" + bytes(600)) is None
    assert code_of(b"\xff\xf1\x50\x80\x01\x7f\xfc" + bytes(600)) is None
    assert code_of(b"xxxxxxxxWAVE" + bytes(600)) is None


def test_archives_and_documents_are_named(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("clip.mp4", b"x" * 100)
    heads = (archive.getvalue(), gzip.compress(b"x" * 100), b"Rar!\x1a\x07\1\0", b"7z\xbc\xaf\x27\x1c", b"%PDF-1.7")
    found = [refusal(head) for head in heads]
    assert [refused and refused[0] for refused in found] == [IssueCode.NOT_MEDIA] * len(heads)
    words = [refused[1] for refused in found if refused]
    assert ["ZIP" in words[0], "gzip" in words[1], "RAR" in words[2], "7z" in words[3], "PDF" in words[4]] == [True] * 5


@given(st.binary(max_size=64))
def test_any_beginning_has_an_answer_and_a_name_makes_it_what_it_says(head: bytes) -> None:
    known = (IssueCode.STILL_IMAGE, IssueCode.PLAYLIST_REFUSED, IssueCode.NOT_MEDIA, IssueCode.NO_VIDEO_STREAM)
    assert code_of(head) in (None, *known)
    assert code_of(b"\x89PNG\r\n\x1a\n" + head) is IssueCode.STILL_IMAGE
    assert code_of(b"#EXTM3U" + head) is IssueCode.PLAYLIST_REFUSED


def test_nothing_is_nothing_in_particular() -> None:
    assert refusal(b"") is None

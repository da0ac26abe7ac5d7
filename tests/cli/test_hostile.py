"""Files that are made to harm, and names that trip over tools: refused by code, or used like any other."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest

from tests import reader
from tests.cli.conftest import SMALL, Done, Mpt, run_program
from tests.media import MediaFolder, Recipe, numbered, run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names and devices of POSIX")

SECRET = "the secret of another file"
"""What no output may hold."""


@pytest.fixture
def clip(media: MediaFolder) -> Path:
    return media.make(seconds=0.4)


def code_of(done: Done, name: str) -> str:
    """The code of the first error of a file; empty for none."""
    (entry,) = [entry for entry in done.data["clips"] if Path(entry["path"]).name == name]
    return entry["errors"][0]["code"] if entry["errors"] else ""


# --- playlists and references to other files

PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
    "with a mark": "\ufeff#EXTM3U\n#EXTINF:1,\n{clip}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{clip}'\n",
    "mpd": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{clip}</BaseURL></MPD>\n',
    "asx": '<ASX version="3.0"><ENTRY><REF HREF="{clip}"/></ENTRY></ASX>\n',
    "pls": "[playlist]\nFile1={clip}\nNumberOfEntries=1\n",
    "smil": '<smil><body><video src="{clip}"/></body></smil>\n',
}


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv", ".m3u8"])
@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.core(1)
def test_a_playlist_is_refused_under_any_name(mpt: Mpt, clip: Path, here: Path, kind: str, suffix: str) -> None:
    path = here / f"list{suffix}"
    path.write_text(PLAYLISTS[kind].format(clip=clip), encoding="utf-8")
    done = mpt("validate", path, "--json")
    assert (done.code, code_of(done, path.name)) == (3, "playlist_refused")


@pytest.mark.parametrize("text", ["file '{clip}'\n", "# a comment\nfile {clip}\n", "{clip}\n", "concat:{clip}|{clip}"])
@pytest.mark.core(1)
def test_text_that_names_files_is_no_clip(mpt: Mpt, clip: Path, here: Path, text: str) -> None:
    path = here / "list.mp4"
    path.write_text(text.format(clip=clip), encoding="utf-8")
    done = mpt("validate", path, "--json")
    assert (done.code, code_of(done, "list.mp4")) == (3, "not_media")


def box(kind: bytes, *content: bytes) -> bytes:
    inner = b"".join(content)
    return struct.pack(">I4s", 8 + len(inner), kind) + inner


@pytest.mark.core
def test_a_reference_movie_opens_nothing(mpt: Mpt, clip: Path, here: Path) -> None:
    shutil.copy(clip, here / "other.mov")
    target = b"other.mov\0"
    reference = box(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(target)), target)
    path = here / "reference.mov"
    path.write_bytes(box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", box(b"rmra", box(b"rmda", reference))))
    done = mpt("validate", path, "--json")
    assert done.code == 3
    assert code_of(done, "reference.mov") in ("no_video_stream", "not_media")


def absolute_alias(target: Path) -> bytes:
    """An alias of QuickTime to a file, with its absolute path (Inside Macintosh: Files, "alias records")."""
    name = str(target).encode()
    path = struct.pack(">hH", 2, len(name)) + name + b"\0" * (len(name) % 2)
    return bytes(150) + path + struct.pack(">hH", -1, 0)


@pytest.mark.parametrize("kind", ["url", "alias"])
@pytest.mark.parametrize("command", ["validate", "process"])
@pytest.mark.core(1)
def test_pictures_in_another_file_are_not_read(
    mpt: Mpt, media: MediaFolder, here: Path, kind: str, command: str
) -> None:
    """A file whose data reference says that its pictures lie in another one, which is there."""
    whole = media.make(seconds=0.4, sound=None, suffix=".mov", codec="mjpeg", pixel_format="yuvj420p")
    other = here / "other.mov"
    shutil.copy(whole, other)
    data = whole.read_bytes()
    index = data[data.index(b"moov") - 4 :]
    entries = {
        "url": box(b"url ", bytes(4), b"file://" + str(other).encode() + b"\0"),
        "alias": box(b"alis", bytes(4), absolute_alias(other)),
    }
    path = here / "outside.mov"
    path.write_bytes(data[: data.index(b"mdat") - 4] + replaced_reference(index, entries[kind]))
    options = () if command == "validate" else ("-o", "reel.mp4", *SMALL)
    if kind == "alias":  # who does follow references finds the pictures: the file is what it is meant to be
        with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}) as container:
            assert next(container.decode(video=0)).width == 160
    done = mpt(command, path, *options, "--json")
    assert done.code == 3
    assert not (here / "reel.mp4").exists()


def replaced_reference(index: bytes, entry: bytes) -> bytes:
    """A ``moov`` box in which every track's data reference is this one."""
    if index[4:8] == b"dref":
        return box(b"dref", index[8:16], entry)
    if index[4:8] not in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        return index
    children, place = [], 8
    while place < len(index):
        (size,) = struct.unpack(">I", index[place : place + 4])
        children.append(replaced_reference(index[place : place + size], entry))
        place += size
    return box(index[4:8], *children)


def test_a_subtitle_or_attachment_in_a_clip_is_not_copied_into_the_reel(mpt: Mpt, clip: Path, here: Path) -> None:
    (here / "secret.txt").write_text(SECRET, encoding="utf-8")
    run_ffmpeg(
        "-i", clip, "-c", "copy", "-attach", here / "secret.txt", "-metadata:s:t", "mimetype=text/plain",
        "-metadata", f"title={SECRET}", here / "attached.mkv",
    )  # fmt: skip
    assert SECRET.encode() in (here / "attached.mkv").read_bytes()
    assert mpt("process", "attached.mkv", "-o", "reel.mkv", *SMALL, "--json").code == 0
    assert SECRET.encode() not in (here / "reel.mkv").read_bytes()


# --- what is no file


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


def _linked_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("fifo"))
    path.symlink_to("fifo")


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "not_a_file"),
    "socket": (_socket, "not_a_file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not_a_file"),
    "link to itself": (lambda path: path.symlink_to(path.name), "not_readable"),
    "link to nothing": (lambda path: path.symlink_to("nowhere"), "file_not_found"),
    "link to a pipe": (_linked_pipe, "not_a_file"),
}


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("command", ["validate", "process"])
@pytest.mark.core(1)
def test_what_is_no_file_is_refused_at_once(mpt: Mpt, clip: Path, here: Path, kind: str, command: str) -> None:
    build, code = NO_FILES[kind]
    shutil.copy(clip, here / "good.mp4")
    build(here / "strange.mp4")
    options = () if command == "validate" else ("-o", "reel.mp4", *SMALL)
    done = mpt(command, "good.mp4", "strange.mp4", *options, "--json")
    assert done.code == 3
    assert code in done.codes
    assert not (here / "reel.mp4").exists()


def test_a_folder_named_like_a_clip_is_a_folder(mpt: Mpt, clip: Path, here: Path) -> None:
    folder = here / "folder.mp4"
    folder.mkdir()
    done = mpt("validate", "folder.mp4", "--json")
    assert (done.code, done.codes) == (3, ["no_match"])
    shutil.copy(clip, folder / "inside.mp4")
    assert mpt("validate", "folder.mp4", "--json").code == 0


# --- names

NAMES = [
    b"-rf.mp4",
    b"--help.mp4",
    b"two\nlines.mp4",
    b'it\'s "quoted".mp4',
    b"%d %s 100%.mp4",
    b"a:b|c;d&e$(f)`g`.mp4",
    b"concat:a.mp4",
    b"[0:v]=,\\.mp4",
    b"\xff\xfe not text.mp4",
    b"\x1b[31mred\x07.mp4",
    b" leading and trailing .mp4",
    "ünïcödé 日本 🎬.mp4".encode(),
    b"x" * 251 + b".mp4",
]


def test_names_of_any_kind_become_one_reel(media: MediaFolder, here: Path) -> None:
    sources = [numbered(number + 1, seconds=0.1) for number in range(len(NAMES))]
    for name, source in zip(NAMES, sources, strict=True):
        shutil.copy(media.numbered(source), here / os.fsdecode(name))
    listed = b"".join(name + b"\0" for name in NAMES)
    done = run_program("process", "-0", "-", "-o", "reel.mp4", *SMALL, "--fps", "30", "--json", stdin=listed)
    assert done.code == 0, done.document["errors"]
    assert [Path(entry["path"]).name for entry in done.data["clips"]] == [os.fsdecode(name) for name in NAMES]
    shown = [picture.clip_id for picture in reader.pictures(here / "reel.mp4")]
    assert shown == [number + 1 for number in range(len(NAMES)) for _ in range(3)]


@pytest.mark.parametrize("name", NAMES)
def test_an_output_may_have_any_name(mpt: Mpt, media: MediaFolder, here: Path, name: bytes) -> None:
    shutil.copy(media.numbered(numbered(1, seconds=0.1)), here / "in.mp4")
    output = f"./{os.fsdecode(name)}"
    done = mpt("process", "in.mp4", "-o", output, *SMALL, "--json")
    assert done.code == 0, done.document["errors"]
    assert sorted(path.name for path in here.iterdir()) == sorted(["in.mp4", os.fsdecode(name)])


def test_no_control_character_reaches_the_terminal(media: MediaFolder, here: Path) -> None:
    name = os.fsdecode(b"\x1b[31mred\x07\xff.mp4")
    (here / name).write_text("no clip")
    for arguments in (("validate", name), ("process", name, "-o", "reel.mp4")):
        done = run_program(*arguments)
        assert done.code == 3
        assert not {"\x1b", "\x07"} & set(done.out + done.err)


# --- claims of headers


def test_giant_pictures_are_refused_by_their_header(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    kind = Recipe(codec="ffv1", suffix=".mkv", sound=None, size="320x260", seconds=0.1)
    data = media.make(kind).read_bytes()
    size = b"\xb0\x82" + struct.pack(">H", 320) + b"\xba\x82" + struct.pack(">H", 260)
    assert data.count(size) == 1
    claim = b"\xb0\x82" + struct.pack(">H", 12_336) + b"\xba\x82" + struct.pack(">H", 12_336)
    (here / "giant.mkv").write_bytes(data.replace(size, claim))
    done = mpt("validate", "giant.mkv", "--json")
    assert (done.code, code_of(done, "giant.mkv")) == (3, "dimensions_too_large")


@pytest.mark.parametrize("kind", [b"stsz", b"stts", b"ctts", b"stco"])
def test_tables_that_claim_billions_of_entries_cost_nothing(mpt: Mpt, clip: Path, here: Path, kind: bytes) -> None:
    data = bytearray(clip.read_bytes())
    if kind in data:
        place = data.index(kind) + (12 if kind == b"stsz" else 8)
        data[place : place + 4] = struct.pack(">I", 0xFFFF_FFF0)
    (here / "claims.mp4").write_bytes(data)
    done = mpt("validate", "claims.mp4", "--json")
    assert code_of(done, "claims.mp4") in ("", "not_media", "no_frames", "probe_failed", "no_video_stream")


def test_a_length_of_years_is_not_believed(mpt: Mpt, clip: Path, here: Path) -> None:
    data = bytearray(clip.read_bytes())
    for kind, behind in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = -1
        while (at := data.find(kind, at + 1)) >= 0:
            data[at + behind : at + behind + 4] = struct.pack(">I", 0xFFFF_FFFE)
    (here / "years.mp4").write_bytes(data)
    done = mpt("validate", "years.mp4", "--json")
    (entry,) = done.data["clips"]
    assert done.code == 0, json.dumps(entry)
    assert entry["media"]["duration_seconds"] < 1


def test_what_leads_up_from_here_is_told_as_it_was_given(mpt: Mpt, media: MediaFolder, here: Path) -> None:
    (here.parent / "far" / "deep").mkdir(parents=True)
    (here / "link").symlink_to(here.parent / "far" / "deep")
    (here.parent / "far" / "a.mp4").write_bytes(media.make(seconds=0.2).read_bytes())
    inputs = ("link/../a.mp4", "../far/a.mp4")
    told = mpt("validate", *inputs, "../none.mp4", "../far/deep")
    assert [line.split()[1] for line in told.out.splitlines()[1:4]] == [*inputs, "../none.mp4"]
    assert "error: ../far/deep: is a folder without video files (no_match)" in told.err
    arguments = ("process", *inputs, "-o", "../out/reel.mp4", *SMALL)
    assert "  path     ../out/reel.mp4" in mpt(*arguments, "-n").out.splitlines()
    assert "  path     ../out/reel.mp4" in mpt(*arguments).out.splitlines()
    assert "error: ../out/reel.mp4: already exists (output_exists)" in mpt(*arguments).err
    assert "info: ../out/reel.mp4: is up to date" in mpt(*arguments, "--if-changed").err
    (here.parent / "far" / "jobs.toml").write_text("[[job]]\n")
    assert "hint: run it: mpt process --job ../far/jobs.toml, or" in mpt(*arguments, "-c", "../far/jobs.toml").err
    assert mpt("report", "--json").data["output"]["path"] == f"{here}/../out/reel.mp4"

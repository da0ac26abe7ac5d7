"""The order of a container's parts, read from made-up and from real files, and from rubbish."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.formats.boxes import has_edit_list, has_foreign_boxes, layout_problem, set_upright
from mpt_cli.model.choices import Container
from tests import reader
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

REEL_FLAGS = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets")
SEGMENT, CUES, CLUSTER, VOID = bytes.fromhex("18538067"), bytes.fromhex("1c53bb6b"), bytes.fromhex("1f43b675"), b"\xec"
EBML = bytes.fromhex("1a45dfa3")


def box(kind: str, *inner: bytes, wide: bool = False) -> bytes:
    content = b"".join(inner)
    name = kind.encode("latin-1")
    if wide:
        return struct.pack(">I4sQ", 1, name, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), name) + content


UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TURNED = (0, 1 << 16, 0, -1 << 16, 0, 0, 90 << 16, 0, 1 << 30)


def header(matrix: tuple[int, ...] = UPRIGHT, *, version: int = 0) -> bytes:
    times = bytes(36 if version else 24)  # created, changed, number of the track, length
    return box("tkhd", bytes([version, 0, 0, 3]), times[4:], bytes(16), struct.pack(">9i", *matrix), bytes(8))


def film(brand: str = "isom", *, tracks: bytes = b"", extra: bytes = b"") -> bytes:
    return box("ftyp", brand.encode()) + box("moov", box("mvhd"), box("trak", tracks), extra) + box("mdat", bytes(9))


def element(identifier: bytes, content: bytes, *, size: bytes | None = None) -> bytes:
    return identifier + (size or bytes([0x80 | len(content)])) + content


def written(folder: Path, content: bytes, suffix: str = "mp4") -> Path:
    path = folder / f"file.{suffix}"
    path.write_bytes(content)
    return path


def foreign(folder: Path, content: bytes) -> bool:
    return has_foreign_boxes(written(folder, content))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (film(), None),
        (box("ftyp", b"isom") + box("moov", wide=True) + box("mdat", wide=True), None),
        (box("ftyp", b"isom") + box("moov") + struct.pack(">I4s", 0, b"mdat") + bytes(99), None),
        (box("ftyp", b"isom") + box("mdat") + box("moov"), "its index is not in front"),
        (box("ftyp", b"isom") + struct.pack(">I4s", 1, b"moov"), "its index is not in front"),
        (box("ftyp", b"isom") + box("moov"), "its index is not in front"),
        (box("ftyp", b"isom") + box("mdat"), "its index is not in front"),
        (b"", "its index is not in front"),
        (film(tracks=box("edts", box("elst"))), "it has an edit list"),
        (film(tracks=box("edts")), None),
        (film(tracks=header()), None),
        (film(tracks=header(version=1)), None),
        (film(tracks=header(TURNED)), "it is shown turned"),
        (film(tracks=header(TURNED, version=1)), "it is shown turned"),
        (film("qt  "), "its brand is not that of mp4"),
        (film()[12:], "its brand is not that of mp4"),
    ],
)
def test_the_layout_of_an_mp4_is_judged(tmp_path: Path, content: bytes, problem: str | None) -> None:
    assert layout_problem(written(tmp_path, content), Container.MP4) == problem


def test_a_mov_has_the_brand_of_quicktime_or_none(tmp_path: Path) -> None:
    for content, problem in [(film("qt  "), None), (film()[12:], None), (film(), "its brand is not that of mov")]:
        assert layout_problem(written(tmp_path, content), Container.MOV) == problem


@pytest.mark.parametrize("version", [0, 1])
def test_all_tracks_are_set_upright_and_nothing_else_is_changed(tmp_path: Path, version: int) -> None:
    turned, upright = (
        film(tracks=header(matrix, version=version), extra=box("trak", header(matrix))) for matrix in (TURNED, UPRIGHT)
    )
    path = written(tmp_path, turned)
    set_upright(path)
    assert path.read_bytes() == upright
    set_upright(tmp_path / "missing.mp4")
    assert not (tmp_path / "missing.mp4").exists()


@pytest.mark.parametrize(
    ("content", "right"),
    [
        (element(SEGMENT, element(CUES, b"12") + element(CLUSTER, b"")), True),
        (element(SEGMENT, element(VOID, bytes(50)) + element(CUES, b"") + element(CLUSTER, b"")), True),
        (element(SEGMENT, element(CUES, b"") + element(CLUSTER, b"", size=b"\xff")), True),
        (SEGMENT + b"\x01" + b"\xff" * 7 + element(CUES, b"") + element(CLUSTER, b""), True),
        (element(SEGMENT, element(CLUSTER, b"12") + element(CUES, b"")), False),
        (element(SEGMENT, element(VOID, b"", size=b"\xff") + element(CUES, b"") + element(CLUSTER, b"")), False),
        (element(SEGMENT, element(CUES, b"")), False),
        (SEGMENT + b"\x00", False),
        (b"", False),
    ],
)
def test_the_layout_of_a_matroska_file_is_judged(tmp_path: Path, content: bytes, *, right: bool) -> None:
    path = written(tmp_path, element(EBML, b"\x42\x82\x81x") + content, "mkv")
    assert layout_problem(path, Container.MKV) == (None if right else "its index is not in front")


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize(
    "flags",
    [(), ("-movflags", "+faststart"), ("-use_editlist", "0", "-movflags", "+negative_cts_offsets"), REEL_FLAGS],
)
def test_files_of_ffmpeg_are_judged_as_another_reader_does(
    media: MediaFolder, tmp_path: Path, suffix: str, flags: tuple[str, ...]
) -> None:
    path = tmp_path / f"file.{suffix}"
    run_ffmpeg("-i", media.make(), "-c", "copy", *flags, path)
    problem = layout_problem(path, Container(suffix))
    if not reader.index_comes_first(path):
        assert problem == "its index is not in front"
    else:
        assert problem == ("it has an edit list" if reader.has_edit_list(path) else None)
    assert not has_foreign_boxes(path)
    assert flags != REEL_FLAGS or problem is None


def test_what_only_cameras_and_editors_write_is_foreign(tmp_path: Path) -> None:
    assert not foreign(tmp_path, film(tracks=box("tkhd") + box("mdia", box("anything")), extra=box("udta")))
    assert not foreign(tmp_path, film(extra=box("udta", box("meta", b"tags"))) + box("free", bytes(8)))
    assert foreign(tmp_path, film() + box("uuid", bytes(16), b"<x:xmpmeta/>"))
    assert foreign(tmp_path, film(extra=box("udta", box("XMP_", b"<x:xmpmeta/>"))))
    assert foreign(tmp_path, film(extra=box("meta")))
    assert foreign(tmp_path, film(tracks=box("tkhd") + box("udta")))
    assert foreign(tmp_path, film() + box("moof") + box("mdat"))


@pytest.mark.heavy
@pytest.mark.heavy
def test_boxes_in_boxes_without_end_are_no_trap(tmp_path: Path) -> None:
    for kinds in (["moov"] * 4000, ["trak"] * 4000, ["moov", *["trak"] * 4000], ["moov", "trak", *["edts"] * 4000]):
        deep = b""
        for kind in reversed(kinds):
            deep = box(kind, deep)
        assert layout_problem(written(tmp_path, deep), Container.MP4) == "its index is not in front"
        assert not has_edit_list(io.BytesIO(deep), len(deep))


KINDS = st.sampled_from([b"moov", b"trak", b"edts", b"elst", b"mdat", b"udta", b"free"])
HEADS = st.tuples(st.sampled_from([0, 1, 2, 7, 8, 9, 16, 40, 2**32 - 1]), KINDS).map(
    lambda head: struct.pack(">I4s", *head)
)
ELEMENTS = st.sampled_from([EBML, SEGMENT, CUES, CLUSTER, VOID])


@given(st.lists(HEADS | ELEMENTS | st.binary(max_size=12), max_size=12).map(b"".join), st.sampled_from(Container))
def test_rubbish_has_a_verdict_and_no_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, container: Container
) -> None:
    path = written(tmp_path_factory.getbasetemp(), content, f"rubbish.{container}")
    assert isinstance(layout_problem(path, container), str | None)
    assert has_foreign_boxes(path) in (True, False)
    assert has_edit_list(io.BytesIO(content), len(content)) in (True, False)

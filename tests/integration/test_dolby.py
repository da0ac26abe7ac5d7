"""Dolby Vision: what only it can show is refused by name, and what has a base layer is played from that."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.video import dolby_vision
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import RunStatus
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import Color, Recipe, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import MediaFolder

HDR10 = Color("bt2020nc", "bt2020", "smpte2084")
HLG = Color("bt2020nc", "bt2020", "arib-std-b67")
NAME = "a name that is long enough to be something else"


def record(profile: int, compatibility: int, *, level: int = 6) -> bytes:
    """24 bytes of a DOVIDecoderConfigurationRecord, with an RPU and a base layer in the stream."""
    flags = profile << 9 | level << 3 | 0b101
    return bytes([1, 0]) + struct.pack(">HB", flags, compatibility << 4) + bytes(19)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def element(identifier: str, content: bytes) -> bytes:
    return bytes.fromhex(identifier) + bytes([0x80 | len(content)]) + content


def in_sample_entry(source: Path, target: Path, more: bytes, entry: bytes = b"hvc1") -> Path:
    """A copy of an MP4, whose index comes last, with a box at the end of its first sample entry."""
    data = bytearray(source.read_bytes())
    place = data.index(b"moov")
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", entry):
        place = data.index(kind, place)
        (size,) = struct.unpack(">I", data[place - 4 : place])
        data[place - 4 : place] = struct.pack(">I", size + len(more))
    data[place - 4 + size : place - 4 + size] = more
    target.write_bytes(data)
    return target


def in_track(source: Path, target: Path, mapping: bytes) -> Path:
    """A copy of a Matroska file in which the name of a track has become this element, and nothing else moved."""
    whole = source.read_bytes()
    name = bytes.fromhex("536e") + bytes([0x80 | len(NAME)]) + NAME.encode()
    assert whole.count(name) == 1
    filler = len(name) - len(mapping) - 2
    target.write_bytes(whole.replace(name, mapping + element("ec", bytes(filler))))
    return target


def mapping(held: bytes, kind: bytes = b"dvcC") -> bytes:
    return element("41e4", element("41f0", b"\4") + element("41e7", kind) + element("41ed", held))


def clip(media: MediaFolder, color: Color | None, suffix: str, codec: str = "libx265") -> Path:
    pixels = "yuv420p10le" if color else "yuv420p"
    named = ("-metadata:s:v", f"title={NAME}") if suffix == ".mkv" else ("-tag:v", "hvc1")
    options = named if codec == "libx265" else ()
    recipe = Recipe(codec=codec, color=color, pixel_format=pixels, suffix=suffix, options=options)
    return media.make(recipe, seconds=0.2, sound=None)


def marked(media: MediaFolder, folder: Path, suffix: str, held: bytes, color: Color | None, kind: bytes) -> Path:
    """A clip whose track says that it is Dolby Vision of this kind."""
    source, target = clip(media, color, suffix), folder / f"marked{suffix}"
    if suffix == ".mkv":
        return in_track(source, target, mapping(held, kind))
    return in_sample_entry(source, target, box(kind, held))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("profile", "compatibility", "kind", "color", "hdr"),
    [
        (5, 0, b"dvcC", None, "dolby_vision"),
        (8, 0, b"dvvC", HDR10, "dolby_vision"),
        (10, 0, b"dvvC", None, "dolby_vision"),
        (7, 0, b"dvcC", HDR10, "pq"),
        (7, 6, b"dvcC", HDR10, "pq"),
        (8, 1, b"dvvC", HDR10, "pq"),
        (8, 2, b"dvvC", None, None),
        (8, 4, b"dvvC", HLG, "hlg"),
        (5, 0, b"dvxC", HDR10, "pq"),
    ],
)
@pytest.mark.core(4)
def test_only_what_has_no_base_layer_is_dolby_vision(
    media: MediaFolder,
    tmp_path: Path,
    suffix: str,
    profile: int,
    compatibility: int,
    kind: bytes,
    color: Color | None,
    hdr: str | None,
) -> None:
    path = marked(media, tmp_path, suffix, record(profile, compatibility), color, kind)
    for scan in (True, False):
        assert probe(path, scan=scan).video.hdr == hdr


def test_av1_without_a_base_layer_is_dolby_vision_too(media: MediaFolder, tmp_path: Path) -> None:
    source = clip(media, None, ".mp4", "libsvtav1")
    path = in_sample_entry(source, tmp_path / "av1.mp4", box(b"dvvC", record(10, 0)), b"av01")
    assert probe(path, scan=True).video.hdr == "dolby_vision"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_record_of_another_track_does_not_count(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    plain, path = media.make(seconds=0.2, size="320x180"), tmp_path / f"two{suffix}"
    two = tmp_path / f"plain{suffix}"
    source = clip(media, None, suffix)
    maps = ("-map", "0:v", "-map", "1:v", "-map", "1:a", "-c", "copy", "-disposition:v:0", "0")
    run_ffmpeg("-i", source, "-i", plain, *maps, "-disposition:v:1", "default", *named(suffix), two)
    if suffix == ".mkv":
        in_track(two, path, mapping(record(5, 0)))
    else:
        in_sample_entry(two, path, box(b"dvcC", record(5, 0)))
    found = probe(path, scan=True)
    assert (found.video.index, found.video.codec, found.video.hdr) == (1, "h264", None)
    assert dolby_vision.lacks_base_layer(path, found.container.replace("mp4", "mov"), 0)


def named(suffix: str) -> tuple[str, ...]:
    return ("-metadata:s:v:0", f"title={NAME}") if suffix == ".mkv" else ("-tag:v:0", "hvc1")


def test_the_run_refuses_it_by_its_code_and_plays_the_base_layer_of_others(media: MediaFolder, tmp_path: Path) -> None:
    alone = marked(media, tmp_path, ".mp4", record(5, 0), None, b"dvcC")
    based = in_sample_entry(
        media.make(
            Recipe(codec="libx265", color=HDR10, pixel_format="yuv420p10le", options=("-tag:v", "hvc1")),
            seconds=0.2, sound=None, source="color=0x949494",
        ),
        tmp_path / "based.mp4", box(b"dvvC", record(8, 1)),
    )  # fmt: skip
    refused = make_reel(tmp_path / "reel.mp4", [alone, based], config_of())
    assert refused.status is RunStatus.ERROR
    assert [(issue.code, issue.path) for issue in refused.errors][:1] == [(IssueCode.UNSUPPORTED_COLOR, alone)]
    made = make_reel(tmp_path / "reel.mp4", [based], config_of())
    assert made.success
    assert 80 <= reader.mean_color(tmp_path / "reel.mp4")[1] / 2.55 <= 90  # 203 cd/m², diffuse white


TRACK = b"".join(bytes.fromhex(part) for part in ("1a45dfa380", "18538067ff", "1654ae6bff", "aeff"))
"""The beginning of a Matroska file, down into a track of unknown length."""


@given(st.binary(max_size=60), st.sampled_from(["mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"]), st.integers(0, 3))
def test_rubbish_has_no_record_and_no_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, container: str, track: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish"
    for start in (b"", box(b"moov", box(b"trak", b"")[:-4]), TRACK):
        path.write_bytes(start + content)
        assert dolby_vision.lacks_base_layer(path, container, track) is False


def test_a_file_of_nothing_but_parts_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "parts.mp4"
    path.write_bytes(box(b"free", b"") * 30_000 + box(b"moov", b""))
    assert not dolby_vision.lacks_base_layer(path, "mov,mp4,m4a,3gp,3g2,mj2", 0)


def test_a_record_that_is_cut_off_says_nothing(tmp_path: Path) -> None:
    inner = TRACK + mapping(record(5, 0)[:4])
    path = tmp_path / "cut.mkv"
    path.write_bytes(inner)
    assert not dolby_vision.lacks_base_layer(path, "matroska,webm", 0)
    path.write_bytes(TRACK + mapping(record(5, 0)[:5]))
    assert dolby_vision.lacks_base_layer(path, "matroska,webm", 0)

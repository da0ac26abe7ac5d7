"""A track of several sample descriptions is not copied blindly, and what is not read of it is said."""

from __future__ import annotations

from fractions import Fraction
from struct import pack, unpack_from
from typing import TYPE_CHECKING

import av
import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action, Codec
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg
from tests.patched import box, place_of

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.model.media_info import CopyTraits

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10")
OTHER_H264 = (*H264, "-x264-params", "cabac=1:8x8dct=1:weightp=0:chroma-qp-offset=4", "-profile:v", "high")
H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params")
_STBL = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
TAGS = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"


def numbered(path: Path, first: int, *codec: str, size: str = "160x90", pictures: int = 20, start: float = 0) -> Path:
    """Pictures of eight stripes that say their number, the lowest bit at the left."""
    stripes = f"geq=lum='if(mod(floor((N+{first})/pow(2,floor(8*X/W))),2),220,30)':cb=128:cr=128"
    source = f"color=gray:s={size}:r=25:d={pictures / 25},{stripes},{TAGS}"
    offset = ["-output_ts_offset", str(start), "-muxdelay", "0", "-muxpreload", "0"] if start else []
    scale = ["-video_track_timescale", "12800"] if path.suffix == ".mp4" else []
    run_ffmpeg("-f", "lavfi", "-i", source, *codec, "-pix_fmt", "yuv420p", *scale, *offset, path)
    return path


def joined(parts: list[Path], target: Path) -> Path:
    """One MP4 of one track, with the sample descriptions and the pictures of each part in a row."""
    files = [part.read_bytes() for part in parts]
    tables = [{kind: _content(data, *_STBL, kind) for kind in (b"stsd", b"stsz", b"stss")} for data in files]
    pictures = [_content(data, b"mdat") for data in files]
    sizes = [unpack_from(f">{unpack_from('>I', table[b'stsz'], 8)[0]}I", table[b"stsz"], 12) for table in tables]
    keys, before, at = [], 0, 32
    for table, row in zip(tables, sizes, strict=True):
        count = unpack_from(">I", table[b"stss"], 4)[0]
        keys += [key + before for key in unpack_from(f">{count}I", table[b"stss"], 8)]
        before += len(row)
    places = [at + sum(map(len, pictures[:n])) for n in range(len(parts))]
    runs = [(n + 1, len(row), n + 1) for n, row in enumerate(sizes)]
    stbl = box(
        b"stbl",
        box(b"stsd", pack(">II", 0, len(parts)), *(table[b"stsd"][8:] for table in tables)),
        box(b"stts", pack(">IIII", 0, 1, before, 512)),
        box(b"stss", pack(f">II{len(keys)}I", 0, len(keys), *keys)),
        box(b"stsc", pack(">II", 0, len(runs)), *(pack(">III", *run) for run in runs)),
        box(b"stsz", pack(f">III{before}I", 0, 0, before, *(size for row in sizes for size in row))),
        box(b"stco", pack(f">II{len(places)}I", 0, len(places), *places)),
    )
    begin, end = place_of(files[0], b"moov")
    moov = bytearray(files[0][begin:end])
    for path, offset, ticks in (
        ((b"mvhd",), 24, before * 40),
        ((b"trak", b"tkhd"), 28, before * 40),
        ((b"trak", b"mdia", b"mdhd"), 24, before * 512),
    ):
        place, _ = place_of(bytes(moov), b"moov", *path)
        moov[place + offset : place + offset + 4] = pack(">I", ticks)
    edits, _ = place_of(bytes(moov), b"moov", b"trak", b"edts")
    moov[edits + 4 : edits + 8] = b"free"
    begin, end = place_of(bytes(moov), *_STBL)
    for depth in range(1, len(_STBL)):
        place, _ = place_of(bytes(moov), *_STBL[:depth])
        moov[place : place + 4] = pack(">I", unpack_from(">I", moov, place)[0] + len(stbl) - (end - begin))
    moov[begin:end] = stbl
    head = box(b"ftyp", b"isom", bytes(4), b"isomavc1")
    target.write_bytes(head + box(b"mdat", *pictures) + moov)
    assert len(head) + 8 == at
    return target


def _content(data: bytes, *kinds: bytes) -> bytes:
    begin, end = place_of(data, *kinds)
    return data[begin + 8 : end]


def copying(codec: Codec = Codec.H264) -> Config:
    config = config_of(size="160x90", fps="25", crf=15, codec=codec)
    return config.model_copy(update={"concat": ConcatConfig.model_validate({"copy": "compatible"})})


@pytest.mark.parametrize(
    "codecs",
    [(H264, OTHER_H264), ((*H265, "log-level=none:bframes=0"), (*H265, "log-level=none:bframes=0:ctu=16:sao=0:ref=3"))],
)
@pytest.mark.core(1)
def test_several_descriptions_of_a_codec_are_not_copied(tmp_path: Path, codecs: tuple[tuple[str, ...], ...]) -> None:
    parts = [numbered(tmp_path / f"{n}.mp4", 64 * n, *codec) for n, codec in enumerate(codecs)]
    path = joined(parts, tmp_path / "two.mp4")
    config = copying(Codec.H264 if codecs[0] is H264 else Codec.HEVC)
    reel = tmp_path / "reel.mp4"
    result = make_reel(reel, [path, path], config)
    assert result.success
    assert Action.COPY not in {clip.action for clip in result.clips}
    assert "its decoder configuration changes" in result.clips[0].reasons
    assert reader.stripe_numbers(reel) == [*range(20), *range(64, 84)] * 2


def test_parameter_sets_that_change_between_pictures_are_not_copied(tmp_path: Path) -> None:
    """From a later keyframe, without the sets in front of an earlier one, nothing would decode."""
    parts = [numbered(tmp_path / f"{n}.ts", 64 * n, *c, start=5 + 0.8 * n) for n, c in enumerate((H264, OTHER_H264))]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    path = tmp_path / "both.mp4"
    run_ffmpeg("-i", tmp_path / "both.ts", "-c", "copy", "-video_track_timescale", "12800", path)
    assert not _traits_of(path).one_description
    start = _seconds_of(path)[30]
    reel = tmp_path / "reel.mp4"
    result = make_reel(reel, [VideoClip(path, start=start)], copying())
    assert result.success
    assert result.clips[0].action is Action.ENCODE
    assert reader.stripe_numbers(reel) == list(range(74, 84))


def test_sets_that_are_repeated_are_one_description(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mp4", 0, *H264, "-x264-params", "repeat-headers=1")
    assert _traits_of(path).one_description


@pytest.mark.parametrize(
    "second", [(*H265, "log-level=none:bframes=0"), (*H264, "-tag:v", "avc3"), ("-c:v", "mpeg4", "-g", "10")]
)
def test_pictures_of_another_kind_in_a_track_are_named(tmp_path: Path, second: tuple[str, ...]) -> None:
    parts = [numbered(tmp_path / "a.mp4", 0, *H264), numbered(tmp_path / "b.mp4", 64, *second)]
    path = joined([parts[0], parts[1]], tmp_path / "two.mp4")
    (said,) = [issue for issue in probe(path, scan=True).warnings if issue.code is IssueCode.DATA_NOT_READ]
    assert "behind avc1" in said.message
    assert "20 of them, 0.8 s" in said.message


def test_one_description_is_nothing_to_speak_of(tmp_path: Path) -> None:
    path = numbered(tmp_path / "a.mp4", 0, *H264)
    assert not probe(path, scan=True).warnings
    assert _traits_of(path).one_description


def _traits_of(path: Path) -> CopyTraits:
    traits = probe(path, scan=True).copy_traits
    assert traits is not None
    return traits


def _seconds_of(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        return [(time - times[0]) * Fraction(stream.time_base or 1) for time in times]

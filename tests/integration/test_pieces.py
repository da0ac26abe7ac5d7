"""Pieces of a recording that was cut anywhere: what is lost at a cut is said, and is not called damage."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from mpt_cli.config.sections import ValidationConfig
from mpt_cli.media.inspect.damage import decoded_share
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests.integration.reels import config_of, make_reel
from tests.looks import probe_here, share_here
from tests.media import MediaFolder, Recipe, Tone

if TYPE_CHECKING:
    from pathlib import Path

TS = Recipe(
    seconds=4.0, fps="25", size="320x180", keyframe_interval=25, suffix=".ts", sound=Tone(codec="mp2"),
    options=("-bf", "0"),
)  # fmt: skip
KINDS = {
    "H.264": TS,
    "H.264 with B-frames": replace(TS, options=("-bf", "2")),
    "MPEG-2": replace(TS, codec="mpeg2video"),
    "MPEG-2 in a program stream": replace(TS, codec="mpeg2video", suffix=".mpg"),
    "H.264 of a camcorder": replace(TS, suffix=".mts", options=("-bf", "0", "-mpegts_m2ts_mode", "1")),
}


def pieces(whole: Path, folder: Path, share: float = 0.55) -> tuple[Path, Path]:
    """Both parts of a file, cut between two packets of a transport stream."""
    data = whole.read_bytes()
    packet = 192 if whole.suffix == ".mts" else 188
    place = int(len(data) * share) // packet * packet
    parts = folder / f"first{whole.suffix}", folder / f"second{whole.suffix}"
    for path, part in zip(parts, (data[:place], data[place:]), strict=True):
        path.write_bytes(part)
    return parts


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.core(1)
def test_frames_before_the_first_keyframe_of_a_piece_are_counted(
    media: MediaFolder, tmp_path: Path, kind: Recipe
) -> None:
    _, second = pieces(media.make(kind), tmp_path)
    with av.open(str(second)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    first_key = next(packet.pts for packet in packets if packet.is_keyframe and packet.pts is not None)
    lost = [packet.pts for packet in packets if packet.pts is not None and packet.pts < first_key]
    found = probe_here(second, scan=True, limits=ValidationConfig())
    (warning,) = found.warnings
    assert warning.code is IssueCode.LEADING_FRAMES_LOST
    assert f"{len(lost)} frames ({len(lost) / 25:.2f} s)" in warning.message
    assert found.zero == min(lost) * Fraction(1, 90_000)
    assert share_here(second, found) == 1.0


def test_pieces_in_order_last_as_long_as_the_whole(media: MediaFolder, tmp_path: Path) -> None:
    whole = media.make(TS)
    result = make_reel(tmp_path / "reel.mp4", pieces(whole, tmp_path), config_of(fps="25"))
    assert IssueCode.LEADING_FRAMES_LOST in {issue.code for issue in result.warnings}
    assert result.output is not None
    assert result.output.frames == round(probe(whole, scan=True).duration * 25)


def with_repeats(source: Path, target: Path) -> None:
    """Write an MPEG-4 file anew with each fifth frame as one that is "not coded" (ISO/IEC 14496-2, 6.2.5)."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            if packet.dts is None:
                continue
            written: Any = packet
            if number % 5 == 4 and not packet.is_keyframe:
                written = av.Packet(b"\0\0\1\xb6\x50\x4f")
                written.pts, written.dts, written.time_base = packet.pts, packet.dts, packet.time_base
            written.stream = stream
            output.mux(written)


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_frames_that_only_repeat_are_no_damage(media: MediaFolder, tmp_path: Path, suffix: str) -> None:
    plain = media.make(Recipe(codec="mpeg4", suffix=suffix, fps="25", sound=None, options=("-bf", "0")))
    path = tmp_path / f"repeats{suffix}"
    with_repeats(plain, path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        sizes = [packet.size for packet in container.demux(stream) if packet.size]
        container.seek(0)
        assert sum(1 for _ in container.decode(stream)) == len(sizes) - sizes.count(6) < len(sizes)
    assert decoded_share(path, 0, interlaced=False) == 1.0

"""Frames of another shape inside of a clip keep it, whatever the codec."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.media.inspect.video.size_marks import size_mark
from mpt_cli.model.clips import VideoClip
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FRAMES = 8
KINDS = {
    "av1": (("-c:v", "libsvtav1", "-preset", "12"), ".mkv"),
    "mjpeg": (("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"), ".avi"),
    "mjpeg in mov": (("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"), ".mov"),
    "mpeg4": (("-c:v", "mpeg4", "-q:v", "3", "-flags", "-global_header"), ".ts"),
    "mpeg1": (("-c:v", "mpeg1video", "-q:v", "3"), ".ts"),
    "flv1": (("-c:v", "flv", "-q:v", "3"), ".flv"),
    "h263": (("-c:v", "h263", "-q:v", "3"), ".avi"),
    "png": (("-c:v", "png"), ".avi"),
    "prores": (("-c:v", "prores_ks"), ".mov"),
}
H263_SIZES = ("176x144", "704x576", "352x288")
"""The only ones that it has, all of one shape."""


def in_a_row(parts: Sequence[Path], path: Path) -> Path:
    """One stream of the packets of several files, described as the first."""
    if path.suffix == ".ts":
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path
    with av.open(str(path), "w") as output, av.open(str(parts[0])) as begin:
        stream = output.add_stream_from_template(begin.streams.video[0], opaque=True)
        for number, part in enumerate(parts):
            with av.open(str(part)) as source:
                for packet in source.demux(video=0):
                    if packet.size and packet.dts is not None:
                        ahead = round(number * FRAMES / 25 / packet.time_base)
                        packet.pts = None if packet.pts is None else packet.pts + ahead
                        packet.dts, packet.stream = packet.dts + ahead, stream
                        output.mux(packet)
    return path


def clips(folder: Path, options: Sequence[str], suffix: str, sizes: Sequence[str]) -> list[Path]:
    found = []
    for number, size in enumerate(sizes):
        start = ["-output_ts_offset", str(5 + number * FRAMES / 25), "-muxdelay", "0", "-muxpreload", "0"]
        path = folder / f"{number}{suffix}"
        source = f"color=white:s={size}:r=25:d={FRAMES / 25}"
        run_ffmpeg("-f", "lavfi", "-i", source, *options, *(start if suffix == ".ts" else ()), path)
        found.append(path)
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "h263"])
@pytest.mark.core(1)
def test_frames_of_another_shape_are_not_squashed(tmp_path: Path, kind: str) -> None:
    options, suffix = KINDS[kind]
    path = in_a_row(clips(tmp_path, options, suffix, ("160x96", "96x96")), tmp_path / f"both{suffix}")
    assert probe(path, scan=True).video.changes_shape
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="160x96", fps="25")).success
    grays = [frame.to_ndarray(format="gray") for frame in reader.frames(reel)]
    assert abs(len(grays) - 2 * FRAMES) <= 1
    wide = [int(np.count_nonzero(gray[48] > 126)) for gray in grays]
    assert wide[2] == 160
    assert abs(wide[-3] - 96) <= 4


def test_h263_of_another_size_is_seen(tmp_path: Path) -> None:
    options, suffix = KINDS["h263"]
    path = in_a_row(clips(tmp_path, options, suffix, ("176x144", "352x288")), tmp_path / "both.avi")
    video = probe(path, scan=True).video
    assert (video.changes_size, video.changes_shape) == (True, False)


@pytest.mark.parametrize("kind", KINDS)
def test_keyframes_of_one_size_have_one_mark(tmp_path: Path, kind: str) -> None:
    """Else each of them would be decoded."""
    options, suffix = KINDS[kind]
    size = "176x144" if kind == "h263" else "160x96"
    path = tmp_path / f"a{suffix}"
    run_ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.4", "-g", "3", *options, path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context.codec.canonical_name
        marks = [size_mark(codec, bytes(packet)) for packet in container.demux(stream) if packet.is_keyframe]
    assert len(set(marks)) == 1
    assert bool(marks[0]) is (codec != "av1")


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "libx265"])
@pytest.mark.parametrize(("fps", "start"), [("25", "0"), ("50", "0.2"), ("10", "0")])
def test_pixels_of_another_shape_are_not_squashed(tmp_path: Path, codec: str, fps: str, start: str) -> None:
    """The size stays, and it is the shape of a pixel that changes, and changes back."""
    parts = []
    for number, sar in enumerate(("1/1", "1/2", "1/1")):
        path = tmp_path / f"{number}.ts"
        begin = ["-output_ts_offset", str(5 + number * FRAMES / 25), "-muxdelay", "0", "-muxpreload", "0"]
        source = f"color=white:s=160x96:r=25:d={FRAMES / 25}"
        quick = ("-preset", "ultrafast") if codec != "mpeg2video" else ()
        x265 = ("-x265-params", "log-level=none") if codec == "libx265" else ()
        if codec == "mpeg2video":  # which only has 16:9 and 4:3
            sar = {"1/1": "16/15", "1/2": "4/5"}[sar]
        run_ffmpeg("-f", "lavfi", "-i", source, "-vf", f"setsar={sar}", "-c:v", codec, *quick, *x265, *begin, path)
        parts.append(path)
    path = in_a_row(parts, tmp_path / "both.ts")
    video = probe(path, scan=True).video
    assert (video.changes_size, video.changes_shape, len(video.shapes)) == (True, True, 3)
    other = float(video.shapes[1][1])
    reel = tmp_path / "reel.mp4"
    config = config_of(size="160x96", fps=fps, fit="contain")
    assert make_reel(reel, [VideoClip(path, start=Fraction(start))], config).success
    wide = [int(np.count_nonzero(frame.to_ndarray(format="gray")[48] > 126)) for frame in reader.frames(reel)]
    rate, lost = Fraction(fps), Fraction(start)
    full = max(wide)
    for place, found in enumerate(wide):
        source_frame = (place / rate + lost) * 25
        if min(abs(source_frame - FRAMES), abs(source_frame - 2 * FRAMES)) > Fraction(25) / rate:
            expected = full * other if FRAMES <= source_frame < 2 * FRAMES else full
            assert abs(found - expected) <= 4, place

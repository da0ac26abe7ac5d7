"""Pictures of two fields leave no combs in a reel, wherever in a clip they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.choices import Action
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

EDGE = "geq=lum='if(lt(X,mod(N*3,150)),235,16)':cb=128:cr=128"
"""A bright part that grows by three columns a field: combs of 219 where two fields are one picture."""
FIELDS = ("-flags", "+ilme+ildct")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10")
CODECS = {"h264": X264, "mpeg2": ("-c:v", "mpeg2video", "-b:v", "8M"), "prores": ("-c:v", "prores_ks")}


def written(path: Path, *codec: str, fields: bool, pictures: int, start: float = 0) -> Path:
    chain = f"{EDGE},interlace=scan=tff" if fields else EDGE
    rate = 50 if fields else 25
    source = f"color=gray:s=160x96:r={rate}:d={pictures / 25}"
    offset = ["-output_ts_offset", str(start)] if start else []
    timing = ["-muxdelay", "0", "-muxpreload", "0"] if path.suffix == ".ts" else []
    flags = FIELDS if fields else ()
    run_ffmpeg("-f", "lavfi", "-i", source, "-vf", chain, *codec, *flags, *timing, *offset, path)
    return path


def mixed(folder: Path, codec: str, suffix: str) -> Path:
    """Ten progressive pictures, and then twenty of two fields, in one stream."""
    first = written(folder / "a.ts", *CODECS[codec], fields=False, pictures=10, start=10) if suffix == ".ts" else None
    if first is not None:
        second = written(folder / "b.ts", *CODECS[codec], fields=True, pictures=20, start=10.4)
        path = folder / "mixed.ts"
        path.write_bytes(first.read_bytes() + second.read_bytes())
        return path
    parts = [written(folder / f"{n}.mov", *CODECS[codec], fields=n > 0, pictures=(10, 20)[n]) for n in (0, 1)]
    path = folder / f"mixed{suffix}"
    with av.open(str(path), "w") as output, av.open(str(parts[0])) as begin:
        stream = output.add_stream_from_template(begin.streams.video[0])
        for number, part in enumerate(parts):
            with av.open(str(part)) as source:
                for packet in source.demux(video=0):
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        ahead = round(number * 0.4 / packet.time_base)
                        packet.pts, packet.dts, packet.stream = packet.pts + ahead, packet.dts + ahead, stream
                        output.mux(packet)
    return path


def combs(reel: Path) -> list[int]:
    """How far a row of each picture differs at most from the mean of its neighbours."""
    found = []
    for frame in reader.frames(reel):
        rows = frame.to_ndarray(format="gray").astype(int)
        found.append(int(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).max()))
    return found


@pytest.mark.parametrize("fps", ["25", "50"])
@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".ts"), ("mpeg2", ".ts"), ("prores", ".mov")])
@pytest.mark.core(1)
def test_fields_that_begin_later_leave_no_combs(tmp_path: Path, codec: str, suffix: str, fps: str) -> None:
    path = mixed(tmp_path, codec, suffix)
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="160x96", fps=fps, crf=10)).success
    found = combs(reel)
    assert abs(len(found) - 30 * int(fps) // 25) <= 1
    assert max(found) < 40


def test_fields_that_are_only_allowed_change_no_picture(tmp_path: Path) -> None:
    """A progressive clip of a header that allows fields is as sharp as before, and each picture is shown."""
    shown = []
    for name, options in (("plain", ()), ("allowed", ("-x264-params", "fake-interlaced=1"))):
        path = written(tmp_path / f"{name}.mp4", *X264, "-qp", "0", *options, fields=False, pictures=12)
        video = probe(path, scan=True).video
        assert (video.interlaced, video.may_interlace) == (False, name == "allowed")
        reel = tmp_path / f"{name}-reel.mp4"
        assert make_reel(reel, [path], config_of(size="160x96", fps="50", crf=1)).success
        shown.append([frame.to_ndarray(format="gray").astype(int) for frame in reader.frames(reel)])
    assert [len(pictures) for pictures in shown] == [24, 24]
    assert all(np.abs(a - b).max() <= 2 for a, b in zip(*shown, strict=True))


def test_what_may_have_fields_is_not_copied(tmp_path: Path) -> None:
    tags = ("-x264-params", "fake-interlaced=1", "-color_primaries", "bt709", "-color_trc", "bt709")
    path = written(
        tmp_path / "a.mp4", *X264, *tags, "-colorspace", "bt709", "-color_range", "tv", fields=False, pictures=25
    )
    config = config_of(size="160x96", fps="25")
    config = config.model_copy(update={"concat": ConcatConfig.model_validate({"copy_policy": "compatible"})})
    result = make_reel(tmp_path / "reel.mp4", [path], config)
    assert result.success
    assert result.clips[0].action is Action.ENCODE
    assert "may be interlaced" in result.clips[0].reasons


def test_fields_that_hevc_codes_as_frames_are_shown_each(tmp_path: Path) -> None:
    """A field has half of the lines: it is shown as high as the frame, and nothing of another one is mixed in."""
    path = tmp_path / "fields.mp4"
    bars = "geq=lum='if(mod(floor(N/pow(2,floor(4*X/W))),2),220,30)':cb=128:cr=128"
    options = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:interlace=tff")
    run_ffmpeg("-f", "lavfi", "-i", f"color=gray:s=160x48:r=50:d=0.24,{bars}", *options, path)
    video = probe(path, scan=True).video
    assert video.interlaced
    assert video.display.width * 48 == video.display.height * 80
    reel = tmp_path / "reel.mp4"
    assert make_reel(reel, [path], config_of(size="160x96", fps="50", crf=10)).success
    found = []
    for frame in reader.frames(reel):
        row = frame.to_ndarray(format="gray")[48].astype(int)
        cells = [row[int((bit + 0.5) * 40)] for bit in range(4)]
        assert all(abs(cell - 30) < 25 or abs(cell - 220) < 25 for cell in cells)
        found.append(sum(1 << bit for bit, cell in enumerate(cells) if cell > 126))
    assert found == list(range(12))

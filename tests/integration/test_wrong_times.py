"""Frames whose timestamps are those of storing, far from all others, or rounded, are shown evenly, each once."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader, stripes
from tests.integration.reels import config_of, make_reel
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-g", "25")
_RAW = {
    "h264": (*_X264, "-bf", "2"),
    "hevc": ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "18", "-x265-params", "log-level=none:bframes=3"),
    "mpeg2video": ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"),
}
_TAG_HEAD, _TAG_END, _AUDIO, _VIDEO = 11, 4, 8, 9


def in_stored_order(folder: Path, form: str, suffix: str, *, audio: bool = False) -> Path:
    """Write frames that are stored in another order than that of showing, with timestamps in order of storing."""
    raw, clip = folder / f"raw.{form}", folder / f"clip{suffix}"
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 2), *_RAW[form], "-pix_fmt", "yuv420p", "-f", form, raw)
    tone = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*500*t)*gte(t\\,1):d=2", "-c:a", "aac") if audio else ()
    run_ffmpeg("-r", "25", "-i", raw, *tone, "-c:v", "copy", clip)
    return clip


def shown(folder: Path, clip: Path) -> list[int]:
    """Return what the reel of a clip shows, which is warned of as repaired."""
    result = make_reel(folder / "reel.mp4", [clip], config_of(size="160x96", fps="25"))
    assert result.success, result.errors
    assert [issue.code for issue in result.warnings] == [IssueCode.TIMESTAMPS_REPAIRED]
    return stripes.numbers(folder / "reel.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("form", _RAW)
def test_frames_with_times_of_storing_are_counted_in_order_of_showing(tmp_path: Path, form: str, suffix: str) -> None:
    clip = in_stored_order(tmp_path, form, suffix)
    assert [issue.code for issue in probe(clip, scan=False).warnings] == [IssueCode.TIMESTAMPS_REPAIRED]
    assert shown(tmp_path, clip) == list(range(50))


def test_frames_with_times_of_storing_stay_in_step_with_the_audio(tmp_path: Path) -> None:
    clip = in_stored_order(tmp_path, "h264", ".mp4", audio=True)
    assert shown(tmp_path, clip)[:50] == list(range(50))
    heard = abs(reader.samples(tmp_path / "reel.mp4", rate=48_000)[0])
    assert heard[:47_000].max() < 0.02
    assert heard[49_000:60_000].max() > 0.2


def test_frames_with_times_of_showing_need_no_repair(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 2), *_RAW["h264"], clip)
    assert probe(clip, scan=True).warnings == ()


def recording(folder: Path) -> Path:
    """Write six seconds of FLV without reordering, with audio."""
    clip = folder / "recording.flv"
    tone = ("-f", "lavfi", "-i", "sine=f=500:r=44100:d=6")
    run_ffmpeg("-f", "lavfi", "-i", stripes.source("25", 6), *tone, *_X264, "-bf", "0", "-c:a", "aac", clip)
    return clip


def with_times(flv: Path, of_tag: Callable[[int], int], *, kind: int = _VIDEO) -> Path:
    """Return an FLV whose tags of one kind, but those of the decoder configuration, have other times."""
    data, at = bytearray(flv.read_bytes()), 13
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4])
        time = data[at + 7] << 24 | int.from_bytes(data[at + 4 : at + 7])
        if data[at] & 31 == kind and size > 2 and data[at + _TAG_HEAD + 1]:
            time = of_tag(time)
            data[at + 4 : at + 8] = (time & 0xFFFFFF).to_bytes(3) + bytes([time >> 24])
        at += _TAG_HEAD + size + _TAG_END
    flv.write_bytes(data)
    return flv


@pytest.mark.parametrize(
    "of_tag",
    [
        pytest.param(lambda time: time + 500 * (2990 < time < 3030), id="one ahead"),
        pytest.param(lambda time: time + 160 * (2990 < time < 3030), id="one a little ahead"),
        pytest.param(lambda time: time + 500 * (2900 < time < 3100), id="five ahead"),
        pytest.param(lambda time: time + 20_000 * (2900 < time < 3100), id="five far ahead"),
        pytest.param(lambda time: 0 if 2000 < time < 2200 else time, id="five at zero"),
        pytest.param(lambda time: time // 80 * 80, id="in pairs"),
    ],
)
def test_frames_with_wrong_times_are_shown_evenly(tmp_path: Path, of_tag: Callable[[int], int]) -> None:
    clip = with_times(recording(tmp_path), of_tag)
    found = probe(clip, scan=True)
    assert found.clock_moves == ()
    assert found.video.frame_rate == 25
    assert list(dict.fromkeys(shown(tmp_path, clip))) == list(range(150))
    assert found.duration == pytest.approx(6, abs=0.08)


def test_audio_with_wrong_times_stays_where_it_is(tmp_path: Path) -> None:
    clip = with_times(recording(tmp_path), lambda time: time + 400 * (2900 < time < 3100), kind=_AUDIO)
    found = probe(clip, scan=True)
    assert found.clock_moves == ()
    assert found.duration == pytest.approx(6, abs=0.08)


def test_frames_left_out_for_equal_times_are_counted(tmp_path: Path) -> None:
    clip = with_times(recording(tmp_path), lambda time: time - 200 * (time > 3000))
    found = probe(clip, scan=True)
    assert found.frame_times is not None
    ticks = found.frame_times.ticks()
    first = next(earlier for earlier, later in pairwise(ticks) if earlier == later) * found.frame_times.time_base
    assert len(ticks) - len(set(ticks)) == 5
    assert f"without 5 frames, the first at {float(first - found.zero):.2f} s" in found.warnings[0].message


def test_recording_of_pieces_at_one_rate_has_that_rate(tmp_path: Path) -> None:
    piece, clip = tmp_path / "piece.webm", tmp_path / "both.webm"
    tone = ("-f", "lavfi", "-i", "sine=f=500:d=2", "-c:a", "libopus")
    source = ("-f", "lavfi", "-i", stripes.source("25", 2))
    run_ffmpeg(*source, *tone, "-c:v", "libvpx", "-deadline", "realtime", piece)
    clip.write_bytes(piece.read_bytes() * 2)
    found = probe(clip, scan=True)
    assert len(found.clock_moves) == 1
    assert (found.video.frame_rate, found.video.variable_frame_rate) == (Fraction(25), False)

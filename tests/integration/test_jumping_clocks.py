"""Recordings whose clock begins anew or jumps are one clip; frames that are shown for long stay as long."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode
from tests import reader, stripes
from tests.integration.reels import config_of, make_reel
from tests.media import MediaFolder, Signature, numbered, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

HOURS = 54_000_000
SLIDES = Fraction(12)


def later(flv: bytes, milliseconds: int, *, notes: bool = False) -> bytes:
    """Return the tags of an FLV without its header, that much later, with its script tags or without."""
    out, at = [], 13
    while at < len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4])
        time = (flv[at + 7] << 24 | int.from_bytes(flv[at + 4 : at + 7])) + milliseconds
        end = at + 11 + size + 4
        if notes or flv[at] & 31 != 18:
            stamp = (time & 0xFFFFFF).to_bytes(3) + bytes([time >> 24 & 255])
            out.append(flv[at : at + 4] + stamp + flv[at + 8 : end])
        at = end
    return b"".join(out)


def two_pieces(media: MediaFolder, *, heard: bool = True) -> list[Path]:
    sound = Signature(codec="aac") if heard else None
    return [media.numbered(replace(numbered(number), suffix=".flv", sound=sound)) for number in (1, 2)]


def shown(folder: Path, clip: Path, code: IssueCode | None) -> list[tuple[int | None, int | None]]:
    """Return what the reel of a clip shows, each frame once; the clip is warned of by this code."""
    result = make_reel(folder / "reel.mp4", [clip], config_of(fps="30"))
    assert [issue.code for issue in result.warnings] == ([code] if code else [])
    seen = [(picture.clip_id, picture.number) for picture in reader.pictures(folder / "reel.mp4")]
    return list(dict.fromkeys(seen))


BOTH = [(clip, number) for clip in (1, 2) for number in range(30)]


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(("milliseconds", "code"), [(0, None), (HOURS, IssueCode.IMPLAUSIBLE_DURATION)])
@pytest.mark.core(1)
def test_a_live_recording_goes_on_where_its_clock_jumps(
    media: MediaFolder, tmp_path: Path, milliseconds: int, code: IssueCode | None, *, heard: bool
) -> None:
    first, second = (piece.read_bytes() for piece in two_pieces(media, heard=heard))
    clip = tmp_path / "live.flv"
    clip.write_bytes(first + later(second, milliseconds))
    assert shown(tmp_path, clip, code) == BOTH
    if heard:
        sound = reader.samples(tmp_path / "reel.mp4")[0]
        begin = reader.find_sound(sound, 2, at=4800, length=9600, near=48_000, reach=9600)
        assert abs(begin.start - 48_000) < 4800


def test_a_reconnected_live_recording_is_one_clip(media: MediaFolder, tmp_path: Path) -> None:
    first, second = (piece.read_bytes() for piece in two_pieces(media))
    clip = tmp_path / "live.flv"
    clip.write_bytes(first + later(second, 1000, notes=True))
    assert shown(tmp_path, clip, None) == BOTH


def test_program_streams_joined_byte_for_byte_are_one_clip(media: MediaFolder, tmp_path: Path) -> None:
    pieces = [tmp_path / f"{number}.mpg" for number in (1, 2)]
    for source, piece in zip(two_pieces(media), pieces, strict=True):
        run_ffmpeg("-i", source, "-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2", "-f", "vob", piece)
    clip = tmp_path / "joined.mpg"
    clip.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    assert shown(tmp_path, clip, None) == BOTH


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_frames_that_come_hours_later_go_on(media: MediaFolder, tmp_path: Path, suffix: str, *, heard: bool) -> None:
    source = media.numbered(replace(numbered(1, seconds=2), sound=Signature() if heard else None))
    clip = tmp_path / f"gap{suffix}"
    clock = ("-video_track_timescale", "15360") if suffix == ".mp4" else ()
    run_ffmpeg("-i", source, "-c", "copy", "-bsf:v", r"setts=ts=if(gte(N\,30)\,TS+54000/TB\,TS)", *clock, clip)
    assert shown(tmp_path, clip, IssueCode.IMPLAUSIBLE_DURATION) == [(1, number) for number in range(60)]


def slides(path: Path, *options: str, audio_seconds: float = 0) -> Path:
    """Write frames 0, 12, 24 and 36 at their seconds."""
    source = stripes.source("1", 37)
    tone = ["-f", "lavfi", "-i", f"sine=f=500:d={audio_seconds}", "-c:a", "aac"] if audio_seconds else []
    run_ffmpeg(
        *("-f", "lavfi", "-i", source),
        *tone,
        *("-vf", "select='not(mod(n,12))'", "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
        *options,
        path,
    )
    return path


@pytest.mark.parametrize(
    ("name", "options", "audio_seconds"),
    [
        ("still.ts", ("-muxdelay", "0"), 0),
        ("keyframes.ts", ("-g", "1"), 0),
        ("heard.ts", (), 12),
        ("short.ts", (), 2),
        ("still.flv", (), 0),
    ],
)
def test_slides_are_shown_as_long_as_they_are(
    tmp_path: Path, name: str, options: tuple[str, ...], audio_seconds: float
) -> None:
    clip = slides(tmp_path / name, *options, audio_seconds=audio_seconds)
    found = probe(clip, scan=True)
    assert (found.clock_moves, found.warnings) == ((), ())
    assert found.duration == pytest.approx(37, abs=1)
    ticks = found.frame_times.ticks() if found.frame_times else []
    base = found.frame_times.time_base if found.frame_times else Fraction(1)
    assert [(tick - ticks[0]) * base for tick in ticks] == [0, SLIDES, 2 * SLIDES, 3 * SLIDES]


def test_a_slide_show_is_shown_at_its_times(tmp_path: Path) -> None:
    clip = slides(tmp_path / "still.ts", "-muxdelay", "0")
    make_reel(tmp_path / "reel.mp4", [clip], config_of(size="160x96", fps="10"))
    assert stripes.numbers(tmp_path / "reel.mp4") == [0] * 120 + [12] * 120 + [24] * 120 + [36] * 10

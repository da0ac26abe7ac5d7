"""Audio whose channels, rate or profile change inside a clip is heard all along, at its level and in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.timing import stored_samples
from tests.audio_clips import FORM, clip, level, played, silences, tone
from tests.builders import clip_of
from tests.media import run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

MONO_DB, STEREO_DB = -18.06, -21.07
"""A sine source of ffmpeg, and the same where ffmpeg makes two or six channels of it."""

CHANGES = {
    "5.1 to stereo": (("ac3", 6, 48_000), ("ac3", 2, 48_000)),
    "stereo to 5.1": (("ac3", 2, 48_000), ("ac3", 6, 48_000)),
    "48 to 44.1 kHz": (("ac3", 2, 48_000), ("ac3", 2, 44_100)),
    "mono to stereo": (("mp2", 1, 48_000), ("mp2", 2, 48_000)),
    "rate and channels": (("aac", 1, 22_050), ("aac", 6, 48_000)),
    "three parts": (("eac3", 2, 48_000), ("eac3", 6, 32_000), ("eac3", 2, 48_000)),
    "half the rate": (("aac", 2, 48_000), ("aac", 2, 24_000)),
    "DTS": (("dca", 2, 48_000), ("dca", 6, 48_000)),
    "mp3 rate": (("libmp3lame", 2, 32_000), ("libmp3lame", 1, 48_000)),
}


def joined(folder: Path, parts: tuple[tuple[str, int, int], ...], seconds: float = 1) -> Path:
    """Parts of a transport stream on one clock; the n-th has a tone of n times 500 Hz."""
    data = b""
    for number, (codec, channels, rate) in enumerate(parts):
        part = folder / f"{number}.ts"
        begin = ("-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", f"{10 + number * seconds:g}")
        audio = ("-c:a", codec, "-strict", "-2", "-ac", f"{channels}", "-ar", f"{rate}")
        clip(part, tone(500 * (number + 1), seconds), *audio, *begin, seconds=seconds)
        data += part.read_bytes()
    path = folder / "joined.ts"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", CHANGES)
@pytest.mark.core(1)
def test_each_part_is_heard_at_its_level(tmp_path: Path, kind: str) -> None:
    parts = CHANGES[kind]
    pcm, done = played(joined(tmp_path, parts), tmp_path)
    assert not done.warnings
    assert pcm.shape[1] == stored_samples(clip_of(done).segment.frames, FORM.frame_rate)
    assert clip_of(done).segment.frames - 25 * len(parts) in (0, 1)
    for number, (_, channels, _) in enumerate(parts):
        wanted = MONO_DB if channels == 1 else STEREO_DB
        heard = level(pcm, 500 * (number + 1), number + 0.15, number + 0.9)
        assert heard == pytest.approx((wanted, wanted), abs=1), number


def test_a_trim_behind_the_change_is_heard(tmp_path: Path) -> None:
    stream, path = joined(tmp_path, CHANGES["stereo to 5.1"], seconds=2), tmp_path / "joined.mkv"
    run_ffmpeg("-i", stream, "-c", "copy", path)
    pcm, _ = played(path, tmp_path, start=2.5, end=3.5)
    assert level(pcm, 1000, 0.1, 0.9) == pytest.approx((STEREO_DB, STEREO_DB), abs=1)
    assert level(pcm, 500, 0.1, 0.9) < (-80, -80)
    assert not silences(pcm)


def test_a_trim_across_the_change_is_in_step(tmp_path: Path) -> None:
    path = joined(tmp_path, CHANGES["48 to 44.1 kHz"], seconds=1)
    pcm, _ = played(path, tmp_path, start=0.5, end=1.5)
    before, after = level(pcm, 500, 0, 0.48), level(pcm, 1000, 0.52, 1)
    assert (*before, *after) == pytest.approx((STEREO_DB,) * 4, abs=1)


def test_audio_that_does_not_change_is_left_to_ffmpeg(tmp_path: Path) -> None:
    path = joined(tmp_path, (("ac3", 6, 48_000), ("ac3", 6, 48_000)))
    audio = probe(path, scan=True).audio
    assert audio is not None
    assert not audio.irregular


def test_short_parts_between_looks_are_seen(tmp_path: Path) -> None:
    parts = (("ac3", 2, 48_000), ("ac3", 6, 48_000), ("ac3", 2, 48_000))
    audio = probe(joined(tmp_path, parts, seconds=0.4), scan=True).audio
    assert audio is not None
    assert audio.irregular


def test_a_description_inside_of_flv_is_followed(tmp_path: Path) -> None:
    """As a stream is recorded that was switched over; the description is a packet of its own."""
    first, second, path = tmp_path / "first.flv", tmp_path / "second.flv", tmp_path / "joined.flv"
    clip(first, tone(500, 2), "-c:a", "aac", "-ac", "2")
    clip(second, tone(1000, 2), "-c:a", "aac", "-ac", "6", "-ar", "44100")
    data, place = first.read_bytes(), 13
    more = second.read_bytes()
    while place < len(more):
        size = 15 + int.from_bytes(more[place + 1 : place + 4], "big")
        at = 2000 + int.from_bytes(more[place + 4 : place + 7], "big")
        if more[place] in (8, 9):
            data += more[place : place + 4] + at.to_bytes(3, "big") + more[place + 7 : place + size]
        place += size
    path.write_bytes(data)
    pcm, _ = played(path, tmp_path, start=2.5, end=3.5)
    assert level(pcm, 1000, 0.1, 0.9) == pytest.approx((STEREO_DB, STEREO_DB), abs=1)

"""Streams whose clock begins anew in their midst, joined byte for byte, are one clip with picture and sound in step."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.media.inspect.damage import decoded_share
from mpt_cli.media.inspect.probe import probe
from mpt_cli.model.errors import IssueCode, ProbeError
from tests import reader
from tests.integration.reels import config_of, make_reel
from tests.media import MediaFolder, Signature, numbered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.media import NumberedClip

MP2 = Signature(codec="mp2")
STARTS = {
    "the same again": (5, 5),
    "before": (500, 5),
    "long after": (5, 700),
    "three pieces": (5, 5, 900),
    "beyond the wrap-around": (95_000, 3),
    "hardly before": (5, 5.5),
}


def pieces(starts: tuple[float, ...], sound: Signature | None) -> list[NumberedClip]:
    """Clips of a second at 30, which begin at these times."""
    return [
        replace(numbered(number), suffix=".ts", sound=sound, start=float(start))
        for number, start in enumerate(starts, 1)
    ]


def joined(media: MediaFolder, path: Path, clips: list[NumberedClip]) -> Path:
    path.write_bytes(b"".join(media.numbered(clip).read_bytes() for clip in clips))
    return path


def reel_of(folder: Path, clip: Path, kind: str) -> Path:
    """Return the reel of a clip, which says where its clock leaves time out."""
    result = make_reel(folder / "reel.mp4", [clip], config_of(fps="30"))
    goes_ahead = kind in ("long after", "three pieces", "beyond the wrap-around")
    assert [issue.code for issue in result.warnings] == [IssueCode.TIMESTAMPS_REPAIRED] * goes_ahead
    return folder / "reel.mp4"


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.core(1)
def test_pictures_of_all_pieces_follow_each_other(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    path = joined(media, tmp_path / "joined.ts", pieces(STARTS[kind], None))
    count = len(STARTS[kind])
    reel = reel_of(tmp_path, path, kind)
    shown = [(picture.clip_id, picture.number) for picture in reader.pictures(reel)]
    assert shown == [(clip, number) for clip in range(1, count + 1) for number in range(30)]
    assert probe(path, scan=True).duration == pytest.approx(count, abs=0.01)


@pytest.mark.parametrize("kind", STARTS)
def test_sound_stays_with_its_pictures(media: MediaFolder, tmp_path: Path, kind: str) -> None:
    path = joined(media, tmp_path / "joined.ts", pieces(STARTS[kind], MP2))
    reel = reel_of(tmp_path, path, kind)
    shown, sound = reader.pictures(reel), reader.samples(reel)[0]
    for number in range(1, len(STARTS[kind]) + 1):
        seen = next(picture.pts for picture in shown if (picture.clip_id, picture.number) == (number, 10))
        begin = round((seen - Fraction(1, 3)) * 48_000)
        heard = reader.find_sound(sound, number, at=4800, length=9600, near=begin, reach=9600)
        assert heard.strength > 0.5
        # Half an output frame, and the 481 samples of MP2's delay.
        assert abs(heard.start - begin) < 48_000 // 60 + 700
    assert {picture.clip_id for picture in shown} == set(range(1, len(STARTS[kind]) + 1))


def test_a_piece_that_is_left_out_is_no_loss(media: MediaFolder, tmp_path: Path) -> None:
    path = joined(media, tmp_path / "joined.ts", pieces((5, 700), None))
    found = probe(path, scan=True)
    assert len(found.clock_moves) == 1
    assert decoded_share(path, found.video.index, interlaced=False, clock_moves=found.clock_moves) == 1.0


def test_a_long_still_beside_its_sound_is_no_jump(media: MediaFolder, tmp_path: Path) -> None:
    times = (Fraction(0), Fraction(1, 2), Fraction(12), Fraction(25, 2))
    clip = replace(numbered(9, times=times), suffix=".ts", sound=MP2)
    found = probe(media.numbered(clip), scan=True)
    assert found.clock_moves == ()
    assert found.duration == pytest.approx(13, abs=0.1)


def test_a_clock_that_never_rests_is_refused(media: MediaFolder, tmp_path: Path) -> None:
    clip = replace(numbered(1, seconds=0.1), suffix=".ts", sound=None)
    restless = joined(media, tmp_path / "restless.ts", [replace(clip, start=500.0 - 4 * k) for k in range(3)] * 60)
    with pytest.raises(ProbeError) as refusal:
        probe(restless, scan=True)
    assert refusal.value.code is IssueCode.PROBE_FAILED

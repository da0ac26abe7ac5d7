"""Stills: at each time the picture that is shown then, upright, in its box and in its colours."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mpt_cli.media.inspect.sandbox import Workers
from mpt_cli.media.inspect.stills import read_stills
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, ProbeError
from tests.media import Color, numbered
from tests.reader import read_number

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mpt_cli.model.media_info import Still
    from tests.media import MediaFolder, NumberedClip

UNEVEN = tuple(Fraction(time, 100) for time in (0, 4, 50, 53, 110, 190, 195))
SLOW = (("preset", "veryfast"), ("bf", "3"), ("g", "600"))
"""B-frames, and one keyframe for all."""
CLIPS = {
    "one keyframe": replace(numbered(1, seconds=4), encoder_options=SLOW),
    "many keyframes": replace(numbered(2, seconds=4), encoder_options=(("bf", "3"), ("g", "10"))),
    "mkv": replace(numbered(3, seconds=4, fps="30000/1001"), suffix=".mkv", encoder_options=(("g", "25"),)),
    "late": replace(numbered(4, seconds=2), start=1000.0, suffix=".ts", encoder_options=(("g", "15"),)),
    "variable": numbered(5, times=UNEVEN),
    "turned": replace(numbered(6, seconds=1), rotation=90),
    "upside down": replace(numbered(7, seconds=1), rotation=180),
}


def array_of(still: Still | None) -> NDArray[np.uint8]:
    """The pixels, as rows of columns of red, green and blue."""
    assert still is not None
    return np.frombuffer(still.rgb, np.uint8).reshape(still.height, still.width, 3)


def box_of(clip: NumberedClip) -> Dimensions:
    return Dimensions(*clip.size)


@pytest.mark.parametrize("kind", CLIPS)
@pytest.mark.core(1)
def test_a_still_is_the_picture_that_is_shown_then(media: MediaFolder, kind: str) -> None:
    clip = CLIPS[kind]
    frame = Fraction(1, 60)
    wanted = [0, len(clip.times) - 1, len(clip.times) // 2, 1, len(clip.times) // 3]
    times = [clip.times[number] + (frame if len(clip.times) > 10 else 0) for number in wanted]
    stills = read_stills(media.numbered(clip), times, box_of(clip))
    said = [read_number(array_of(still)[:, :, 1], clip.size) for still in stills]
    assert said == [(clip.clip_id, number) for number in wanted]


def test_between_pictures_the_earlier_one_is_shown_and_after_the_end_the_last(media: MediaFolder) -> None:
    clip = CLIPS["variable"]
    times = [Fraction(49, 100), Fraction(109, 100), Fraction(100)]
    stills = read_stills(media.numbered(clip), times, box_of(clip))
    assert [read_number(array_of(still)[:, :, 1], clip.size) for still in stills] == [(5, 1), (5, 3), (5, 6)]


@pytest.mark.parametrize(
    ("box", "size"), [((80, 80), (80, 45)), ((320, 90), (160, 90)), ((40, 200), (40, 22)), ((320, 320), (320, 180))]
)
def test_it_fills_its_box_in_one_direction(media: MediaFolder, box: tuple[int, int], size: tuple[int, int]) -> None:
    (still,) = read_stills(media.make(), [Fraction(0)], Dimensions(*box))
    assert still is not None
    assert (still.width, still.height, len(still.rgb)) == (*size, size[0] * size[1] * 3)


def test_pixels_are_square_and_pictures_upright(media: MediaFolder) -> None:
    wide = media.make(sar="2/1")
    turned = media.make(rotation=90, sar="2/1")
    for path, size in ((wide, (100, 28)), (turned, (28, 100))):
        (still,) = read_stills(path, [Fraction(0)], Dimensions(100, 100))
        assert still is not None
        assert (still.width, still.height) == size


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("full_range", [False, True])
def test_colours_are_those_that_were_meant(media: MediaFolder, matrix: str, *, full_range: bool) -> None:
    meant = Color(matrix=matrix, full_range=full_range)
    path = media.make(source="color=c=0x2864C8", color=meant)
    (still,) = read_stills(path, [Fraction(1, 2)], Dimensions(160, 90))
    middle = array_of(still)[45, 80].astype(int)
    assert np.abs(middle - (0x28, 0x64, 0xC8)).max() <= 5


def test_where_nothing_decodes_there_is_none(media: MediaFolder, tmp_path: Path) -> None:
    data = bytearray(media.make(sound=None).read_bytes())
    start = data.index(b"mdat")
    data[start + 4 : start + 3000] = b"\xff" * 2996
    (tmp_path / "broken.mp4").write_bytes(data)
    stills = read_stills(tmp_path / "broken.mp4", [Fraction(0)], Dimensions(16, 16))
    assert stills == [None]


def test_workers_take_them_in_a_process_of_their_own(media: MediaFolder, tmp_path: Path) -> None:
    clip = CLIPS["many keyframes"]
    (tmp_path / "text.mp4").write_text("no clip")
    with Workers(most=2, timeout_seconds=20, memory_bytes=1 << 30) as workers:
        times = [clip.times[number] for number in (100, 7)]
        stills = workers.stills(media.numbered(clip), times, box_of(clip))
        assert [read_number(array_of(still)[:, :, 1], clip.size) for still in stills] == [(2, 100), (2, 7)]
        with pytest.raises(ProbeError) as caught:
            workers.stills(tmp_path / "text.mp4", times, box_of(clip))
    assert caught.value.code is IssueCode.PROBE_FAILED

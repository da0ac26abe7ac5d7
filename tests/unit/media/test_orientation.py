"""All eight ways in which a picture can lie are told apart, as a player that obeys the matrix shows them."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.inspect.video.orientation import doubt, is_plain, orientation_from_matrix, orientation_of
from mpt_cli.model.clips import Orientation
from tests.media import MediaFolder, run_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ONE, PERSPECTIVE_ONE = 1 << 16, 1 << 30
UPRIGHT = Orientation()
TURNS = st.sampled_from((0, 90, 180, 270))


def matrix(a: float, b: float, c: float, d: float, x: int = 0, y: int = 0) -> tuple[int, ...]:
    """The display matrix of these numbers, as files store it."""
    fixed = [round(value * ONE) for value in (a, b, c, d)]
    return (fixed[0], fixed[1], 0, fixed[2], fixed[3], 0, x * ONE, y * ONE, PERSPECTIVE_ONE)


def turned(degrees: float, *, mirrored: bool, scale: float = 1.0) -> tuple[int, ...]:
    """The matrix that mirrors left to right, then turns clockwise; y points down."""
    cosine, sine = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    side = -1 if mirrored else 1
    return matrix(side * cosine, side * sine, -sine, cosine)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_each_of_the_eight_is_told_apart(rotation: int, *, mirrored: bool) -> None:
    assert orientation_from_matrix(turned(rotation, mirrored=mirrored)) == Orientation(rotation, mirrored)


@given(TURNS, st.booleans(), st.floats(-40, 40), st.floats(0.25, 8), st.integers(-4000, 4000))
def test_an_oblique_picture_is_taken_to_the_nearest_quarter_wherever_it_is_moved(
    rotation: int, mirrored: bool, off: float, scale: float, moved: int
) -> None:
    values = list(turned(rotation + off, mirrored=mirrored, scale=scale))
    values[6:8] = [moved, -moved]
    assert orientation_from_matrix(tuple(values)) == Orientation(rotation, mirrored)


def test_a_picture_that_is_mirrored_top_to_bottom_is_one_that_is_mirrored_and_turned() -> None:
    assert orientation_from_matrix(matrix(1, 0, 0, -1)) == Orientation(180, mirrored=True)
    assert orientation_from_matrix(matrix(0, 1, 1, 0)) == Orientation(270, mirrored=True)
    assert orientation_from_matrix(matrix(0, -1, -1, 0)) == Orientation(90, mirrored=True)


def test_a_matrix_of_nothing_turns_nothing() -> None:
    assert orientation_from_matrix((0,) * 9) == UPRIGHT


class _Frame:
    """A decoded picture of which only the side data is asked for."""

    def __init__(self, matrix_bytes: bytes | None) -> None:
        self.side_data = {} if matrix_bytes is None else {Type.DISPLAYMATRIX: matrix_bytes}


@pytest.mark.parametrize("data", [None, b"", bytes(35), bytes(40)])
def test_side_data_that_is_not_there_or_not_whole_turns_nothing(data: bytes | None) -> None:
    assert orientation_of(cast("Any", _Frame(data))) == UPRIGHT


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.core(3)
def test_a_real_file_turned_by_what_was_found_is_what_a_player_shows(
    media: MediaFolder, tmp_path: Path, rotation: int, *, mirrored: bool
) -> None:
    path = media.make(seconds=0.1, fps="10", size="64x32", sound=None, rotation=rotation, mirrored=mirrored)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    stored = frame.to_ndarray(format="gray").astype(int)
    found = orientation_of(frame)
    upright = np.rot90(stored[:, ::-1] if found.mirrored else stored, -found.rotation // 90)
    shown = _shown(path, tmp_path / "shown.gray", upright.shape)
    assert np.abs(upright - shown).mean() < 3
    assert found.swaps_sides == (rotation in (90, 270))
    assert found.is_identity == (rotation == 0 and not mirrored)


def _shown(path: Path, raw: Path, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The first picture as ffmpeg turns it by itself."""
    run_ffmpeg("-i", path, "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", raw)
    return np.frombuffer(raw.read_bytes(), np.uint8).astype(np.int64).reshape(shape)


@pytest.mark.parametrize("scale", [0.5, 1, 2])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turn_by_quarters_of_any_size_leaves_no_doubt(rotation: int, scale: float, *, mirrored: bool) -> None:
    assert doubt(turned(rotation, mirrored=mirrored, scale=scale), Fraction(1)) is None


@pytest.mark.parametrize(
    ("given_matrix", "said"),
    [
        ((0,) * 9, "nothing can be shown: its frames are not turned"),
        (matrix(1, 0, 0, 0), "nothing can be shown"),
        (turned(10, mirrored=False), "by 10 degrees, which is no right angle: its frames are not turned"),
        (turned(50, mirrored=True), "by 50 degrees, which is no right angle: its frames are turned by 90 degrees"),
        (matrix(1, 0, 0.5, 1), "slants"),
        (matrix(2, 0, 0, 1), "2.00 times as wide"),
    ],
)
def test_what_a_matrix_asks_for_and_is_not_done_is_said(given_matrix: tuple[int, ...], said: str) -> None:
    assert said in (doubt(given_matrix, Fraction(1)) or "")


def test_a_matrix_that_gives_the_shape_of_pixels_is_obeyed() -> None:
    assert doubt(matrix(2, 0, 0, 1), Fraction(2)) is None


def test_only_the_matrix_that_says_nothing_is_plain() -> None:
    assert is_plain(matrix(1, 0, 0, 1))
    assert not is_plain(matrix(1, 0, 0, 1, 5))
    assert not is_plain(matrix(2, 0, 0, 2))

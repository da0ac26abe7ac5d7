"""Where a picture goes in a frame: inside or over it, even, centred, hardly squeezed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.geometry import Placement, place
from mpt_cli.model.choices import Fit
from mpt_cli.model.clips import Dimensions

SIDES = st.integers(1, 8192)
SHOWN = st.builds(Dimensions, SIDES, SIDES)
TARGETS = st.builds(lambda w, h: Dimensions(2 * w, 2 * h), st.integers(1, 4096), st.integers(1, 4096))
FITS = st.sampled_from(Fit)


@given(SHOWN, TARGETS, FITS)
def test_everything_is_even_and_centred(shown: Dimensions, target: Dimensions, fit: Fit) -> None:
    placement = place(shown, target, fit)
    assert placement.inner.is_even
    assert min(placement.inner.width, placement.inner.height) >= 2
    assert placement.x % 2 == placement.y % 2 == 0
    for room, offset in (
        (target.width - placement.inner.width, placement.x),
        (target.height - placement.inner.height, placement.y),
    ):
        assert abs(room - 2 * offset) <= 2
        assert abs(offset) <= abs(room) / 2


@given(SHOWN, TARGETS, st.sampled_from([Fit.CONTAIN, Fit.BLUR]))
def test_a_contained_picture_fits_and_touches_two_sides(shown: Dimensions, target: Dimensions, fit: Fit) -> None:
    inner = place(shown, target, fit).inner
    assert inner.width <= target.width
    assert inner.height <= target.height
    assert inner.width == target.width or inner.height == target.height


@given(SHOWN, TARGETS)
def test_a_covering_picture_leaves_nothing_free(shown: Dimensions, target: Dimensions) -> None:
    placement = place(shown, target, Fit.COVER)
    assert placement.inner.width >= target.width
    assert placement.inner.height >= target.height
    assert placement.inner.width == target.width or placement.inner.height == target.height
    assert placement.x <= 0
    assert placement.y <= 0


@given(SHOWN, TARGETS, st.sampled_from([Fit.CONTAIN, Fit.BLUR, Fit.COVER]))
def test_the_shape_is_kept_but_for_one_pixel_of_rounding(shown: Dimensions, target: Dimensions, fit: Fit) -> None:
    inner = place(shown, target, fit).inner
    most = 2 if fit is Fit.COVER else 1
    if inner.width == target.width:
        exact = target.width * shown.height / shown.width
        off = abs(inner.height - exact)
        assert off <= most or (inner.height == 2 and exact < 2) or inner.height == target.height
    else:
        exact = target.height * shown.width / shown.height
        off = abs(inner.width - exact)
        assert off <= most or (inner.width == 2 and exact < 2)


@given(SHOWN, TARGETS)
def test_stretched_is_the_target_itself(shown: Dimensions, target: Dimensions) -> None:
    assert place(shown, target, Fit.STRETCH) == Placement(target, 0, 0)


@given(TARGETS, FITS)
def test_a_picture_of_the_right_size_is_left_alone(target: Dimensions, fit: Fit) -> None:
    assert place(target, target, fit) == Placement(target, 0, 0)


@pytest.mark.parametrize(
    ("shown", "fit", "inner", "x", "y"),
    [
        ("1920x1080", Fit.CONTAIN, "1080x608", 0, 656),
        ("1920x1080", Fit.BLUR, "1080x608", 0, 656),
        ("1920x1080", Fit.COVER, "3414x1920", -1166, 0),
        ("1080x1080", Fit.CONTAIN, "1080x1080", 0, 420),
        ("540x960", Fit.CONTAIN, "1080x1920", 0, 0),
        ("9x1920", Fit.CONTAIN, "10x1920", 534, 0),
        ("1080x2400", Fit.CONTAIN, "864x1920", 108, 0),
        ("1080x2400", Fit.COVER, "1080x2400", 0, -240),
        ("8192x1", Fit.CONTAIN, "1080x2", 0, 958),
    ],
)
def test_known_places_in_an_upright_frame(shown: str, fit: Fit, inner: str, x: int, y: int) -> None:
    placement = place(Dimensions.parse(shown), Dimensions(1080, 1920), fit)
    assert placement == Placement(Dimensions.parse(inner), x, y)

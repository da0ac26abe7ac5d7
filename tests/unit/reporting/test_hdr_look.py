"""Stills of HDR are shown as an SDR reel would be."""

from __future__ import annotations

import pytest

from mpt_cli.model.choices import DynamicRange
from mpt_cli.model.media_info import Still
from mpt_cli.reporting.pictures import image_of


def pixel(value: bytes, dynamic_range: DynamicRange) -> tuple[int, ...]:
    return tuple(image_of(Still(1, 1, value, dynamic_range)).tobytes())


@pytest.mark.parametrize(
    ("dynamic_range", "signal", "least", "most"),
    [
        ("hlg", 0.0, 0, 1), ("hlg", 0.38, 38, 48), ("hlg", 0.75, 80, 90), ("hlg", 1.0, 93, 100),
        ("pq", 0.38, 36, 48), ("pq", 0.58, 80, 90), ("pq", 0.75, 93, 100), ("sdr", 0.75, 74, 76),
    ],
)  # fmt: skip
@pytest.mark.heavy
def test_grey_of_hdr_has_the_level_that_it_has_in_an_sdr_reel(
    dynamic_range: str, signal: float, least: float, most: float
) -> None:
    value = bytes([round(255 * signal)] * 3)
    red, green, blue = pixel(value, DynamicRange(dynamic_range))
    assert least <= green / 2.55 <= most
    assert (red, blue) == pytest.approx((green, green), abs=2)  # rounding of the table


def test_colours_of_bt2020_are_wider() -> None:
    red, green, blue = pixel(bytes((160, 110, 110)), DynamicRange.HLG)
    assert red / green > 160 / 110 > 1
    assert green == pytest.approx(blue, abs=12)

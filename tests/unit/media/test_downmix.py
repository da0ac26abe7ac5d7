"""The mix to stereo: ITU-R BS.775-3, nothing normalised, and what ffmpeg makes of the expression."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.ffmpeg.downmix import layout_mix, needs_limiter, pan_expression, stereo_mix
from tests.media import run_ffmpeg
from tests.reader import samples, tone_level

if TYPE_CHECKING:
    from pathlib import Path

HALF = sqrt(0.5)
STEREO = ("FL", "FR")
SURROUND = ("FL", "FR", "FC", "LFE", "SL", "SR")
SURROUND_BACK = ("FL", "FR", "FC", "LFE", "BL", "BR")
SEVEN = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
PLACES = (*SEVEN, "BC", "FLC", "FRC", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR", "TSL", "TSR", "WL", "WR")


def test_stereo_is_left_as_it_is() -> None:
    assert stereo_mix(STEREO) == ((1, 0), (0, 1))
    assert stereo_mix(("DL", "DR")) == ((1, 0), (0, 1))


@pytest.mark.parametrize("name", ["FC", "FL", "BC", "LFE", "NONE", ""])
def test_one_channel_goes_to_both_sides_at_unity(name: str) -> None:
    assert stereo_mix((name,)) == ((1,), (1,))


@pytest.mark.parametrize("channels", [SURROUND, SURROUND_BACK])
def test_five_channels_are_mixed_by_the_itu_matrix(channels: tuple[str, ...]) -> None:
    assert stereo_mix(channels) == ((1, 0, HALF, 0, HALF, 0), (0, 1, HALF, 0, 0, HALF))


def test_seven_channels_are_mixed_by_the_itu_matrix() -> None:
    left, right = stereo_mix(SEVEN)
    assert left == (1, 0, HALF, 0, HALF, 0, HALF, 0)
    assert right == (0, 1, HALF, 0, 0, HALF, 0, HALF)


def test_a_channel_behind_goes_to_both_sides() -> None:
    assert stereo_mix(("FL", "FR", "BC")) == ((1, 0, 0.5), (0, 1, 0.5))


@pytest.mark.parametrize("count", [2, 3, 8])
def test_of_channels_without_a_place_the_first_two_are_the_sides(count: int) -> None:
    left, right = stereo_mix(("NONE",) * count)
    assert left == (1, *[0] * (count - 1))
    assert right == (0, 1, *[0] * (count - 2))


def test_a_channel_of_unknown_place_among_known_ones_is_left_out() -> None:
    assert stereo_mix(("FL", "FR", "UNSD")) == ((1, 0, 0), (0, 1, 0))


@given(st.lists(st.sampled_from(PLACES), min_size=2, unique=True))
def test_the_mix_is_as_symmetric_as_its_channels(channels: list[str]) -> None:
    def mirror(name: str) -> str:
        return {"L": name[:-1] + "R", "R": name[:-1] + "L"}.get(name[-1], name) if name[-1] in "LR" else _inner(name)

    def _inner(name: str) -> str:
        return {"FLC": "FRC", "FRC": "FLC"}.get(name, name)

    left, right = stereo_mix(tuple(channels))
    assert all(0 <= gain <= 1 for gain in (*left, *right))
    assert stereo_mix(tuple(map(mirror, channels))) == (right, left)


def test_only_a_side_that_can_pass_full_scale_needs_a_limiter() -> None:
    assert not any(map(needs_limiter, stereo_mix(STEREO)))
    assert not any(map(needs_limiter, stereo_mix(("FC",))))
    assert not any(map(needs_limiter, stereo_mix(("NONE",) * 8)))
    assert all(map(needs_limiter, stereo_mix(SURROUND)))


@pytest.mark.parametrize(
    ("channels", "expression"),
    [
        (("FC",), "stereo|c0=1*c0|c1=1*c0"),
        (STEREO, "stereo|c0=1*c0|c1=1*c1"),
        (("FL", "LFE"), "stereo|c0=1*c0|c1=0*c0"),
        (SURROUND, "stereo|c0=1*c0+0.707107*c2+0.707107*c4|c1=1*c1+0.707107*c2+0.707107*c5"),
    ],
)
def test_expression_names_channels_by_number(channels: tuple[str, ...], expression: str) -> None:
    assert pan_expression(channels) == expression


@pytest.mark.parametrize(
    ("layout", "channels", "played", "left", "right"),
    [
        ("mono", ("FC",), 0, 0, 0),
        ("stereo", STEREO, 0, 0, None),
        ("5.1(side)", SURROUND, 1, None, 0),
        ("5.1(side)", SURROUND, 2, -3.01, -3.01),
        ("5.1(side)", SURROUND, 3, None, None),
        ("5.1(side)", SURROUND, 4, -3.01, None),
        ("7.1", SEVEN, 7, None, -3.01),
        ("4 channels", ("NONE",) * 4, 1, None, 0),
    ],
)
@pytest.mark.heavy
def test_ffmpeg_mixes_each_channel_as_the_matrix_says(
    tmp_path: Path, layout: str, channels: tuple[str, ...], played: int, left: float | None, right: float | None
) -> None:
    tones = "|".join("0.25*sin(2*PI*1000*t)" if k == played else "0" for k in range(len(channels)))
    source = f"aevalsrc=exprs={tones}:s=48000:d=0.2" + ("" if layout[0] == "4" else f":c={layout}")
    mixed = tmp_path / "mixed.wav"
    run_ffmpeg("-f", "lavfi", "-i", source, "-af", f"pan={pan_expression(channels)}", "-c:a", "pcm_s16le", mixed)
    for side, wanted in zip(samples(mixed), (left, right), strict=True):
        level = tone_level(side, 1000) - tone_level(samples(mixed)[0] * 0, 1000) - 120
        level = tone_level(side, 1000) + 12.04  # the tone is a quarter of full scale
        assert level == pytest.approx(wanted, abs=0.1) if wanted is not None else level < -80


SURROUND_BACK = ("FL", "FR", "FC", "LFE", "BL", "BR")


@pytest.mark.parametrize(
    ("channels", "layout", "mix"),
    [
        (("FC",), "mono", ((1,),)),
        (("FL", "FR"), "mono", ((0.5, 0.5),)),
        (("FL", "FR"), "stereo", ((1, 0), (0, 1))),
        (("FR", "FL"), "stereo", ((0, 1), (1, 0))),
        (("FC",), "5.1", ((0,), (0,), (1,), (0,), (0,), (0,))),
        (("FC",), "quad", ((1,), (1,), (0,), (0,))),
        (("FL", "FR"), "3.0", ((1, 0), (0, 1), (0, 0))),
        (("FL", "FR", "BL", "BR"), "4.0", ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, HALF, HALF))),
        (("FL", "FR", "FC", "BC"), "5.0", ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, HALF), (0, 0, 0, HALF))),
    ],
)
def test_mix_to_a_layout(channels: tuple[str, ...], layout: str, mix: tuple[tuple[float, ...], ...]) -> None:
    assert layout_mix(channels, layout) == mix


@pytest.mark.parametrize("channels", [SURROUND_BACK, ("FL", "FR", "FC", "LFE", "SL", "SR")])
def test_surround_stays_as_it_is(channels: tuple[str, ...]) -> None:
    assert layout_mix(channels, "5.1") == tuple(tuple(float(i == j) for j in range(6)) for i in range(6))


def test_channels_that_a_layout_lacks_are_heard_beside() -> None:
    seven = layout_mix(("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"), "5.1")
    assert seven[4] == (0, 0, 0, 0, 1, 0, HALF, 0)
    assert seven[5] == (0, 0, 0, 0, 0, 1, 0, HALF)
    assert layout_mix(("NONE",) * 10, "5.1")[:2] == stereo_mix(("NONE",) * 10)

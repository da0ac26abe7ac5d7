"""What the colours of a source are taken for, and that ffmpeg knows every word that is said of them."""

from __future__ import annotations

import pytest

from mpt_cli.media import color
from mpt_cli.media.color import (
    SourceColor,
    colorspace_arguments,
    scale_arguments,
    source_color,
    zscale_input_arguments,
)
from mpt_cli.mediainfo import Color
from mpt_cli.models import Dimensions
from tests.media import run_ffmpeg

HD, SD = Dimensions(1280, 720), Dimensions(1024, 576)
UNTAGGED = Color()
PQ = Color(matrix="bt2020nc", range="tv", primaries="bt2020", transfer="smpte2084")


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ("1280x720", "bt709"),
        ("1280x2", "bt709"),
        ("720x578", "bt709"),
        ("608x1080", "bt709"),
        ("1278x576", "smpte170m"),
        ("720x576", "smpte170m"),
    ],
)
def test_untagged_pictures_are_judged_by_their_size(size: str, matrix: str) -> None:
    found = source_color(UNTAGGED, Dimensions.parse(size), "yuv420p")
    assert found == SourceColor(matrix=matrix, full_range=False, primaries="bt709", hdr=None)


@pytest.mark.parametrize("matrix", [name for name in color.MATRICES.values() if name != "gbr"])
def test_a_tag_counts_more_than_the_size(matrix: str) -> None:
    assert source_color(Color(matrix=matrix), HD, "yuv420p").matrix == matrix
    assert source_color(Color(matrix=matrix), SD, "yuv420p").matrix == matrix


@pytest.mark.parametrize(
    ("pixel_format", "tag", "full"),
    [
        ("yuv420p", None, False),
        ("yuv420p", "tv", False),
        ("yuv420p", "pc", True),
        ("yuvj420p", None, True),
        ("yuvj422p", "tv", True),
    ],
)
def test_range_is_that_of_the_tag_or_of_the_format(pixel_format: str, tag: str | None, full: bool) -> None:
    assert source_color(Color(range=tag), SD, pixel_format).full_range is full


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgra", "gbrp", "gbrap", "argb", "abgr", "0rgb", "0bgr", "pal8"])
def test_red_green_and_blue_have_no_matrix_and_are_full_range(pixel_format: str) -> None:
    found = source_color(UNTAGGED, SD, pixel_format)
    assert (found.matrix, found.full_range) == ("gbr", True)
    assert scale_arguments(found) == {"out_color_matrix": "bt709", "out_range": "tv"}


def test_a_stream_tagged_rgb_is_rgb() -> None:
    assert source_color(Color(matrix="gbr"), HD, "gbrp10le").matrix == "gbr"


@pytest.mark.parametrize(
    ("transfer", "hdr"), [("smpte2084", "pq"), ("arib-std-b67", "hlg"), ("bt709", None), (None, None)]
)
def test_the_transfer_tells_hdr(transfer: str | None, hdr: str | None) -> None:
    found = source_color(Color(transfer=transfer), HD, "yuv420p10le")
    assert found.hdr == hdr
    assert found.wide is (hdr is not None)
    assert found.matrix == ("bt2020nc" if hdr else "bt709")


def test_wide_colours_without_hdr_are_seen_by_their_primaries() -> None:
    found = source_color(Color(matrix="bt2020nc", primaries="bt2020", transfer="bt709"), HD, "yuv420p10le")
    assert found == SourceColor(matrix="bt2020nc", full_range=False, primaries="bt2020", hdr=None)


@pytest.mark.parametrize("primaries", ["smpte431", "smpte432"])
def test_colours_of_cinema_and_of_apple_are_wide(primaries: str) -> None:
    found = source_color(Color(matrix="bt709", primaries=primaries), HD, "yuv420p")
    assert found.wide
    assert zscale_input_arguments(found)["primariesin"] == primaries
    filter_tiny(f"format=yuv420p10le,zscale={told(zscale_input_arguments(found))}:{TO_BT709}")


@pytest.mark.parametrize("primaries", ["smpte170m", "bt470bg", "smpte240m", None])
def test_primaries_near_bt709_are_left_alone(primaries: str | None) -> None:
    assert not source_color(Color(primaries=primaries), SD, "yuv420p").wide


def test_hdr_with_other_primaries_is_not_widened() -> None:
    assert not source_color(Color(primaries="bt709", transfer="smpte2084"), HD, "yuv420p10le").wide


YUV_MATRICES = [name for name in color.MATRICES.values() if name != "gbr"]


def filter_tiny(chain: str) -> None:
    """Let ffmpeg judge a chain of filters."""
    run_ffmpeg("-f", "lavfi", "-i", "color=s=16x16:d=0.04", "-vf", chain, "-f", "null", "-")


def told(arguments: dict[str, str]) -> str:
    """Arguments as a filter takes them."""
    return ":".join(f"{key}={value}" for key, value in arguments.items())


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", YUV_MATRICES)
def test_scale_changes_the_range_and_never_the_matrix(matrix: str, full: bool) -> None:
    arguments = scale_arguments(SourceColor(matrix=matrix, full_range=full, primaries="bt709", hdr=None))
    assert arguments["in_color_matrix"] == arguments["out_color_matrix"]
    assert (arguments["in_range"], arguments["out_range"]) == ("pc" if full else "tv", "tv")
    filter_tiny(f"format=yuv420p,scale=8:8:{told(arguments)}")


@pytest.mark.parametrize("matrix", YUV_MATRICES)
def test_colorspace_takes_every_other_matrix_to_bt709(matrix: str) -> None:
    arguments = colorspace_arguments(SourceColor(matrix=matrix, full_range=False, primaries="bt709", hdr=None))
    if matrix == "bt709":
        assert arguments == {}
        return
    assert arguments["space"] == "bt709"
    filter_tiny(f"format=yuv420p,colorspace={told(arguments)}")


def test_rgb_gets_the_matrix_of_its_primaries() -> None:
    narrow, wide = (
        SourceColor(matrix="gbr", full_range=True, primaries=primaries, hdr=None) for primaries in ("bt709", "bt2020")
    )
    assert scale_arguments(narrow) == {"out_color_matrix": "bt709", "out_range": "tv"}
    assert scale_arguments(wide) == {"out_color_matrix": "bt2020", "out_range": "tv"}
    assert colorspace_arguments(narrow) == {}
    assert zscale_input_arguments(wide)["matrixin"] == "2020_ncl"


TO_BT709 = "matrix=709:primaries=709:transfer=709:range=limited"


@pytest.mark.parametrize("hdr", [None, "pq", "hlg"])
@pytest.mark.parametrize("matrix", color.MATRICES.values())
def test_zscale_understands_what_a_wide_source_is(matrix: str, hdr: str | None) -> None:
    source = SourceColor(matrix=matrix, full_range=False, primaries="bt2020", hdr=hdr)
    filter_tiny(f"format=yuv420p10le,zscale={told(zscale_input_arguments(source))}:{TO_BT709}")


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        (source_color(PQ, HD, "yuv420p10le"), ("2020_ncl", "2020", "smpte2084")),
        (source_color(Color(transfer="arib-std-b67"), SD, "yuv420p10le"), ("2020_ncl", "2020", "arib-std-b67")),
        (source_color(Color(matrix="bt709", primaries="bt2020"), SD, "yuv420p10le"), ("709", "2020", "709")),
        (
            source_color(Color(primaries="bt709", transfer="smpte2084"), HD, "yuv420p10le"),
            ("2020_ncl", "709", "smpte2084"),
        ),
    ],
)
def test_zscale_is_told_everything(source: SourceColor, arguments: tuple[str, ...]) -> None:
    assert tuple(zscale_input_arguments(source).values()) == (*arguments, "limited")


def test_every_number_has_the_name_that_ffmpeg_gives_it() -> None:
    for option, table in (
        ("color_trc", color.TRANSFERS),
        ("color_primaries", color.PRIMARIES),
        ("colorspace", color.MATRICES),
        ("range", color.RANGES),
    ):
        for name in table.values():
            argv = ["-f", "lavfi", "-i", "color=s=16x16:d=0.04", "-vf", f"setparams={option}={name}", "-f", "null", "-"]
            run_ffmpeg(*argv)

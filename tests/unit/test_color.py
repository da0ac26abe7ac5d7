"""What the colours of a source are taken for, and that ffmpeg knows every word that is said of them."""

from __future__ import annotations

import pytest

from mpt_cli.media import color
from mpt_cli.media.color import SourceColor, scale_arguments, source_color, zscale_input_arguments
from mpt_cli.models import Color, Dimensions
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
    assert found == SourceColor(matrix=matrix, full_range=False, wide=False, hdr=None)


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
    assert found == SourceColor(matrix="bt2020nc", full_range=False, wide=True, hdr=None)


def test_hdr_with_other_primaries_is_not_widened() -> None:
    assert not source_color(Color(primaries="bt709", transfer="smpte2084"), HD, "yuv420p10le").wide


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [name for name in color.MATRICES.values() if name != "gbr"])
def test_scale_is_told_matrix_and_range_in_and_out(matrix: str, full: bool) -> None:
    source = SourceColor(matrix=matrix, full_range=full, wide=False, hdr=None)
    arguments = scale_arguments(source)
    assert set(arguments) == {"in_color_matrix", "in_range", "out_color_matrix", "out_range"}
    assert arguments["in_range"] == ("pc" if full else "tv")
    told = ":".join(f"{key}={value}" for key, value in arguments.items())
    run_ffmpeg(
        "-f", "lavfi", "-i", "color=s=16x16:d=0.04", "-vf", f"format=yuv420p,scale=8:8:{told}", "-f", "null", "-"
    )


TO_BT709 = "matrix=709:primaries=709:transfer=709:range=limited"


@pytest.mark.parametrize("hdr", [None, "pq", "hlg"])
@pytest.mark.parametrize("matrix", color.MATRICES.values())
def test_zscale_understands_what_a_wide_source_is(matrix: str, hdr: str | None) -> None:
    source = SourceColor(matrix=matrix, full_range=False, wide=True, hdr=hdr)
    told = ":".join(f"{key}={value}" for key, value in zscale_input_arguments(source).items())
    pixels = "gbrp10le" if matrix == "gbr" else "yuv420p10le"
    chain = f"format={pixels},zscale={told}:{TO_BT709}:w=8:h=8"
    run_ffmpeg("-f", "lavfi", "-i", "color=s=16x16:d=0.04", "-vf", chain, "-f", "null", "-")


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        (source_color(PQ, HD, "yuv420p10le"), ("2020_ncl", "2020", "smpte2084", "limited")),
        (
            source_color(Color(transfer="arib-std-b67"), SD, "yuv420p10le"),
            ("2020_ncl", "2020", "arib-std-b67", "limited"),
        ),
        (
            source_color(Color(matrix="bt709", range="pc", primaries="bt2020"), SD, "yuv420p10le"),
            ("709", "2020", "709", "full"),
        ),
        (
            source_color(Color(primaries="bt709", transfer="smpte2084"), HD, "yuv420p10le"),
            ("2020_ncl", "709", "smpte2084", "limited"),
        ),
    ],
)
def test_zscale_is_told_everything(source: SourceColor, arguments: tuple[str, ...]) -> None:
    assert tuple(zscale_input_arguments(source).values()) == arguments


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

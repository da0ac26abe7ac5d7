"""What the colours of a source are taken for, and that ffmpeg knows every word that is said of them."""

from __future__ import annotations

import pytest

from mpt_cli.media import color
from mpt_cli.media.color import SourceColor, scale_arguments, source_color
from mpt_cli.model.clips import Color, Dimensions
from tests.media import run_ffmpeg

HD, SD = Dimensions(1280, 720), Dimensions(1024, 576)
UNTAGGED = Color()


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
    assert found == SourceColor(matrix=matrix, full_range=False)


@pytest.mark.parametrize(
    "matrix", ["bt709", "fcc", "bt470bg", "smpte170m", "smpte240m", "ycgco", "bt2020nc", "bt2020c"]
)
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
    assert found.primaries == ("bt2020" if hdr else "bt709")
    assert found.matrix == ("bt2020nc" if hdr else "bt709")
    assert found.is_ordinary is (hdr is None)


def test_wide_colours_without_hdr_are_seen_by_their_primaries() -> None:
    found = source_color(Color(matrix="bt2020nc", primaries="bt2020", transfer="bt709"), HD, "yuv420p10le")
    assert found == SourceColor("bt2020nc", full_range=False, primaries="bt2020")


def test_a_matrix_of_wide_colours_tells_untold_primaries() -> None:
    assert source_color(Color(matrix="bt2020nc"), SD, "yuv420p10le").primaries == "bt2020"


@pytest.mark.parametrize("primaries", ["bt470m", "film", "bt2020", "smpte431", "smpte432"])
def test_wide_primaries_are_converted(primaries: str) -> None:
    found = source_color(Color(matrix="bt709", primaries=primaries), HD, "yuv420p")
    assert (found.primaries, found.is_ordinary) == (primaries, False)


@pytest.mark.parametrize("primaries", ["smpte170m", "bt470bg", "smpte240m", "jedec-p22", None])
def test_primaries_near_bt709_are_left_alone(primaries: str | None) -> None:
    assert source_color(Color(primaries=primaries), SD, "yuv420p").primaries == "bt709"


def test_hdr_with_other_primaries_is_not_widened() -> None:
    assert source_color(Color(primaries="bt709", transfer="smpte2084"), HD, "yuv420p10le").primaries == "bt709"


@pytest.mark.parametrize(
    ("description", "guess"),
    [
        (Color("code 77", "tv", "bt709", "bt709"), "matrix code 77 that cannot be used, and is taken for bt709"),
        (Color("gbr", "tv", "bt709", "bt709"), "matrix gbr that cannot be used, and is taken for bt709"),
        (Color("bt709", "tv", "code 3", "bt709"), "primaries code 3 that cannot be used, and is taken for bt709"),
        (Color("bt709", "tv", "bt709", "code 255"), "transfer code 255 that cannot be used, and is taken for bt709"),
        (Color("ictcp", "tv", "bt2020"), "transfer that is not told that cannot be used, and is taken for smpte2084"),
        (
            Color("bt2020c", "tv", "bt2020", "smpte2084"),
            "matrix bt2020c that cannot be used, and is taken for bt2020nc",
        ),
    ],
)
def test_what_is_guessed_is_named(description: Color, guess: str) -> None:
    assert color.guesses(description, HD, "yuv420p10le") == (f"a colour {guess}",)


@pytest.mark.parametrize("transfer", ["bt470m", "bt470bg", "iec61966-2-1", "bt1361e", "smpte170m", None])
def test_ordinary_descriptions_are_no_guess(transfer: str | None) -> None:
    assert color.guesses(Color("smpte170m", "tv", "bt470bg", transfer), SD, "yuv420p") == ()
    assert color.guesses(Color("bt709", "tv", "bt709", transfer), SD, "rgb24") == ()


@pytest.mark.parametrize("matrix", ["smpte2085", "ipt-c2", "ycgco-re", "ycgco-ro"])
def test_a_matrix_that_no_filter_knows_is_refused(matrix: str) -> None:
    assert matrix in (color.refusal(Color(matrix), "yuv444p", "ffv1") or "")
    assert color.guesses(Color(matrix), SD, "yuv444p") == ()
    assert color.refusal(Color(matrix), "rgb24", "ffv1") is None


def test_xyz_is_refused_but_as_pixels_that_are_converted_as_they_are_read() -> None:
    assert "XYZ" in (color.refusal(Color(primaries="smpte428"), "yuv444p", "ffv1") or "")
    assert color.refusal(Color(primaries="smpte428"), "xyz12le", "jpeg2000") is None
    assert source_color(Color(primaries="smpte428", transfer="smpte428"), HD, "xyz12le").is_ordinary


def test_pixels_that_ffmpeg_does_not_read_are_refused() -> None:
    assert "rgb4" in (color.refusal(Color(), "rgb4", "rawvideo") or "")


def test_an_unknown_matrix_is_refused_where_its_decoder_insists() -> None:
    assert color.refusal(Color("code 77"), "yuv420p", "av1") is not None
    assert color.refusal(Color("code 77"), "yuv420p", "ffv1") is None


@pytest.mark.parametrize(
    ("pixel_format", "wanted"),
    [
        ("gray", "yuv420p"), ("gray10le", "yuv420p10le"), ("gray16be", "yuv420p16le"), ("monob", "yuv420p"),
        ("ya8", "yuva444p"), ("ya16le", "yuva444p16le"),
    ],
)  # fmt: skip
def test_grey_becomes_yuv_of_as_many_bits(pixel_format: str, wanted: str) -> None:
    assert color.is_gray(pixel_format)
    assert color.yuv_of_gray(pixel_format) == wanted


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuyv422", "nv12", "yuva444p", "y210le", "uyvy422", "ayuv64le"])
def test_yuv_is_neither_grey_nor_rgb(pixel_format: str) -> None:
    assert not color.is_gray(pixel_format)
    assert not color.is_rgb(pixel_format)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [name for name in color.MATRICES.values() if name != "gbr"])
def test_scale_changes_the_range_and_never_the_matrix(matrix: str, full: bool) -> None:
    arguments = scale_arguments(SourceColor(matrix=matrix, full_range=full))
    assert arguments["in_color_matrix"] == arguments["out_color_matrix"]
    assert (arguments["in_range"], arguments["out_range"]) == ("pc" if full else "tv", "tv")


@pytest.mark.core(0)
@pytest.mark.heavy
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

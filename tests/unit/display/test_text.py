"""Numbers and names as people read them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mpt_cli.display import text
from mpt_cli.model import formatting
from mpt_cli.model.results import ClipStatus
from mpt_cli.reporting import summaries
from tests.unit.reporting import told

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("clip 1.mp4", "clip 1.mp4"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("x\udcffy", "x\\xffy"),
        ("\u202egpj", "\\u202egpj"),
        ("\ud800", "\\ud800"),
        ("\x85\u2028", "\\x85\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("全角\u3000空白", "全角\u3000空白"),
        ("می‌خواهم", "می‌خواهم"),
        ("日本語", "日本語"),
    ],
)
def test_what_is_not_visible_is_written_out(raw: str, shown: str) -> None:
    assert formatting.escape(raw) == shown


@given(any_text)
def test_escaped_text_holds_nothing_that_a_terminal_obeys(raw: str) -> None:
    shown = formatting.escape(raw)
    assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in shown)
    shown.encode()
    assert formatting.escape(shown) == shown


@given(any_text, st.integers(0, 40))
def test_shortened_text_fits(raw: str, width: int) -> None:
    shown = formatting.escape(raw)
    for cut in (text.shorten(shown, width), text.shorten_middle(shown, width), text.shorten(shown, width, mark="~")):
        assert text.cell_width(cut) <= width
        assert cell_len(cut) <= width
    if text.cell_width(shown) <= width:
        assert text.shorten(shown, width) == text.shorten_middle(shown, width) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["a.mp4", "b.mp4"], ["a.mp4", "b.mp4"]),
        ([f"/work/media/holiday/GX01{n:04}.MP4" for n in (1, 2)], ["…iday/GX010001.MP4", "…iday/GX010002.MP4"]),
        ([f"GX01{n:04}_all of the hills.MP4" for n in (1, 2)], ["GX010001_al…ls.MP4", "GX010002_al…ls.MP4"]),
        ([f"family of us_{n}_all of the hills.MP4" for n in (1, 2)], ["…1_all of t…ls.MP4", "…2_all of t…ls.MP4"]),
        (["日本語の長い名前の動画1.mp4", "日本語の長い名前の動画2.mp4"], ["…い名前の動画1.mp4", "…い名前の動画2.mp4"]),
    ],
)
def test_names_of_a_column_lose_what_they_have_in_common(names: list[str], shown: list[str]) -> None:
    assert text.distinct([*names, "x"], 18) == [*shown, "x"]


@given(st.lists(st.text("ab/_1", max_size=12), max_size=6), st.text("ab/_1", max_size=12), st.integers(0, 30))
def test_different_names_look_different(ends: list[str], end: str, width: int) -> None:
    names = [f"/a/long/folder/{begin}/IMG_{number % 3}{end}" for number, begin in enumerate(ends)]
    cut = text.distinct(names, width)
    assert all(text.cell_width(each) <= width for each in cut)
    if width >= 8:
        assert len(set(cut)) == len(set(names))


def test_signs_that_terminals_give_a_cell_have_one() -> None:
    assert text.cell_width("हिन्दी") == 5
    assert text.cell_width("Z\u0324\u0353") == 1
    assert text.cell_width("👍🏽") == 4


def test_shortening_shows_where_it_cut() -> None:
    assert text.shorten("abcdefgh", 5) == "abcd…"
    assert text.shorten("日本語の名前", 6) == "日本…"
    assert text.shorten_middle("holiday-2024-part-0013.mp4", 15) == "holiday-2…3.mp4"
    assert text.shorten("abc", 0) == ""


def test_padding_counts_cells() -> None:
    assert text.pad("日本", 6) == "日本  "
    assert text.pad("日本", 6, right=True) == "  日本"
    assert text.pad("abcdef", 3) == "abcdef"


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (432_013_312, "412 MiB"),
        (1_288_490_189, "1.2 GiB"),
        (2**40, "1.0 TiB"),
        (2**70, "1048576 PiB"),
    ],
)
def test_sizes(size: float | None, shown: str) -> None:
    assert formatting.size_text(size) == shown


@given(st.integers(0, 2**59))
def test_sizes_keep_their_column(size: int) -> None:
    assert len(formatting.size_text(size)) <= 8


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (float("inf"), "-"),
        (-1, "0.0 s"),
        (Fraction(21, 5), "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1:00"),
        (62, "1:02"),
        (3723, "1:02:03"),
        (100_000, "27:46:40"),
    ],
)
def test_lengths(seconds: float | None, shown: str) -> None:
    assert formatting.seconds_text(seconds) == shown


def test_other_numbers() -> None:
    assert formatting.exact_seconds_text(Fraction(312, 5)) == "1:02.400"
    assert formatting.exact_seconds_text(4.2) == "4.200 s"
    moments = (None, 9.0, 11.5, Fraction(23, 2), 59.96, 62.44, 3723.5)
    assert [formatting.tenths_text(moment) for moment in moments] == [
        "-", "9.0 s", "11.5 s", "11.5 s", "1:00.0", "1:02.4", "1:02:03.5",
    ]  # fmt: skip
    assert formatting.exact_seconds_text(None) == "-"
    assert formatting.rounded_text(0.8) == "1 s"
    assert formatting.rounded_text(61.2) == "1:01"
    assert [formatting.rate_text(rate) for rate in (None, Fraction(25), Fraction(30000, 1001))] == ["-", "25", "29.97"]
    assert formatting.percent_text(None) == formatting.percent_text(float("nan")) == "-"
    assert [formatting.percent_text(share) for share in (-1.0, 0.999, 1.0, 7.0)] == ["0%", "99%", "100%", "100%"]
    assert [formatting.counted(count, "clip") for count in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]


@pytest.mark.parametrize(
    ("speed", "shown"),
    [(None, "-"), (-1.0, "-"), (1.416, "1.42x"), (12.34, "12.3x"), (123.4, "123x"), (1e9, "9999x")],
)
def test_speeds(speed: float | None, shown: str) -> None:
    assert formatting.speed_text(speed) == shown


@pytest.mark.parametrize(
    ("most", "indices"), [(0, []), (1, [1]), (2, [1, 4]), (3, [3, 1, 4]), (4, [5, 3, 1, 4]), (9, [5, 3, 1, 4, 0])]
)
def test_of_many_clips_those_that_did_not_end_well_are_told_first(most: int, indices: list[int]) -> None:
    clips = [
        told.clip(5, ClipStatus.PROCESSED),
        told.clip(3, ClipStatus.NOT_RUN),
        told.clip(1, ClipStatus.FAILED),
        told.clip(4, ClipStatus.SKIPPED),
        told.clip(0, ClipStatus.PROCESSED),
    ]
    assert [clip.index for clip in summaries.failed_first(clips, most)] == indices

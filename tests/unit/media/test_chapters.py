"""Chapters: where each begins, what its file's name becomes, and the tag that they travel in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.media.formats.chapters import Chapter, id3_tag, reel_chapters, title_of
from mpt_cli.model.clips import Segment

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@dataclass(frozen=True)
class Joined:
    """All that chapters ask of a processed clip."""

    original_path: Path
    segment: Segment


def clips(*parts: tuple[str, int]) -> Any:
    return [Joined(Path("/in") / name, Segment(9 - place, 0, frames)) for place, (name, frames) in enumerate(parts)]


def test_one_a_clip_in_the_order_of_the_reel_at_exact_times() -> None:
    rate = Fraction(30_000, 1001)
    made = reel_chapters(clips(("b.mp4", 1), ("a.mov", 29), ("b.mp4", 30)), rate)
    assert made == (
        Chapter("b", Fraction(0), 1 / rate),
        Chapter("a", 1 / rate, 30 / rate),
        Chapter("b", 30 / rate, 60 / rate),
    )
    assert reel_chapters(clips(("a.mp4", 30)), rate) == reel_chapters((), rate) == ()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("walk.mp4", "walk"),
        ("2024.05.01 beach.tar.mov", "2024.05.01 beach.tar"),
        ("no suffix", "no suffix"),
        (".mp4", ".mp4"),
        ("=;#\\ [CHAPTER] 'q' \"d\".mp4", "=;#\\ [CHAPTER] 'q' \"d\""),
        ("  two \t\r\n lines\x1b[2J \u2028x .mp4", "two lines [2J x"),
        ("\u202egpj.exe.mp4", "gpj.exe"),
        ("日本 👩\u200d👧 \u0645\u06cc\u200c\u0631.mp4", "日本 👩\u200d👧 \u0645\u06cc\u200c\u0631"),
        ("bad\udcff.mp4", "bad\ufffd"),
        ("\udcff" * 251 + ".mp4", "\ufffd" * 85),
        ("a" + "ü" * 125 + ".mp4", "a" + "ü" * 125),
    ],
    ids=ascii,
)
def test_a_title_is_the_name_made_harmless(name: str, title: str) -> None:
    assert title_of(Path("/in") / name) == title
    assert len(title.encode()) <= 255


def test_a_name_of_which_nothing_can_be_seen_has_its_number() -> None:
    made = reel_chapters(clips(("a.mp4", 1), ("\n\x07.mp4", 1)), Fraction(30))
    assert [chapter.title for chapter in made] == ["a", "clip 2"]


def test_the_tag_word_for_word(snapshot: SnapshotAssertion) -> None:
    made = reel_chapters(clips(("intro.mp4", 40), ("größer 😀.mov", 50)), Fraction(30_000, 1001))
    assert id3_tag(made) == snapshot
    assert id3_tag(()) == b""


def test_a_tag_says_its_own_size() -> None:
    tag = id3_tag(reel_chapters(clips(*((f"{n:0200}.mp4", 1) for n in range(1000))), Fraction(30)))
    assert len(tag) > 1 << 14
    size = 0
    for byte in tag[6:10]:
        assert byte < 0x80
        size = size << 7 | byte
    assert size == len(tag) - 10

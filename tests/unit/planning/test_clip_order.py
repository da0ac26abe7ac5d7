"""Order of clips by name and by time, and what is said of an order that may be wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mpt_cli.config.sections import ConcatConfig
from mpt_cli.model.choices import ClipOrder, ConcatenationMode
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.planning.clip_order import in_order, order_notices
from tests.builders import media_of

MINUTE = 60.0


def request(*clips: tuple[str, float | None], modified: float = 10**9) -> list[tuple[int, VideoClip, object]]:
    """Clips of these names, recorded at these minutes."""
    return [
        (
            index,
            VideoClip(Path("/in") / name),
            media_of(recorded=None if at is None else at * MINUTE, modified=modified),
        )
        for index, (name, at) in enumerate(clips)
    ]


def names(clips: list[tuple[int, VideoClip, object]], order: ClipOrder) -> list[str]:
    return [clip.path.name for _, clip, _ in in_order(clips, order)]  # type: ignore[arg-type]


def codes(clips: list[tuple[int, VideoClip, object]], **concat: object) -> list[IssueCode]:
    config = ConcatConfig(**concat)  # type: ignore[arg-type]
    return [issue.code for issue in order_notices(clips, config)]  # type: ignore[arg-type]


def test_order_as_given_changes_nothing() -> None:
    assert names(request(("b", 1), ("a", 2), ("b", 1)), ClipOrder.GIVEN) == ["b", "a", "b"]


def test_order_by_name_counts_and_keeps_equals() -> None:
    clips = request(("c10.mp4", 1), ("C2.mp4", 2), ("GX010022.MP4", 0), ("GX020021.MP4", 0), ("GX010021.MP4", 0))
    in_names = ["C2.mp4", "c10.mp4", "GX010021.MP4", "GX020021.MP4", "GX010022.MP4"]
    assert names(clips, ClipOrder.NAME) == in_names
    twice = request(("b", 1), ("a", 2), ("b", 3))
    assert [index for index, _, _ in in_order(twice, ClipOrder.NAME)] == [1, 0, 2]  # type: ignore[arg-type]


def test_order_by_time_prefers_the_container_to_the_name_to_the_file() -> None:
    clips = request(("file.mp4", None), ("VID_20240501_120000.mp4", None), ("VID_20300101_000000.mp4", 1), ("x.mp4", 2))
    expected = ["VID_20300101_000000.mp4", "x.mp4", "file.mp4", "VID_20240501_120000.mp4"]
    assert names(clips, ClipOrder.TIME) == expected
    assert names(list(reversed(clips)), ClipOrder.TIME) == expected


def test_order_by_time_keeps_chapters_together() -> None:
    clips = request(("GX020021.MP4", 12), ("other.mp4", 11), ("GX010021.MP4", 10), ("GX010020.MP4", 13))
    assert names(clips, ClipOrder.TIME) == ["GX010021.MP4", "GX020021.MP4", "other.mp4", "GX010020.MP4"]


def test_order_by_time_of_a_messenger_is_by_day_and_number() -> None:
    clips = request(
        ("VID-20240502-WA0001.mp4", None), ("VID-20240501-WA0010.mp4", None), ("VID-20240501-WA0002.mp4", None)
    )
    expected = ["VID-20240501-WA0002.mp4", "VID-20240501-WA0010.mp4", "VID-20240502-WA0001.mp4"]
    assert names(clips, ClipOrder.TIME) == expected
    assert codes(clips, order=ClipOrder.TIME) == []


def test_time_of_the_file_is_reported() -> None:
    clips = request(("a.mp4", 1), ("b.mp4", None), ("c.mp4", None))
    (issue,) = order_notices(clips, ConcatConfig(order=ClipOrder.TIME))  # type: ignore[arg-type]
    assert (issue.code, issue.path) == (IssueCode.ORDER_GUESSED, Path("/in/b.mp4"))
    assert "1 other clip" in issue.message
    assert codes(clips[1:2], order=ClipOrder.TIME) == []
    assert codes(clips) == []


DIFFERENT = request(("IMG_0001.MOV", 20), ("IMG_9998.MOV", 10), ("IMG_9999.MOV", 15))


def test_names_against_times_are_reported_once() -> None:
    (issue,) = order_notices(DIFFERENT, ConcatConfig())  # type: ignore[arg-type]
    assert (issue.code, issue.path) == (IssueCode.ORDER_DIFFERS, Path("/in/IMG_9998.MOV"))
    assert "IMG_0001.MOV" in issue.message
    assert "--order time" in (issue.hint or "")


@pytest.mark.parametrize(
    "concat", [{"order": "given"}, {"order": "name"}, {"order": "time"}, {"mode": ConcatenationMode.RANDOM}]
)
def test_decision_for_an_order_is_not_questioned(concat: dict[str, object]) -> None:
    assert codes(DIFFERENT, **concat) == []


@pytest.mark.parametrize(
    "clips",
    [
        request(("IMG_9998.MOV", 10), ("IMG_9999.MOV", 15), ("IMG_0001.MOV", 20)),
        request(("b.mp4", 10), ("a.mp4", 20), ("c.mp4", 5)),
        request(("1 intro.mp4", 20), ("02.mp4", 10), ("3-end.mp4", 5)),
        request(("a.mp4", 10.5), ("b.mp4", 10)),
        request(("a.mp4", 20), ("b.mp4", None)),
        request(("GX010021.MP4", 20), ("GX020021.MP4", 10)),
        request(("VID-20240502-WA0001.mp4", None), ("VID-20240502-WA0002.mp4", None)),
    ],
    ids=["by time", "chosen", "numbered by hand", "within a minute", "unknown", "chapters", "days"],
)
def test_order_that_may_be_meant_is_not_questioned(clips: list[tuple[int, VideoClip, object]]) -> None:
    assert codes(clips) == []


def test_clips_of_folders_in_order_are_looked_at_together() -> None:
    clips = [
        (index, replace(clip, path=Path(f"/{folder}/{clip.path.name}")), media)
        for (index, clip, media), folder in zip(request(("z.mp4", 20), ("a.mp4", 10)), ("day 1", "day 2"), strict=True)
    ]
    assert codes(clips) == [IssueCode.ORDER_DIFFERS]
    assert codes(clips[::-1]) == []

"""The report as a page: whole, harmless, loading nothing, saying what the result says, and never too large."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.loudness import ClipLoudness, Loudness, ReelLoudness, loudness_text
from mpt_cli.model.media_info import Still
from mpt_cli.model.results import (
    ClipResult,
    ClipStatus,
    ConcatenationResult,
    Milestone,
    OutputInfo,
    PerformanceReport,
    RunStatus,
    VideoResult,
)
from mpt_cli.model.run_record import ClipSpan, HistoryEntry, ResourcePoint, RunSetup, Timeline
from mpt_cli.reporting.charts import MOST_LANES, Clock
from mpt_cli.reporting.page import MOST_ROWS, page
from mpt_cli.reporting.pictures import thumbnail

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVIL = '"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\u202e\x1b[31m\n\udcff&amp;'
VOID = frozenset({"meta", "img"})
JPEG = thumbnail(Still(32, 18, bytes(32 * 18 * 3)))


def clip_of(index: int, action: Action = Action.ENCODE, *, name: str | None = None, **of: Any) -> ClipResult:
    seconds = Fraction(2)
    work, peak = (4.0, 200 << 20) if action is Action.ENCODE else (0.5, 30 << 20)
    clip = ClipResult(
        index,
        Path(f"/clips/{name or f'clip{index:05d}.mp4'}"),
        ClipStatus.PROCESSED,
        action,
        ("because",),
        index * seconds,
        seconds,
        60,
        work,
        peak,
    )
    return replace(clip, **of)


def entry_of(*clips: ClipResult, old: bool = False, **of: Any) -> HistoryEntry:
    """A run that went well with these clips; ``old`` is one of a version that recorded no times."""
    total = 5.0 + len(clips)
    steps = [("validated", 1.0), ("processed", total - 3), ("joined", total - 2), ("verified", total - 1)]
    milestones = tuple(Milestone(name, at, 0.5) for name, at in (*steps, ("published", total)))
    output = OutputInfo(
        Path("/out/reel.mp4"),
        3 << 20,
        Container.MP4,
        2 * Fraction(len(clips)),
        60 * len(clips),
        Dimensions(1080, 1920),
        Fraction(30),
        "h264",
        "aac",
    )
    result = VideoResult(
        "0" * 32,
        RunStatus.SUCCESS,
        clips,
        output,
        ConcatenationResult("FFmpeg", True, 1.0, None),
        PerformanceReport("0" * 32, total, 0.75, 700 << 20, 62.0, milestones),
        ffmpeg="9.0.2-static",
    )
    spans = tuple(ClipSpan(clip.index, 1.0 + clip.index, 2.0 + clip.index) for clip in clips)
    samples = tuple(ResourcePoint(at / 4, (100 + at) << 20, 50.0) for at in range(1, int(total * 4)))
    setup = RunSetup("0.1.0", "libx264 -crf 20", 2, 3, {"encode.crf": "20", "video.size": "1080x1920"})
    result = replace(result, **of)
    kept = (None, None) if old else (setup, Timeline(spans, samples[:600], 256 << 20))
    return HistoryEntry("process", START, result, *kept)


class Reader(HTMLParser):
    """Reads a page strictly: every element ends, in order; keeps attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def of(self, kind: str) -> list[dict[str, str | None]]:
        """Attributes of the elements of this class."""
        return [given for _, given in self.elements if kind in (given.get("class") or "").split()]


def read(entry: HistoryEntry, thumbnails: dict[int, bytes] | None = None) -> Reader:
    return Reader(page(entry, thumbnails or {}))


MIXED = (clip_of(0), clip_of(1, Action.COPY), clip_of(2, Action.REUSE), clip_of(3))


def test_all_parts_are_there_and_say_what_the_result_says() -> None:
    text = read(entry_of(*MIXED)).text
    for part in ("Timeline", "Memory", "Cores", "Spared", "Clips", "How it was made"):
        assert part in text
    for said in (
        "reel.mp4",
        "proven and published",
        "/out/reel.mp4",
        "8.000 s",
        "1080x1920 at 30 fps",
        "3.0 MiB, h264 in mp4",
        "aac, 48 kHz, stereo",
        "4: 2 encoded, 1 copied, 1 reused",
        "700 MiB",
        "2026-03-01 12:00:00 UTC",
        "libx264 -crf 20, 2 threads",
        "9.0.2-static",
        "encode.crf 20",
        "75% of their time",
        "62 of 100",
        "budget 256 MiB",
        "FFmpeg, coded frames copied, 1.0 s",
    ):
        assert said in text, said
    for clip in MIXED:
        assert clip.path.name in text


def test_loudness_stands_where_levels_were_changed() -> None:
    entry = entry_of(clip_of(0, loudness=ClipLoudness(-32.0, 9.1)), clip_of(1, loudness=ClipLoudness(-20.0)))
    assert "loudness" not in read(entry).text
    reel = ReelLoudness(-14.0, -1.0, Loudness(-20.0, -9.0), Loudness(-14.1, -3.0), 6.0, 0.4)
    assert entry.result.output is not None
    output = replace(entry.result.output, loudness=reel)
    text = read(replace(entry, result=replace(entry.result, output=output))).text
    for said in ("loudness -14.1 LUFS, -3.0 dBTP ", loudness_text(reel), "-32.0 LUFS, gain +9.1 dB", "-20.0 LUFS"):
        assert said in text, said


def test_each_clip_has_its_bar_where_it_was_worked_on() -> None:
    page_read = read(entry_of(*MIXED))
    total = 9.0
    bars = [
        given for tag, given in page_read.elements if tag == "rect" and given["class"] in ("encode", "copy", "reuse")
    ]
    assert [bar["class"] for bar in bars] == ["encode", "copy", "reuse", "encode"]
    for place, bar in enumerate(bars):
        assert float((bar["x"] or "").rstrip("%")) == pytest.approx(100 * (1 + place) / total, abs=0.01)
        assert float((bar["width"] or "").rstrip("%")) == pytest.approx(100 / total, abs=0.01)
    assert "copied: 1.0 s, from 2.0 s to 3.0 s" in page_read.text
    assert "waited 2.0 s" in page_read.text
    assert "proof 1.0 s" in page_read.text


def test_what_was_spared_is_reckoned_by_the_pace_of_this_run() -> None:
    text = read(entry_of(*MIXED)).text
    # 8 s of work for 4 s of reel; 4 s more at that pace are 8 s, of which 1 s was worked.
    assert "2 of 4 clips, 4.000 s of 8.000 s, did not have to be encoded" in text
    assert "took 2.00 s of work for each second of reel" in text
    assert "about 7.0 s more" in text
    only = read(entry_of(clip_of(0, Action.COPY), clip_of(1, Action.REUSE))).text
    assert "Nothing was encoded in this run, so there is no pace" in only
    assert "Spared" not in read(entry_of(clip_of(0))).text
    quick = read(entry_of(clip_of(0, elapsed_seconds=0.1), clip_of(1, Action.COPY))).text
    assert "spared no time that could be measured" in quick


def test_nothing_is_loaded_and_nothing_runs() -> None:
    entry = entry_of(clip_of(0, name=EVIL), *MIXED[1:], errors=(Issue(IssueCode.CLIP_FAILED, EVIL),))
    text = page(entry, {0: JPEG, 1: JPEG})
    read_page = Reader(text)
    assert {"script", "link", "iframe", "object", "form", "base", "a"}.isdisjoint(tag for tag, _ in read_page.elements)
    for _, given in read_page.elements:
        assert not [
            name for name in given if name.startswith("on") or name in ("href", "xlink:href", "srcset", "action")
        ]
        assert (given.get("src") or "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import|expression|http", style)
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    policy = next(given for tag, given in read_page.elements if given.get("http-equiv"))
    assert (policy["content"] or "").startswith("default-src 'none'")


@pytest.mark.parametrize(
    "of",
    [
        {"errors": (Issue(IssueCode.CLIP_FAILED, EVIL, Path(EVIL), EVIL),)},
        {"warnings": (Issue(IssueCode.DAMAGED, EVIL, Path(EVIL), EVIL),)},
        {"ffmpeg": EVIL},
        {"workflow_id": EVIL},
        {"concatenation": ConcatenationResult("FFmpeg", False, 1.0, None, EVIL)},
    ],
    ids=lambda of: next(iter(of)),
)
def test_hostile_text_is_only_text(of: dict[str, Any]) -> None:
    entry = entry_of(
        clip_of(0, name=EVIL, reasons=(EVIL,)),
        clip_of(1, name=EVIL, error=Issue(IssueCode.CLIP_FAILED, EVIL), status=ClipStatus.SKIPPED),
        **of,
    )
    assert entry.setup is not None
    entry = replace(entry, setup=replace(entry.setup, settings={EVIL: EVIL}, encoder=EVIL))
    text = page(entry, {})
    text.encode()  # no lone surrogates
    read_page = Reader(text)
    assert "script" not in {tag for tag, _ in read_page.elements}
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "alert(1)" in read_page.text
    assert "\\x1b[31m" in read_page.text


def test_thumbnails_stand_in_the_page_and_others_are_said_to_be_missing() -> None:
    read_page = read(entry_of(*MIXED), {1: JPEG})
    assert len([tag for tag, _ in read_page.elements if tag == "img"]) == 1
    assert read_page.text.count("no picture") == 3


@pytest.mark.parametrize("status", list(RunStatus))
def test_runs_of_every_end_are_told(status: RunStatus) -> None:
    text = read(entry_of(clip_of(0, status=ClipStatus.NOT_RUN, start=None), status=status, output=None)).text
    assert str(status) in text
    assert "not run" in text


def test_runs_of_older_versions_open_without_what_they_did_not_record() -> None:
    text = read(entry_of(*MIXED, old=True)).text
    assert "Timeline" not in text
    assert "older version" in text
    assert all(clip.path.name in text for clip in MIXED)
    bare = HistoryEntry("concat", START, VideoResult("w", RunStatus.ERROR))
    assert "No reel was made" in read(bare).text


def test_the_peak_of_the_chart_is_that_of_the_run_and_says_where_samples_missed_it() -> None:
    text = page(entry_of(clip_of(0)), {})
    assert "peak 700 MiB</text>" in text
    assert "Samples are taken four times a second: the peak was seen between two of them." in text
    entry = entry_of(clip_of(0), metrics=None)
    highest = max(point.memory_bytes for point in entry.timeline.samples) >> 20 if entry.timeline else 0
    text = page(entry, {})
    assert f"peak {highest} MiB</text>" in text
    assert "between two of them" not in text


def test_a_clip_that_was_left_out_is_none_that_was_spared() -> None:
    clips = [clip_of(0, Action.REUSE), clip_of(1, Action.COPY), clip_of(2, status=ClipStatus.SKIPPED)]
    text = page(entry_of(*clips), {})
    assert "2 of the 2 clips that were finished, of 3 in all, 4.000 s of 4.000 s, did not have to be encoded" in text


def test_a_budget_far_above_the_peak_is_told_in_words() -> None:
    entry = entry_of(*MIXED)
    assert entry.timeline is not None
    text = read(replace(entry, timeline=replace(entry.timeline, budget_bytes=100 << 30))).text
    assert "The budget of 100 GiB lies far above the chart: the peak is 0% of it." in text


def test_a_clip_that_never_ended_has_a_bar_to_the_end() -> None:
    entry = entry_of(clip_of(0, status=ClipStatus.NOT_RUN), status=RunStatus.CANCELLED, metrics=None)
    assert entry.timeline is not None
    entry = replace(entry, timeline=replace(entry.timeline, clips=(ClipSpan(0, 1.0, None),)))
    (bar,) = [given for given in read(entry).of("halted") if "x" in given]
    assert float((bar["x"] or "").rstrip("%")) + float((bar["width"] or "").rstrip("%")) == pytest.approx(100, abs=0.01)


@pytest.mark.core(0)
@pytest.mark.heavy
def test_ten_thousand_clips_make_a_page_that_opens() -> None:
    failed = Issue(IssueCode.CLIP_FAILED, "is broken")
    clips = [clip_of(n, name=f"{'x' * 200}{n}.mp4") for n in range(10_000)]
    clips[9_999] = replace(clips[9_999], status=ClipStatus.SKIPPED, error=failed, start=None)
    entry = entry_of(*clips, errors=(failed,) * 5_000)
    text = page(entry, dict.fromkeys(range(60), JPEG))
    assert len(text.encode()) < 3_000_000
    read_page = Reader(text)
    assert len(read_page.of("lane")) == MOST_LANES + 2
    assert f"{MOST_ROWS} of 10000 clips are listed" in read_page.text
    assert f"The {MOST_LANES} clips that took longest; {10_000 - MOST_LANES} more are not drawn" in read_page.text
    assert "x9999.mp4" in read_page.text, "what did not end well is listed"
    assert "4800 more, which mpt report --json lists" in read_page.text


@pytest.mark.heavy
def test_two_thousand_clips_are_below_two_megabytes() -> None:
    assert len(page(entry_of(*map(clip_of, range(2_000))), dict.fromkeys(range(60), JPEG)).encode()) < 2_000_000


@pytest.mark.parametrize("seconds", [0.001, 0.5, 3.3, 9.9, 59, 61, 600, 3599, 7200, 90_000, 900_000])
def test_marks_of_time_are_few_and_even(seconds: float) -> None:
    clock = Clock(seconds)
    assert 1 <= seconds / clock.step <= 10
    assert clock.at(seconds) == 100
    assert clock.at(-1) == 0

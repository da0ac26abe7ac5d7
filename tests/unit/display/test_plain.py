"""Plain lines: each clip's start and end, progress at growing intervals."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.display.plain import PlainDisplay
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.results import ClipResult, ClipStatus, RunStatus, VideoResult
from mpt_cli.runtime import events
from tests.fakes import FakeClock

STAMP = "2026-11-30 03:04:05 "


def plain(stream: io.StringIO, *, quiet: bool = False, clock: FakeClock | None = None) -> PlainDisplay:
    now = datetime(2026, 11, 30, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=1)))
    return PlainDisplay(stream, quiet=quiet, clock=clock or FakeClock(0.0), now=lambda: now)


def lines_of(stream: io.StringIO) -> list[str]:
    lines = stream.getvalue().splitlines()
    assert all(line.startswith(STAMP) for line in lines)
    return [line.removeprefix(STAMP) for line in lines]


def written(*order: events.Event, quiet: bool = False, job: str | None = None) -> list[str]:
    stream = io.StringIO()
    with plain(stream, quiet=quiet) as display:
        for event in order:
            display.emit(event, job=job)
    return lines_of(stream)


RUN: tuple[events.Event, ...] = (
    events.RunStarted("process", "w", 3),
    events.ValidationFinished(2, 1),
    events.ClipStarted(0, Path("/x/a\x1b[31m.mp4"), "encode", 4.2),
    events.ClipStarted(1, Path("/x/b.mp4"), "reuse", 4.2),
    events.ClipFinished(0, 3.2, 432_013_312),
    events.ClipFailed(1, "clip_failed", "no\nway", "try\x07 again"),
    events.Notice("warning", "w", "careful\x07"),
    events.Notice("error", "e", "bad"),
    events.ConcatStarted(8.4),
    events.ConcatFinished("FFmpeg"),
    events.PicturesStarted(("contact sheet", "poster")),
    events.RunFinished("partial"),
)
RESTART = events.ClipsRestarted(1, 1, 8.4)


def test_one_task_of_many_has_its_number_and_no_total() -> None:
    task = events.RunStarted("work", "w", 1), events.ClipStarted(6, Path("/x/b.mp4"), "encode", 4.2)
    assert written(*task) == ["work: 1 clip", "[7] b.mp4: encode, 4.2 s"]


def test_each_event_is_one_line() -> None:
    assert written(*RUN) == [
        "process: 3 clips",
        "checked: 2 clips can be used, 1 cannot be used",
        "[1/3] a\\x1b[31m.mp4: encode, 4.2 s",
        "[2/3] b.mp4: reuse, 4.2 s",
        "[1/3] a\\x1b[31m.mp4: done in 3.2 s, peak 412 MiB",
        "[2/3] b.mp4: FAILED: no\\nway (clip_failed)",
        "  hint: try\\x07 again",
        "warning: careful\\x07 (w)",
        "error: bad (e)",
        "joining 8.4 s",
        "joined and verified (FFmpeg)",
        "creating the contact sheet and the poster",
        "finished: partial after 0 s",
    ]


def skipped(index: int, issue: Issue) -> ClipResult:
    return ClipResult(index, Path("/x/a.mp4"), ClipStatus.SKIPPED, error=issue)


def test_a_warning_is_told_once() -> None:
    warning = Issue(IssueCode.DAMAGED, "is damaged", Path("/x/a.mp4"), "look for\x07 a whole copy")
    result = VideoResult("w", RunStatus.SUCCESS, warnings=(warning,))
    stream = io.StringIO()
    display = plain(stream)
    assert display.unshown(result, job="monday") == result
    display.emit(events.warning_of(warning, 3), job="monday")
    assert lines_of(stream) == [
        "warning: monday: /x/a.mp4: is damaged (damaged)",
        "  hint: look for\\x07 a whole copy",
    ]
    assert display.unshown(result, job="monday").warnings == ()
    assert display.unshown(result, job="tuesday") == result
    quiet = plain(stream, quiet=True)
    quiet.emit(events.warning_of(warning))
    assert quiet.unshown(result) == result


def test_a_skipped_clip_is_told_once() -> None:
    left_out, failed, other = (Issue(IssueCode.CLIP_FAILED, word, Path("/x/a.mp4")) for word in ("a", "b", "c"))
    clips = (skipped(0, left_out), skipped(1, failed), skipped(2, other))
    result = VideoResult("w", RunStatus.PARTIAL, clips=clips, errors=(left_out, failed, other))
    display = plain(io.StringIO())
    display.emit(events.Notice("warning", "clip_failed", "a; clip 1 is left out", 0, Path("/x/a.mp4")))
    display.emit(events.ClipFailed(1, "clip_failed", "b"))
    assert display.unshown(result).errors == (other,)
    ended = replace(result, clips=tuple(replace(clip, status=ClipStatus.FAILED) for clip in clips))
    assert display.unshown(ended) == ended  # the end of a run that failed says why


def test_quiet_leaves_errors() -> None:
    assert written(*RUN, quiet=True) == ["error: bad (e)"]


def test_jobs_are_named() -> None:
    lines = written(*RUN[:3], events.ClipProgress(0, 1.0, None, None), events.ConcatStarted(), job="mon\x07day")
    assert lines[0] == "mon\\x07day: process: 3 clips"
    assert lines[2].startswith("[1/3] mon\\x07day: a")
    assert lines[-1] == "mon\\x07day: joining"


def test_progress_comes_at_growing_intervals() -> None:
    clock, stream = FakeClock(0.0), io.StringIO()
    display = plain(stream, clock=clock)
    display.emit(events.RunStarted("process", "w", 40))
    display.emit(events.ClipStarted(0, Path("a.mp4"), "encode", 1000.0))
    stream.truncate(0)
    seen = []
    for tick in range(1500):
        clock.now = float(tick)
        before = stream.tell()
        display.emit(events.ClipProgress(0, float(tick), 1.0, None))
        if stream.tell() != before:
            seen.append(tick)
    assert seen == [5, 10, 20, 40, 80, 160, 320, 620, 920, 1220]


def test_a_progress_line_says_what_is_known() -> None:
    clock, stream = FakeClock(0.0), io.StringIO()
    display = plain(stream, clock=clock)
    display.emit(events.RunStarted("process", "w", 2))
    display.emit(events.ValidationFinished(2, 0, 20.0))
    display.emit(events.ClipStarted(0, Path("a.mp4"), "encode", 10.0))
    display.emit(events.ClipFailed(0, "clip_failed", "no"))
    clock.now = 6.0
    display.emit(events.ResourceSample(2**30, 2**32, 1.0, None))
    told = "encoding: 1 of 2 clips, 1 failed, 50%, 6 s left, memory 1.0 GiB of 4.0 GiB"
    assert lines_of(stream)[-1] == told
    clock.now = 11.0
    display.emit(events.ResourceSample(2**30, 2**32, 1.0, 3 * 2**30))
    assert lines_of(stream)[-1].endswith("memory 1.0 GiB of 4.0 GiB, 3.0 GiB of disk free")
    display.emit(events.RunFinished("error", "disk_full"))
    clock.now = 1000.0
    display.emit(events.ResourceSample(2**30, 2**32, 1.0, None))
    assert lines_of(stream)[-1] == "finished: error (disk_full) after 11 s"


def test_clips_that_are_made_again_are_counted_once() -> None:
    clock, stream = FakeClock(0.0), io.StringIO()
    display = plain(stream, clock=clock)
    once = [
        event
        for at in (0, 1)
        for event in (events.ClipStarted(at, Path(f"{at}.mp4"), "encode", 4.2), events.ClipFinished(at, 1.0, None))
    ]
    seen = []
    for event in (events.RunStarted("process", "w", 2), *once, events.ClipsRestarted(2, 0, 8.4), *once):
        clock.now += 500
        display.emit(event)
        seen.append(lines_of(stream)[-1].partition(":")[2].split(",")[0].strip())
    counts = ["0 of 2 clips", "1 of 2 clips", "1 of 2 clips", "2 of 2 clips"]
    assert seen[1:] == [*counts, *counts[:1], *counts]


class _Closed(io.StringIO):
    writes = 0

    def write(self, _text: str) -> int:
        self.writes += 1
        raise BrokenPipeError


def test_a_closed_pipe_is_left_in_peace() -> None:
    stream = _Closed()
    display = plain(stream)
    display.emit(RUN[0])
    display.emit(RUN[1])
    assert stream.writes == 1


@given(st.lists(st.sampled_from((*RUN, RESTART))))
def test_no_order_of_events_raises(order: list[events.Event]) -> None:
    for line in written(*order):
        assert line.isprintable()

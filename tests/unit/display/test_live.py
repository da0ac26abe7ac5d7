"""The panel: fits every terminal, keeps failures in sight, survives every order of events."""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from mpt_cli.display.panel.layout import panel_lines
from mpt_cli.display.panel.live import LiveDisplay
from mpt_cli.display.panel.rows import ASCII, UNICODE
from mpt_cli.display.progress import RunProgress, time_left
from mpt_cli.display.run_lines import Phase
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.runtime import events
from mpt_cli.runtime.cancel import CancelToken
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from mpt_cli.display.base import Display
    from mpt_cli.display.panel.canvas import Canvas

NAMES = [
    "intro.mp4",
    "walk in the park with a very long name that goes on and on, part 0013.mov",
    "日本語の長い名前のビデオクリップ、とても長い、さらに長い.mp4",
    "evil\x1b[2J\x1b[31m\n\u202ename.mp4",
    "bad\udcff.mp4",
    "👨‍👩‍👧 ❤️ family.mp4",
    "-",
]
SIZES = [(60, 24), (80, 24), (140, 24), (200, 50), (40, 10), (20, 5), (9, 3), (1, 1), (80, 1), (80, 2)]


def run_of(clips: int, *, started: int, ended: int, failing: int = 7) -> tuple[RunProgress, FakeClock]:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    progress.feed(events.RunStarted("process", "w", clips))
    progress.feed(events.ValidationFinished(clips, 0))
    for index in range(started):
        progress.feed(events.ClipStarted(index, Path("/x") / NAMES[index % len(NAMES)], "encode", 10.0))
        clock.now += 0.1
        if index < ended and index % failing == failing - 1:
            progress.feed(events.ClipFailed(index, "clip_failed", "ffmpeg\x1b[5m stopped"))
        elif index < ended:
            progress.feed(events.ClipFinished(index, 3.21, 500_000_000))
        else:
            progress.feed(events.ClipProgress(index, 5.0, 1.42, 400_000_000))
    progress.feed(events.ResourceSample(2**30, 2**32, 380.4, 2**37))
    clock.now += 10
    return progress, clock


def shown(progress: RunProgress, width: int = 80, height: int = 24, *, stopping: bool = False) -> list[str]:
    lines = panel_lines(progress, width=width, height=height, glyphs=UNICODE, stopping=stopping)
    return [line.plain for line in lines]


def assert_fits(lines: list[str], width: int, height: int) -> None:
    assert len(lines) <= max(1, height - 1)
    for line in lines:
        assert cell_len(line) <= width
        assert "\n" not in line
        assert "\x1b" not in line


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(("clips", "started", "ended"), [(3, 3, 1), (40, 18, 14), (10_000, 500, 480), (300, 300, 200)])
def test_fits_every_terminal(clips: int, started: int, ended: int, width: int, height: int) -> None:
    progress, _ = run_of(clips, started=started, ended=ended)
    for count in range(6):
        progress.feed(events.Notice("warning", "w", f"warning {count} " + "x" * 300))
    progress.feed(events.Notice("info", "i", "fine"))
    assert_fits(shown(progress, width, height), width, height)
    for line in panel_lines(progress, width=width, height=height, glyphs=ASCII):
        assert "━" not in line.plain


def test_few_clips_stand_in_their_order_and_keep_their_rows() -> None:
    progress, _ = run_of(3, started=3, ended=1)
    lines = shown(progress)
    assert [line.split()[1] for line in lines[:3]] == ["1", "2", "3"]
    assert "encoded in 3.2 s" in lines[0]
    assert "50%" in lines[1]
    assert "1.42x" in lines[1]
    assert "381 MiB" in lines[1]
    assert lines[4].startswith(" encoding  1 of 3 clips")
    assert "of 4.0 GiB" in lines[5]


def test_failures_stay_in_sight_and_the_rest_is_counted() -> None:
    progress, _ = run_of(10_000, started=500, ended=480)
    lines = shown(progress)
    assert lines[0].strip() == "… and 63 more failed"
    assert sum("✗" in line and "stopped (clip_failed)" in line for line in lines) == 5
    assert sum("▸" in line for line in lines) == 12
    assert "… and 8 more running" in "\n".join(lines)
    assert "9500 waiting" in lines[-1]
    assert "68 failed" in lines[-1]


def test_the_totals_stay_where_they_are_when_fewer_clips_run() -> None:
    progress, _ = run_of(40, started=20, ended=16, failing=50)
    before = len(shown(progress))
    for at in range(16, 20):
        progress.feed(events.ClipFinished(at, 1.0, None))
        assert len(shown(progress)) == before
    progress.feed(events.ConcatStarted(10.0))
    assert len(shown(progress)) == before


def test_a_batch_says_what_it_counts() -> None:
    progress = RunProgress(FakeClock(100.0))
    progress.feed(events.RunStarted("batch", "w", 8, None, total_jobs=2))
    for job in ("monday", "tuesday"):
        progress.feed(events.RunStarted("process", job, 4), job)
        worked_on(progress, range(2), job)
    assert " working  0 of 2 jobs" in shown(progress)[-2]
    assert shown(progress)[-1] == " 4 of 8 clips, 4 waiting, 0 s so far"


def test_a_notice_names_its_file_without_the_folders() -> None:
    progress, _ = run_of(3, started=1, ended=0)
    path = Path("/a/long/way/to/wide.mov")
    progress.feed(events.warning_of(Issue(IssueCode.EXTREME_ASPECT_RATIO, "is 5:1", path)))
    assert " ! wide.mov: is 5:1 (extreme_aspect_ratio)" in shown(progress)


def test_a_small_terminal_shows_one_failure_rather_than_a_count() -> None:
    progress, _ = run_of(40, started=40, ended=40)
    assert any("✗" in line for line in shown(progress, 60, 8))


def test_notices_are_shown_and_counted() -> None:
    progress, _ = run_of(3, started=1, ended=0)
    progress.feed(events.Notice("info", "i", "joining by copy"))
    progress.feed(events.Notice("error", "e", "disk\x07 is slow"))
    text = "\n".join(shown(progress))
    assert "! disk\\x07 is slow (e)" in text
    assert "joining by copy" in text
    for _ in range(5):
        progress.feed(events.Notice("warning", "w", "again"))
    lines = shown(progress)
    assert " ! 4 earlier warnings" in lines
    assert "6 warnings" in lines[-1]
    assert "joining by copy" not in "\n".join(lines)


def test_phases_follow_the_events() -> None:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    assert progress.overall().phase is Phase.CHECKING
    assert progress.elapsed_seconds == 0
    progress.feed(events.RunStarted("process", "w", 5))
    assert shown(progress)[0] == " checking  5 clips"
    progress.feed(events.ValidationFinished(4, 1))
    assert progress.overall().phase is Phase.ENCODING
    assert "1 unusable" in shown(progress)[-1]
    progress.feed(events.ConcatStarted(20.0))
    progress.feed(events.ConcatProgress(5.0))
    assert progress.overall().share == 0.25
    progress.feed(events.ConcatProgress(20.0))
    assert progress.overall().phase is Phase.VERIFYING
    assert "verifying" in "\n".join(shown(progress))
    progress.feed(events.ConcatStarted())
    assert progress.overall() == progress.overall().__class__(Phase.JOINING, None, None)
    progress.feed(events.ConcatFinished("FFmpeg"))
    assert progress.overall().phase is Phase.DONE
    progress.feed(events.PicturesStarted(("poster",)))
    assert progress.overall().phase is Phase.PICTURES
    assert "creating images" in shown(progress)[-2]
    progress.feed(events.RunFinished("success"))
    assert progress.overall().phase is Phase.DONE
    assert "finishing" in "\n".join(shown(progress))


def test_stopping_is_said() -> None:
    progress, _ = run_of(3, started=2, ended=0)
    assert any(line.startswith(" stopping") for line in shown(progress, stopping=True))


def test_time_left_weighs_clips_by_their_seconds() -> None:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    progress.feed(events.RunStarted("process", "w", 4))
    progress.feed(events.ValidationFinished(3, 1, 100.0))
    progress.feed(events.ClipStarted(0, Path("a"), "encode", 20.0))
    clock.now += 2
    progress.feed(events.ClipProgress(0, 10.0, 5.0, None))
    assert progress.overall().time_left is None
    clock.now += 8
    assert progress.overall().time_left == pytest.approx(90)
    progress.feed(events.ClipStarted(1, Path("b"), "reuse", 50.0))
    progress.feed(events.ClipFinished(1, 0.0, None))
    overall = progress.overall()
    assert overall.share == pytest.approx(0.6)
    assert overall.time_left == pytest.approx(40)


def test_unknown_total_is_estimated_from_the_clips_seen() -> None:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    progress.feed(events.RunStarted("process", "w", 4))
    assert progress.overall().share is None
    progress.feed(events.ClipStarted(0, Path("a"), "copy", 10.0))
    progress.feed(events.ClipFinished(0, 0.1, None))
    clock.now += 6
    assert progress.overall().share == pytest.approx(0.25)
    assert progress.overall().time_left == pytest.approx(18)


def test_the_seconds_of_a_batch_are_those_of_checked_jobs_and_a_mean_for_the_others() -> None:
    progress = RunProgress(FakeClock(100.0))
    progress.feed(events.RunStarted("batch", "w", 6, None, total_jobs=3))
    for job, total in (("monday", 60.0), ("tuesday", 20.0)):
        progress.feed(events.RunStarted("process", job, 2), job)
        progress.feed(events.ValidationFinished(2, 0, total), job)
    worked_on(progress, range(1), "tuesday")
    assert progress.overall().share == pytest.approx(10 / (60 + 20 + 2 * 10))
    progress.feed(events.RunFinished("error", "clip_failed"), "tuesday")  # which began one clip of two
    assert progress.overall().share == pytest.approx(10 / (60 + 10 + 2 * 10))


def test_time_left_waits_until_it_means_something() -> None:
    assert time_left(1.0, 0.0, 10.0) is None
    assert time_left(0.001, 100.0, 60.0) is None
    assert time_left(50.0, 100.0, 60.0) == 60.0


def test_jobs_of_a_batch_do_not_mix() -> None:
    progress = RunProgress(FakeClock(100.0))
    for job in ("monday", "tuesday"):
        progress.feed(events.RunStarted("batch", job, 2), job)
        progress.feed(events.ClipStarted(0, Path("a.mp4"), "encode", 10.0), job)
    progress.feed(events.ClipFinished(0, 1.0, None), "monday")
    progress.feed(events.ConcatStarted(10.0), "monday")
    assert progress.total_clips == 4
    assert [clip.name for clip in progress.clips.running.values()] == ["tuesday: a.mp4"]
    assert progress.overall().phase is Phase.ENCODING
    progress.feed(events.ConcatStarted(10.0), "tuesday")
    assert progress.overall() == progress.overall().__class__(Phase.JOINING, None, None)


def test_a_clip_that_ends_without_having_started_is_counted() -> None:
    progress = RunProgress(FakeClock(100.0))
    progress.feed(events.ClipFailed(4, "clip_failed", "no"))
    assert progress.clips.failed[0].name == "clip 5"
    assert_fits(shown(progress), 80, 24)


def worked_on(progress: RunProgress, indices: range, job: str | None, *, failing: int | None = None) -> None:
    """Clips begin and end; the first is copied."""
    for at in indices:
        progress.feed(events.ClipStarted(at, Path(f"{at}.mp4"), "encode" if at else "copy", 10.0), job)
        end = events.ClipFailed(at, "clip_failed", "no") if at == failing else events.ClipFinished(at, 1.0, None)
        progress.feed(end, job)


def test_clips_that_are_made_again_count_once() -> None:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    progress.feed(events.RunStarted("process", "w", 6))
    progress.feed(events.ValidationFinished(6, 0, 60.0))
    worked_on(progress, range(4), None, failing=3)
    clock.now += 20
    assert "4 of 6 clips" in "\n".join(shown(progress))
    progress.feed(events.ClipsRestarted(3, 1, 40.0))
    assert (progress.waiting_count, progress.clips.ended_count, progress.clips.failed_count) == (6, 0, 0)
    assert progress.overall() == progress.overall().__class__(Phase.ENCODING, 0.0, None)
    text = "\n".join(shown(progress))
    assert "0 of 6 clips" in text
    assert "6 waiting" in text
    assert "failed" not in text
    worked_on(progress, range(1), None)
    clock.now += 10
    worked_on(progress, range(1, 3), None)
    overall = progress.overall()
    assert overall.share == pytest.approx(0.5)
    assert overall.time_left == pytest.approx(15)  # 20 of 50 s took 10 s, since the clips began again
    worked_on(progress, range(3, 6), None)
    assert "6 of 6 clips" in "\n".join(shown(progress))
    assert (progress.waiting_count, progress.total_clips) == (0, 6)
    assert progress.overall().share == 1.0


def test_a_job_that_begins_again_takes_nothing_from_the_others() -> None:
    progress = RunProgress(FakeClock(100.0))
    progress.feed(events.RunStarted("batch", "w", 8, None, total_jobs=2))
    for job in ("monday", "tuesday"):
        progress.feed(events.RunStarted("process", job, 4), job)
        progress.feed(events.ValidationFinished(4, 0, 40.0), job)
        worked_on(progress, range(2), job)
    progress.feed(events.ClipsRestarted(2, 0, 20.0), "monday")
    assert (progress.waiting_count, progress.clips.ended_count) == (6, 2)
    monday, tuesday = progress.jobs.running["monday"], progress.jobs.running["tuesday"]
    assert (monday.done_seconds, tuesday.done_seconds) == (0.0, 20.0)
    worked_on(progress, range(4), "monday")
    worked_on(progress, range(2, 4), "tuesday")
    assert (progress.waiting_count, progress.clips.ended_count, progress.total_clips) == (0, 8, 8)
    assert progress.overall().share == 1.0
    for job in ("monday", "tuesday"):
        progress.feed(events.RunFinished("success"), job)
    assert (progress.total_clips, progress.jobs.ended_count) == (8, 2)


index = st.integers(0, 5)
seconds = st.floats(allow_nan=True, allow_infinity=True)
some_bytes = st.none() | st.integers(0, 2**60)
any_event = st.one_of(
    st.builds(events.RunStarted, st.just("process"), st.just("w"), st.integers(0, 10_000)),
    st.builds(events.ValidationFinished, st.integers(0, 9), st.integers(0, 9), st.none() | seconds),
    st.builds(
        events.ClipStarted,
        index,
        st.sampled_from(NAMES).map(Path) | st.text(min_size=1).map(Path),
        st.sampled_from(["encode", "copy", "reuse"]),
        seconds,
    ),
    st.builds(events.ClipProgress, index, seconds, st.none() | seconds, some_bytes),
    st.builds(events.ClipFinished, index, seconds, some_bytes),
    st.builds(events.ClipFailed, index, st.just("clip_failed"), st.text()),
    st.builds(events.ClipsRestarted, index, index, seconds),
    st.builds(events.ConcatStarted, st.none() | seconds),
    st.builds(events.ConcatProgress, seconds),
    st.builds(events.ConcatFinished, st.just("FFmpeg")),
    st.builds(events.PicturesStarted, st.just(("poster",))),
    st.builds(events.ResourceSample, st.integers(0, 2**60), st.integers(0, 2**60), st.floats(0, 9999), some_bytes),
    st.builds(events.Notice, st.sampled_from(["info", "warning", "error"]), st.just("c"), st.text()),
    st.builds(events.RunFinished, st.just("success")),
)


@given(st.lists(any_event, max_size=25), st.sampled_from(SIZES), st.floats(0, 1000))
def test_no_order_of_events_breaks_the_panel(order: list[events.Event], size: tuple[int, int], pause: float) -> None:
    clock = FakeClock(100.0)
    progress = RunProgress(clock)
    for event in order:
        progress.feed(event)
        clock.now += pause / 10
        assert_fits(shown(progress, *size), *size)


def live_on(width: int, height: int, *, token: CancelToken | None = None) -> tuple[LiveDisplay, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, width=width, height=height, legacy_windows=False, _environ={"TERM": "xterm"}
    )
    return LiveDisplay(console, cancel=token), stream


def test_leaves_a_clean_terminal_after_an_exception() -> None:
    token = CancelToken()
    display, stream = live_on(80, 24, token=token)
    as_protocol: Display = display

    def interrupted() -> None:
        with as_protocol:
            display.emit(events.RunStarted("process", "w", 3))
            token.cancel()
            display._draw()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    written = stream.getvalue()
    assert "stopping  0 of 3 clips" in written
    assert written.startswith("\x1b[?1049h\x1b[?25l")
    assert "starting" in written
    assert written.endswith("\r\x1b[J\x1b[?1049l\x1b[?25h")


def test_events_may_come_from_many_threads() -> None:
    display, _ = live_on(80, 24)

    def work(first: int) -> None:
        for number in range(first, 400, 4):
            display.emit(events.ClipStarted(number, Path("a.mp4"), "encode", 1.0))
            display.emit(events.ClipProgress(number, 0.5, 1.0, None))
            display.emit(events.ClipFinished(number, 1.0, None))

    with display:
        display.emit(events.RunStarted("process", "w", 400))
        threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert display._progress.clips.finished_count == 400


class _Gone(io.StringIO):
    gone = False

    def write(self, text: str) -> int:
        if self.gone:
            raise OSError("the terminal is gone")
        return super().write(text)


def test_a_terminal_that_is_gone_does_not_hide_the_end() -> None:
    stream = _Gone()
    console = Console(file=stream, force_terminal=True, width=80, height=24, _environ={"TERM": "xterm"})
    display = LiveDisplay(console)
    with display:
        stream.gone = True
    stream.gone = False


def drawn_on(width: int, height: int = 24) -> tuple[Canvas, Console, io.StringIO]:
    display, stream = live_on(width, height)
    return display._canvas, display._canvas._console, stream


def written_by(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


def test_a_picture_is_written_over_the_last_one_and_only_when_it_differs() -> None:
    canvas, _, stream = drawn_on(40)
    canvas.draw([Text("one"), Text("two")])
    assert written_by(stream) == "\r\x1b[?7lone\x1b[K\ntwo\x1b[J\x1b[?7h\x1b[1A\r"
    canvas.draw([Text("one"), Text("two")])
    assert written_by(stream) == ""
    canvas.draw([Text("ten")])
    assert written_by(stream) == "\r\x1b[?7lten\x1b[J\x1b[?7h\r"


def test_a_picture_is_written_again_when_the_terminal_has_another_size() -> None:
    canvas, console, stream = drawn_on(40)
    canvas.draw([Text("z")])
    first = written_by(stream)
    console.size = ConsoleDimensions(10, 24)
    canvas.draw([Text("z")])
    assert written_by(stream) == first


def test_what_others_say_meanwhile_stays_on_the_first_screen() -> None:
    display, stream = live_on(40, 24)
    with display:
        print("a warn", end="", file=sys.stderr)
        print("ing", file=sys.stderr)
        print("no end", end="", file=sys.stderr)
    text = stream.getvalue()
    assert "\r\x1b[J\x1b[?1049la warning\n\x1b[?1049h" in text
    assert text.endswith("\x1b[?1049lno end\n\x1b[?1049h\r\x1b[J\x1b[?1049l\x1b[?25h")

"""What people read at the end: answers on stdout, problems on stderr, nothing cut in a pipe."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from mpt_cli.display.answers.summary import show_issue, show_result
from mpt_cli.display.answers.table import Cell, Column, table_lines
from mpt_cli.display.answers.verdicts import show_validation
from mpt_cli.display.base import PIPE_WIDTH, console, panel_wanted
from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import Color, Dimensions, Orientation
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.left_out import LeftOut, LeftOutKind
from mpt_cli.model.loudness import ClipLoudness, Loudness, ReelLoudness, loudness_text
from mpt_cli.model.media_info import AudioStreamInfo, MediaInfo, VideoStreamInfo
from mpt_cli.model.plan_report import Prediction
from mpt_cli.model.results import (
    ClipResult,
    ClipStatus,
    ConcatenationResult,
    FileValidationResult,
    OutputInfo,
    PerformanceReport,
    RunStatus,
    VideoResult,
)

LONG = "walk in the park with a very long name that goes on and on and on, part 0013.mov"
HOSTILE = "evil\x1b[31m\n\u202ename\udcff.mp4"
FAILURE = Issue(IssueCode.CLIP_FAILED, "ffmpeg\x1b[2J stopped", Path("/x") / HOSTILE, "try\x07 again")
WARNING = Issue(IssueCode.EXTREME_ASPECT_RATIO, "is 5:1", Path("/x/wide.mov"))


def clip(index: int, name: str, status: ClipStatus = ClipStatus.PROCESSED) -> ClipResult:
    if status is not ClipStatus.PROCESSED:
        return ClipResult(index, Path("/x") / name, status, error=FAILURE if status is ClipStatus.FAILED else None)
    action = list(Action)[index % 3]
    return ClipResult(
        index,
        Path("/x") / name,
        status,
        action,
        ("other size", "other rate"),
        Fraction(0),
        Fraction(21, 5),
        126,
        3.1,
        2**29,
    )


def result(*clips: ClipResult, status: RunStatus = RunStatus.SUCCESS, made: bool = True) -> VideoResult:
    output = OutputInfo(
        Path("/a/rather/long/path/to/the/folder/of/outputs/that/does/not/end/reel.mp4"),
        12_345_678,
        Container.MP4,
        Fraction(312, 5),
        1872,
        Dimensions(1080, 1920),
        Fraction(30000, 1001),
        "h264",
        "aac",
    )
    return VideoResult(
        "w",
        status,
        clips,
        output=output if made else None,
        concatenation=ConcatenationResult("FFmpeg", True, 1.2, 10**8, "moov\x07 was odd") if made else None,
        metrics=PerformanceReport("w", 83.2, 0.9, 2 * 10**9, 0.8) if made else None,
        seed=42 if made else None,
        errors=(FAILURE,),
        warnings=(WARNING,),
    )


CLIPS = (
    clip(0, "intro.mp4"),
    clip(1, LONG),
    clip(2, "日本語の名前.mp4"),
    clip(3, HOSTILE, ClipStatus.FAILED),
    clip(4, "skip.mp4", ClipStatus.SKIPPED),
    clip(5, "rest.mp4", ClipStatus.NOT_RUN),
)


def terminal(width: int) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, color_system=None, width=width, _environ={}), stream


def in_terminal(value: VideoResult, width: int) -> tuple[list[str], str]:
    (out, stdout), (err, stderr) = terminal(width), terminal(width)
    show_result(out, err, value)
    return stdout.getvalue().splitlines(), stderr.getvalue()


def in_pipe(value: VideoResult) -> tuple[str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    show_result(console(stdout), console(stderr), value)
    return stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("made", [True, False])
def test_what_was_predicted_stands_beside_what_came(*, made: bool) -> None:
    metrics = PerformanceReport("w", 83.2, None, 2**30, None, (), 2**21, Prediction(2**29, 2**20, 2**24, 61.0))
    value = replace(result(*CLIPS, made=made), metrics=metrics)
    assert "predicted" not in in_pipe(value)[0]
    stdout = io.StringIO()
    show_result(console(stdout), console(stdout), value, verbose=True)
    rows = [line.split("  ") for line in stdout.getvalue().split("predicted")[1].splitlines()[1:5]]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["memory", "512 MiB", "1.0 GiB"],
        ["temporary files", "1.0 MiB", "2.0 MiB"],
        ["reel", "16.0 MiB", "11.8 MiB" if made else "-"],
        ["time", "1:01", "1:23"],
    ]


def test_a_pipe_gets_everything_whole() -> None:
    out, err = in_pipe(result(*CLIPS, status=RunStatus.PARTIAL))
    assert out.splitlines()[:6] == [
        "reel.mp4 is ready, without the clips that failed",
        "  path     /a/rather/long/path/to/the/folder/of/outputs/that/does/not/end/reel.mp4",
        "  size     11.8 MiB, mp4 with h264, aac",
        "  length   1:02.400, 1872 frames",
        "  video    1080x1920 at 29.97 fps",
        "  audio    aac, 48 kHz, stereo",
    ]
    assert LONG in out
    assert "evil\\x1b[31m\\n\\u202ename\\xff.mp4" in out
    assert "other size, other rate" in out
    assert "6 clips: 1 encoded, 1 copied, 1 reused, 1 failed, 1 skipped, 1 not run" in out
    assert (
        "joined by FFmpeg (no frame encoded twice; moov\\x07 was odd), 1:23 in all, peak memory 1.9 GiB, seed 42" in out
    )
    assert "\x1b" not in out + err
    assert err.splitlines() == [
        "warning: /x/wide.mov: is 5:1 (extreme_aspect_ratio)",
        "error: /x/evil\\x1b[31m\\n\\u202ename\\xff.mp4: ffmpeg\\x1b[2J stopped (clip_failed)",
        "  hint: try\\x07 again",
    ]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_fits_a_terminal(width: int) -> None:
    lines, _ = in_terminal(result(*CLIPS), width)
    assert all(cell_len(line) <= width for line in lines if not line.startswith("  path"))
    assert lines[0] == "reel.mp4 is ready"
    assert ("time" in lines[7].split()) == (width > 60)


def test_one_clip_without_a_reel() -> None:
    out, _ = in_pipe(result(clip(0, "a.mp4"), status=RunStatus.ERROR, made=False))
    assert out.startswith("no reel was made\n")
    assert out.endswith("1 clip: 1 encoded\n")


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_has_a_headline(status: RunStatus) -> None:
    out, _ = in_pipe(VideoResult("w", status))
    assert "made" in out.splitlines()[0]
    assert out.endswith("0 clips\n")


def test_metrics_without_memory() -> None:
    value = VideoResult(
        "w",
        RunStatus.SUCCESS,
        metrics=PerformanceReport("w", 1.0, None, None, None),
        concatenation=ConcatenationResult("MoviePy", False, 1.0, None),
    )
    out, _ = in_pipe(value)
    assert out.endswith("joined by MoviePy (all frames encoded again), 1.0 s in all\n")


@pytest.mark.heavy
def test_many_clips_show_those_that_failed_first() -> None:
    clips = [clip(index, f"c{index}.mp4") for index in range(500)]
    clips[400] = clip(400, "broken.mp4", ClipStatus.FAILED)
    lines, _ = in_terminal(result(*clips), 100)
    assert any("broken.mp4" in line for line in lines)
    assert "and 489 clips more; --json lists all" in lines
    assert len(lines) < 25  # the height of this terminal
    assert lines[0] == "reel.mp4 is ready"
    out, _ = in_pipe(result(*clips))
    assert "c499.mp4" in out


@pytest.mark.parametrize("seed", [7, None])
def test_another_order_is_told_by_where_clips_start(seed: int | None) -> None:
    starts = (Fraction(9), None, Fraction(0), Fraction(4))
    clips = [replace(clip(at, f"c{at}.mp4"), start=start) for at, start in enumerate(starts)]
    out, _ = in_pipe(replace(result(*clips), seed=seed))
    rows = [line.split() for line in out.splitlines()[8:12]]
    assert [row[1] for row in rows] == ["c2.mp4", "c3.mp4", "c0.mp4", "c1.mp4"]
    assert "0.0 s" in out.splitlines()[8]


def test_order_of_the_request_needs_no_starts() -> None:
    clips = [replace(clip(at, f"c{at}.mp4"), start=Fraction(at)) for at in range(3)]
    assert "start" not in in_pipe(replace(result(*clips), seed=None))[0]


def test_summary_has_loudness_and_gains_where_levels_were_changed() -> None:
    levels = (ClipLoudness(-20.0), ClipLoudness(-32.04, 9.12), None)
    clips = [replace(clip(at, f"c{at}.mp4"), loudness=level) for at, level in enumerate(levels)]
    plain = result(*clips)
    assert plain.output is not None
    assert "loudness" not in in_pipe(result(*[clip(0, "a.mp4")]))[0]
    reel = ReelLoudness(-14.0, -1.0, Loudness(-20.0, -9.0), Loudness(-14.0, -3.0), 6.0, 0.0)
    out, _ = in_pipe(replace(plain, output=replace(plain.output, loudness=reel)))
    assert f"  loudness {loudness_text(reel)}" in out.splitlines()
    heads, *rows = out.splitlines()[8:12]
    assert heads.split()[-1] == "gain"
    assert [row.rstrip().endswith("+9.1 dB") for row in rows] == [False, True, False]
    assert "gain" not in in_pipe(result(*[replace(one, loudness=levels[0]) for one in clips]))[0]


def test_summary_names_what_folders_leave_out() -> None:
    photos = LeftOut(Path("/in"), LeftOutKind.PHOTO, 2, ("a.jpg", "b.jpg"))
    reel = LeftOut(Path("/in"), LeftOutKind.REEL, 1, ("old\x1b.mp4",))
    out, _ = in_pipe(replace(result(clip(0, "c.mp4")), left_out=(photos, reel)))
    assert r"left out: 2 photos, 1 reel made by mpt (old\x1b.mp4)" in out.splitlines()
    more = replace(photos, folder=Path("/more"), count=1)
    out, _ = in_pipe(replace(result(clip(0, "c.mp4")), left_out=(photos, more)))
    lines = [line for line in out.splitlines() if "left out" in line]
    assert lines == ["/in: left out: 2 photos", "/more: left out: 1 photo"]


def test_the_name_of_a_job_stands_before_the_path() -> None:
    stream = io.StringIO()
    show_issue(console(stream), Issue(IssueCode.FILE_EMPTY, "is empty", Path("/x/a.mp4")), job="mon\x07day")
    assert stream.getvalue() == "error: mon\\x07day: /x/a.mp4: is empty (file_empty)\n"


def test_an_issue_without_a_path() -> None:
    stream = io.StringIO()
    show_issue(console(stream), Issue(IssueCode.USAGE, "what?"))
    assert stream.getvalue() == "error: what? (usage)\n"


def media(**changes: object) -> MediaInfo:
    video = VideoStreamInfo(
        0,
        "h264",
        "High",
        Dimensions(1920, 1080),
        Fraction(1),
        Orientation(90),
        Fraction(30000, 1001),
        bool(changes.get("vfr")),
        "yuv420p",
        8,
        False,
        Color(),
        "dolby_vision" if changes.get("hdr") else None,
        bool(changes.get("interlaced")),
    )
    sound = None if changes.get("silent") else AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48000)
    return MediaInfo("mov", 1, Fraction(0), Fraction(21, 5), video, sound, Fraction(0), Fraction(4), True)


FILES = (
    FileValidationResult(Path("a.mp4"), media=media()),
    FileValidationResult(
        Path(LONG), warnings=(WARNING,), media=media(vfr=True, hdr=True, interlaced=True, silent=True)
    ),
    FileValidationResult(Path(HOSTILE), errors=(FAILURE,)),
)


def test_validate_names_every_problem() -> None:
    stream = io.StringIO()
    show_validation(console(stream), FILES)
    lines = stream.getvalue().splitlines()
    assert lines[1].split() == ["ok", "a.mp4", "mov,", "h264", "1080x1920", "29.97", "4.2", "s", "aac", "stereo"]
    assert "1080x1920 dolby vision interlaced  ~29.97   4.2 s  none" in lines[2]
    assert lines[3] == "    warning: is 5:1 (extreme_aspect_ratio)"
    assert lines[4].startswith("bad      evil\\x1b")
    assert lines[5:7] == ["    error: ffmpeg\\x1b[2J stopped (clip_failed)", "      hint: try\\x07 again"]
    assert lines[-1] == "3 clips: 2 valid, 1 invalid, 1 with warnings"


@pytest.mark.parametrize("width", [60, 80, 140])
def test_validate_fits_a_terminal(width: int) -> None:
    out, stream = terminal(width)
    show_validation(out, FILES)
    assert all(cell_len(line) <= width for line in stream.getvalue().splitlines())
    assert ("format" in stream.getvalue()) == (width > 60)


def test_validate_of_nothing() -> None:
    stream = io.StringIO()
    show_validation(console(stream), [])
    assert stream.getvalue() == "0 clips: 0 valid\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def colored(choice: str, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)
    show_issue(console(stream, choice), FAILURE)  # type: ignore[arg-type]
    return stream.getvalue()


def test_color_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;31m" in colored("auto", Terminal(), monkeypatch)
    assert "\x1b" not in colored("auto", io.StringIO(), monkeypatch)
    assert "\x1b[1;31m" in colored("always", io.StringIO(), monkeypatch, NO_COLOR="1", TERM="dumb")
    assert "\x1b" not in colored("never", Terminal(), monkeypatch)
    assert "\x1b[1;31m" not in colored("auto", Terminal(), monkeypatch, NO_COLOR="1")


def test_a_pipe_has_a_width_and_takes_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    out = console(stream)
    assert out.width == PIPE_WIDTH
    out.print("日本")
    stream.flush()
    assert raw.getvalue() == b"\\u65e5\\u672c\n"


@pytest.mark.parametrize(
    ("environ", "quiet", "wanted"),
    [
        ({"TERM": "xterm"}, False, True),
        ({}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"CI": "true"}, False, False),
        ({"TERM": "xterm"}, True, False),
    ],
)
def test_when_the_panel_is_drawn(environ: dict[str, str], quiet: bool, wanted: bool) -> None:
    assert panel_wanted(Terminal(), quiet=quiet, environ=environ) is wanted
    assert not panel_wanted(io.StringIO(), quiet=quiet, environ=environ)


def test_the_panel_asks_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    assert not panel_wanted(Terminal())


COLUMNS = (
    Column("#", right=True),
    Column("name", least=6, middle=True),
    Column("why", least=4, drop=1),
    Column("x", drop=2),
)


def test_a_table_drops_columns_before_it_cuts_too_much() -> None:
    row = [Cell("1"), Cell("abcdefghijklmnop.mp4"), Cell("because of that"), Cell("yes")]
    wide = [line.plain for line in table_lines(COLUMNS, [row], None)]
    assert wide == [
        "#  name                  why              x",
        "1  abcdefghijklmnop.mp4  because of that  yes",
    ]
    assert "because" in table_lines(COLUMNS, [row], 30)[1].plain
    assert table_lines(COLUMNS, [row], 14)[1].plain == "1  abcdef….mp4"
    assert "bec" not in table_lines(COLUMNS, [row], 12)[1].plain


@given(
    st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"])), min_size=1, max_size=4), st.integers(9, 60)
)
def test_a_table_never_is_wider_than_it_may(names: list[str], width: int) -> None:
    rows = [[Cell("1"), Cell(name), Cell(name), Cell("x")] for name in names]
    assert all(cell_len(line.plain) <= width for line in table_lines(COLUMNS, rows, width))

"""SideOutputs: what fails of sheet and poster is said and costs nothing else; pages find pictures where they are."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.config.request import Extras
from mpt_cli.model.choices import Container
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import Cancelled, IssueCode, OutputError, ProbeError, UsageError
from mpt_cli.model.media_info import Still
from mpt_cli.model.results import OutputInfo, RunStatus, VideoResult
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.workflow.reel_pictures import clips_shown, middle_of
from mpt_cli.workflow.side_outputs import SideOutputs
from tests.unit.reporting.test_page import clip_of, entry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = Fraction(30)


class FakeWorkers:
    """Answers with flat pictures, and remembers what was asked."""

    def __init__(self, fail: Exception | None = None) -> None:
        self.fail, self.asked = fail, list[tuple[Path, list[Fraction], Dimensions]]()

    def __enter__(self) -> FakeWorkers:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Nothing is open."""

    def stills(
        self, path: Path, times: Sequence[Fraction], box: Dimensions, *, cancel: CancelToken | None = None
    ) -> list[Still | None]:
        self.asked.append((path, list(times), box))
        if self.fail is not None:
            raise self.fail
        return [Still(box.width, box.height, bytes(box.pixels * 3)) for _ in times]


def result_of(reel: Path, clips: int = 3) -> VideoResult:
    frames = 60 * clips
    size = reel.stat().st_size if reel.exists() else 7
    output = OutputInfo(reel, size, Container.MP4, frames / RATE, frames, Dimensions(160, 90), RATE, "h264", "aac")
    return VideoResult("w", RunStatus.SUCCESS, tuple(map(clip_of, range(clips))), output)


def side_outputs_of(workers: Any) -> SideOutputs:
    return SideOutputs(workers, threads=2)


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    path = tmp_path / "reel.mp4"
    path.write_bytes(b"a reel")
    return path


def test_each_time_lies_inside_of_the_middle_frame() -> None:
    output = result_of(Path("x.mp4")).output
    assert output is not None
    for frames, middle in ((60, 30), (1, 0), (7, 3)):
        clip = clip_of(1, frames=frames)
        assert clip.start is not None
        assert middle_of(clip, output) == clip.start + (middle + Fraction(1, 2)) / RATE


def test_of_too_many_clips_some_from_everywhere_are_shown() -> None:
    clips = [clip_of(n) for n in range(1000)]
    shown = clips_shown(clips, 100)
    assert [clip.index for clip in shown] == list(range(0, 1000, 10))
    outside = clip_of(0, start=None)
    assert clips_shown([outside, clips[2], clips[1]], 100) == [clips[1], clips[2]]


def test_both_are_made_and_a_picture_is_taken_once(reel: Path, tmp_path: Path) -> None:
    workers = FakeWorkers()
    extras = Extras(tmp_path / "sheet.png", tmp_path / "poster.png")
    output, issues = side_outputs_of(workers).make_extras(
        extras, result_of(reel), overwrite=False, cancel=CancelToken()
    )
    assert issues == []
    assert (output.contact_sheet, output.poster) == (extras.contact_sheet, extras.poster)
    assert [len(times) for _, times, _ in workers.asked] == [3, 1]
    assert workers.asked[1][2] == Dimensions(160, 90)


@pytest.mark.parametrize(
    "fail",
    [ProbeError(IssueCode.PROBE_CRASHED, "crashed"), OSError(5, "Input/output error")],
    ids=["crash", "disk"],
)
def test_pictures_that_cannot_be_taken_cost_only_themselves(reel: Path, tmp_path: Path, fail: Exception) -> None:
    extras = Extras(tmp_path / "sheet.png", tmp_path / "poster.png")
    made = side_outputs_of(FakeWorkers(fail)).make_extras(
        extras, result_of(reel), overwrite=False, cancel=CancelToken()
    )
    output, issues = made
    assert (output.contact_sheet, output.poster) == (None, None)
    assert [issue.code for issue in issues] == [IssueCode.CONTACT_SHEET_FAILED, IssueCode.POSTER_FAILED]
    assert (
        issues[0].message
        == "could not be created as the contact sheet (the reel shows no picture); the reel is not affected"
    )
    assert sorted(tmp_path.iterdir()) == [reel]


def test_a_file_that_appeared_meanwhile_is_left_alone(reel: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_text("mine")
    made = side_outputs_of(FakeWorkers()).make_extras(
        Extras(sheet, tmp_path / "poster.jpg"), result_of(reel), overwrite=False, cancel=CancelToken()
    )
    output, (issue,) = made
    assert (output.contact_sheet, output.poster) == (None, tmp_path / "poster.jpg")
    assert (issue.code, issue.path, issue.hint) == (
        IssueCode.CONTACT_SHEET_FAILED,
        sheet,
        "add --overwrite to replace it",
    )
    assert sheet.read_text() == "mine"


def test_a_stop_after_publishing_costs_only_the_pictures(reel: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    extras = Extras(contact_sheet=tmp_path / "sheet.png")
    output, issues = side_outputs_of(FakeWorkers()).make_extras(extras, result_of(reel), overwrite=False, cancel=cancel)
    assert output.contact_sheet is None
    assert [issue.code for issue in issues] == [IssueCode.CONTACT_SHEET_FAILED]


def test_thumbnails_come_from_the_reel_else_from_the_input(reel: Path, tmp_path: Path) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"an input")
    clips = (clip_of(0), clip_of(1, path=source, start=None), clip_of(2, start=None))
    workers = FakeWorkers()
    found = side_outputs_of(workers).thumbnails(replace(result_of(reel), clips=clips), CancelToken())
    assert set(found) == {0, 1}
    assert all(data.startswith(b"\xff\xd8") for data in found.values())
    assert [path for path, _, _ in workers.asked] == [reel, source]


def test_a_reel_that_is_another_file_by_now_shows_nothing(reel: Path) -> None:
    result = result_of(reel)
    reel.write_bytes(b"something else of another size")
    workers = FakeWorkers()
    assert side_outputs_of(workers).thumbnails(result, CancelToken()) == {}
    reel.unlink()
    os.mkfifo(reel)
    assert side_outputs_of(workers).thumbnails(result, CancelToken()) == {}
    assert workers.asked == []


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    entry, path = entry_of(clip_of(0)), tmp_path / "deep" / "report.html"
    side_outputs = side_outputs_of(FakeWorkers())
    side_outputs.write_page(entry, path, overwrite=False, cancel=CancelToken())
    first = path.read_bytes()
    with pytest.raises(OutputError) as caught:
        side_outputs.write_page(entry, path, overwrite=False, cancel=CancelToken())
    assert caught.value.code is IssueCode.OUTPUT_EXISTS
    side_outputs.write_page(entry, path, overwrite=True, cancel=CancelToken())
    assert path.read_bytes() == first
    with pytest.raises(UsageError, match=r"ends in \.html"):
        side_outputs.write_page(entry, tmp_path / "reel.mp4", overwrite=True, cancel=CancelToken())
    stopped = CancelToken()
    stopped.cancel()
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"an input")
    with pytest.raises(Cancelled):
        side_outputs.write_page(
            entry_of(clip_of(0, path=clip)), tmp_path / "other.html", overwrite=False, cancel=stopped
        )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["clip.mp4", "deep"]

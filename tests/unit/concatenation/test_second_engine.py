"""Which failures of a join give the next engine its turn, what is said of it, and what ends the join."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.clips import ProcessedClip, Segment
from mpt_cli.model.errors import (
    Cancelled,
    ConcatenationError,
    DependencyError,
    ExitCode,
    IssueCode,
    MptError,
    OutputError,
    ResourceError,
)
from mpt_cli.runtime.events import ConcatFinished, ConcatStarted, Notice
from tests.builders import form_of
from tests.unit.concatenation.joining import Desk, FakeEngine, Judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes import ListEmit

FAILED = ConcatenationError(IssueCode.CONCAT_FAILED, "ffmpeg failed: no")
TOO_LATE = ConcatenationError(IssueCode.CONCAT_TIMEOUT, "the join took longer than 7 s and was stopped")
MISSING = DependencyError("MoviePy is not installed", hint="pip install moviepy")


@pytest.fixture
def clips(tmp_path: Path) -> list[ProcessedClip]:
    """Two clips that the fake engines never open."""
    path = tmp_path.with_name(f"{tmp_path.name}-clip.mp4")
    path.write_bytes(bytes(10_000_000))
    clip = ProcessedClip(
        index=0,
        original_path=path,
        processed_path=path,
        audio_path=None,
        dimensions=form_of().dimensions,
        segment=Segment(0, 0, 30),
        duration=Fraction(1),
        vcl_crc=0,
        parameter_sets="",
        extradata=b"",
        owned=True,
    )
    return [clip, replace(clip, index=1)]


@pytest.mark.anchor("T053", "T056")
@pytest.mark.parametrize(
    ("first", "refused", "reason"),
    [(FAILED, (), "FFmpeg failed: no"), (None, ("FFmpeg",), "FFmpeg failed: is not what was planned")],
    ids=["failed", "wrong"],
)
def test_the_second_engine_has_its_turn_after_the_first_one_failed(
    tmp_path: Path,
    clips: list[ProcessedClip],
    emit: ListEmit,
    caplog: pytest.LogCaptureFixture,
    first: ConcatenationError | None,
    refused: tuple[str, ...],
    reason: str,
) -> None:
    engines = FakeEngine("FFmpeg", first), FakeEngine("MoviePy", copied=False)
    desk, judge = Desk(tmp_path, *engines, emit=emit), Judge(*refused)
    result = desk.join(clips, judge)
    assert (result.method, result.stream_copy, result.fallback_reason) == ("MoviePy", False, reason)
    assert [len(engine.orders) for engine in engines] == [1, 1]
    assert judge.asked[-1] == ("MoviePy", False)
    assert desk.output.read_text() == "MoviePy"
    code = first.code if first else IssueCode.VERIFY_FAILED
    notice = Notice("warning", code.value, f"{reason}; joining by MoviePy instead, which takes longer")
    assert emit.events == [ConcatStarted(2.0), notice, ConcatFinished("MoviePy")]
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        f"FFmpeg concatenation failed: {first or 'is not what was planned'}"
    ]


@pytest.mark.parametrize(
    ("second", "refused", "code", "said", "hint"),
    [
        (None, ("MoviePy",), IssueCode.CONCAT_FAILED, "MoviePy failed: is not what was planned", None),
        (MISSING, (), IssueCode.CONCAT_FAILED, "MoviePy is not installed", "pip install moviepy"),
        (TOO_LATE, (), IssueCode.CONCAT_TIMEOUT, f"MoviePy failed: {TOO_LATE}", None),
    ],
    ids=["wrong", "missing", "too late"],
)
def test_both_reasons_are_one_error(
    tmp_path: Path,
    clips: list[ProcessedClip],
    emit: ListEmit,
    second: MptError | None,
    refused: tuple[str, ...],
    code: IssueCode,
    said: str,
    hint: str | None,
) -> None:
    desk = Desk(tmp_path, FakeEngine("FFmpeg", FAILED), FakeEngine("MoviePy", second), emit=emit)
    with pytest.raises(ConcatenationError) as failed:
        desk.join(clips, Judge(*refused))
    assert str(failed.value) == f"FFmpeg failed: no; {said}"
    assert (failed.value.code, failed.value.exit_code) == (code, ExitCode.FAILED)
    assert failed.value.issue.hint == hint
    assert list(tmp_path.iterdir()) == []
    assert [type(event) for event in emit.events] == [ConcatStarted, Notice]


@pytest.mark.anchor("T056")
@pytest.mark.parametrize(
    "error",
    [
        Cancelled(),
        ResourceError(IssueCode.DISK_FULL, "the disk is full"),
        ResourceError(IssueCode.MEMORY_EXHAUSTED, "killed"),
        OutputError(IssueCode.OUTPUT_NOT_WRITABLE, "cannot be written"),
        DependencyError("ffmpeg was not found"),
        TOO_LATE,
    ],
    ids=["cancelled", "disk full", "out of memory", "not writable", "no ffmpeg", "too late"],
)
def test_what_no_other_engine_can_mend_ends_the_join(
    tmp_path: Path, clips: list[ProcessedClip], emit: ListEmit, error: MptError
) -> None:
    engines = FakeEngine("FFmpeg", error), FakeEngine("MoviePy")
    with pytest.raises(type(error)) as ended:
        Desk(tmp_path, *engines, emit=emit).join(clips, Judge())
    assert ended.value is error
    assert engines[1].orders == []
    assert emit.of(Notice) == []


def test_an_output_that_cannot_be_written_is_no_fault_of_the_engine(tmp_path: Path, clips: list[ProcessedClip]) -> None:
    class Uprooting(FakeEngine):
        def concatenate(self, order: object, output: Path, **_options: object) -> bool:
            output.parent.rmdir()
            raise FAILED

    engines = Uprooting("FFmpeg"), FakeEngine("MoviePy")
    desk = Desk(tmp_path, *engines)
    desk.output = tmp_path / "folder" / "reel.mp4"
    desk.output.parent.mkdir()
    with pytest.raises(OutputError) as ended:
        desk.join(clips, Judge())
    assert (ended.value.code, ended.value.issue.path) == (IssueCode.OUTPUT_NOT_WRITABLE, desk.output)
    assert engines[1].orders == []


def test_without_fallback_the_first_failure_is_the_last(
    tmp_path: Path, clips: list[ProcessedClip], emit: ListEmit
) -> None:
    engines = FakeEngine("FFmpeg", FAILED), FakeEngine("MoviePy")
    with pytest.raises(ConcatenationError) as failed:
        Desk(tmp_path, *engines, emit=emit).join(clips, Judge(), fallback=False)
    assert failed.value is FAILED
    assert (engines[1].orders, emit.of(Notice)) == ([], [])


@pytest.mark.parametrize("fallback", [True, False])
def test_an_engine_that_is_asked_for_is_the_only_one(
    tmp_path: Path, clips: list[ProcessedClip], *, fallback: bool
) -> None:
    engines = FakeEngine("FFmpeg"), FakeEngine("MoviePy", copied=False)
    result = Desk(tmp_path, *engines).join(clips, Judge(), engine="MoviePy", fallback=fallback)
    assert (result.method, result.fallback_reason, engines[0].orders) == ("MoviePy", None, [])
    with pytest.raises(DependencyError) as missing:
        Desk(tmp_path, *engines[:1], FakeEngine("MoviePy", MISSING)).join(clips, Judge(), engine="MoviePy")
    assert (missing.value is MISSING, missing.value.exit_code) == (True, ExitCode.DEPENDENCY)


def test_all_engines_share_one_time_limit(tmp_path: Path, clips: list[ProcessedClip]) -> None:
    engines = FakeEngine("FFmpeg", FAILED, seconds=5.0), FakeEngine("MoviePy", FAILED, seconds=5.0), FakeEngine("third")
    Desk(tmp_path, *engines).join(clips, Judge())
    assert [engine.orders[0][2] for engine in engines] == [7.0, 2.0, 0.0]


def test_a_join_of_much_may_stand_still_for_longer(tmp_path: Path, clips: list[ProcessedClip]) -> None:
    engine = FakeEngine("FFmpeg")
    for wanted, patience in ((None, None), (60.0, 62.0)):
        Desk(tmp_path, engine).join(clips, Judge(), stall_seconds=wanted)
        assert engine.patience == patience

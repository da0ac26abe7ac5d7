"""Run: what is known of a request becomes its result, at whatever step it ended."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config
from mpt_cli.model.choices import Action, Container
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import Cancelled, ConcatenationError, InputError, Issue, IssueCode, MptError, ProcessingError
from mpt_cli.model.plan_report import Prediction
from mpt_cli.model.results import (
    ClipStatus,
    ConcatenationResult,
    ProcessingResult,
    RunStatus,
    VideoResult,
)
from mpt_cli.planning.report import plan_report
from mpt_cli.runtime.events import RunContext
from mpt_cli.workflow.run_state import RunState
from tests.builders import FORM, OUTPUT, PATHS, bad, good, issue, plan_of, run_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo


def ended(run: RunState, error: MptError) -> VideoResult:
    """The result of a run that ended by this error."""
    run.error = error
    return run.result()


def test_before_anything_is_known_every_clip_was_not_run() -> None:
    run = RunState(VideoParams(tuple(map(VideoClip, PATHS)), Path("reel.mp4")), Config(), RunContext("w"))
    result = ended(run, InputError(IssueCode.OUTPUT_EXISTS, "already exists"))
    assert (result.status, result.code, result.success) == (RunStatus.ERROR, IssueCode.OUTPUT_EXISTS, False)
    assert [(clip.index, clip.path, clip.status) for clip in result.clips] == [
        (number, path, ClipStatus.NOT_RUN) for number, path in enumerate(PATHS)
    ]
    assert (result.ffmpeg, result.seed, result.metrics, result.output) == (None, None, None, None)


def test_a_finished_run_places_its_clips_in_the_order_of_the_reel(info: MediaInfo) -> None:
    run = run_of(info, 2, 0, 3, 1, processed=tuple(map(good, range(4))))
    run.output, run.concatenation, run.ffmpeg = OUTPUT, ConcatenationResult("FFmpeg", True, 1.0, 5), "9.0"
    result = run.result()
    assert (result.status, result.code, result.errors) == (RunStatus.SUCCESS, None, ())
    assert (result.workflow_id, result.output, result.concatenation) == ("w", OUTPUT, run.concatenation)
    assert (result.ffmpeg, result.seed, result.warnings) == ("9.0", 7, (issue(IssueCode.EXTREME_ASPECT_RATIO, 0),))
    assert [clip.index for clip in result.clips] == [0, 1, 2, 3]
    assert [clip.start for clip in result.clips] == [3, 8, 0, 4]  # frames 30, 10, 40, 20 at 10 a second
    assert [clip.frames for clip in result.clips] == [10, 20, 30, 40]
    assert [clip.duration for clip in result.clips] == [1, 2, 3, 4]
    assert {(c.status, c.action, c.elapsed_seconds, c.peak_memory_bytes, c.error) for c in result.clips} == {
        (ClipStatus.PROCESSED, Action.ENCODE, 2.5, 4711, None)
    }
    assert [clip.reasons for clip in result.clips] == [("r0",), ("r1",), ("r2",), ("r3",)]


def test_a_reel_with_clips_left_out_is_partial(info: MediaInfo) -> None:
    refused = issue(IssueCode.NOT_MEDIA, 1)
    run = run_of(info, 0, 2, 3, processed=(good(0), bad(2), good(3)), b=refused)
    run.output = OUTPUT
    result = run.result()
    assert (result.status, result.code, result.success) == (RunStatus.PARTIAL, None, True)
    assert result.errors == (refused, issue(IssueCode.CLIP_FAILED, 2))
    statuses = [ClipStatus.PROCESSED, ClipStatus.SKIPPED, ClipStatus.SKIPPED, ClipStatus.PROCESSED]
    assert [clip.status for clip in result.clips] == statuses
    assert [clip.error for clip in result.clips] == [None, refused, issue(IssueCode.CLIP_FAILED, 2), None]
    assert [clip.start for clip in result.clips] == [0, None, None, 1]


@pytest.mark.parametrize(("number", "processed"), [(1, ()), (2, (bad(2),))], ids=["refused", "failed"])
def test_one_clip_that_is_missing_makes_a_reel_partial(
    info: MediaInfo, number: int, processed: tuple[ProcessingResult, ...]
) -> None:
    refused = {} if processed else {"b": issue(IssueCode.NOT_MEDIA, number)}
    run = run_of(info, 0, 3, processed=(good(0), good(3), *processed), **refused)
    run.output = OUTPUT
    assert run.result().status is RunStatus.PARTIAL


def test_what_was_refused_before_there_was_a_plan_has_failed(info: MediaInfo) -> None:
    first, second = issue(IssueCode.NOT_MEDIA, 1), issue(IssueCode.FILE_EMPTY, 3)
    run = run_of(info, b=first, d=second)
    result = ended(run, InputError(IssueCode.VALIDATION_FAILED, "2 problems"))
    assert [clip.status for clip in result.clips] == [
        ClipStatus.NOT_RUN,
        ClipStatus.FAILED,
        ClipStatus.NOT_RUN,
        ClipStatus.FAILED,
    ]
    assert result.errors == (first, second, Issue(IssueCode.VALIDATION_FAILED, "2 problems"))


def test_problems_of_the_request_come_before_those_of_clips(info: MediaInfo) -> None:
    odd, refused = Issue(IssueCode.ODD_DIMENSIONS, "161x90 is odd"), issue(IssueCode.NOT_MEDIA, 1)
    run = run_of(info, b=refused)
    assert run.validation is not None
    run.validation = replace(run.validation, errors=(odd, odd))
    total = InputError(IssueCode.VALIDATION_FAILED, "2 problems")
    assert ended(run, total).errors == (odd, refused, total.issue)


def test_what_failed_in_a_run_that_failed_is_failed_and_the_others_are_kept(info: MediaInfo) -> None:
    run = run_of(info, 0, 1, 2, 3, processed=(good(0), bad(1), good(2)))
    result = ended(run, ProcessingError(IssueCode.PROCESSING_FAILED, "1 of 4 clips failed"))
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.PROCESSING_FAILED)
    assert [clip.status for clip in result.clips] == [
        ClipStatus.PROCESSED,
        ClipStatus.FAILED,
        ClipStatus.PROCESSED,
        ClipStatus.NOT_RUN,
    ]
    assert [clip.elapsed_seconds for clip in result.clips] == [2.5, 1.5, 2.5, None]
    assert {clip.start for clip in result.clips} == {None}  # there is no reel to be in
    assert [found.code for found in result.errors] == [IssueCode.CLIP_FAILED, IssueCode.PROCESSING_FAILED]


def test_an_error_that_a_clip_already_said_is_said_once(info: MediaInfo) -> None:
    failure = bad(1, IssueCode.DISK_FULL)
    assert failure.error is not None
    run = run_of(info, 0, 1, processed=(good(0), failure))
    again = ConcatenationError(failure.error.code, failure.error.message, path=failure.error.path)
    assert ended(run, again).errors == (failure.error,)


def test_a_stop_is_told_with_its_signal_and_with_what_had_failed_before(info: MediaInfo) -> None:
    run = run_of(info, 0, 1, 2, 3, processed=(good(0), bad(1), bad(2, IssueCode.CANCELLED)))
    run.context.cancel.cancel(15)
    result = ended(run, Cancelled())
    assert (result.status, result.code, result.signal_number) == (RunStatus.CANCELLED, IssueCode.CANCELLED, 15)
    assert [(clip.status, clip.error) for clip in result.clips] == [
        (ClipStatus.PROCESSED, None),
        (ClipStatus.FAILED, issue(IssueCode.CLIP_FAILED, 1)),
        (ClipStatus.NOT_RUN, None),  # stopped, which is no failure of the clip
        (ClipStatus.NOT_RUN, None),
    ]
    assert result.errors == (issue(IssueCode.CLIP_FAILED, 1), Cancelled().issue)


def test_warnings_of_the_join_follow_those_of_the_files(info: MediaInfo) -> None:
    run = run_of(info, 0, processed=(good(0),))
    odd = Issue(IssueCode.CONCAT_FAILED, "some players show black")
    run.concatenation = ConcatenationResult("FFmpeg", True, 1.0, None, warnings=(odd,))
    assert run.result().warnings == (issue(IssueCode.EXTREME_ASPECT_RATIO, 0), odd)


def test_a_dry_run_says_what_is_planned(info: MediaInfo) -> None:
    plan = plan_of(info, 3, 1, 2)
    report = plan_report(plan, Path("/reel.mp4"), {1: (("ffmpeg", "b"),), 2: ((),), 3: (("ffmpeg", "d"),)})
    assert [(step.index, step.path.name, step.argv) for step in report.steps] == [
        (3, "d.mp4", ("ffmpeg", "d")),
        (1, "b.mp4", ("ffmpeg", "b")),
        (2, "c.mp4", ()),
    ]
    assert [step.start for step in report.steps] == [0, 4, 6]
    assert [step.duration for step in report.steps] == [4, 2, 3]
    assert [step.frames for step in report.steps] == [40, 20, 30]
    assert [step.reasons for step in report.steps] == [("r3",), ("r1",), ("r2",)]
    assert (report.frames, report.duration, report.seed, report.jobs) == (90, Fraction(9), 7, 2)
    assert report.predicted == Prediction(plan.memory_bytes, 1000, 500, plan.predicted_seconds)
    assert plan.memory_bytes > 4000 + 3000  # the two largest run at once, beside mpt itself
    assert (report.dimensions, report.frame_rate, report.container) == (
        FORM.dimensions,
        FORM.frame_rate,
        Container.MP4,
    )
    assert report.encoder.startswith("libx264 -preset superfast")
    assert report.threads == FORM.encoder.threads

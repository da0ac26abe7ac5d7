"""``if_changed``: a reel that is up to date is left alone, and nothing but mpt's own is replaced."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import Extras, VideoParams
from mpt_cli.config.sections import FfmpegConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import ClipStatus, RunStatus, VideoResult
from mpt_cli.runtime.events import Notice, PicturesStarted, RunContext
from tests import reader
from tests.cli.conftest import LIMIT_SECONDS, run_program, start
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import config_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.runtime.events import Event
    from tests.media import MediaFolder


@pytest.fixture
def params(media: MediaFolder, tmp_path: Path) -> VideoParams:
    """A request of two clips that the test may change."""
    clips = []
    for seconds in (0.4, 0.6):
        path = tmp_path / f"clip {seconds}.mp4"
        shutil.copyfile(media.make(seconds=seconds), path)
        clips.append(VideoClip(path))
    return VideoParams(clips, tmp_path / "reel.mp4", if_changed=True)


def made(params: VideoParams, emit: ListEmit | None = None, config: Config | None = None) -> VideoResult:
    """The result, as a process of its own would have it."""
    orchestrator = ModuleFactory(config or config_of()).create_video_orchestrator()
    return orchestrator.process_video_request(params, context=RunContext("w", emit or ListEmit()))


@pytest.mark.core
def test_the_second_run_does_nothing_and_says_so(params: VideoParams, emit: ListEmit) -> None:
    first = made(params)
    assert (first.status, first.unchanged) == (RunStatus.SUCCESS, False)
    before = params.output_path.stat()
    again = made(params, emit)
    assert (again.status, again.unchanged, again.output) == (RunStatus.SUCCESS, True, first.output)
    assert (again.code, again.errors, again.ffmpeg) == (None, (), first.ffmpeg)
    assert [clip.status for clip in again.clips] == [ClipStatus.NOT_RUN] * 2
    assert params.output_path.stat() == before
    assert [type_ for type_ in emit.types if type_ != "resource-sample"] == ["run-started", "notice", "run-finished"]
    (notice,) = emit.of(Notice)
    assert (notice.level, notice.code, "is up to date" in notice.message) == ("info", "unchanged", True)


def test_no_ffmpeg_is_started_but_for_its_version(params: VideoParams, tmp_path: Path, emit: ListEmit) -> None:
    log = tmp_path / "log"
    program = stand_in(tmp_path, f'echo "$1" >> "{log}"')
    config = config_of().model_copy(update={"ffmpeg": FfmpegConfig(binary=program)})
    made(params, config=config)
    log.unlink()
    assert made(params, emit, config).unchanged
    assert set(log.read_text().split()) <= {"-version", "-hide_banner"}


class Meanwhile:
    """Does something when the reel has its name and its pictures are about to be made."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work

    def __call__(self, event: Event) -> None:
        if isinstance(event, PicturesStarted):
            self._work()


def shown(params: VideoParams) -> VideoParams:
    return replace(params, extras=Extras(contact_sheet=params.output_path.with_name("sheet.png")))


def made_while(params: VideoParams, work: Callable[[], object]) -> VideoResult:
    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    return orchestrator.process_video_request(params, context=RunContext("w", Meanwhile(work)))


def test_no_other_run_writes_a_reel_whose_pictures_are_still_made(params: VideoParams) -> None:
    others = list[VideoResult]()
    result = made_while(shown(params), lambda: others.append(made(replace(params, clips=params.clips[:1]))))
    assert [other.code for other in others] == [IssueCode.LOCKED]
    assert result.success
    assert made(shown(params)).unchanged


def test_what_takes_the_place_of_a_reel_while_its_pictures_are_made_is_not_taken_for_it(
    params: VideoParams, media: MediaFolder
) -> None:
    theirs = media.make(seconds=0.2)
    result = made_while(shown(params), lambda: shutil.copyfile(theirs, params.output_path))
    assert [issue.code for issue in result.warnings] == [IssueCode.CONTACT_SHEET_FAILED]
    assert "another program has replaced the reel" in result.warnings[0].message
    assert result.output is not None
    assert result.output.contact_sheet is None
    again = made(params)
    assert [issue.code for issue in again.errors] == [IssueCode.OUTPUT_EXISTS, IssueCode.VALIDATION_FAILED]
    assert params.output_path.read_bytes() == theirs.read_bytes()


def test_a_run_that_is_killed_when_a_picture_has_its_name_does_not_stop_the_next(params: VideoParams) -> None:
    output, sheet = params.output_path, params.output_path.with_name("sheet.png")
    named = ("-o", output, "--contact-sheet", sheet, "--poster", output.with_name("poster.jpg"))
    clips = [clip.path for clip in params.clips]
    arguments: tuple[str | Path, ...] = ("process", *clips, *named, "--size", "160x90", "--if-changed")
    with start(*arguments, "--quiet") as process:
        end = time.monotonic() + LIMIT_SECONDS
        while not sheet.exists() and time.monotonic() < end:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    again = [run_program(*arguments, "--json") for _ in range(2)]
    assert [(done.code, done.data["unchanged"]) for done in again] == [(0, False), (0, True)]


def test_an_input_with_other_bytes_makes_the_reel_anew(params: VideoParams, media: MediaFolder) -> None:
    made(params)
    shutil.copyfile(media.make(seconds=0.2), params.clips[1].path)
    result = made(params)
    assert (result.status, result.unchanged) == (RunStatus.SUCCESS, False)
    assert result.output is not None
    assert len(list(reader.frames(params.output_path))) == result.output.frames == 18
    assert made(params).unchanged


def test_an_input_that_was_only_touched_changes_nothing(params: VideoParams) -> None:
    made(params)
    for clip in params.clips:
        os.utime(clip.path, (10**9, 10**9))
    assert made(params).unchanged


def test_a_file_of_the_users_is_refused(params: VideoParams) -> None:
    params.output_path.write_bytes(b"a holiday")
    result = made(params)
    assert IssueCode.OUTPUT_EXISTS in [issue.code for issue in result.errors]
    assert params.output_path.read_bytes() == b"a holiday"
    assert made(replace(params, overwrite=True)).status is RunStatus.SUCCESS
    assert made(params).unchanged


def test_a_reel_that_was_cut_by_hand_is_the_users(params: VideoParams) -> None:
    made(params)
    with params.output_path.open("ab") as file:
        file.write(b"tag")
    edited = params.output_path.read_bytes()
    assert made(params).code is IssueCode.VALIDATION_FAILED
    assert params.output_path.read_bytes() == edited


def test_what_takes_its_place_while_it_is_made_is_not_lost(params: VideoParams, media: MediaFolder) -> None:
    made(params)
    shutil.copyfile(media.make(seconds=0.2), params.clips[0].path)

    class Meddler(ListEmit):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if event.type == "concat-started":
                params.output_path.unlink()
                params.output_path.write_bytes(b"a holiday")

    result = made(params, Meddler())
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.OUTPUT_EXISTS)
    assert params.output_path.read_bytes() == b"a holiday"


def test_reels_made_without_it_are_known_too(params: VideoParams) -> None:
    made(replace(params, if_changed=False))
    assert made(params).unchanged


def test_pictures_beside_the_reel_are_part_of_it(params: VideoParams, media: MediaFolder, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    wanted = replace(params, extras=Extras(contact_sheet=sheet))
    made(params)
    assert (made(wanted).unchanged, sheet.is_file()) == (False, True)
    assert made(wanted).unchanged
    shutil.copyfile(media.make(seconds=0.2), params.clips[1].path)
    before = sheet.read_bytes()
    result = made(wanted)
    assert (result.status, result.unchanged, sheet.read_bytes() != before) == (RunStatus.SUCCESS, False, True)
    sheet.unlink()
    assert (made(wanted).unchanged, sheet.is_file()) == (False, True)


def test_a_picture_of_the_users_is_refused(params: VideoParams, media: MediaFolder, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    made(params)
    sheet.write_bytes(b"a holiday")
    shutil.copyfile(media.make(seconds=0.2), params.clips[1].path)
    result = made(replace(params, extras=Extras(contact_sheet=sheet)))
    assert IssueCode.OUTPUT_EXISTS in [issue.code for issue in result.errors]
    assert sheet.read_bytes() == b"a holiday"


def test_in_a_batch_only_what_changed_is_made(params: VideoParams, media: MediaFolder, tmp_path: Path) -> None:
    other = replace(params, clips=params.clips[:1], output_path=tmp_path / "other.mp4")

    def batch() -> list[VideoResult]:
        return ModuleFactory(config_of()).create_video_orchestrator().process_batch_requests([params, other])

    assert [(result.status, result.unchanged) for result in batch()] == [(RunStatus.SUCCESS, False)] * 2
    shutil.copyfile(media.make(seconds=0.2), params.clips[1].path)
    assert [(result.status, result.unchanged) for result in batch()] == [
        (RunStatus.SUCCESS, False),
        (RunStatus.SUCCESS, True),
    ]
    assert [result.unchanged for result in batch()] == [True, True]


def test_the_self_test_of_health_leaves_no_record(own_home: Path) -> None:
    status = ModuleFactory(config_of()).create_video_orchestrator().health_check(deep=True)
    assert status.checks
    assert not (own_home / "state" / "mpt" / "reels").exists()


def test_a_dry_run_says_that_nothing_would_be_done(params: VideoParams) -> None:
    orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
    assert orchestrator.plan_video_request(params).plan is not None
    made(params)
    planned = orchestrator.plan_video_request(params)
    assert (planned.status, planned.unchanged, planned.plan) == (RunStatus.SUCCESS, True, None)

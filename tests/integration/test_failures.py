"""What goes wrong while a run works: who survives it, what it is called, and that nothing is left behind."""

from __future__ import annotations

import errno
import shutil
import sys
import threading
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, FfmpegConfig, ProcessingConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.media.encoders.optimizer import CodecOptimizer
from mpt_cli.model.choices import OnError
from mpt_cli.model.errors import IssueCode
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.model.samples import SDR_SAMPLES
from mpt_cli.runtime.events import (
    ClipFailed,
    ClipFinished,
    ClipStarted,
    ConcatFinished,
    ConcatProgress,
    ConcatStarted,
    Notice,
    RunContext,
    ValidationFinished,
)
from tests.conftest import leftovers
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import NAMES, PARTS, PATIENCE, assert_well_told, config_of, problems, three_clips

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.config.sections import QualitySettings
    from mpt_cli.model.clips import EncoderSettings
    from mpt_cli.model.results import VideoResult
    from mpt_cli.model.samples import Samples
    from mpt_cli.runtime.events import Event
    from tests.media import MediaFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stand-ins are shell scripts")

MINE = b"something that the user had there before"
PROCESSED, FAILED = ClipStatus.PROCESSED, ClipStatus.FAILED
SKIPPED, NOT_RUN = ClipStatus.SKIPPED, ClipStatus.NOT_RUN


def when(name: str, *lines: str) -> str:
    """Shell that does these lines where the arguments name this file, and else nothing."""
    return f'case "$*" in *"{name}"*) {"; ".join(lines)};; esac'


EACH_OUTPUT = 'for a; do case "$a" in file:*/.mpt-run-*.mp4) {} "${{a#file:}}";; esac; done'


class Bench:
    """A folder with three clips of the user's, and an orchestrator whose ffmpeg may be spoiled."""

    def __init__(self, media: MediaFolder, folder: Path) -> None:
        self.folder, self.emit = folder / "work", ListEmit()
        self.folder.mkdir()
        self.programs = folder
        self.clips = three_clips(media, self.folder)
        self.output = self.folder / "reel.mp4"
        self.context = RunContext("w", self._hear)
        self.listen: Callable[[Event], object] = lambda _event: None
        self.factory = ModuleFactory(Config())

    def _hear(self, event: Event) -> None:
        self.emit(event)
        self.listen(event)

    def run(
        self, *lines: str, on_error: OnError = OnError.FAIL, overwrite: bool = False, keep: bool = False, **more: Any
    ) -> VideoResult:
        """The end of a request by an ffmpeg that first does these lines of shell."""
        binary = stand_in(self.programs, *lines)
        config = config_of().model_copy(
            update={
                "processing": ProcessingConfig(on_error=on_error, **more),
                "concat": config_of().concat.model_copy(update={"fallback": False}),
                "ffmpeg": FfmpegConfig(binary=binary),
            }
        )
        self.factory = ModuleFactory(config)
        params = VideoParams(self.clips, self.output, overwrite=overwrite, keep_temp=keep)
        result = self.factory.create_video_orchestrator().process_video_request(params, context=self.context)
        assert_well_told(self.emit, result.status)
        assert self.factory.memory_manager.reserved_bytes == 0
        return result

    @property
    def names(self) -> list[str]:
        """Everything that lies in the user's folder."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def started(self) -> list[int]:
        return [event.index for event in self.emit.of(ClipStarted)]


@pytest.fixture
def bench(media: MediaFolder, tmp_path: Path) -> Bench:
    return Bench(media, tmp_path)


def statuses(result: VideoResult) -> list[ClipStatus]:
    return [clip.status for clip in result.clips]


def codes(result: VideoResult) -> list[IssueCode]:
    return [issue.code for issue in result.errors]


# --- a clip dies


DEATHS = {
    "fails": [when("b.mp4", "echo 'x.c: broken' >&2", "exit 1")],
    "writes rubbish": [when("b.mp4", EACH_OUTPUT.format("echo rubbish >"), "exit 0")],
    "writes nothing": [when("b.mp4", "exit 0")],
    "is cut off": [],
    "is gone": [],
}


def spoil(bench: Bench, death: str) -> None:
    """Do to the second clip what happens to it after it was validated."""
    path = bench.clips[1].path

    def listen(event: Event) -> None:
        if isinstance(event, ValidationFinished):
            path.write_bytes(path.read_bytes()[:2000]) if death == "is cut off" else path.unlink()

    if death in ("is cut off", "is gone"):
        bench.listen = listen


@pytest.mark.anchor("T011", "T041")
@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.core(1)
def test_a_clip_that_dies_is_left_out_and_the_others_are_the_reel(bench: Bench, death: str) -> None:
    spoil(bench, death)
    result = bench.run(*DEATHS[death], on_error=OnError.SKIP)
    assert (result.status, result.code) == (RunStatus.PARTIAL, None)
    assert problems(bench.output, [PARTS[0], PARTS[2]], Fraction(30)) == []
    assert statuses(result) == [PROCESSED, SKIPPED, PROCESSED]
    (issue,) = result.errors
    assert (issue.code, issue.path, result.clips[1].error) == (IssueCode.CLIP_FAILED, bench.clips[1].path, issue)
    assert [(event.index, event.code) for event in bench.emit.of(ClipFailed)] == [(1, "clip_failed")]
    assert sorted(event.index for event in bench.emit.of(ClipFinished)) == [0, 2]


@pytest.mark.anchor("T011", "T041")
def test_where_no_clip_may_fail_the_run_fails_with_what_became_of_each(bench: Bench) -> None:
    result = bench.run(*DEATHS["fails"])
    assert (result.status, result.code, result.output) == (RunStatus.ERROR, IssueCode.PROCESSING_FAILED, None)
    assert statuses(result) == [PROCESSED, FAILED, PROCESSED]
    assert all(clip.elapsed_seconds for clip in result.clips)
    assert codes(result) == [IssueCode.CLIP_FAILED, IssueCode.PROCESSING_FAILED]
    assert result.errors[0].message == "ffmpeg failed: x.c: broken"
    assert bench.names == list(NAMES)


@pytest.mark.anchor("T011")
@pytest.mark.parametrize(("refused", "rate", "made"), [(0, 0.66, True), (0, 0.67, False), (1, 0.4, False)])
def test_below_the_least_rate_there_is_no_reel(bench: Bench, refused: int, rate: float, *, made: bool) -> None:
    for clip in bench.clips[:refused]:
        clip.path.write_bytes(MINE)
    result = bench.run(*DEATHS["fails"], on_error=OnError.SKIP, min_success_rate=rate)
    assert result.code is (None if made else IssueCode.TOO_MANY_FAILURES)
    assert result.status is (RunStatus.PARTIAL if made else RunStatus.ERROR)
    assert bench.output.exists() is made


def test_with_no_clip_left_there_is_no_reel_whatever_may_be_skipped(bench: Bench) -> None:
    result = bench.run(when(".mp4", "exit 1"), on_error=OnError.SKIP)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.TOO_MANY_FAILURES)
    assert statuses(result) == [FAILED] * 3


@pytest.mark.anchor("T044")
@pytest.mark.parametrize(
    ("limit", "code"), [("stall_timeout", IssueCode.CLIP_STALLED), ("clip_timeout", IssueCode.CLIP_TIMEOUT)]
)
def test_a_clip_that_hangs_is_killed_while_its_siblings_finish(bench: Bench, limit: str, code: IssueCode) -> None:
    pid = bench.programs / "pid"
    hang = when("b.mp4", f'echo $$ > "{pid}"', "trap '' INT", "while :; do sleep 0.1; done")
    limits: dict[str, Any] = {limit: Fraction(5, 2)}
    result = bench.run(hang, on_error=OnError.SKIP, jobs=2, **limits)
    assert (result.status, codes(result)) == (RunStatus.PARTIAL, [code])
    assert statuses(result) == [PROCESSED, SKIPPED, PROCESSED]
    assert problems(bench.output, [PARTS[0], PARTS[2]], Fraction(30)) == []
    ends = [event.index for event in bench.emit.events if isinstance(event, ClipFinished | ClipFailed)]
    assert ends[-1] == 1
    assert not psutil.pid_exists(int(pid.read_text()))


def test_a_clip_that_the_system_kills_ran_out_of_memory(bench: Bench) -> None:
    result = bench.run(when("b.mp4", "kill -KILL $$"), on_error=OnError.SKIP)
    assert (result.status, codes(result)) == (RunStatus.PARTIAL, [IssueCode.MEMORY_EXHAUSTED])
    assert result.errors[0].path == bench.clips[1].path


# --- clips at once


@pytest.mark.anchor("T039")
def test_two_jobs_work_on_two_clips_at_once(bench: Bench) -> None:
    both = threading.Barrier(2)

    def listen(event: Event) -> None:
        if isinstance(event, ClipStarted) and event.index > 0:
            both.wait(PATIENCE)  # the second is begun before the first can end

    bench.listen = listen
    result = bench.run(jobs=2)
    assert bench.started[:2] in ([2, 1], [1, 2])
    assert [clip.start for clip in result.clips] == [Fraction(0), Fraction(6, 30), Fraction(18, 30)]
    assert problems(bench.output, PARTS, Fraction(30)) == []


@pytest.mark.anchor("T039")
def test_one_job_works_on_one_clip_after_the_other_longest_first(bench: Bench) -> None:
    bench.run(jobs=1)
    kinds = ClipStarted | ClipFinished
    told = [(event.type, event.index) for event in bench.emit.events if isinstance(event, kinds)]
    assert told == [(kind, index) for index in (2, 1, 0) for kind in ("clip-started", "clip-finished")]
    assert problems(bench.output, PARTS, Fraction(30)) == []


# --- resources


FULL = when("c.mp4", "echo 'av_interleaved_write_frame(): No space left on device' >&2", "exit 228")


def test_a_full_disk_ends_the_run_and_nothing_more_is_begun(bench: Bench) -> None:
    bench.output.write_bytes(MINE)
    result = bench.run(FULL, jobs=1, on_error=OnError.SKIP, overwrite=True)
    assert (result.status, result.code, codes(result)) == (
        RunStatus.ERROR,
        IssueCode.DISK_FULL,
        [IssueCode.DISK_FULL],
    )
    assert bench.started == [2]
    assert statuses(result) == [NOT_RUN, NOT_RUN, FAILED]
    assert bench.output.read_bytes() == MINE
    assert bench.names == sorted([*NAMES, "reel.mp4"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_disk_that_really_is_full_is_known_by_ffmpegs_words(bench: Bench) -> None:
    swap = 'for a; do shift; case "$a" in file:*/.mpt-run-*.mp4) a=file:/dev/full;; esac; set -- "$@" "$a"; done'
    result = bench.run(swap, jobs=1)
    assert (result.code, bench.started) == (IssueCode.DISK_FULL, [2])


def test_a_file_that_is_gone_is_named_and_the_output_is_not(bench: Bench) -> None:
    def lose(event: Event) -> None:
        if isinstance(event, ConcatStarted):
            for sound in bench.folder.glob(".mpt-run-*/*.pcm"):
                sound.unlink()

    bench.listen = lose
    result = bench.run()
    said = result.errors[-1]
    assert said.message == "cannot be used (No such file or directory)"
    assert said.path is not None
    assert said.path.suffix == ".pcm"
    assert bench.names == sorted(NAMES)


class Raising(CodecOptimizer):
    """Has no settings, only an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_optimal_settings(
        self, quality: QualitySettings, *, frame_rate: Fraction, threads: int, samples: Samples = SDR_SAMPLES
    ) -> EncoderSettings:
        raise self._error


class Spoiled(ModuleFactory):
    """Builds an orchestrator that breaks while it plans."""

    def __init__(self, error: Exception) -> None:
        super().__init__(config_of())
        self._error = error

    @cached_property
    def codec_optimizer(self) -> CodecOptimizer:
        return Raising(self._error)


def test_memory_of_our_own_that_runs_out_is_a_result(bench: Bench) -> None:
    orchestrator = Spoiled(MemoryError()).create_video_orchestrator()
    result = orchestrator.process_video_request(VideoParams(bench.clips, bench.output), context=bench.context)
    assert (result.status, result.code) == (RunStatus.ERROR, IssueCode.MEMORY_EXHAUSTED)
    assert result.metrics is not None
    assert_well_told(bench.emit, RunStatus.ERROR)
    assert bench.names == list(NAMES)


def test_a_disk_that_is_full_anywhere_is_said_to_be(bench: Bench) -> None:
    orchestrator = Spoiled(OSError(errno.ENOSPC, "No space left on device")).create_video_orchestrator()
    result = orchestrator.process_video_request(VideoParams(bench.clips, bench.output), context=bench.context)
    assert result.code is IssueCode.DISK_FULL
    assert bench.names == sorted(NAMES)


def test_a_bug_is_raised_and_the_run_is_still_told_to_its_end(bench: Bench) -> None:
    orchestrator = Spoiled(ZeroDivisionError("bug")).create_video_orchestrator()
    with pytest.raises(ZeroDivisionError):
        orchestrator.process_video_request(VideoParams(bench.clips, bench.output), context=bench.context)
    assert_well_told(bench.emit, RunStatus.ERROR)


# --- what lies around, and stops


@pytest.mark.anchor("T050")
@pytest.mark.parametrize("end", ["success", "failure", "failed join", "stop", "stop in the join", "stop at the end"])
def test_whatever_the_end_only_the_users_files_remain(bench: Bench, end: str) -> None:
    during = list[str]()

    def listen(event: Event) -> None:
        during.extend(path.name for path in leftovers(bench.folder))
        stops = {"stop": ClipStarted, "stop in the join": ConcatProgress, "stop at the end": ConcatFinished}
        if isinstance(event, stops.get(end, ())):
            bench.context.cancel.cancel()

    bench.listen = listen
    before = {path: path.read_bytes() for path in bench.folder.iterdir()}
    lines = {"failure": when("b.mp4", "exit 1"), "failed join": when("concat.txt", "exit 1")}.get(end, "")
    result = bench.run(lines)
    wanted = {"success": RunStatus.SUCCESS, "failure": RunStatus.ERROR, "failed join": RunStatus.ERROR}
    assert result.status is wanted.get(end, RunStatus.CANCELLED)
    assert any(name.startswith(".mpt-run-") for name in during)  # there was something to clean up
    made = {bench.output} if end == "success" else set()
    assert {path for path in bench.folder.iterdir() if path not in made} == set(before)
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.core
def test_a_stop_is_told_with_what_was_done_before_it(bench: Bench) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, ClipStarted) and event.index == 1:
            bench.context.cancel.cancel(15)

    bench.listen = listen
    bench.output.write_bytes(MINE)
    result = bench.run(jobs=1, overwrite=True)
    assert (result.status, result.code, result.signal_number) == (RunStatus.CANCELLED, IssueCode.CANCELLED, 15)
    assert statuses(result) == [NOT_RUN, NOT_RUN, PROCESSED]
    assert codes(result) == [IssueCode.CANCELLED]
    assert bench.started == [2, 1]
    assert bench.output.read_bytes() == MINE


def test_a_run_that_is_stopped_before_it_begins_does_nothing(bench: Bench) -> None:
    bench.context.cancel.cancel()
    result = bench.run()
    assert (result.status, statuses(result), bench.started) == (RunStatus.CANCELLED, [NOT_RUN] * 3, [])
    assert bench.names == list(NAMES)


def test_a_failed_join_is_called_so_and_leaves_an_old_reel_as_it_was(bench: Bench) -> None:
    bench.output.write_bytes(MINE)
    result = bench.run(when("concat.txt", "echo 'no join' >&2", "exit 1"), overwrite=True)
    assert (result.code, result.errors[-1].message) == (IssueCode.CONCAT_FAILED, "ffmpeg failed: no join")
    assert (statuses(result), bench.output.read_bytes()) == ([PROCESSED] * 3, MINE)


def test_temporary_files_are_kept_for_those_who_ask(bench: Bench) -> None:
    result = bench.run(*DEATHS["writes rubbish"], keep=True)  # which goes at once
    assert result.status is RunStatus.ERROR
    (kept,) = leftovers(bench.folder)
    assert [notice.path for notice in bench.emit.of(Notice) if notice.code == "temporary_files_kept"] == [kept]
    assert sorted(path.name for path in kept.iterdir()) == ["00000.mp4", "00000.pcm", "00002.mp4", "00002.pcm"]
    bench.emit.events.clear()
    bench.context = replace(bench.context, workflow_id="another")
    assert bench.run().success
    assert leftovers(bench.folder) == [kept]  # the next run beside it leaves it alone
    shutil.rmtree(kept)


def test_two_runs_for_one_output_do_not_meet(bench: Bench) -> None:
    others: list[VideoResult] = []

    def listen(event: Event) -> None:
        if isinstance(event, ConcatStarted):
            orchestrator = ModuleFactory(config_of()).create_video_orchestrator()
            others.append(orchestrator.process_video_request(VideoParams(bench.clips, bench.output)))

    bench.listen = listen
    assert bench.run().success
    assert [other.code for other in others] == [IssueCode.LOCKED]
    assert problems(bench.output, PARTS, Fraction(30)) == []


def test_a_file_that_appears_under_the_outputs_name_is_not_replaced(bench: Bench) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, ConcatStarted):
            bench.output.write_bytes(MINE)

    bench.listen = listen
    assert bench.run().code is IssueCode.OUTPUT_EXISTS
    assert bench.output.read_bytes() == MINE

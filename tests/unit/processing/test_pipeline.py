"""ProcessingPipeline: which clips are worked on when, under which resources, and how each one ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig, ProcessingConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action, OnError
from mpt_cli.model.clips import ProcessedClip, Segment, VideoClip
from mpt_cli.model.errors import IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.model.results import ProcessingResult
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.planning.plan import Plan
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.processing.cache import ClipCache
from mpt_cli.processing.clip import NONE_FOUND, ClipProcessor, Processed
from mpt_cli.processing.pipeline import ProcessingPipeline, require_success_rate
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipStarted, RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of, media_of
from tests.fakes import ListEmit
from tests.looks import AudioHere, share_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.clips import TargetForm

PATIENCE = 20
ROOMY, NEED = 2**50, 1000
FORM = form_of()


def planned(index: int, *, work: int = 0) -> PlannedClip:
    """A clip of thirty frames; the one with the most ``work`` comes first."""
    clip = VideoClip(Path(f"{index}.mp4"))
    return PlannedClip(index, clip, media_of(), Segment(index, 0, 30), Action.ENCODE, (), NEED, work)


def plan_of(*clips: PlannedClip, jobs: int = 1) -> Plan:
    return Plan(FORM, FORM, clips, jobs, None, 0.0, 0, 0, mixed_parameter_sets=False)


def processed(clip: PlannedClip) -> ProcessedClip:
    path, seconds = clip.clip.path, clip.segment.frames / FORM.frame_rate
    return ProcessedClip(clip.index, path, path, None, FORM.dimensions, clip.segment, seconds, 0, "", b"", owned=False)


class Scripted(ClipProcessor):
    """Does what the test says with each clip, and starts no program."""

    def __init__(self, act: Callable[[PlannedClip], object]) -> None:
        super().__init__(Ffmpeg(Path("no program")), share_here, audio=AudioHere(), clock=time.monotonic)
        self._act = act

    def process(
        self,
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        *,
        files: TempFileManager,
        context: RunContext,
    ) -> Processed:
        self._act(planned)
        return Processed(processed(planned), 4711)


class Narrow(MemoryManager):
    """Has room for two clips in work, whatever is asked."""

    asked: tuple[int, int] | None = None

    def calculate_optimal_batch_size(self, clip_count: int, base_batch_size: int) -> int:
        self.asked = clip_count, base_batch_size
        return 2


class Announcing(ResourcePool):
    """Says when the pipeline has taken note of the end of a clip."""

    def __init__(self, slots: int, memory: MemoryManager) -> None:
        super().__init__(slots, memory)
        self.noted = threading.Event()

    def cleanup_batch(self) -> None:
        super().cleanup_batch()
        self.noted.set()


class Works:
    """A pipeline with its own pool and memory, whose clips are processed by ``act``."""

    def __init__(
        self,
        act: Callable[[PlannedClip], object],
        *,
        slots: int = 8,
        memory: MemoryManager | None = None,
        cache: ClipCache | None = None,
    ) -> None:
        self.memory = memory or MemoryManager(MemoryConfig(max=ROOMY))
        self.pool, self.monitor = Announcing(slots, self.memory), PerformanceMonitor()
        self.pipeline = ProcessingPipeline(Scripted(act), self.pool, self.memory, self.monitor, cache=cache)
        self.emit = ListEmit()
        self.context = RunContext("w", self.emit)
        self.files = TempFileManager(Path("no folder"))

    def process(self, *clips: PlannedClip, jobs: int = 1) -> list[ProcessingResult]:
        self.monitor.start_workflow("w", clip_count=len(clips))
        return self.pipeline.process_clips(
            plan_of(*clips, jobs=jobs), ProcessingConfig(), files=self.files, context=self.context
        )

    def single(self, clip: PlannedClip) -> ProcessingResult:
        return self.pipeline.process_single_clip(
            clip, plan_of(clip), ProcessingConfig(), files=self.files, context=self.context
        )

    @property
    def started(self) -> list[int]:
        return [event.index for event in self.emit.of(ClipStarted)]

    @property
    def in_use(self) -> tuple[int, int]:
        """Slots and bytes that are held."""
        return self.pool.in_use, self.memory.reserved_bytes


class Crowd:
    """Counts who is in; each waits until ``size`` are, if there is a size, or a moment for others to come."""

    def __init__(self, size: int | None = None) -> None:
        self._together = threading.Barrier(size) if size else None
        self._lock, self._inside, self.most = threading.Lock(), 0, 0

    def __call__(self, _clip: PlannedClip) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        if self._together:
            self._together.wait(PATIENCE)
        else:
            time.sleep(0.02)
        with self._lock:
            self._inside -= 1


def failing(errors: dict[int, Exception]) -> Callable[[PlannedClip], object]:
    """Raises the error of a clip's index, if it has one."""

    def act(clip: PlannedClip) -> None:
        if clip.index in errors:
            raise errors[clip.index]

    return act


def codes(results: list[ProcessingResult]) -> list[IssueCode | None]:
    return [result.error.code if result.error else None for result in results]


# --- when a clip is worked on


@pytest.mark.anchor("T039")
def test_as_many_clips_are_worked_on_at_once_as_there_are_jobs() -> None:
    crowd = Crowd(3)
    results = Works(crowd).process(*map(planned, range(9)), jobs=3)
    assert crowd.most == 3
    assert codes(results) == [None] * 9


@pytest.mark.parametrize(("jobs", "slots"), [(1, 8), (8, 1)])
@pytest.mark.heavy
def test_neither_jobs_nor_slots_are_exceeded(jobs: int, slots: int) -> None:
    crowd = Crowd()
    works = Works(crowd, slots=slots)
    works.process(*map(planned, range(12)), jobs=jobs)
    assert crowd.most == 1
    kinds = [type(event) for event in works.emit.events]
    if jobs == 1:
        assert kinds == [ClipStarted, ClipFinished] * 12
    # Else a clip may begin while the one that gave its slot back has yet to say so.
    assert Counter(kinds) == {ClipStarted: 12, ClipFinished: 12}


@pytest.mark.anchor("T039")
def test_the_longest_comes_first_and_results_are_in_the_order_of_the_reel() -> None:
    works = Works(lambda _clip: None)
    clips = [planned(4, work=10), planned(0, work=30), planned(2, work=20), planned(1, work=30)]
    results = works.process(*clips)
    assert works.started == [0, 1, 2, 4]
    assert [result.index for result in results] == [4, 0, 2, 1]
    assert [result.segments for result in results] == [(processed(clip),) for clip in clips]


@pytest.mark.heavy
def test_no_more_clips_are_in_work_than_the_memory_allows() -> None:
    memory, crowd = Narrow(MemoryConfig(max=ROOMY)), Crowd()
    works = Works(crowd, memory=memory)
    assert codes(works.process(*map(planned, range(20)), jobs=8)) == [None] * 20
    assert crowd.most == 2
    assert memory.asked == (20, 32)


def test_a_clip_is_told_by_its_start_and_its_end() -> None:
    works = Works(lambda _clip: None)
    (result,) = works.process(planned(7))
    started, finished = works.emit.events
    assert started == ClipStarted(7, Path("7.mp4"), "encode", 1.0)
    assert finished == ClipFinished(7, result.elapsed_seconds, 4711)
    assert (result.success, result.peak_memory_bytes) == (True, 4711)


def test_the_time_of_finished_clips_is_noted() -> None:
    works = Works(lambda _clip: time.sleep(0.01))
    works.process(*map(planned, range(3)))
    efficiency = works.monitor.generate_performance_report("w").processing_efficiency
    assert efficiency is not None
    assert 0 < efficiency <= 1


# --- resources


@pytest.mark.anchor("T040", "T049")
@pytest.mark.parametrize("error", [None, ProcessingError(IssueCode.CLIP_FAILED, "no"), ValueError("bug")])
def test_a_clip_holds_a_slot_and_its_need_while_it_is_worked_on(error: Exception | None) -> None:
    during = []

    def act(_clip: PlannedClip) -> None:
        during.append(works.in_use)
        if error:
            raise error

    works = Works(act)
    result = works.single(planned(0))
    assert during == [(1, NEED)]
    assert works.in_use == (0, 0)
    assert result.success is (error is None)


@pytest.mark.anchor("T049")
def test_a_clip_waits_for_a_slot_and_begins_when_it_is_free() -> None:
    works = Works(lambda _clip: None, slots=1)
    with ThreadPoolExecutor() as executor:
        with works.pool.resource():
            future = executor.submit(works.single, planned(0))
            assert wait([future], 0.1).not_done  # time enough to begin, if it did not wait
            assert works.started == []
        assert future.result(PATIENCE).success
    assert works.in_use == (0, 0)


@pytest.mark.anchor("T049")
def test_a_clip_that_is_stopped_while_it_waits_was_never_begun() -> None:
    works = Works(lambda _clip: None, slots=1)
    with works.pool.resource():
        threading.Timer(0.05, works.context.cancel.cancel).start()
        result = works.single(planned(0))
    assert codes([result]) == [IssueCode.CANCELLED]
    assert works.emit.events == []


# --- how a clip ends


@pytest.mark.anchor("T041")
def test_a_clip_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    failure = ProcessingError(IssueCode.CLIP_FAILED, "is broken", path=Path("1.mp4"), hint="mend it")
    works = Works(failing({1: failure}))
    results = works.process(*map(planned, range(4)), jobs=2)
    assert [result.success for result in results] == [True, False, True, True]
    assert results[1].error == failure.issue
    assert works.emit.of(ClipFailed) == [ClipFailed(1, "clip_failed", "is broken", "mend it")]
    assert sorted(event.index for event in works.emit.of(ClipFinished)) == [0, 2, 3]
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "Clip 1.mp4 failed: is broken")
    assert not record.exc_info


def test_a_bug_fails_its_clip_and_not_the_run(caplog: pytest.LogCaptureFixture) -> None:
    works = Works(failing({0: ZeroDivisionError("oops")}))
    results = works.process(planned(0), planned(1))
    assert codes(results) == [IssueCode.INTERNAL, None]
    assert results[0].error is not None
    assert (results[0].error.message, results[0].error.path) == ("ZeroDivisionError: oops", Path("0.mp4"))
    assert "report" in (results[0].error.hint or "")
    assert [event.code for event in works.emit.of(ClipFailed)] == ["internal"]
    assert caplog.records[0].exc_info  # a maintainer wants the traceback


def test_memory_of_our_own_that_runs_out_is_no_bug() -> None:
    results = Works(failing({0: MemoryError()})).process(planned(0), planned(1))
    assert codes(results) == [IssueCode.MEMORY_EXHAUSTED, None]
    assert results[0].error is not None
    assert results[0].error.path == Path("0.mp4")


def test_once_the_disk_is_full_nothing_begins_that_was_queued() -> None:
    full = ResourceError(IssueCode.DISK_FULL, "the disk is full", hint="free some")
    works = Works(failing({1: full}))
    results = works.process(*map(planned, range(30)))
    assert works.started == [0, 1]
    assert codes(results)[:2] == [None, IssueCode.DISK_FULL]
    assert set(codes(results)[2:]) == {IssueCode.CANCELLED}  # those that were queued
    assert works.in_use == (0, 0)
    with pytest.raises(ResourceError) as caught:
        require_success_rate(results, 30, ProcessingConfig(on_error=OnError.SKIP))
    assert caught.value.issue == full.issue


def test_what_ran_beside_the_clip_that_filled_the_disk_ends_well() -> None:
    both = threading.Barrier(2)

    def act(clip: PlannedClip) -> None:
        both.wait(PATIENCE)
        if clip.index == 1:
            raise ResourceError(IssueCode.DISK_FULL, "the disk is full")
        assert works.pool.noted.wait(PATIENCE)

    works = Works(act)
    assert codes(works.process(planned(0), planned(1), jobs=2)) == [None, IssueCode.DISK_FULL]


@pytest.mark.anchor("T040")
def test_a_stop_ends_what_runs_and_begins_nothing_more() -> None:
    def act(clip: PlannedClip) -> None:
        if clip.index == 1:
            works.context.cancel.cancel()
            works.context.cancel.raise_if_cancelled()

    works = Works(act)
    results = works.process(*map(planned, range(30)))
    assert works.started == [0, 1]
    assert [event.code for event in works.emit.of(ClipFailed)] == ["cancelled"]
    assert [result.success for result in results[:2]] == [True, False]
    assert set(codes(results)[1:]) == {IssueCode.CANCELLED}
    assert works.in_use == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="sends itself a signal")
def test_ctrl_c_in_a_program_that_uses_the_library_stops_the_clips() -> None:
    def act(clip: PlannedClip) -> None:
        if clip.index == 0:
            return
        assert works.pool.noted.wait(PATIENCE)  # all clips are queued, and the main thread waits
        os.kill(os.getpid(), signal.SIGINT)
        assert works.context.cancel.wait(PATIENCE), "the clip was left to run to its end"
        works.context.cancel.raise_if_cancelled()

    works = Works(act)
    with pytest.raises(KeyboardInterrupt):
        works.process(*map(planned, range(3)))
    assert works.started == [0, 1]
    assert works.in_use == (0, 0)


# --- whether that is enough

OK = ProcessingResult(0, (processed(planned(0)),), None, 1.0, None)
BAD = ProcessingResult(1, (), MptError(IssueCode.CLIP_FAILED, "no").issue, 1.0, None)
FAIL = ProcessingConfig()


def skip(rate: float | None = None) -> ProcessingConfig:
    return ProcessingConfig(on_error=OnError.SKIP, min_success_rate=rate)


@pytest.mark.parametrize(
    ("results", "total", "config"),
    [([OK], 1, FAIL), ([OK, BAD], 2, skip()), ([OK, BAD], 2, skip(0.5)), ([OK, OK, BAD], 3, skip(0.66))],
)
def test_enough_clips_are_enough(results: list[ProcessingResult], total: int, config: ProcessingConfig) -> None:
    require_success_rate(results, total, config)
    with pytest.raises(ProcessingError):  # and with twice as many asked for they are not
        require_success_rate(results, 2 * total, FAIL)


FAILURES = [
    ([OK, BAD], 2, FAIL, "1 of 2 clips failed"),
    ([BAD], 1, FAIL, "1 of 1 clip failed"),
    ([OK, BAD], 2, skip(0.6), "1 of 2 clips failed, and less than 60% of them are left"),
    ([OK], 4, skip(0.5), "3 of 4 clips failed, and less than 50% of them are left"),
    ([OK, BAD], 2, skip(1.0), "1 of 2 clips failed, and less than 100% of them are left"),
    ([BAD, BAD], 2, skip(), "2 of 2 clips failed, and none is left"),
    ([], 2, skip(0.5), "2 of 2 clips failed, and none is left"),
]


@pytest.mark.parametrize(("results", "total", "config", "message"), FAILURES)
def test_too_few_clips_are_too_few(
    results: list[ProcessingResult], total: int, config: ProcessingConfig, message: str
) -> None:
    with pytest.raises(ProcessingError) as caught:
        require_success_rate(results, total, config)
    code = IssueCode.PROCESSING_FAILED if config is FAIL else IssueCode.TOO_MANY_FAILURES
    assert (caught.value.code, str(caught.value)) == (code, message)
    # Who has it already is not told to add it.
    assert ("--on-error skip" in (caught.value.issue.hint or "")) is (config is FAIL)


def test_a_clip_that_was_to_be_reused_and_is_gone_is_encoded_with_its_memory(tmp_path: Path) -> None:
    seen = []

    def act(clip: PlannedClip) -> None:
        seen.append((clip.action, clip.reasons, works.memory.reserved_bytes > 0))

    works = Works(act, cache=ClipCache(tmp_path, limit_bytes=2**30))
    works.process(replace(planned(0), action=Action.REUSE, key="ab" * 32, need_bytes=0))
    assert seen == [(Action.ENCODE, (NONE_FOUND,), True)]

"""The pipeline when memory is short: who gives way, how it is tried again, and what is held of many clips."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig, ProcessingConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import ProcessedClip, Segment, VideoClip
from mpt_cli.model.errors import Cancelled, IssueCode, ProcessingError, ResourceError
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.planning.plan import Plan
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.processing.clip import ClipProcessor, Processed
from mpt_cli.processing.pipeline import ProcessingPipeline
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipStarted, Notice, RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of, media_of
from tests.fakes import FakeReader, ListEmit
from tests.looks import AudioHere, share_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.results import ProcessingResult
    from mpt_cli.runtime.events import Event

PATIENCE = 20
LIGHT, FORM = form_of(), form_of(threads=2)
MEDIA = media_of()
NEED, LIGHT_NEED = need_bytes(MEDIA, FORM), need_bytes(MEDIA, LIGHT)
BUDGET = 10 * NEED


def planned(index: int) -> PlannedClip:
    """A clip; those with a lower index come first."""
    return PlannedClip(
        index, VideoClip(Path(f"{index}.mp4")), MEDIA, Segment(index, 0, 30), Action.ENCODE, (), NEED, 10**6 - index
    )


def processed(clip: PlannedClip) -> ProcessedClip:
    path = clip.clip.path
    return ProcessedClip(
        clip.index, path, path, None, FORM.dimensions, clip.segment, MEDIA.duration, 0, "", b"", owned=False
    )


class Try:
    """One try at a clip, from inside its work."""

    def __init__(self, works: Works, clip: PlannedClip, form: TargetForm, context: RunContext) -> None:
        self.works, self.index, self.threads, self._context = works, clip.index, form.encoder.threads, context
        self.held = works.pool.in_use, works.memory.reserved_bytes

    def measure(self, tree: int) -> None:
        """Memory is looked at, and this much is used."""
        self.works.reader.tree = tree
        self.works.memory.sample()

    @property
    def is_told(self) -> bool:
        return self._context.cancel.cancelled

    def end_if_told(self) -> None:
        """What the child's runner does when it is stopped."""
        self._context.cancel.raise_if_cancelled()

    def wait_to_be_told(self) -> None:
        assert self._context.cancel.wait(PATIENCE)
        assert self._context.cancel.forced  # what is to give way holds the memory that is needed
        self.end_if_told()


class Works(ClipProcessor):
    """A pipeline whose clips do what the test says, on a machine that the test measures."""

    def __init__(self, act: Callable[[Try], object], *, slots: int = 8) -> None:
        super().__init__(Ffmpeg(Path("no program")), share_here, audio=AudioHere(), clock=time.monotonic)
        self._act, self.reader = act, FakeReader(tree=0)
        self.memory = MemoryManager(MemoryConfig(max=BUDGET), system=self.reader, interval_seconds=0)
        self.pool, self.emit = ResourcePool(slots, self.memory), ListEmit()
        self.listen: Callable[[Event], object] = self.emit
        self.context, self.tries = RunContext("w", lambda event: self.listen(event)), list[Try]()
        self.pipeline = ProcessingPipeline(self, self.pool, self.memory, PerformanceMonitor())

    def process(
        self,
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        *,
        files: TempFileManager,
        context: RunContext,
    ) -> Processed:
        once = Try(self, planned, form, context)
        self.tries.append(once)
        self._act(once)
        return Processed(processed(planned), None)

    def run(self, *clips: PlannedClip, jobs: int = 1, form: TargetForm = FORM) -> list[ProcessingResult]:
        plan = Plan(form, LIGHT, clips, jobs, None, 0.0, 0, 0, mixed_parameter_sets=False)
        results = self.pipeline.process_clips(
            plan, ProcessingConfig(), files=TempFileManager(Path("no folder")), context=self.context
        )
        assert (self.pool.in_use, self.memory.reserved_bytes) == (0, 0)
        return results

    @property
    def threads(self) -> list[int]:
        """Encoder threads of each try."""
        return [once.threads for once in self.tries]

    def tries_of(self, index: int) -> list[Try]:
        return [once for once in self.tries if once.index == index]

    @property
    def notices(self) -> list[tuple[str, str | None, int | None]]:
        return [(notice.level, notice.code, notice.index) for notice in self.emit.of(Notice)]


def too_large(once: Try) -> None:
    """Take more memory than there is, however it is tried."""
    once.measure(BUDGET + 1)
    once.wait_to_be_told()


def codes(results: list[ProcessingResult]) -> list[IssueCode | None]:
    return [result.error.code if result.error else None for result in results]


# --- giving way


@pytest.mark.anchor("T042")
def test_a_clip_over_the_budget_is_tried_again_alone_with_one_thread() -> None:
    def act(once: Try) -> None:
        if once.threads > 1:
            once.measure(BUDGET + 1)
            once.wait_to_be_told()
        once.measure(BUDGET)

    works = Works(act)
    results = works.run(planned(0))
    assert codes(results) == [None]
    assert [(once.threads, once.held[0]) for once in works.tries] == [(2, 1), (1, 1)]
    assert works.tries[1].held[1] > LIGHT_NEED  # the first try has taught
    assert works.notices == [("warning", "memory_exhausted", 0)]
    assert [event.type for event in works.emit.events] == ["clip-started", "notice", "clip-finished"]
    assert works.emit.of(Notice)[0].path == Path("0.mp4")


@pytest.mark.anchor("T042")
def test_a_clip_that_is_too_large_even_alone_fails_and_says_how_much_it_needs() -> None:
    works = Works(too_large)
    results = works.run(planned(0), planned(1))
    assert codes(results) == [IssueCode.MEMORY_EXHAUSTED] * 2
    assert [once.threads for once in works.tries] == [2, 1, 2, 1]
    assert [(event.index, event.code) for event in works.emit.of(ClipFailed)] == [
        (0, "memory_exhausted"),
        (1, "memory_exhausted"),
    ]
    error = results[0].error
    assert error is not None
    assert (error.path, error.hint) == (
        Path("0.mp4"),
        "raise --max-memory, or choose a smaller size or a faster preset",
    )


@pytest.mark.parametrize("itself", [0, BUDGET - LIGHT_NEED + 1])
def test_what_is_said_of_it_does_not_contradict_the_budget(itself: int) -> None:
    works = Works(too_large)
    works.reader.tree = itself
    works.memory.sample()  # what mpt itself uses
    (result,) = works.run(planned(0))
    assert result.error is not None
    budget, needed = f"budget of {BUDGET >> 20} MiB", (itself + LIGHT_NEED) >> 20
    if itself:
        assert result.error.message == f"needs more memory than the {budget}: about {needed} MiB with mpt itself"
    else:  # it was predicted to fit
        assert result.error.message == f"made the run exceed its memory {budget}"


@pytest.mark.anchor("T042")
def test_the_last_to_begin_gives_way_and_the_others_are_not_disturbed() -> None:
    all_in, measured, gave_way = threading.Barrier(3), threading.Event(), list[Try]()

    def act(once: Try) -> None:
        if once.threads == 1:
            assert once.held[0] == 1  # the others have ended
            return
        if all_in.wait(PATIENCE) == 0:
            for _ in range(4):  # memory is looked at again before the one that was told has ended
                once.measure(BUDGET + 1)
            works.reader.tree = 0
            measured.set()
        assert measured.wait(PATIENCE)
        if once.is_told:
            gave_way.append(once)
        once.end_if_told()

    works = Works(act)
    assert codes(works.run(*map(planned, range(3)), jobs=3)) == [None] * 3
    (last,) = gave_way
    assert works.notices == [("warning", "memory_exhausted", last.index)]
    assert [len(works.tries_of(index)) for index in range(3)] == [2 if index == last.index else 1 for index in range(3)]
    assert sorted(event.index for event in works.emit.of(ClipStarted)) == [0, 1, 2]
    assert sorted(event.index for event in works.emit.of(ClipFinished)) == [0, 1, 2]


def test_a_clip_that_is_told_before_its_work_began_gives_way_too() -> None:
    def listen(event: Event) -> None:
        works.emit(event)
        if isinstance(event, ClipStarted):
            works.reader.tree = BUDGET + 1
            works.memory.sample()

    works = Works(Try.end_if_told)
    works.listen = listen
    assert codes(works.run(planned(0))) == [None]
    assert works.threads == [2, 1]


def test_a_clip_that_is_told_when_its_work_is_done_stays_done() -> None:
    works = Works(lambda once: once.measure(BUDGET + 1))
    assert codes(works.run(planned(0))) == [None]
    assert works.threads == [2]
    assert works.notices == []


def test_what_cannot_be_lighter_is_not_tried_again() -> None:
    works = Works(too_large, slots=1)
    assert codes(works.run(planned(0), form=LIGHT)) == [IssueCode.MEMORY_EXHAUSTED]
    assert (works.threads, works.notices) == ([1], [])


KILLED = ResourceError(IssueCode.MEMORY_EXHAUSTED, "the system killed ffmpeg")


@pytest.mark.parametrize("error", [MemoryError(), KILLED])
def test_memory_that_the_system_refuses_is_short_too(error: Exception) -> None:
    def act(once: Try) -> None:
        if once.threads > 1:
            raise error

    works = Works(act)
    assert codes(works.run(planned(0))) == [None]
    assert works.threads == [2, 1]


# --- other ends


def test_a_clip_that_fails_of_itself_while_it_is_told_says_its_own_reason() -> None:
    def act(once: Try) -> None:
        once.measure(BUDGET + 1)
        raise ProcessingError(IssueCode.CLIP_FAILED, "is broken")

    works = Works(act)
    assert codes(works.run(planned(0))) == [IssueCode.CLIP_FAILED]
    assert works.threads == [2]


def test_a_stop_is_not_taken_for_giving_way() -> None:
    def act(once: Try) -> None:
        once.measure(BUDGET + 1)
        works.context.cancel.cancel()
        once.end_if_told()

    works = Works(act)
    assert codes(works.run(planned(0))) == [IssueCode.CANCELLED]
    assert (works.threads, works.notices) == ([2], [])


def test_a_stop_reaches_a_clip_that_waits_to_be_tried_again() -> None:
    both, noticed, tried_again = threading.Barrier(2), threading.Event(), threading.Event()

    def act(once: Try) -> None:
        if once.threads == 1:
            tried_again.set()
            return
        if both.wait(PATIENCE) == 0:
            once.measure(BUDGET + 1)
        both.wait(PATIENCE)
        once.end_if_told()
        assert noticed.wait(PATIENCE)
        assert not tried_again.wait(0.1)  # time enough to begin, if it did not wait for this one to end
        works.context.cancel.cancel()
        raise Cancelled

    def listen(event: Event) -> None:
        works.emit(event)
        if isinstance(event, Notice):
            noticed.set()

    works = Works(act)
    works.listen = listen
    assert codes(works.run(planned(0), planned(1), jobs=2)) == [IssueCode.CANCELLED] * 2
    assert works.threads == [2, 2]
    assert sorted(event.index for event in works.emit.of(ClipFailed)) == [0, 1]


def test_a_display_that_breaks_holds_no_memory() -> None:
    def listen(_event: Event) -> None:
        raise ZeroDivisionError

    works = Works(lambda _once: None)
    works.listen = listen
    with pytest.raises(ZeroDivisionError):
        works.run(planned(0))
    assert (works.pool.in_use, works.memory.reserved_bytes, works.threads) == (0, 0, [])


# --- many clips


class Pictures:
    """What a clip holds while it is in work."""

    alive, most = 0, 0
    _lock = threading.Lock()

    def __init__(self) -> None:
        with self._lock:
            Pictures.alive += 1
            Pictures.most = max(self.most, self.alive)

    def __del__(self) -> None:
        with self._lock:
            Pictures.alive -= 1


@pytest.mark.anchor("T045")
def test_of_many_clips_only_those_in_work_hold_anything() -> None:
    waiting, lock = list[int](), threading.Lock()

    def act(once: Try) -> None:
        pictures = Pictures()
        assert once.held[0] <= 3
        assert once.held[1] <= 3 * NEED
        with lock:
            waiting.append(threading.active_count() - before)
        if once.index % 5 == 0:
            raise ProcessingError(IssueCode.CLIP_FAILED, str(pictures))  # its traceback holds what its work held

    before = threading.active_count()
    works = Works(act)
    gc.disable()  # nothing may be left to chance
    try:
        results = works.run(*map(planned, range(60)), jobs=3)
        assert Pictures.alive == 0
    finally:
        gc.enable()
    assert codes(results) == [IssueCode.CLIP_FAILED if index % 5 == 0 else None for index in range(60)]
    assert Pictures.most <= 3
    assert max(waiting) <= 3

"""ProcessingPipeline with a hardware encoder: whose fault a failure is, what takes over, and how it is told."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig, ProcessingConfig
from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import Hardware, ProcessedClip, Segment, VideoClip
from mpt_cli.model.errors import Cancelled, EncoderError, IssueCode, ProcessingError, ResourceError
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.monitoring.pool import ResourcePool, ResourceRequest
from mpt_cli.planning.plan import Plan
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.planning.recipe import Recipes
from mpt_cli.processing.clip import ClipProcessor, Processed
from mpt_cli.processing.pipeline import ProcessingPipeline
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipsRestarted, ClipStarted, Notice, RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of, media_of
from tests.fakes import ListEmit
from tests.looks import AudioHere, share_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpt_cli.model.clips import TargetForm
    from mpt_cli.model.results import ProcessingResult
    from mpt_cli.runtime.cancel import CancelToken

    Act = Callable[[PlannedClip, bool], object]

PATIENCE = 20
SOFTWARE = form_of()
HARDWARE = replace(SOFTWARE, encoder=replace(SOFTWARE.encoder, encoder="h264_nvenc", hardware=Hardware("cuda", 3)))


def planned(index: int, *, action: Action = Action.ENCODE) -> PlannedClip:
    """A clip of thirty frames."""
    return PlannedClip(index, VideoClip(Path(f"{index}.mp4")), media_of(), Segment(index, 0, 30), action, (), 1000, 0)


class NamedKeys(Recipes):
    """Keys that name content and encoder, without asking ffmpeg for its build."""

    def key(self, planned: PlannedClip, form: TargetForm, content: str) -> str:
        return f"{content} by {form.encoder.encoder}"


class Scripted(ClipProcessor):
    """Does what the test says with each clip in hardware or software, and starts no program."""

    def __init__(self, act: Act) -> None:
        super().__init__(Ffmpeg(Path("no program")), share_here, audio=AudioHere(), clock=time.monotonic)
        self._act = act
        self.calls: list[tuple[int, bool, str | None]] = []
        self.recipes = NamedKeys(Ffmpeg(Path("no program")))

    def process(
        self,
        planned: PlannedClip,
        form: TargetForm,
        config: ProcessingConfig,
        *,
        files: TempFileManager,
        context: RunContext,
    ) -> Processed:
        in_hardware = form.encoder.hardware is not None
        self.calls.append((planned.index, in_hardware, planned.key))
        self._act(planned, in_hardware)
        path, seconds = planned.clip.path, planned.segment.frames / form.frame_rate
        clip = ProcessedClip(
            planned.index, path, path, None, form.dimensions, planned.segment, seconds, 0, "", b"", owned=False
        )
        return Processed(clip, 4711)


class Works:
    """A pipeline whose clips are processed by ``act``."""

    def __init__(self, act: Act, *, slots: int = 8) -> None:
        self.memory = MemoryManager(MemoryConfig(max=2**50))
        self.pool, self.processor = ResourcePool(slots, self.memory), Scripted(act)
        monitor = PerformanceMonitor()
        monitor.start_workflow("w", clip_count=1)
        self.pipeline = ProcessingPipeline(self.processor, self.pool, self.memory, monitor)
        self.emit = ListEmit()
        self.context = RunContext("w", self.emit)

    def process(self, *clips: PlannedClip, jobs: int = 1, fallback: bool = True) -> list[ProcessingResult]:
        plan = Plan(HARDWARE, HARDWARE, clips, jobs, None, 0.0, 0, 0, mixed_parameter_sets=False)
        plan = replace(plan, software_form=SOFTWARE if fallback else None)
        try:
            return self.pipeline.process_clips(
                plan, ProcessingConfig(), files=TempFileManager(Path("no folder")), context=self.context
            )
        finally:
            assert (self.pool.in_use, self.memory.reserved_bytes) == (0, 0)

    def restarted(self, *clips: PlannedClip, jobs: int = 1) -> tuple[str, ClipsRestarted]:
        """Why all clips are to be made again, and how that was told."""
        with pytest.raises(EncoderError) as caught:
            self.process(*clips, jobs=jobs)
        (event,) = self.emit.of(ClipsRestarted)
        assert self.emit.events[-1] == event
        return caught.value.issue.message, event

    @property
    def told(self) -> list[tuple[str, int]]:
        kinds = ClipStarted | ClipFinished | ClipFailed
        return [(event.type, event.index) for event in self.emit.events if isinstance(event, kinds)]


def hardware_fails(*indices: int, code: IssueCode = IssueCode.CLIP_FAILED, error: Exception | None = None) -> Act:
    """Hardware fails at these clips."""

    def act(clip: PlannedClip, in_hardware: bool) -> None:
        if in_hardware and clip.index in indices:
            raise error or ProcessingError(code, "no session is left")

    return act


CODES = [IssueCode.CLIP_FAILED, IssueCode.CLIP_TIMEOUT, IssueCode.CLIP_STALLED]


@pytest.mark.parametrize("code", CODES)
def test_where_software_can_what_hardware_cannot_all_is_to_be_made_again(code: IssueCode) -> None:
    works = Works(hardware_fails(1, code=code))
    reason, event = works.restarted(*map(planned, range(4)))
    assert reason == "failed at clip 2 (1.mp4): no session is left"
    assert event == ClipsRestarted(2, 0, 2.0)
    assert [call[:2] for call in works.processor.calls] == [(0, True), (1, True), (1, False)]
    ends = [(kind, index) for index in (0, 1) for kind in ("clip-started", "clip-finished")]
    assert works.told == ends


def test_a_clip_that_software_cannot_make_either_fails_alone() -> None:
    def act(clip: PlannedClip, _in_hardware: bool) -> None:
        if clip.index == 1:
            raise ProcessingError(IssueCode.CLIP_FAILED, "is broken")

    works = Works(act)
    results = works.process(*map(planned, range(3)))
    assert [result.success for result in results] == [True, False, True]
    assert works.emit.of(ClipFailed) == [ClipFailed(1, "clip_failed", "is broken")]
    assert works.emit.of(ClipsRestarted) == []
    assert [call[:2] for call in works.processor.calls] == [(0, True), (1, True), (1, False), (2, True)]


def test_clips_that_failed_before_are_told_too() -> None:
    def act(clip: PlannedClip, in_hardware: bool) -> None:
        if clip.index == 0 or (in_hardware and clip.index == 1):
            raise ProcessingError(IssueCode.CLIP_FAILED, "no")

    _, event = Works(act).restarted(*map(planned, range(3)))
    assert event == ClipsRestarted(1, 1, 2.0)


OTHERS = [
    ResourceError(IssueCode.DISK_FULL, "the disk is full"),
    ResourceError(IssueCode.MEMORY_EXHAUSTED, "memory was short"),
    ProcessingError(IssueCode.DAMAGED, "most of it does not decode"),
    ZeroDivisionError("a bug"),
]


@pytest.mark.parametrize("error", OTHERS, ids=lambda error: type(error).__name__)
def test_other_errors_are_not_the_encoders(error: Exception) -> None:
    works = Works(hardware_fails(0, error=error))
    (result,) = works.process(planned(0))
    assert not result.success
    assert all(in_hardware for _, in_hardware, _ in works.processor.calls)
    assert works.emit.of(ClipsRestarted) == []


def test_a_stop_is_not_the_encoders_fault() -> None:
    def act(_clip: PlannedClip, _in_hardware: bool) -> None:
        works.context.cancel.cancel()
        raise Cancelled

    works = Works(act)
    (result,) = works.process(planned(0))
    assert result.error is not None
    assert result.error.code is IssueCode.CANCELLED
    assert len(works.processor.calls) == 1


def test_with_no_other_allowed_the_failure_is_the_clips() -> None:
    works = Works(hardware_fails(0))
    results = works.process(planned(0), planned(1), fallback=False)
    assert [result.success for result in results] == [False, True]
    assert works.emit.of(ClipFailed) == [ClipFailed(0, "clip_failed", "no session is left")]
    assert len(works.processor.calls) == 2


def test_a_copied_clip_has_no_encoder_that_could_fail() -> None:
    works = Works(hardware_fails(0))
    (result,) = works.process(planned(0, action=Action.COPY))
    assert not result.success
    assert len(works.processor.calls) == 1


def test_what_is_kept_is_kept_as_what_made_it() -> None:
    works = Works(hardware_fails(0, 1))
    known = replace(planned(0), key="a by h264_nvenc", content="a")
    works.restarted(known)
    works.emit.events.clear()
    works.restarted(planned(1))  # of which nothing is kept
    keys = [key for _, _, key in works.processor.calls]
    assert keys == ["a by h264_nvenc", "a by libx264", None, None]


def test_memory_that_is_short_in_software_is_met_as_in_hardware() -> None:
    short = [True]

    def act(_clip: PlannedClip, in_hardware: bool) -> None:
        if in_hardware:
            raise ProcessingError(IssueCode.CLIP_FAILED, "no session is left")
        if short.pop():
            short.append(False)
            raise ResourceError(IssueCode.MEMORY_EXHAUSTED, "memory was short")

    works = Works(act)
    reason, event = works.restarted(planned(0))
    assert (reason, event) == ("failed at clip 1 (0.mp4): no session is left", ClipsRestarted(1, 0, 1.0))
    (notice,) = works.emit.of(Notice)
    assert notice.code == "memory_exhausted"
    assert [in_hardware for _, in_hardware, _ in works.processor.calls] == [True, False, False]


def test_hardware_that_fails_when_memory_is_mended_is_replaced_too() -> None:
    errors: list[Exception] = [
        ProcessingError(IssueCode.CLIP_FAILED, "no session is left"),
        ResourceError(IssueCode.MEMORY_EXHAUSTED, "memory was short"),
    ]

    def act(_clip: PlannedClip, in_hardware: bool) -> None:
        if in_hardware:
            raise errors.pop()

    reason, _ = Works(act).restarted(planned(0))
    assert reason == "failed at clip 1 (0.mp4): no session is left"


def test_what_runs_beside_it_ends_and_is_counted() -> None:
    both, failed = threading.Barrier(2), threading.Event()

    def act(clip: PlannedClip, in_hardware: bool) -> None:
        if in_hardware:
            both.wait(PATIENCE)
        if clip.index == 0 and in_hardware:
            raise ProcessingError(IssueCode.CLIP_FAILED, "no session is left")
        if clip.index == 0:
            failed.set()
        elif in_hardware:
            assert failed.wait(PATIENCE)

    works = Works(act)
    _, event = works.restarted(*map(planned, range(2)), jobs=2)
    assert event == ClipsRestarted(2, 0, 2.0)
    assert sorted(works.told) == sorted((kind, at) for at in (0, 1) for kind in ("clip-started", "clip-finished"))


def test_many_that_fail_at_once_are_one_reason_and_each_has_one_end() -> None:
    together = threading.Barrier(3)

    def act(_clip: PlannedClip, in_hardware: bool) -> None:
        if in_hardware:
            together.wait(PATIENCE)
            raise ProcessingError(IssueCode.CLIP_FAILED, "no session is left")

    works = Works(act)
    reason, event = works.restarted(*map(planned, range(3)), jobs=3)
    assert "no session is left" in reason
    assert event.finished + event.failed == 3
    starts = [index for kind, index in works.told if kind == "clip-started"]
    ends = [index for kind, index in works.told if kind != "clip-started"]
    assert sorted(starts) == sorted(ends) == [0, 1, 2]


class Watched(ResourcePool):
    """Remembers what was asked of it."""

    def __init__(self, memory: MemoryManager) -> None:
        super().__init__(8, memory)
        self.devices: list[tuple[str | None, int]] = []

    def acquire_resource(
        self,
        request: ResourceRequest | None = None,
        *,
        timeout_seconds: float | None = 30,
        cancel: CancelToken | None = None,
    ) -> int | None:
        assert request is not None
        self.devices.append((request.device, request.at_once))
        return super().acquire_resource(request, timeout_seconds=timeout_seconds, cancel=cancel)


def test_only_what_is_encoded_in_hardware_takes_a_place_on_the_device() -> None:
    works = Works(hardware_fails(2))
    watched = Watched(works.memory)
    works.pipeline = ProcessingPipeline(works.processor, watched, works.memory, PerformanceMonitor())
    works.restarted(planned(0, action=Action.COPY), planned(1), planned(2))
    assert watched.devices == [(None, 1), ("cuda", 3), ("cuda", 3), (None, 1)]

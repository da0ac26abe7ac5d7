"""A run whose time is over: it stops as for a signal, publishes nothing, and the next one goes on there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from mpt_cli.cli.answer import end_of_batch
from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import Config, ProcessingConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action
from mpt_cli.model.clips import VideoClip
from mpt_cli.model.errors import ExitCode, IssueCode
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.runtime.events import ClipFinished, ClipStarted, ConcatStarted, Event, RunContext, RunFinished, RunStarted
from tests.fakes import ListEmit
from tests.integration.reels import assert_well_told, config_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.workflow.orchestrator import VideoProcessingOrchestrator
    from tests.media import MediaFolder


class Clock:
    """A timer whose time is over at an event."""

    def __init__(self) -> None:
        self.call: Callable[[], None] = lambda: None

    def __call__(self, _seconds: float, call: Callable[[], None]) -> Clock:
        self.call = call
        return self

    def start(self) -> None:
        """Begin."""

    def cancel(self) -> None:
        """End."""

    def join(self) -> None:
        """Wait for nothing."""


class EndsAt(ListEmit):
    """A display at which the time is over with the first event of a kind."""

    def __init__(self, clock: Clock, kind: type[Event]) -> None:
        super().__init__()
        self.clock, self.kind = clock, kind

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, self.kind):
            self.clock.call()


def limited() -> Config:
    return config_of().model_copy(update={"processing": ProcessingConfig(deadline=Fraction(600), jobs=1)})


def orchestrator_with(clock: Clock) -> VideoProcessingOrchestrator:
    return ModuleFactory(limited(), timer=clock).create_video_orchestrator()


@pytest.fixture
def clips(media: MediaFolder) -> tuple[VideoClip, ...]:
    return tuple(VideoClip(media.make(seconds=seconds)) for seconds in (0.4, 0.5, 0.6))


@pytest.mark.parametrize("kind", [RunStarted, ClipStarted, ClipFinished, ConcatStarted])
@pytest.mark.core(1)
def test_it_stops_at_any_moment_and_the_next_run_goes_on(
    clips: tuple[VideoClip, ...], tmp_path: Path, kind: type[Event]
) -> None:
    clock, output = Clock(), tmp_path / "reel.mp4"
    emit = EndsAt(clock, kind)
    result = orchestrator_with(clock).process_video_request(
        VideoParams(clips, output), context=RunContext("late", emit)
    )
    assert (result.status, result.code, result.output) == (RunStatus.ERROR, IssueCode.DEADLINE_REACHED, None)
    assert [issue.code for issue in result.errors] == [IssueCode.DEADLINE_REACHED]
    assert not output.exists()
    finished = [clip for clip in result.clips if clip.status is ClipStatus.PROCESSED]
    assert result.errors[0].message == f"the deadline of 600 s is over: {len(finished)} of 3 clips finished"
    assert {clip.status for clip in result.clips} <= {ClipStatus.PROCESSED, ClipStatus.NOT_RUN}
    assert emit.types[-1] == "run-finished"
    again = orchestrator_with(Clock()).process_video_request(VideoParams(clips, output))
    assert again.status is RunStatus.SUCCESS
    assert sum(clip.action is Action.REUSE for clip in again.clips) == len(finished)


def test_time_that_is_enough_changes_nothing(clips: tuple[VideoClip, ...], tmp_path: Path, emit: ListEmit) -> None:
    params = VideoParams(clips, tmp_path / "reel.mp4")
    result = (
        ModuleFactory(limited())
        .create_video_orchestrator()
        .process_video_request(params, context=RunContext("w", emit))
    )
    assert result.status is RunStatus.SUCCESS
    assert_well_told(emit, RunStatus.SUCCESS)


def test_jobs_of_a_batch_that_are_done_stay_done(clips: tuple[VideoClip, ...], tmp_path: Path) -> None:
    clock = Clock()
    requests = [VideoParams(clips[:1], tmp_path / f"{name}.mp4") for name in "abcdef"]
    contexts = [RunContext(f"w{number}") for number in range(6)]
    contexts[0] = replace(contexts[0], emit=EndsAt(clock, RunFinished))
    results = orchestrator_with(clock).process_batch_requests(requests, contexts=contexts)
    statuses = [result.status for result in results]
    assert statuses[0] is RunStatus.SUCCESS
    assert (tmp_path / "a.mp4").is_file()
    assert RunStatus.SKIPPED in statuses
    late = [result for result in results if result.status is not RunStatus.SUCCESS]
    assert {result.code for result in late} == {IssueCode.DEADLINE_REACHED}
    assert all(result.errors for result in late)
    assert end_of_batch(statuses, None) == (RunStatus.PARTIAL, ExitCode.PARTIAL)
    assert not any(request.output_path.exists() for request, r in zip(requests, results, strict=True) if r in late)

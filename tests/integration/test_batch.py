"""Batches on real clips: good jobs beside broken ones, jobs that run at once, nothing encoded twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import FfmpegConfig
from mpt_cli.factory import ModuleFactory
from mpt_cli.model.choices import Action
from mpt_cli.model.errors import InputError, IssueCode
from mpt_cli.model.results import RunStatus
from mpt_cli.runtime.events import ClipFinished, RunContext
from tests.fakes import ListEmit, stand_in
from tests.integration.reels import assert_well_told, config_of, of, problems
from tests.media import numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpt_cli.config.sections import Config
    from mpt_cli.model.results import VideoResult
    from mpt_cli.workflow.orchestrator import VideoProcessingOrchestrator
    from tests.media import MediaFolder

HANDLES = Path("/proc/self/fd")
PARTS = of(numbered(1, seconds=0.4), numbered(2, seconds=0.3), numbered(3, seconds=0.5))


def orchestrator_of(config: Config) -> VideoProcessingOrchestrator:
    return ModuleFactory(config).create_video_orchestrator()


def jobs_of(media: MediaFolder, folder: Path, *orders: str) -> list[VideoParams]:
    """A request for each order, such as ``"13"``: the first and the third clip."""
    return [
        VideoParams([PARTS[int(k) - 1].request(media) for k in order], folder / f"{n}.mp4", overwrite=True)
        for n, order in enumerate(orders)
    ]


def actions(results: Sequence[VideoResult]) -> list[list[Action | None]]:
    return [[clip.action for clip in result.clips] for result in results]


@pytest.mark.anchor("T013")
def test_good_jobs_run_beside_a_broken_one_and_each_has_its_own_end(media: MediaFolder, tmp_path: Path) -> None:
    orders = "12", "1", "32"
    jobs = jobs_of(media, tmp_path, *orders)
    jobs[1] = replace(jobs[1], clips=(*jobs[1].clips, replace(jobs[1].clips[0], path=tmp_path / "gone.mp4")))
    emits = [ListEmit() for _ in jobs]
    contexts = [RunContext(f"w{n}", emit) for n, emit in enumerate(emits)]
    results = orchestrator_of(config_of()).process_batch_requests(jobs, contexts=contexts)
    assert [result.status for result in results] == [RunStatus.SUCCESS, RunStatus.ERROR, RunStatus.SUCCESS]
    assert [result.workflow_id for result in results] == ["w0", "w1", "w2"]
    assert [issue.code for issue in results[1].errors] == [IssueCode.FILE_NOT_FOUND, IssueCode.VALIDATION_FAILED]
    for n in (0, 2):
        parts = [PARTS[int(k) - 1] for k in orders[n]]
        assert problems(tmp_path / f"{n}.mp4", parts, Fraction(30)) == []
    assert not (tmp_path / "1.mp4").exists()
    for emit, result in zip(emits, results, strict=True):
        assert_well_told(emit, result.status)


@pytest.mark.slow
@pytest.mark.anchor("T015")
def test_clips_of_different_jobs_are_encoded_at_the_same_time(media: MediaFolder, tmp_path: Path) -> None:
    """Each child waits until there is another one: a batch that runs job after job never gets through."""
    meet = tmp_path / "meet"
    meet.mkdir()
    program = stand_in(
        tmp_path,
        'case "$1" in -version) ;; *)',
        f'  : > "{meet}/$$"; tries=0',
        f'  while [ "$(ls "{meet}" | wc -l)" -lt 2 ]; do',
        "    tries=$((tries + 1)); [ $tries -gt 200 ] && exit 9; sleep 0.05",
        "  done;;",
        "esac",
    )
    config = config_of().model_copy(update={"ffmpeg": FfmpegConfig(binary=program)})
    config = config.model_copy(update={"processing": config.processing.model_copy(update={"jobs": 2})})
    jobs = jobs_of(media, tmp_path, "1", "2")
    results = orchestrator_of(config).process_batch_requests(jobs)
    assert [result.status for result in results] == [RunStatus.SUCCESS] * 2, [r.errors for r in results]
    assert [result.output.path.name for result in results if result.output] == ["0.mp4", "1.mp4"]


@pytest.mark.core
def test_two_jobs_with_one_output_are_refused_before_anything_runs(media: MediaFolder, tmp_path: Path) -> None:
    jobs = jobs_of(media, tmp_path, "1", "2")
    with pytest.raises(InputError, match="is written by job"):
        orchestrator_of(config_of()).process_batch_requests([jobs[0], replace(jobs[1], output_path=tmp_path / "0.mp4")])
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_encodes_nothing_and_a_changed_clip_only_itself(media: MediaFolder, tmp_path: Path) -> None:
    jobs = jobs_of(media, tmp_path / "out", "12", "3")
    first = orchestrator_of(config_of()).process_batch_requests(jobs)
    assert actions(first) == [[Action.ENCODE, Action.ENCODE], [Action.ENCODE]]
    again = orchestrator_of(config_of()).process_batch_requests(jobs)
    assert actions(again) == [[Action.REUSE, Action.REUSE], [Action.REUSE]]
    assert again[0].clips[0].reasons == ("finished before",)
    (other,) = of(numbered(4, seconds=0.2))
    changed = replace(jobs[0], clips=(jobs[0].clips[0], other.request(media)))
    (third,) = orchestrator_of(config_of()).process_batch_requests([changed])
    assert [clip.action for clip in third.clips] == [Action.REUSE, Action.ENCODE]
    assert problems(tmp_path / "out/0.mp4", [PARTS[0], other], Fraction(30)) == []


def test_a_clip_that_several_jobs_share_is_encoded_once(media: MediaFolder, tmp_path: Path) -> None:
    jobs = jobs_of(media, tmp_path, "1", "12", "13")
    config = config_of()
    config = config.model_copy(update={"processing": config.processing.model_copy(update={"jobs": 1})})
    results = orchestrator_of(config).process_batch_requests(jobs)
    made = [clip.action for result in results for clip in result.clips if clip.path == jobs[0].clips[0].path]
    assert made.count(Action.ENCODE) == 1
    assert [result.success for result in results] == [True] * 3


@pytest.mark.anchor("T014")
def test_a_batch_leaves_no_thread_handle_reservation_or_followed_workflow(media: MediaFolder, tmp_path: Path) -> None:
    factory = ModuleFactory(config_of())
    orchestrator, memory = factory.create_video_orchestrator(), factory.memory_manager
    orchestrator.process_batch_requests(jobs_of(media, tmp_path, "1"))
    threads, handles = threading.active_count(), len(list(HANDLES.iterdir()))
    for result in orchestrator.process_batch_requests(jobs_of(media, tmp_path, *["1"] * 12)):
        assert result.success
        assert memory.peak_bytes(result.workflow_id)
    assert (threading.active_count(), len(list(HANDLES.iterdir()))) == (threads, handles)
    assert memory.reserved_bytes == 0


def test_a_stopped_batch_ends_its_running_jobs_and_begins_no_other(media: MediaFolder, tmp_path: Path) -> None:
    jobs, emit = jobs_of(media, tmp_path, "1", "2", "3", "12", "13"), ListEmit()
    contexts = [RunContext(f"w{n}") for n in range(5)]
    cancel = contexts[0].cancel

    def stop(event: object) -> None:
        emit(event)  # type: ignore[arg-type]
        if isinstance(event, ClipFinished):
            cancel.cancel()

    contexts = [replace(context, emit=stop, cancel=cancel) for context in contexts]
    config = config_of()
    config = config.model_copy(update={"processing": config.processing.model_copy(update={"jobs": 1})})
    results = orchestrator_of(config).process_batch_requests(jobs, contexts=contexts)
    assert {result.status for result in results} <= {RunStatus.SUCCESS, RunStatus.CANCELLED, RunStatus.SKIPPED}
    assert RunStatus.CANCELLED in {result.status for result in results}
    assert results[-1].status is RunStatus.SKIPPED
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{n}.mp4" for n, result in enumerate(results) if result.success
    }

"""Batches: what cannot be run as a whole, how many jobs run at once, when none begins any more."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.request import VideoParams
from mpt_cli.config.sections import MemoryConfig
from mpt_cli.model.errors import InputError, IssueCode
from mpt_cli.model.results import RunStatus, VideoResult
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import Notice, RunContext
from mpt_cli.workflow.batch import WAIT_SECONDS, Batch, require_possible
from tests.fakes import FakeClock, ListEmit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIB = 2**20
PATIENCE = 20


class Machine:
    """A machine whose memory the test sets."""

    def __init__(self, used: int = 0) -> None:
        self.used = used

    def total_bytes(self) -> int:
        return 10_000 * MIB

    def available_bytes(self) -> int:
        return 9_000 * MIB

    def tree_rss_bytes(self) -> int:
        return self.used

    def cpu_percent(self) -> float:
        return 0.0

    def limit_bytes(self) -> int | None:
        return None


def memory_of(machine: Machine, clock: FakeClock, *, budget: int = 1000 * MIB) -> MemoryManager:
    return MemoryManager(MemoryConfig(max=budget), system=machine, clock=clock, sleep=clock.sleep, interval_seconds=0.5)


def requests(count: int, *, clips: int = 1) -> list[VideoParams]:
    return [VideoParams([f"/in/{n}-{k}.mp4" for k in range(clips)], f"/out/{n}.mp4") for n in range(count)]


def contexts(count: int, emit: ListEmit | None = None, cancel: CancelToken | None = None) -> list[RunContext]:
    cancel = cancel or CancelToken()
    return [RunContext(f"w{n}", emit or ListEmit(), cancel) for n in range(count)]


def result(context: RunContext, status: RunStatus = RunStatus.SUCCESS) -> VideoResult:
    return VideoResult(context.workflow_id, status)


def batch_of(count: int, *, at_once: int = 2, fail_fast: bool = False, cancel: CancelToken | None = None) -> Batch:
    memory = memory_of(Machine(), FakeClock())
    return Batch(requests(count), contexts(count, cancel=cancel), memory=memory, at_once=at_once, fail_fast=fail_fast)


class Processor:
    """Processes requests as the test says."""

    def __init__(self, process: Callable[[VideoParams, RunContext], VideoResult]) -> None:
        self._process = process

    def process_video_request(
        self, params: VideoParams, *, context: RunContext | None = None, recorded: bool = True
    ) -> VideoResult:
        assert context is not None
        assert recorded
        return self._process(params, context)


def run_all(
    batch: Batch, count: int, process: Callable[[VideoParams, RunContext], VideoResult]
) -> list[tuple[str, RunStatus]]:
    return [(found.workflow_id, found.status) for found in batch.run(range(count), Processor(process))]


# --- what cannot be run


def refusal(jobs: Sequence[VideoParams], *, most: int = 10, names: Sequence[str] | None = None) -> InputError:
    own = contexts(len(jobs)) if names is None else [RunContext(job=name) for name in names]
    with pytest.raises(InputError) as caught:
        require_possible(jobs, own, most_jobs=most)
    return caught.value


def test_an_empty_batch_and_one_that_is_too_large_are_refused() -> None:
    assert "no job" in refusal([]).issue.message
    assert refusal(requests(3), most=2).code is IssueCode.LIMIT_EXCEEDED
    require_possible(requests(3), contexts(3), most_jobs=3)


def test_two_jobs_with_one_output_are_refused_also_through_links(tmp_path: Path) -> None:
    first, *others, last = requests(4)
    error = refusal([first, *others, replace(last, output_path=Path("/out/../out/0.mp4"))])
    assert error.code is IssueCode.DUPLICATE_OUTPUT
    assert "job 1 and by job 4" in error.issue.message
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    jobs = [replace(first, output_path=tmp_path / name / "a.mp4") for name in ("real", "link")]
    assert refusal(jobs).code is IssueCode.DUPLICATE_OUTPUT


def test_two_jobs_that_collide_are_named_as_their_caller_named_them() -> None:
    first, second = requests(2)
    twins = [first, replace(second, output_path=first.output_path)]
    assert "monday and by job 7;" in refusal(twins, names=["monday", "job 7"]).issue.message
    assert "week: a and by week: a;" in refusal(twins, names=["week: a", "week: a"]).issue.message
    reads = [replace(first, output_path=second.clips[0].path), second]
    assert "read by job 7 and written by monday;" in refusal(reads, names=["monday", "job 7"]).issue.message


def test_a_job_that_reads_what_another_writes_is_refused() -> None:
    first, second = requests(2)
    error = refusal([replace(first, output_path=second.clips[0].path), second])
    assert (error.code, error.issue.path) == (IssueCode.OUTPUT_IS_INPUT, second.clips[0].path)
    require_possible(
        [replace(first, output_path=first.clips[0].path), second], contexts(2), most_jobs=2
    )  # the job's own fault


# --- how jobs run


@pytest.mark.anchor("T015")
def test_results_stand_in_order_whatever_ends_first() -> None:
    second_ended = threading.Event()

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        if context.workflow_id == "w0":
            assert second_ended.wait(PATIENCE)
        if context.workflow_id == "w1":
            second_ended.set()
        return result(context)

    assert [name for name, _ in run_all(batch_of(3), 3, process)] == ["w0", "w1", "w2"]


def test_earlier_jobs_go_first_and_each_knows_how_many_clips_run_beside_it() -> None:
    seen: dict[str, tuple[int, int]] = {}

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        seen[context.workflow_id] = context.priority, context.clips_beside
        return result(context)

    jobs = [*requests(2), *requests(1, clips=5)]
    batch = Batch(jobs, contexts(3), memory=memory_of(Machine(), FakeClock()), at_once=3, fail_fast=False)
    batch.run(range(3), Processor(process))
    assert seen == {"w0": (0, 6), "w1": (1, 6), "w2": (2, 2)}


@pytest.mark.anchor("T014")
def test_no_more_jobs_than_said_are_on_their_way() -> None:
    lock, inside, most = threading.Lock(), 0, 0
    together = threading.Barrier(2)

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        together.wait(PATIENCE)
        with lock:
            inside -= 1
        return result(context)

    assert len(run_all(batch_of(8, at_once=2), 8, process)) == 8
    assert most == 2


@pytest.mark.anchor("T013")
def test_a_job_that_fails_does_not_stop_the_others() -> None:
    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        return result(context, RunStatus.ERROR if context.workflow_id == "w1" else RunStatus.SUCCESS)

    statuses = [status for _, status in run_all(batch_of(4), 4, process)]
    assert statuses == [RunStatus.SUCCESS, RunStatus.ERROR, RunStatus.SUCCESS, RunStatus.SUCCESS]


@pytest.mark.parametrize("bad", [RunStatus.ERROR, RunStatus.PARTIAL])
def test_with_fail_fast_none_begins_after_a_failure(bad: RunStatus) -> None:
    begun: list[str] = []

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        begun.append(context.workflow_id)
        return result(context, bad if context.workflow_id == "w1" else RunStatus.SUCCESS)

    statuses = [status for _, status in run_all(batch_of(5, at_once=1, fail_fast=True), 5, process)]
    assert begun == ["w0", "w1"]
    assert statuses == [RunStatus.SUCCESS, bad, *[RunStatus.SKIPPED] * 3]


def test_with_fail_fast_only_the_refused_jobs_are_asked_why() -> None:
    batch = batch_of(4, at_once=1, fail_fast=True)
    usable = batch.check(lambda params, _context: params.output_path.stem != "2")
    assert usable == [0, 1, 3]
    begun: list[str] = []

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        begun.append(context.workflow_id)
        return result(context, RunStatus.ERROR)

    statuses = [found.status for found in batch.run(usable, Processor(process))]
    assert (begun, statuses.count(RunStatus.SKIPPED)) == (["w2"], 3)


def test_once_stopped_no_job_begins() -> None:
    cancel = CancelToken()
    batch = batch_of(4, at_once=1, cancel=cancel)

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        cancel.cancel()
        return result(context, RunStatus.CANCELLED)

    statuses = [status for _, status in run_all(batch, 4, process)]
    assert statuses == [RunStatus.CANCELLED, *[RunStatus.SKIPPED] * 3]


def test_an_exception_stops_the_other_jobs_and_goes_its_way() -> None:
    batch, both, stopped = batch_of(3, at_once=2), threading.Barrier(2), threading.Event()

    def process(_params: VideoParams, context: RunContext) -> VideoResult:
        both.wait(PATIENCE)
        if context.workflow_id == "w0":
            raise RuntimeError("a bug")
        if context.cancel.wait(PATIENCE):
            stopped.set()
        return result(context, RunStatus.CANCELLED)

    with pytest.raises(RuntimeError, match="a bug"):
        batch.run(range(3), Processor(process))
    assert stopped.is_set()


# --- memory


@pytest.mark.anchor("T016")
def test_a_pressed_job_waits_for_memory_and_then_runs() -> None:
    clock, machine, emit = FakeClock(), Machine(used=900 * MIB), ListEmit()
    memory = memory_of(machine, clock)
    (context,) = contexts(1, emit)

    class Waits(CancelToken):
        def wait(self, timeout_seconds: float) -> bool:
            clock.advance(timeout_seconds)
            if clock.now >= 1010:
                machine.used = 100 * MIB
            return False

    context = replace(context, cancel=Waits())
    batch = Batch(requests(1), [context], memory=memory, at_once=1, fail_fast=False)
    batch.await_memory(context)
    assert 1010 <= clock.now < 1000 + WAIT_SECONDS
    assert emit.events == []


@pytest.mark.anchor("T016")
def test_a_job_runs_with_a_warning_where_no_memory_comes_free_and_the_next_does_not_wait_again() -> None:
    clock, machine, emit = FakeClock(), Machine(used=900 * MIB), ListEmit()

    class Waits(CancelToken):
        def wait(self, timeout_seconds: float) -> bool:
            clock.advance(timeout_seconds)
            return False

    context = RunContext("w", emit, Waits())
    batch = Batch(requests(1), [context], memory=memory_of(machine, clock), at_once=1, fail_fast=False)
    batch.await_memory(context)
    assert [event.code for event in emit.of(Notice)] == ["memory_exhausted"]
    waited = clock.now
    assert waited >= 1000 + WAIT_SECONDS
    batch.await_memory(context)
    assert clock.now < waited + 1
    machine.used = 0
    clock.advance(1)
    batch.await_memory(context)  # there is room again: the next shortage is waited for
    machine.used = 900 * MIB
    clock.advance(1)
    batch.await_memory(context)
    assert len(emit.of(Notice)) == 2


def test_of_a_small_budget_half_is_enough_to_begin() -> None:
    clock, machine = FakeClock(), Machine(used=90 * MIB)
    memory = memory_of(machine, clock, budget=200 * MIB)
    context = RunContext("w", ListEmit(), CancelToken())
    batch = Batch(requests(1), [context], memory=memory, at_once=1, fail_fast=False)
    batch.await_memory(context)
    assert clock.now == 1000.0

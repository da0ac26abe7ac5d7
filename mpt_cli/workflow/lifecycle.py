"""Lifecycle of a request: its deadline, its events, its measurements, its record, and the error that ends it."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mpt_cli.model.errors import (
    Cancelled,
    DeadlineReached,
    IssueCode,
    MptError,
    ProcessingError,
    ResourceError,
)
from mpt_cli.model.results import ClipStatus, RunStatus
from mpt_cli.model.run_record import HistoryEntry
from mpt_cli.model.shortages import out_of_memory
from mpt_cli.monitoring.recorder import Recorder
from mpt_cli.runtime.current_run import CURRENT_RUN
from mpt_cli.runtime.events import ResourceSample, RunFinished, RunStarted, warning_of
from mpt_cli.runtime.guarded_emit import guarded
from mpt_cli.runtime.reported_issues import ReportedIssues
from mpt_cli.storage.disk import free_bytes_if_known, unworkable
from mpt_cli.storage.keep_failures import KeepFailures
from mpt_cli.workflow import deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from fractions import Fraction

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import VideoResult
    from mpt_cli.monitoring.memory import MemoryManager, MemorySample
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.runtime.guarded_emit import GuardedEmit
    from mpt_cli.storage.run_history import History
    from mpt_cli.workflow.run_state import RunState

logger = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Lifecycle:
    """Surround the steps of a request with everything that each request needs, whatever it does."""

    def __init__(
        self,
        performance: PerformanceMonitor,
        memory: MemoryManager,
        sandbox: AbstractContextManager[object],
        *,
        history: History[HistoryEntry] | None = None,
        keep_failures: KeepFailures | None = None,
        timer: deadline.StartTimer = threading.Timer,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Wire the parts; nothing is started.

        Args:
            performance: Measures cost.
            memory: Samples memory for as long as a request runs.
            sandbox: Held open by each request, so that the processes that open files serve all its steps.
            history: Keeps results; None for none.
            keep_failures: Record of what could not be kept for later runs.
            timer: Starts the clock of a deadline.
            now: Returns the time of day in UTC.
        """
        self._performance, self._memory, self._sandbox = performance, memory, sandbox
        self._history, self._timer, self._now = history, timer, now
        self._keep_failures = keep_failures or KeepFailures()

    @contextmanager
    def of_request(self, run: RunState, *, recorded: bool) -> Iterator[None]:
        """Run the steps of one request; an error that ends them is noted in the run, and not raised.

        With ``recorded`` its deadline holds, its result is kept in the history, and what could not be kept is
        reported. The log names the run in each record, and gets the issues that no event told.
        """
        started_at, recorder, mark = self._now(), Recorder(), self._keep_failures.mark
        told = ReportedIssues()
        seconds = run.config.processing.deadline if recorded else None
        with self.limited([run.context], seconds) as (limited,):
            context, guard = guarded(limited)
            run.context = replace(context, emit=recorder.hearing(told.hearing(context.emit)))
            with _named(run.context.workflow_id), _told(run):
                with _heard(run, guard), self._ended(run), self._measured(run):
                    yield
                for issue in self._not_kept(run, mark) if recorded else ():
                    run.context.emit(warning_of(issue))
                _log_issues(told.untold(run.result(), clips=(ClipStatus.SKIPPED, ClipStatus.FAILED)))
        _note_failed_callback(run, guard, late=True)
        if recorded and self._history is not None:
            brief = replace(run.result(), evidence=None)
            self._history.add(
                HistoryEntry(run.command, started_at, brief, run.setup(), recorder.timeline(), run.output_path)
            )
            self._not_kept(run, mark)

    def _not_kept(self, run: RunState, mark: int) -> list[Issue]:
        """Add what could not be kept to the warnings of the run, once for each command; return these."""
        new = [issue for issue in self._keep_failures.since(mark) if run.context.once.is_first(issue.code)]
        run.afterwards += new
        return new

    def limited(
        self, contexts: Sequence[RunContext], seconds: Fraction | None
    ) -> AbstractContextManager[list[RunContext]]:
        """Return the contexts of requests that stop together after these seconds; None is no limit."""
        return deadline.limited(contexts, seconds, timer=self._timer)

    @contextmanager
    def _ended(self, run: RunState) -> Iterator[None]:
        """Note in the run how its steps ended; errors that are bugs go their way."""
        try:
            yield
        except MptError as error:
            run.error = self._late(run) if deadline.ended_by_clock(error, run.context.cancel) else error
        except OSError as failure:  # a path of the request that the system does not take
            logger.exception("Workflow %s could not go on", run.context.workflow_id)
            run.error = unworkable(failure, run.params.output_path)
        except MemoryError:
            self._memory.force_cleanup_all()
            logger.exception("Memory exhaustion in workflow %s", run.context.workflow_id)
            run.error = out_of_memory()

    @staticmethod
    def _late(run: RunState) -> DeadlineReached:
        finished, total = len(run.finished_clips()), len(run.params.clips)
        return deadline.reached(run.config, finished=finished, total=total)

    @contextmanager
    def _measured(self, run: RunState) -> Iterator[None]:
        """Measure the steps, and give back at once what a run held that failed."""
        workflow_id, output = run.context.workflow_id, run.params.output_path

        def emit_sample(sample: MemorySample) -> None:
            free = free_bytes_if_known(output)
            run.context.emit(ResourceSample(sample.tree_bytes, sample.budget_bytes, sample.cpu_percent, free))

        def conclude() -> None:
            self._memory.cleanup_workflow(workflow_id)
            self._performance.end_workflow(workflow_id)
            peak = self._memory.peak_bytes(workflow_id)
            run.metrics = self._performance.generate_performance_report(workflow_id, memory_peak_bytes=peak)

        self._performance.start_workflow(workflow_id, clip_count=len(run.params.clips))
        self._memory.initialize_for_workflow(workflow_id)
        with ExitStack() as stack:
            stack.callback(conclude)
            stack.callback(self._memory.subscribe(emit_sample))
            stack.enter_context(self._memory)
            stack.enter_context(self._sandbox)
            try:
                yield
            except (ProcessingError, ResourceError):
                self._memory.emergency_cleanup(workflow_id)
                raise


@contextmanager
def _heard(run: RunState, guard: GuardedEmit) -> Iterator[None]:
    """Note in the run that its receiver of events failed, which looks like a stop until then."""
    yield
    _note_failed_callback(run, guard, late=False)


def _note_failed_callback(run: RunState, guard: GuardedEmit, *, late: bool) -> None:
    """Note a failed receiver once: as the error of the run, or as a warning beside another end.

    Args:
        run: The run.
        guard: The guard of its receiver.
        late: True once the result was reported, so that the receiver failed at the last event or before.
    """
    error = guard.error()
    if error is None or run.callback is not None:
        return
    run.callback = error
    stopped_by_it = isinstance(run.error, Cancelled) and not guard.stopped_by_caller
    if not late and run.output is None and (run.error is None or stopped_by_it):
        run.error = error
    else:
        run.afterwards.append(error.issue)


@contextmanager
def _named(workflow_id: str) -> Iterator[None]:
    """Name the run in the records of all that it does."""
    token = CURRENT_RUN.set(workflow_id)
    try:
        yield
    finally:
        CURRENT_RUN.reset(token)


def _log_issues(result: VideoResult) -> None:
    for level, issues in ((logging.WARNING, result.warnings), (logging.ERROR, result.errors)):
        for issue in issues:
            logger.log(level, "%s (%s)", issue.text(), issue.code, extra={"issue": issue})


@contextmanager
def _told(run: RunState) -> Iterator[None]:
    """Emit the first and the last event of a run, whatever happens between them."""
    emit = run.context.emit
    emit(RunStarted(run.command, run.context.workflow_id, len(run.params.clips)))
    end = RunFinished(RunStatus.ERROR.value, IssueCode.INTERNAL.value)  # of a bug, which goes its way from here
    try:
        yield
        end = RunFinished(run.status.value, run.error.code.value if run.error else None)
    except KeyboardInterrupt:  # in a program that handles no signals
        end = RunFinished(RunStatus.CANCELLED.value, IssueCode.CANCELLED.value)
        raise
    finally:
        emit(end)

"""Batches: many requests that are checked before the first one runs, then run side by side on one pool.

Of a job only its result is kept. The clips of the next job run while another one is joined; the pool
serves earlier jobs first.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from mpt_cli.config.request import VideoParams
from mpt_cli.model.arguments import instance_of
from mpt_cli.model.errors import InputError, IssueCode, UsageError
from mpt_cli.model.results import RunStatus, VideoResult
from mpt_cli.runtime.bounded_map import bounded_map
from mpt_cli.runtime.events import Notice, RunContext
from mpt_cli.runtime.guarded_emit import guarded
from mpt_cli.runtime.once import Once
from mpt_cli.storage.atomic_write import real_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mpt_cli.monitoring.memory import MemoryManager

Found = TypeVar("Found")
logger = logging.getLogger(__name__)

WAIT_SECONDS = 30
"""A job that waited so long for memory runs anyway."""
_WANTED_BYTES = 500 * 2**20
"""Memory that should be free before a job begins; half of a small budget."""


def batch_of(
    requests: Iterable[VideoParams], contexts: Iterable[RunContext] | None
) -> tuple[list[VideoParams], list[RunContext]]:
    """Return the jobs of a batch and the context of each; UsageError where they do not fit."""
    jobs = [
        instance_of(f"requests[{number}]", one, VideoParams, "give VideoParams(clips, output_path)")
        for number, one in enumerate(requests)
    ]
    own = [RunContext() for _ in jobs] if contexts is None else list(contexts)
    if len(own) != len(jobs):
        raise UsageError(f"contexts: there are {len(own)} for {len(jobs)} requests", hint="give one for each request")
    return jobs, own


def require_possible(requests: Sequence[VideoParams], contexts: Sequence[RunContext], *, most_jobs: int) -> None:
    """Raise InputError for a batch that cannot be run as a whole, whatever its files are."""
    if not requests:
        raise InputError(IssueCode.VALIDATION_FAILED, "the batch holds no job", hint="write at least one job")
    if len(requests) > most_jobs:
        message = f"the batch has {len(requests)} jobs, above the limit of {most_jobs}"
        raise InputError(IssueCode.LIMIT_EXCEEDED, message, hint="raise batch.max_jobs")
    names = [context.job or f"job {number}" for number, context in enumerate(contexts, 1)]
    writer: dict[Path, int] = {}
    for index, request in enumerate(requests):
        for output in map(real_path, (request.output_path, *request.extras.named().values())):
            if (by := writer.setdefault(output, index)) != index:
                message = f"is written by {names[by]} and by {names[index]}; nothing was run"
                raise InputError(IssueCode.DUPLICATE_OUTPUT, message, path=output, hint="give each job its own output")
    for index, request in enumerate(requests):
        for clip in request.clips:
            if (by := writer.get(real_path(clip.path), index)) != index:
                message = f"is read by {names[index]} and written by {names[by]}; nothing was run"
                raise InputError(IssueCode.OUTPUT_IS_INPUT, message, path=clip.path, hint="run one job after the other")


class ProcessesRequests(Protocol):
    """Process requests one by one."""

    def process_video_request(
        self, params: VideoParams, *, context: RunContext | None = None, recorded: bool = True
    ) -> VideoResult:
        """Process one request; see :class:`~mpt_cli.workflow.orchestrator.VideoProcessingOrchestrator`."""
        ...


class Batch:
    """The jobs of one call."""

    def __init__(
        self,
        requests: Sequence[VideoParams],
        contexts: Sequence[RunContext],
        *,
        memory: MemoryManager,
        at_once: int,
        fail_fast: bool,
    ) -> None:
        """Run this many jobs at once; with ``fail_fast`` none begins after one that failed."""
        clips, once = sum(len(request.clips) for request in requests), Once()
        self._requests = requests
        self._contexts = [
            replace(guarded(context)[0], priority=index, clips_beside=clips - len(request.clips), once=once)
            for index, (request, context) in enumerate(zip(requests, contexts, strict=True))
        ]
        self._tokens = {context.cancel for context in contexts}
        self._memory, self._at_once, self._fail_fast = memory, at_once, fail_fast
        self._failed = threading.Event()
        self._short = threading.Event()

    def check(self, is_usable: Callable[[VideoParams, RunContext], bool]) -> list[int]:
        """Return the indices of jobs that pass validation."""
        indices = range(len(self._requests))
        usable = dict(self._each(indices, lambda index: is_usable(self._requests[index], self._contexts[index])))
        return [index for index in indices if usable.get(index)]

    def run(self, usable: Sequence[int], processor: ProcessesRequests) -> list[VideoResult]:
        """Process the jobs and return how each ended, in order; those that did not begin are ``skipped``.

        After a check that refused some, ``fail_fast`` runs only those, which costs no work and says
        why they were refused.
        """
        chosen = list(range(len(self._requests)))
        if self._fail_fast and len(usable) < len(chosen):
            chosen = sorted(set(chosen) - set(usable))
        results = dict(self._each(chosen, lambda index: self._run_one(index, processor)))
        return [
            results.get(index) or VideoResult(context.workflow_id, RunStatus.SKIPPED)
            for index, context in enumerate(self._contexts)
        ]

    def await_memory(self, context: RunContext) -> None:
        """Wait until memory is free for a job; after a wait in vain the next jobs do not wait."""
        wanted_mb = min(_WANTED_BYTES, self._memory.budget_bytes // 2) >> 20
        if self._memory.is_memory_available(wanted_mb):
            self._short.clear()
            return
        self._memory.force_cleanup()
        cancel = context.cancel
        if self._short.is_set() or self._memory.wait_for_availability(
            WAIT_SECONDS, required_mb=wanted_mb, wait=cancel.wait
        ):
            return
        if not cancel.cancelled:
            self._short.set()
            message = f"memory is short: less than {wanted_mb} MiB came free in {WAIT_SECONDS} s; the job runs anyway"
            logger.warning("%s (workflow %s)", message, context.workflow_id, extra={"told": True})
            context.emit(Notice("warning", IssueCode.MEMORY_EXHAUSTED.value, message))

    def _each(self, indices: Sequence[int], work: Callable[[int], Found]) -> list[tuple[int, Found]]:
        """Return what ``work`` returned for each job, with its index; jobs that did not begin are missing."""
        found = bounded_map(
            lambda index: (index, work(index)),
            indices,
            workers=self._at_once,
            max_pending=self._at_once,
            should_stop=lambda: self._failed.is_set() or any(token.cancelled for token in self._tokens),
            on_error=self._stop,
            thread_name="job",
        )
        return list(found)

    def _run_one(self, index: int, processor: ProcessesRequests) -> VideoResult:
        self.await_memory(self._contexts[index])
        result = processor.process_video_request(self._requests[index], context=self._contexts[index])
        if self._fail_fast and result.status is not RunStatus.SUCCESS:
            self._failed.set()
        return result

    def _stop(self) -> None:
        for context in self._contexts:  # whose tokens are those of this call; the caller may use its own for more
            context.cancel.cancel()

"""TaskRun: the work on one task; its result goes into the cache, and nothing else is published."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.model.errors import (
    Cancelled,
    InputError,
    IssueCode,
    MptError,
    OutputError,
    ProcessingError,
    UsageError,
)
from mpt_cli.model.results import RunStatus
from mpt_cli.model.task import TaskEnd
from mpt_cli.planning.plan import costed
from mpt_cli.planning.tasks import step_of
from mpt_cli.runtime.events import RunFinished, RunStarted
from mpt_cli.storage.temp_files import run_folder
from mpt_cli.workflow.task_files import require_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mpt_cli.config.sections import Config
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import ProcessingResult
    from mpt_cli.model.task import Task
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.planning.recipe import Recipes
    from mpt_cli.processing.cache import ClipCache
    from mpt_cli.processing.pipeline import ProcessingPipeline
    from mpt_cli.runtime.events import RunContext


class TaskRun:
    """Do the steps that another mpt planned. Doing one twice, or on two machines at once, is safe."""

    def __init__(
        self,
        pipeline: ProcessingPipeline,
        cache: ClipCache,
        config: Config,
        *,
        recipes: Recipes,
        ffmpeg: Ffmpeg,
        content: Callable[[Path], str],
        memory: MemoryManager,
        performance: PerformanceMonitor,
        sandbox: AbstractContextManager[object],
    ) -> None:
        """Wire the parts; nothing is started."""
        self._pipeline, self._cache, self._config = pipeline, cache, config
        self._recipes, self._ffmpeg, self._content = recipes, ffmpeg, content
        self._memory, self._performance, self._sandbox = memory, performance, sandbox

    def run(self, task: Task, context: RunContext) -> tuple[TaskEnd, tuple[Issue, ...]]:
        """Do a task and store its result in the cache; return its end and its warnings.

        A step with warnings is not stored: a run that reused it could not report them, and does it itself.

        Args:
            task: The task.
            context: The context, for events and cancellation.

        Raises:
            DependencyError: This ffmpeg is not that of the plan.
            InputError: The file of the clip is not here, or is another one.
            UsageError: The task is not as mpt wrote it.
            MptError: The step failed, or was stopped, or its result could not be stored.
        """
        with self._reported(context):
            if self._cache.has(task.key):
                return TaskEnd(task, created=False, stored=True), ()
            require_build(task, self._ffmpeg.ask_build(context.cancel))
            step = step_of(task)
            if self._recipes.key(step, task.key_form, task.content) != task.key:
                raise UsageError("the task is not as mpt wrote it: its key is that of other work")
            self._require_source(task)
            result = self._process(task, context)
        stored = self._cache.has(task.key)
        end = TaskEnd(
            task,
            created=True,
            stored=stored,
            elapsed_seconds=result.elapsed_seconds,
            peak_memory_bytes=result.peak_memory_bytes,
        )
        return end, result.warnings

    def _require_source(self, task: Task) -> None:
        """Raise InputError unless the file of the clip, and those around it, are here and as they were planned."""
        self._require_same(task.clip.path, task.content)
        for side in (task.splice.before, task.splice.after) if task.splice is not None else ():
            if side is not None:
                self._require_same(side.path, side.content)

    def _require_same(self, path: Path, content: str | None) -> None:
        try:
            same = self._content(path) == content
        except FileNotFoundError as error:
            message, hint = "is not visible on this machine", "keep the clips in a folder that all machines see"
            raise InputError(IssueCode.NOT_VISIBLE_ON_WORKER, message, path=path, hint=hint) from error
        except OSError as error:
            why = error.strerror or str(error)
            raise InputError(IssueCode.NOT_READABLE, f"cannot be read ({why})", path=path) from error
        if not same:
            message, hint = "is not the file that was planned", "write the tasks again with mpt process --tasks"
            raise InputError(IssueCode.INPUT_CHANGED, message, path=path, hint=hint)

    def _process(self, task: Task, context: RunContext) -> ProcessingResult:
        """Process the step in a folder of its own, and raise the error of one that failed."""
        plan = costed(task.form, task.key_form, (step_of(task),), 1, None, mixed=False)
        limits = self._config.processing.model_copy(
            update={"clip_timeout": task.limits.clip_timeout, "stall_timeout": task.limits.stall_timeout}
        )
        scratch = self._config.paths.temp or Path(tempfile.gettempdir())
        with self._measured(context.workflow_id), run_folder(scratch, context.workflow_id) as files:
            (step,) = plan.clips
            result = self._pipeline.process_single_clip(step, plan, limits, files=files, context=context)
        if (error := result.error) is not None:
            if error.code is IssueCode.CANCELLED:
                raise Cancelled
            raise ProcessingError(error.code, error.message, path=error.path, hint=error.hint)
        if not result.warnings and not self._cache.has(task.key):
            message, hint = "the finished step could not be stored", "free space, or name another --cache-dir"
            raise OutputError(IssueCode.CACHE_UNAVAILABLE, message, path=self._cache.folder, hint=hint)
        return result

    @contextmanager
    def _measured(self, workflow_id: str) -> Iterator[None]:
        self._performance.start_workflow(workflow_id, clip_count=1)
        self._memory.initialize_for_workflow(workflow_id)
        with ExitStack() as stack:
            stack.callback(self._performance.end_workflow, workflow_id)
            stack.callback(self._memory.cleanup_workflow, workflow_id)
            stack.enter_context(self._memory)
            stack.enter_context(self._sandbox)
            yield

    @staticmethod
    @contextmanager
    def _reported(context: RunContext) -> Iterator[None]:
        """Emit the first and the last event, whatever happens between them."""
        context.emit(RunStarted("work", context.workflow_id, 1))
        end = RunFinished(RunStatus.ERROR.value, IssueCode.INTERNAL.value)
        try:
            yield
            end = RunFinished(RunStatus.SUCCESS.value)
        except MptError as error:
            status = RunStatus.CANCELLED if isinstance(error, Cancelled) else RunStatus.ERROR
            end = RunFinished(status.value, error.code.value)
            raise
        finally:
            context.emit(end)

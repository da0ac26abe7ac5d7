"""Task files: the steps of a plan, written for other machines, and read back there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from mpt_cli.model.errors import DependencyError, InputError, IssueCode, UsageError
from mpt_cli.model.formatting import counted
from mpt_cli.model.task import TASK_SCHEMA, Task, TaskHead
from mpt_cli.model.version import __version__
from mpt_cli.runtime.events import Notice
from mpt_cli.storage.atomic_write import write_in_one_step
from mpt_cli.storage.disk import writing
from mpt_cli.storage.small_files import read_small
from mpt_cli.storage.store import RECIPE_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.runtime.events import RunContext

_MOST_BYTES = 1 << 30
"""Size of a task file: the times of a million frames take some 10 MB."""
_PLAN_AGAIN = "write the tasks again with mpt process --tasks"


def _require_free(folder: Path) -> None:
    """Raise InputError for a folder that holds something: tasks of two plans must not be mixed."""
    with writing(folder):
        if folder.is_dir() and next(folder.iterdir(), None) is None:
            return
    if folder.is_symlink() or folder.exists():
        hint = "name a new or an empty folder for --tasks"
        raise InputError(IssueCode.OUTPUT_EXISTS, "exists, and is no empty folder", path=folder, hint=hint)


def write_tasks(folder: Path, tasks: Sequence[Task], context: RunContext) -> None:
    """Write each task into a file ``task-000000.json`` and so on, and report how many there are.

    A task whose path is not UTF-8 cannot stand in JSON: that step is left to the run.

    Raises:
        InputError: The folder holds something.
        MptError: The folder or a file cannot be written.
    """
    _require_free(folder)
    count = 0
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for task in tasks:
            with suppress(PydanticSerializationError, UnicodeEncodeError):
                data = _tasks().dump_json(replace(task, media=task.media.named(None)))
                write_in_one_step(folder / f"task-{count:06}.json", data)
                count += 1
            context.cancel.raise_if_cancelled()
    message = f"holds {counted(count, 'task')} for mpt work"
    context.emit(Notice("info", "tasks_written", message, path=folder.absolute()))


def read_task(path: Path) -> Task:
    """Return the task of a file.

    Raises:
        UsageError: The file cannot be read, or is no task.
        DependencyError: Another version of mpt wrote it.
    """
    try:
        data = read_small(path.resolve(), _MOST_BYTES)
        _require_versions(path, _heads().validate_json(data))  # before what another version writes otherwise
        task = _tasks().validate_json(data)
    except FileNotFoundError as error:
        raise InputError(IssueCode.FILE_NOT_FOUND, "does not exist", path=path) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(IssueCode.NOT_READABLE, f"cannot be read ({why})", path=path) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        message = f"is no task of mpt {__version__}: {where}: {first['msg']}"
        raise UsageError(message, path=path, hint=_PLAN_AGAIN) from error
    return replace(task, media=task.media.named(task.clip.path))


def _require_versions(path: Path, head: TaskHead) -> None:
    _require_same(path, "the format", head.schema, TASK_SCHEMA)
    _require_same(path, "mpt", head.mpt, __version__)
    _require_same(path, "the cache format", str(head.recipe), str(RECIPE_VERSION))


def require_build(task: Task, build: str) -> None:
    """Raise DependencyError for an ffmpeg that is not the one of the plan, whose frames may differ."""
    _require_same(None, "ffmpeg", task.ffmpeg, build)


def _require_same(path: Path | None, what: str, planned: str, here: str) -> None:
    if planned != here:
        message = f"the task was planned for {what} {planned}, and here is {here}"
        raise DependencyError(message, path=path, hint=f"install the same on all machines, or {_PLAN_AGAIN}")


@cache
def _heads() -> TypeAdapter[TaskHead]:
    return TypeAdapter(TaskHead)


@cache
def _tasks() -> TypeAdapter[Task]:
    return TypeAdapter(Task)

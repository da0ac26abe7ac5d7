"""The memory and the disk space that a plan needs, required before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode, ResourceError
from mpt_cli.model.formatting import size_text
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.runtime.events import Notice
from mpt_cli.storage.disk import disk_of, free_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.planning.plan import Plan


def require_memory(plan: Plan, memory: MemoryManager) -> None:
    """Raise ResourceError where mpt alone takes the whole budget; what else fits shows when it is tried."""
    budget = memory.budget_bytes
    if memory.get_usage_bytes() < budget or memory.reserved_bytes:
        return
    memory.sample()  # the workers that looked into files may be gone
    used = memory.get_usage_bytes()
    if used < budget:
        return
    least = used + min(need_bytes(clip.media, plan.light_form) for clip in plan.clips)
    message = f"the budget of {size_text(budget)} is less than mpt itself uses; at least {size_text(least)} are needed"
    raise ResourceError(IssueCode.MEMORY_EXHAUSTED, message, hint="raise --max-memory")


def tight_clips(plan: Plan, memory: MemoryManager) -> list[Notice]:
    """Return a notice for each clip that is predicted to need more than the budget, even alone and with one thread.

    Predictions are rough: such a clip is tried all the same.
    """
    used, budget = memory.get_usage_bytes(), memory.budget_bytes
    encoded = [clip for clip in plan.clips if any(step.encodes_frames for step in clip.steps)]
    needs = [(clip, used + need_bytes(clip.media, plan.light_form)) for clip in encoded]
    return [
        Notice(
            "info",
            "memory_tight",
            f"may need {size_text(need)} with mpt itself, and the budget is {size_text(budget)}",
            clip.index,
            clip.clip.path,
            "raise --max-memory",
        )
        for clip, need in needs
        if need > budget
    ]


def require_space(plan: Plan, config: Config, output: Path) -> None:
    """Raise ResourceError where the predicted files do not fit on the disks that they go to."""
    needs = ((config.paths.temp or output, plan.temporary_bytes), (output, plan.output_bytes))
    wanted: dict[int, tuple[Path, int]] = {}
    for path, size in needs:
        disk = disk_of(path)
        first, more = wanted.get(disk, (path, 0))
        wanted[disk] = first, size + more
    for path, size in wanted.values():
        free = free_bytes(path)
        if size > free:
            raise ResourceError(
                IssueCode.DISK_FULL,
                f"about {size_text(size)} are needed and {size_text(free)} are free",
                path=path,
                hint="free some space, or set paths.temp to another disk",
            )

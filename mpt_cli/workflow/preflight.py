"""What must hold before a request is worked on, and what is said where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, CopyPolicy, FormSource, JoinMethod, OnError
from mpt_cli.model.errors import InputError, Issue, IssueCode, ResourceError
from mpt_cli.model.formatting import size_text
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.planning.stream_copy import OTHERS_ENCODED
from mpt_cli.storage.disk import disk_of, free_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.planning.plan import Plan
    from mpt_cli.workflow.run_state import Run


def refusal(problems: int, config: Config, *, too_few: bool) -> InputError:
    """The error of a request that validation refused; ``too_few`` where only more clips were asked for."""
    why, hint = "", None
    if too_few and config.processing.on_error is OnError.FAIL:
        hint = "add --on-error skip to leave bad clips out"
    elif too_few:
        why = f" and less than {config.processing.required_success_rate:.0%} of the clips is left"
        hint = "lower --min-success-rate to go on with fewer"
    message = f"{problems} problem{'s' if problems != 1 else ''} found before any work{why}; nothing was written"
    return InputError(IssueCode.VALIDATION_FAILED, message, hint=hint)


def copy_policy(run: Run) -> CopyPolicy:
    """Which clips of a request may be copied, by its method of joining and its configuration."""
    return CopyPolicy.NEVER if run.params.join is JoinMethod.REENCODE else run.config.concat.copy_policy


def takes_form_of_clips(run: Run) -> bool:
    """Whether the clips choose the form of a request: for ``mpt concat`` they do unless it is said."""
    video = run.config.video
    return video.form is FormSource.AUTO or (run.params.join is not None and "form" not in video.model_fields_set)


def require_copies(run: Run, plan: Plan) -> None:
    """``--method copy`` means it: InputError, and all clips that themselves cannot be copied in the run."""
    if run.params.join is not JoinMethod.COPY:
        return
    hint = "use --method auto to encode such clips"
    refused = tuple(
        Issue(IssueCode.CONCAT_FAILED, f"cannot be copied: {', '.join(clip.reasons)}", clip.clip.path, hint)
        for clip in sorted(plan.clips, key=lambda clip: clip.index)
        if clip.action is not Action.COPY and clip.reasons != (OTHERS_ENCODED,)
    )
    if refused:
        assert run.validation is not None
        run.validation = replace(run.validation, errors=(*run.validation.errors, *refused))
        raise refusal(len(refused), run.config, too_few=False)


def require_memory(plan: Plan, memory: MemoryManager) -> None:
    """ResourceError where mpt alone takes the whole budget; what else fits is seen when it is tried."""
    memory.sample()  # the workers that looked into files are gone
    used, budget = memory.get_usage_bytes(), memory.budget_bytes
    if used < budget or memory.reserved_bytes:
        return
    least = used + min(need_bytes(clip.media, plan.light_form) for clip in plan.clips)
    message = f"the budget of {size_text(budget)} is less than mpt itself uses; at least {size_text(least)} are needed"
    raise ResourceError(IssueCode.MEMORY_EXHAUSTED, message, hint="raise --max-memory")


def require_space(run: Run, plan: Plan) -> None:
    """ResourceError when the predicted files do not fit on the disks they go to."""
    output = run.params.output_path
    needs = ((run.config.paths.temp or output, plan.temporary_bytes), (output, plan.output_bytes))
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

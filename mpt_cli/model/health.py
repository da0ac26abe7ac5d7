"""Results of a health check (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass

from mpt_cli.model.errors import ExitCode, IssueCode, exit_code_of


@dataclass(frozen=True, slots=True)
class CurrentMetrics:
    """Current load of the machine.

    Attributes:
        active_workflows: Number of running workflows.
        cpu_percent: Load of all cores, 0 to 100; None where it is not measured.
        memory_percent: Memory in use, 0 to 100; None where it is not measured.
        throughput_clips_per_minute: Clips finished per minute; None where it is not measured.
        gpu_percent: Load of the GPU, 0 to 100; None where it is not measured.
    """

    active_workflows: int
    cpu_percent: float | None
    memory_percent: float | None
    throughput_clips_per_minute: float | None
    gpu_percent: float | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Result of one check.

    Attributes:
        name: Name of the check.
        healthy: True if the checked thing works.
        required: True if requests fail without it.
        detail: One line on what was found.
        hint: Advice where it does not work, or None.
        code: Code of the issue where it does not work.
    """

    name: str
    healthy: bool
    required: bool
    detail: str
    hint: str | None = None
    code: IssueCode = IssueCode.DEPENDENCY_MISSING


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """Result of all checks.

    Attributes:
        checks: Result of each check.
        memory_usage_percent: Memory in use, 0 to 100.
        performance: Current load of the machine.
        ffmpeg: Build string of ffmpeg; None where it does not run.
    """

    checks: tuple[HealthCheck, ...]
    memory_usage_percent: float
    performance: CurrentMetrics
    ffmpeg: str | None

    @property
    def healthy(self) -> bool:
        """True if everything required works."""
        return all(check.healthy for check in self.checks if check.required)

    @property
    def exit_code(self) -> ExitCode:
        """Exit code: that of resources if nothing but room is missing, else that of a dependency."""
        codes = {check.code for check in self.checks if check.required and not check.healthy}
        if not codes:
            return ExitCode.OK
        short = all(exit_code_of(code) is ExitCode.RESOURCES for code in codes)
        return ExitCode.RESOURCES if short else ExitCode.DEPENDENCY

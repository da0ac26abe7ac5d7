"""Results of a health check (frozen values)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CurrentMetrics:
    """How busy everything is now; percentages 0 to 100, None where they are not measured."""

    active_workflows: int
    cpu_percent: float | None
    memory_percent: float | None
    throughput_clips_per_minute: float | None
    gpu_percent: float | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How one thing that was tried stands; ``hint`` says what to do where it does not work."""

    name: str
    healthy: bool
    required: bool
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """Whether requests can be worked on; ``ffmpeg`` is its build string, None where it does not run."""

    checks: tuple[HealthCheck, ...]
    memory_usage_percent: float
    performance: CurrentMetrics
    ffmpeg: str | None

    @property
    def healthy(self) -> bool:
        """Whether everything works that is required."""
        return all(check.healthy for check in self.checks if check.required)

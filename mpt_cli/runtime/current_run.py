"""Id of the run that a thread works for, by which a log can name the job and the output of each record."""

from __future__ import annotations

from contextvars import ContextVar

CURRENT_RUN: ContextVar[str | None] = ContextVar("mpt_current_run", default=None)
"""``workflow_id`` of the run, or None outside of runs; threads of ``bounded_map`` have that of their caller."""

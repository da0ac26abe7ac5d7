"""Issues of a run that its events have told, so that nobody reads them twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.model.results import ClipStatus
from mpt_cli.runtime.events import ClipFailed, Notice

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mpt_cli.model.errors import Issue
    from mpt_cli.model.results import VideoResult
    from mpt_cli.runtime.events import Emit, Event


class ReportedIssues:
    """Issues of one run that were told; events may come from several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._notices: set[tuple[str, Path | None, str]] = set()
        self._clips: set[int] = set()

    def hear(self, event: Event) -> None:
        """Remember the issue of an event that tells one."""
        if isinstance(event, Notice):
            self._notices.add((event.code, event.path, event.message))
        if isinstance(event, Notice | ClipFailed) and event.index is not None:
            self._clips.add(event.index)

    def hearing(self, emit: Emit) -> Emit:
        """Return an emit that passes each event to ``hear``, and then to ``emit``."""

        def both(event: Event) -> object:
            self.hear(event)
            return emit(event)

        return both

    def add(self, issue: Issue) -> None:
        """Remember an issue that was told without an event."""
        self._notices.add((issue.code.value, issue.path, issue.message))

    def __contains__(self, issue: Issue) -> bool:
        """Return True if the issue was told by its own words."""
        return (issue.code.value, issue.path, issue.message) in self._notices

    def untold(self, result: VideoResult, *, clips: Collection[ClipStatus] = (ClipStatus.SKIPPED,)) -> VideoResult:
        """Return the result of the run without the issues that were told.

        Args:
            result: The result.
            clips: States of clips whose error counts as told by an event about the clip: a skipped clip was told when
                it was left out, and the reasons of a run that failed are told at its end.
        """
        told = [clip.error for clip in result.clips if clip.status in clips and clip.index in self._clips]
        return replace(
            result,
            warnings=tuple(issue for issue in result.warnings if issue not in self),
            errors=tuple(issue for issue in result.errors if issue not in self and issue not in told),
        )

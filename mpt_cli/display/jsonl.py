"""Events of ``--jsonl`` for programs: one JSON object per line."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO

from mpt_cli.reporting.envelope import issue_path, to_json
from mpt_cli.runtime import events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from mpt_cli.model.results import VideoResult
    from mpt_cli.reporting.documents.base import EventHead

VERSION: Literal[1] = 1
_PROGRESS_GAP = 0.5
"""Minimum seconds between two progress lines of one clip."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def event_fields(event: events.Event) -> dict[str, Any]:
    """Return the fields of an event under their names in the contract, exact fractions as floats."""
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    if isinstance(event, events.Notice):
        values["path"] = issue_path(event.path)
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in values.items()}


class JsonLinesDisplay:
    """Writer of one flushed line per event; ``seq`` counts the lines from 1."""

    def __init__(
        self,
        stream: TextIO,
        *,
        batch: bool = False,
        on_broken: Callable[[], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Create a writer.

        Args:
            stream: Standard output.
            batch: True to add ``job`` to every event, null where it belongs to no job.
            on_broken: Called once when the stream has no reader any more, for example to cancel the run.
            clock: Monotonic clock in seconds.
            now: Clock of the time stamps, in UTC.
        """
        self._stream, self._batch = stream, batch
        self._on_broken = on_broken
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._seq = 0
        self._last_progress: dict[tuple[str | None, int], float] = {}
        self.broken = False
        self.failure: Exception | None = None
        """The error that ended the writing, or None."""

    def __enter__(self) -> Self:
        """Start; writes nothing."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End; every line is already flushed."""

    def emit(self, event: events.Event, *, job: str | None = None) -> None:
        """Write an event; drop progress that follows the last progress of the clip too soon."""
        with self._lock:
            if self.broken or self._too_soon(event, job):
                return
            self._seq += 1
            # Milliseconds and Z; isoformat alone would write +00:00.
            stamp = self._now().isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
            line: EventHead = {"v": VERSION, "seq": self._seq, "time": stamp, "type": event.type}
            if job is not None or self._batch:
                line["job"] = job
            self._write({**line, **event_fields(event)})

    def unshown(self, result: VideoResult, *, job: str | None = None) -> VideoResult:
        """Return the whole result: people do not read JSON lines."""
        return result

    def finish(self, envelope: Mapping[str, Any]) -> None:
        """Write the envelope as the last line."""
        with self._lock:
            if not self.broken:
                self._write(envelope)

    def _too_soon(self, event: events.Event, job: str | None) -> bool:
        if isinstance(event, events.ClipFinished | events.ClipFailed):
            self._last_progress.pop((job, event.index), None)
        if not isinstance(event, events.ClipProgress):
            return False
        key, now = (job, event.index), self._clock()
        if now - self._last_progress.get(key, -_PROGRESS_GAP + now) < _PROGRESS_GAP:
            return True
        self._last_progress[key] = now
        return False

    def _write(self, line: Mapping[str, Any]) -> None:
        try:
            self._stream.write(to_json(line) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            self.broken, self.failure = True, error
            if self._on_broken is not None:
                self._on_broken()

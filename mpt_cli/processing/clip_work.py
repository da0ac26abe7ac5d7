"""ClipWork: one clip while its parts are processed; it starts once, ends once and has one progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mpt_cli.model.choices import Action, Tracks
from mpt_cli.model.clips import Evidence, ProcessedAudio, ProcessedClip, Verified
from mpt_cli.model.errors import Cancelled, IssueCode
from mpt_cli.model.results import ProcessingResult
from mpt_cli.runtime.events import ClipFailed, ClipFinished, ClipProgress, ClipStarted, warning_of
from mpt_cli.runtime.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

    from mpt_cli.model.errors import Issue
    from mpt_cli.planning.planned_clip import PlannedClip
    from mpt_cli.processing.clip import Processed
    from mpt_cli.runtime.events import Emit, Event

_CURED_WHOLE = {IssueCode.CLIP_FAILED, IssueCode.DAMAGED, IssueCode.AUDIO_DAMAGED}
"""Errors of a part that the whole clip may not have: where decoding begins in its middle, damage shows differently."""
_WEAKEST_FIRST = (Evidence.UNAVAILABLE, Evidence.PARTIAL, Evidence.COPIED, Evidence.PROVEN)


@dataclass(frozen=True, slots=True)
class PartResult:
    """Result of the work on one part of a clip, or on a clip in one piece.

    Attributes:
        part: The part as it was processed.
        done: What was made; None where the work failed.
        error: The issue that ended the work, or None.
        elapsed_seconds: Wall-clock time of the work.
    """

    part: PlannedClip
    done: Processed | None
    error: Issue | None
    elapsed_seconds: float


class ClipWork:
    """One clip in work. Several threads process its parts."""

    def __init__(self, planned: PlannedClip, frame_rate: Fraction, emit: Emit, clock: Callable[[], float]) -> None:
        """Create the work; nothing is emitted yet.

        Args:
            planned: The clip with its parts.
            frame_rate: Output frames per second.
            emit: Receives the events of the clip.
            clock: Clock in seconds.
        """
        self.planned = planned
        self._rate, self._emit, self._clock, self._throttle = frame_rate, emit, clock, Throttle(clock)
        self._lock = threading.Lock()
        self._results: list[PartResult] = []
        self._progress: dict[int, ClipProgress] = {}
        self._spent_seconds = 0.0
        self._begun_at = self._last_at = 0.0
        self._begun = self._ended = False
        self._why_whole: Issue | None = None

    @property
    def busy_seconds(self) -> float:
        """Time that was worked on the parts, added up: parts that ran side by side count each."""
        return self._spent_seconds + sum(result.elapsed_seconds for result in self._results)

    @property
    def _elapsed_seconds(self) -> float:
        """Wall-clock time of the work: of a clip in parts from the start of the first to the end of the last one."""
        if self.planned.parts or self._why_whole:
            return max(self._last_at - self._begun_at, 0.0)
        return self.busy_seconds

    @property
    def is_over(self) -> bool:
        """True if a part failed, so that no other part needs to start."""
        return any(result.error is not None for result in self._results)

    @property
    def why_whole(self) -> Issue | None:
        """The error of a part that the clip may not have in one piece, in which it was not tried yet."""
        if not self.planned.parts or not self.is_over:
            return None
        errors = [result.error for result in self._results if result.error is not None]
        serious = [error for error in errors if error.code not in _CURED_WHOLE | {IssueCode.CANCELLED}]
        return None if serious else next((error for error in errors if error.code in _CURED_WHOLE), None)

    def in_one_piece(self, key: str | None, why: Issue) -> PlannedClip:
        """Forget the parts, and return the clip to be processed in one piece.

        Args:
            key: The cache key of the whole clip, or None.
            why: The error of a part.
        """
        planned = () if self.planned.action is Action.COPY else self.planned.reasons  # nothing is copied any more
        reasons = (*planned, f"in one piece: a segment {why.message}")
        self._spent_seconds = self.busy_seconds
        self._results, self._progress, self._why_whole = [], {}, why
        self.planned = replace(self.planned.whole, reasons=reasons, key=key)
        return self.planned

    def begin(self) -> None:
        """Emit the start of the clip, unless another part did."""
        with self._lock:
            begins, self._begun = not self._begun, True
        if begins:
            planned, self._begun_at = self.planned, self._clock()
            seconds = float(planned.segment.frames / self._rate)
            self._emit(ClipStarted(planned.index, planned.clip.path, planned.action.value, seconds))

    def emit_of(self, part: PlannedClip) -> Emit:
        """Return a function that receives the events of a part, and emits those of the clip."""
        if not self.planned.parts:
            return self._emit

        def emit(event: Event) -> None:
            if not isinstance(event, ClipProgress):
                self._emit(event)
            elif part.tracks is not Tracks.AUDIO and (progress := self._summed(part, event)) is not None:
                self._emit(progress)

        return emit

    def take(self, result: PartResult) -> bool:
        """Take the result of a part; return True if it was the last one, and the clip may end."""
        with self._lock:
            self._results.append(result)
            self._last_at = self._clock()
            if result.part.tracks is not Tracks.AUDIO:
                self._progress.pop(result.part.segment.first_frame, None)
            return len(self._results) == len(self.planned.steps) and self.why_whole is None

    def end(self) -> ProcessingResult | None:
        """Emit the end of the clip and return its result; None if it did not begin, or has ended before."""
        with self._lock:
            ends, self._ended = self._begun and not self._ended, True
        result = self.result()
        if not ends or result is None:
            return None
        index = self.planned.index
        if result.error is not None:
            self._emit(ClipFailed(index, result.error.code.value, result.error.message, result.error.hint))
            return result
        for issue in result.warnings:
            self._emit(warning_of(issue, index))
        self._emit(ClipFinished(index, result.elapsed_seconds, result.peak_memory_bytes))
        return result

    def result(self) -> ProcessingResult | None:
        """Return the result of the clip; None if no part has one."""
        results = self._results
        if not results:
            return None
        error = _error_of(results, complete=len(results) == len(self.planned.steps))
        done = [result.done for result in results if result.done is not None]
        peaks = [each.peak_memory_bytes for each in done if each.peak_memory_bytes is not None]
        created = [each for each in done if each.action is not Action.REUSE]
        return ProcessingResult(
            self.planned.index,
            () if error is not None else _segments([each.made for each in done]),
            error,
            self._elapsed_seconds,
            max(peaks, default=None),
            tuple(dict.fromkeys(issue for each in done for issue in each.warnings)),
            started=self._begun,
            action=self._action([each.action for each in created or done]),
            reasons=self._reasons(done),
            commands=tuple(each.argv for each in done if each.argv),
        )

    def _action(self, actions: Sequence[Action]) -> Action | None:
        """Return what was done with the clip: what was done with each part, and copying beside a few encoded frames."""
        if actions and self.planned.parts and self.planned.action is Action.COPY:
            return Action.COPY
        return actions[0] if actions else None

    def _reasons(self, done: Sequence[Processed]) -> tuple[str, ...] | None:
        if not done:
            return None
        return self.planned.reasons if self.planned.parts or self._why_whole else done[0].reasons

    def _summed(self, part: PlannedClip, event: ClipProgress) -> ClipProgress | None:
        """Return the progress of all parts together, or None if the last one is too recent."""
        with self._lock:
            self._progress[part.segment.first_frame] = event
            if not self._throttle.is_due():
                return None
            running = list(self._progress.values())
            made = [result.done.made for result in self._results if result.done is not None]
            frames = sum(each.segment.frames for each in made if isinstance(each, ProcessedClip))
        speeds = [each.speed for each in running if each.speed is not None]
        memory = [each.memory_bytes for each in running if each.memory_bytes is not None]
        return ClipProgress(
            event.index,
            float(frames / self._rate) + sum(each.done_seconds for each in running),
            sum(speeds) if speeds else None,
            sum(memory) if memory else None,
        )


def _error_of(results: Sequence[PartResult], *, complete: bool) -> Issue | None:
    """Return the error of a clip: that of a part, where a stopped one counts least."""
    errors = [result.error for result in results if result.error is not None]
    if not errors:
        return None if complete else Cancelled().issue
    return next((error for error in errors if error.code is not IssueCode.CANCELLED), errors[0])


def _segments(made: Sequence[ProcessedClip | ProcessedAudio]) -> tuple[ProcessedClip, ...]:
    """Return the segments of a clip in order, each with the audio of the whole clip and the weakest evidence."""
    segments = sorted((each for each in made if isinstance(each, ProcessedClip)), key=lambda each: each.segment)
    if not segments:  # of the audio of a long clip, processed by itself
        return ()
    weakest = min((each.verified.frame_map for each in segments), key=_WEAKEST_FIRST.index)
    path, heard = segments[0].audio_path, segments[0].verified.audio
    for audio in (each for each in made if isinstance(each, ProcessedAudio)):
        path, heard = audio.path, audio.verified
    return tuple(replace(each, audio_path=path, verified=Verified(weakest, heard)) for each in segments)

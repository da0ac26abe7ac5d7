"""ConcatenationService: join by the first engine whose output is proven."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.concatenation.order import MOVIEPY
from mpt_cli.media import proof
from mpt_cli.media.declared import matrix_of
from mpt_cli.media.formats import boxes
from mpt_cli.media.process.run import Limits, running_clock
from mpt_cli.model.choices import Container
from mpt_cli.model.errors import ConcatenationError, DependencyError, Issue, IssueCode, MptError, VerificationError
from mpt_cli.model.results import ConcatenationResult
from mpt_cli.model.samples import BT709
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatFinished, ConcatStarted, Notice
from mpt_cli.storage.disk import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.concatenation.levels import Levelling, ReelLevels
    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.model.results import OutputInfo
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

logger = logging.getLogger(__name__)

DIRECT_COPY = "DirectCopy"
_LEAST_BYTES_PER_SECOND = 5_000_000
"""Least speed of a disk; at its end a join moves the index to the front, which copies the file without progress."""
_SURVIVABLE = (IssueCode.CONCAT_FAILED, IssueCode.VERIFY_FAILED)
_MIXED_WARNING = Issue(
    IssueCode.MIXED_PARAMETER_SETS,
    "clips with different parameter sets were copied: some players show black after the first one",
    hint="use --copy identical for a reel that plays everywhere",
)


class Verify(Protocol):
    """Proof of a finished file."""

    def __call__(self, path: Path, *, frames_copied: bool, levelled: Path | None = None) -> OutputInfo:
        """Prove the file at ``path`` and return its facts.

        Args:
            path: The finished file.
            frames_copied: True if frames were copied, which are then compared.
            levelled: Raw PCM of the reel, where its levels were changed.

        Raises:
            VerificationError: The file is not as planned.
        """
        ...


class Concatenator(Protocol):
    """Engine that joins processed clips."""

    name: str

    def concatenate(
        self, order: JoinOrder, output: Path, *, limits: Limits, files: TempFileManager, context: RunContext
    ) -> bool:
        """Write the join to ``output``.

        Args:
            order: The clips and the rules of the join.
            output: The file to write.
            limits: The limits of time for the whole join, shared by all its children.
            files: Temporary files of the run.
            context: The context of the run, for events and cancellation.

        Returns:
            True if frames were copied.

        Raises:
            ConcatenationError: The join failed; with code ``concat_timeout`` if its time is over, and
                ``concat_failed`` after a stall.
        """
        ...

    def is_available(self, cancel: CancelToken) -> bool:
        """Return True if the programs and packages of the engine are there.

        Args:
            cancel: Stops the question.

        Raises:
            Cancelled: The question was stopped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """Proven join: its method, True in ``copied`` if frames were copied, and the facts of the file."""

    method: str
    copied: bool
    info: OutputInfo
    fallback_reason: str | None = None


class ConcatenationService:
    """Join of clips: a single finished clip by a copy of its file, others by an engine."""

    def __init__(
        self,
        engines: Sequence[Concatenator],
        memory_manager: MemoryManager,
        performance_monitor: PerformanceMonitor,
        *,
        levels: ReelLevels | None = None,
        copy_file: Callable[[Path, Path], object] = shutil.copyfile,
        clock: Callable[[], float] = running_clock,
    ) -> None:
        """Create the service.

        Args:
            engines: The engines in the order in which they are tried.
            memory_manager: Measures the growth of memory.
            performance_monitor: Measures the time.
            levels: Changes the levels of reels; None where no request asks for that.
            copy_file: Copies a file; tests pass one that fails.
            clock: Clock in seconds for the time limit.
        """
        self._engines, self._memory, self._performance = tuple(engines), memory_manager, performance_monitor
        self._levels, self._copy_file, self._clock = levels, copy_file, clock

    def concatenate(
        self, order: JoinOrder, output: Path, *, verify: Verify, files: TempFileManager, context: RunContext
    ) -> tuple[ConcatenationResult, OutputInfo]:
        """Join clips into ``output`` and prove the file.

        Args:
            order: The clips and the rules of the join.
            output: The file to write.
            verify: Proves the file.
            files: Temporary files of the run.
            context: The context of the run, for events and cancellation.

        Returns:
            The result of the join, and the facts of the proven file.

        Raises:
            ConcatenationError: No engine wrote a proven file; the message has the reason of each engine that
                was tried, and nothing is left at ``output``.
        """
        if not order.clips:
            raise ConcatenationError(IssueCode.CONCAT_FAILED, "there is no clip to join")
        context.emit(ConcatStarted(order.seconds))
        with self._performance.start_timer("concatenation") as timer, self._memory.growth() as growth:
            levelling = self._levels.begin(order, files, context) if self._levels and order.levels else None
            as_it_is = order.engine is None and not (order.levels and order.levels.changes)
            joined = self.handle_single_clip(order, output, verify=verify) if as_it_is else None
            joined = joined or self._by_engines(order, output, verify, files, context, levelling)
            used, seconds = growth(), timer.stop()
        logger.info(
            "%s concatenation completed in %.2f s, memory used: %d bytes",
            *(joined.method, seconds, used),
            extra={"told": True},
        )
        context.emit(ConcatFinished(joined.method))
        mixed = joined.copied and len({clip.parameter_sets for clip in order.clips}) > 1
        result = ConcatenationResult(
            joined.method,
            joined.copied,
            seconds,
            used,
            fallback_reason=joined.fallback_reason,
            warnings=((_MIXED_WARNING,) if mixed else ()) + (tuple(levelling.warnings) if levelling else ()),
            clip_loudness=levelling.clips if levelling else {},
        )
        return result, replace(joined.info, loudness=levelling.report) if levelling else joined.info

    def handle_single_clip(self, order: JoinOrder, output: Path, *, verify: Verify) -> Joined | None:
        """Copy the file of a single clip if it already is the wanted reel.

        The file must be the user's own, in the wanted container and layout, with nothing that a reel does
        not have, and its copy must pass the proof of every reel. A copy that fails the proof is removed.

        Args:
            order: The clips and the rules of the join.
            output: The file to write.
            verify: Proves the copy.

        Returns:
            The proven copy, or None if an engine must join.
        """
        if len(order.clips) != 1 or order.clips[0].owned:
            return None
        source = order.clips[0].processed_path
        if not _is_final(source, order):
            return None
        try:
            with writing(output):
                self._copy_file(source, output)
            return Joined(DIRECT_COPY, copied=True, info=verify(output, frames_copied=True))
        except MptError as error:
            output.unlink(missing_ok=True)
            if not isinstance(error, VerificationError):
                raise
            logger.debug("A copy of %s is no reel: %s", source, error)
            return None

    def is_healthy(self, cancel: CancelToken | None = None) -> bool:
        """Return True if one of the engines can join on this machine.

        Args:
            cancel: Stops the question; None for a question that is not stopped.
        """
        return any(engine.is_available(cancel or CancelToken()) for engine in self._engines)

    def _by_engines(
        self,
        order: JoinOrder,
        output: Path,
        verify: Verify,
        files: TempFileManager,
        context: RunContext,
        levelling: Levelling | None,
    ) -> Joined:
        """Join by the first engine whose output is proven.

        The next engine is tried only after a failure that it may avoid: an ffmpeg that failed or stalled, or
        an output that fails the proof. It is not tried after a full disk, a lack of memory, an output that
        cannot be written or a stop, which it would meet as well; nor after the time limit, which all engines
        share, because a slower engine would only be stopped too.
        """
        deadline = self._clock() + order.timeout_seconds
        failures: list[tuple[str, MptError]] = []
        wanted = [engine for engine in self._engines if order.engine in (None, engine.name)]
        engines = [engine for engine in wanted if _can_join(engine, order)]
        for engine in engines if order.fallback else engines[:1]:
            if failures:
                message = f"{_reason(*failures[-1])}; joining by {engine.name} instead, which takes longer"
                context.emit(Notice("warning", failures[-1][1].code.value, message))
            try:
                limits = Limits(max(0.0, deadline - self._clock()), _patience_seconds(order))
                copied, info = _joined_by(engine, order, output, verify, limits, files, context, levelling)
                return Joined(engine.name, copied, info, _reason(*failures[-1]) if failures else None)
            except (ConcatenationError, DependencyError) as error:
                logger.warning("%s concatenation failed: %s", engine.name, error, extra={"told": True})
                failures.append((engine.name, error))
                _clear(output)
                if error.code not in _SURVIVABLE:
                    break
        raise _all_failed(failures)


def _can_join(engine: Concatenator, order: JoinOrder) -> bool:
    """Return False for MoviePy and HDR, which would become 8 bits of SDR without a word."""
    return engine.name != MOVIEPY or order.form.encoder.color == BT709


def _joined_by(
    engine: Concatenator,
    order: JoinOrder,
    output: Path,
    verify: Verify,
    limits: Limits,
    files: TempFileManager,
    context: RunContext,
    levelling: Levelling | None,
) -> tuple[bool, OutputInfo]:
    """Join by one engine and prove the file; join again where its audio was levelled again."""
    while True:
        order = levelling.order if levelling else order
        copied = engine.concatenate(order, output, limits=limits, files=files, context=context)
        if levelling is None or levelling.settle(output):
            break
    if order.levelled is None:
        return copied, verify(output, frames_copied=copied)
    return copied, verify(output, frames_copied=copied, levelled=order.levelled)


def _clear(output: Path) -> None:
    """Remove the output of a failed join; raise OutputError or ResourceError if nothing can be written there.

    Engines cannot report that reliably: they only know the message of their program.
    """
    with writing(output):
        output.unlink(missing_ok=True)
        output.touch()
        output.unlink()


def _patience_seconds(order: JoinOrder) -> float | None:
    """Return the seconds that a join of these clips may show no progress, or None for any time."""
    if order.stall_seconds is None:
        return None
    paths = {clip.processed_path for clip in order.clips}
    return order.stall_seconds + sum(path.stat().st_size for path in paths if path.exists()) / _LEAST_BYTES_PER_SECOND


def _reason(engine: str, error: MptError) -> str:
    """Return the reason of a failed engine, beginning with its name."""
    said = str(error)
    return (
        f"{engine}{said[len(engine) :]}"
        if said.lower().startswith(f"{engine} ".lower())
        else f"{engine} failed: {said}"
    )


def _all_failed(failures: Sequence[tuple[str, MptError]]) -> MptError:
    """Return one error for all failures; a single failure is returned unchanged."""
    if not failures:
        return ConcatenationError(IssueCode.CONCAT_FAILED, "no engine is left that can join the clips")
    last = failures[-1][1]
    if len(failures) == 1:
        return last
    code = last.code if last.code is IssueCode.CONCAT_TIMEOUT else IssueCode.CONCAT_FAILED
    return ConcatenationError(code, "; ".join(_reason(*failure) for failure in failures), hint=last.issue.hint)


def _is_final(source: Path, order: JoinOrder) -> bool:
    """Return True if layout and tags of a file are those of a reel, and its audio is wanted."""
    container = order.form.container
    if order.clips[0].audio_path is None or boxes.layout_problem(source, container, matrix=matrix_of(order.form)):
        return False
    foreign = container is not Container.MKV and boxes.has_foreign_boxes(source)
    return not foreign and not proof.carries_metadata(source)

"""ConcatenationService: joins by the first engine whose output proves right."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mpt_cli.media import proof
from mpt_cli.media.formats import boxes
from mpt_cli.media.process.run import Limits, running_clock
from mpt_cli.model.choices import Container
from mpt_cli.model.errors import ConcatenationError, DependencyError, Issue, IssueCode, MptError, VerificationError
from mpt_cli.model.results import ConcatenationResult
from mpt_cli.runtime.events import ConcatFinished, ConcatStarted, Notice
from mpt_cli.storage.disk import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.model.results import OutputInfo
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

logger = logging.getLogger(__name__)

DIRECT_COPY = "DirectCopy"
_LEAST_BYTES_PER_SECOND = 5_000_000
"""A disk that is slower stands still: a join puts the index in front at its end, which copies the file in silence."""
_SURVIVABLE = (IssueCode.CONCAT_FAILED, IssueCode.VERIFY_FAILED)
_MIXED_WARNING = Issue(
    IssueCode.MIXED_PARAMETER_SETS,
    "clips with different parameter sets were copied: some players show black after the first one",
    hint="use --copy identical for a reel that plays everywhere",
)


class Verify(Protocol):
    """Proves a finished file; raises VerificationError, else returns what it holds."""

    def __call__(self, path: Path, *, pictures_copied: bool) -> OutputInfo:
        """The facts of the file at ``path``; pictures are compared where they were copied."""
        ...


class Concatenator(Protocol):
    """An engine that joins processed clips."""

    name: str

    def concatenate(
        self, order: JoinOrder, output: Path, *, limits: Limits, files: TempFileManager, context: RunContext
    ) -> bool:
        """Write the join to ``output``; whether pictures were copied.

        ``limits`` are those of the whole join, which several children may share. Raises
        ConcatenationError, of code ``concat_timeout`` where it took longer than they allow, and of
        ``concat_failed`` where it stood still for longer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """A join that was proven: by which method, whether its pictures were copied, what the file holds."""

    method: str
    copied: bool
    info: OutputInfo
    fallback_reason: str | None = None


class ConcatenationService:
    """Joins clips: a single finished one by a copy of its file, others by an engine."""

    def __init__(
        self,
        engines: Sequence[Concatenator],
        memory_manager: MemoryManager,
        performance_monitor: PerformanceMonitor,
        *,
        copy_file: Callable[[Path, Path], object] = shutil.copyfile,
        clock: Callable[[], float] = running_clock,
    ) -> None:
        """Try the engines in this order; ``copy_file`` is the seam for a disk that fails."""
        self._engines, self._memory, self._performance = tuple(engines), memory_manager, performance_monitor
        self._copy_file, self._clock = copy_file, clock

    def concatenate(
        self, order: JoinOrder, output: Path, *, verify: Verify, files: TempFileManager, context: RunContext
    ) -> tuple[ConcatenationResult, OutputInfo]:
        """How the clips were joined into ``output``, and what the proven file holds.

        Raises :class:`~mpt_cli.model.errors.ConcatenationError` when no engine's output is right, with the
        reason of each that had its turn; nothing is then left at ``output``.
        """
        if not order.clips:
            raise ConcatenationError(IssueCode.CONCAT_FAILED, "there is no clip to join")
        context.emit(ConcatStarted(order.seconds))
        with self._performance.start_timer("concatenation") as timer, self._memory.growth() as growth:
            joined = None if order.engine else self.handle_single_clip(order, output, verify=verify)
            joined = joined or self._by_engines(order, output, verify, files, context)
            used, seconds = growth(), timer.stop()
        logger.info("%s concatenation completed in %.2f s, memory used: %d bytes", joined.method, seconds, used)
        context.emit(ConcatFinished(joined.method))
        mixed = joined.copied and len({clip.parameter_sets for clip in order.clips}) > 1
        result = ConcatenationResult(
            joined.method,
            joined.copied,
            seconds,
            used,
            fallback_reason=joined.fallback_reason,
            warnings=(_MIXED_WARNING,) if mixed else (),
        )
        return result, joined.info

    def handle_single_clip(self, order: JoinOrder, output: Path, *, verify: Verify) -> Joined | None:
        """A byte copy of a single clip that already is what is wanted, or None where it is not.

        It is when it is the user's own file, in the wanted container and layout, without anything
        in it that a reel does not carry, and the copy passes the proof that every reel passes. Of a
        copy that fails nothing is left.
        """
        if len(order.clips) != 1 or order.clips[0].owned:
            return None
        source = order.clips[0].processed_path
        if not _is_final(source, order):
            return None
        try:
            with writing(output):
                self._copy_file(source, output)
            return Joined(DIRECT_COPY, copied=True, info=verify(output, pictures_copied=True))
        except MptError as error:
            output.unlink(missing_ok=True)
            if not isinstance(error, VerificationError):
                raise
            logger.debug("A copy of %s is no reel: %s", source, error)
            return None

    def is_healthy(self) -> bool:
        """Whether there is an engine."""
        return bool(self._engines)

    def _by_engines(
        self, order: JoinOrder, output: Path, verify: Verify, files: TempFileManager, context: RunContext
    ) -> Joined:
        """The join by the first engine whose output proves right.

        The next one has its turn only after a failure that it may survive: an ffmpeg that failed or
        stood still, and an output that is not right. Not after one that it would meet as well, and
        later: a full disk, a lack of memory, an output that cannot be written, a stop. Nor when the
        time is over, which is one for all engines: whoever sets a limit wants an end by then, and
        what is slower would only be cut off too.
        """
        deadline = self._clock() + order.timeout_seconds
        failures: list[tuple[str, MptError]] = []
        engines = [engine for engine in self._engines if order.engine in (None, engine.name)]
        for engine in engines if order.fallback else engines[:1]:
            if failures:
                message = f"{_reason(*failures[-1])}; joining by {engine.name} instead, which takes longer"
                context.emit(Notice("warning", failures[-1][1].code.value, message))
            try:
                limits = Limits(max(0.0, deadline - self._clock()), _patience_seconds(order))
                copied = engine.concatenate(order, output, limits=limits, files=files, context=context)
                info = verify(output, pictures_copied=copied)
                return Joined(engine.name, copied, info, _reason(*failures[-1]) if failures else None)
            except (ConcatenationError, DependencyError) as error:
                logger.warning("%s concatenation failed: %s", engine.name, error)
                failures.append((engine.name, error))
                _clear(output)
                if error.code not in _SURVIVABLE:
                    break
        raise _all_failed(failures)


def _clear(output: Path) -> None:
    """Remove what a failed join left; OutputError or ResourceError where nothing can be written there.

    Engines say of that only what their program said, in words that they do not all know.
    """
    with writing(output):
        output.unlink(missing_ok=True)
        output.touch()
        output.unlink()


def _patience_seconds(order: JoinOrder) -> float | None:
    """How long a join of these clips may show no progress."""
    if order.stall_seconds is None:
        return None
    paths = {clip.processed_path for clip in order.clips}
    return order.stall_seconds + sum(path.stat().st_size for path in paths if path.exists()) / _LEAST_BYTES_PER_SECOND


def _reason(engine: str, error: MptError) -> str:
    """Why an engine failed, in words that begin with its name."""
    said = str(error)
    return (
        f"{engine}{said[len(engine) :]}"
        if said.lower().startswith(f"{engine} ".lower())
        else f"{engine} failed: {said}"
    )


def _all_failed(failures: Sequence[tuple[str, MptError]]) -> MptError:
    """The one error of a join that nobody could do; that of the only engine that tried, as it is."""
    if not failures:
        return ConcatenationError(IssueCode.CONCAT_FAILED, "no engine is left that can join the clips")
    last = failures[-1][1]
    if len(failures) == 1:
        return last
    code = last.code if last.code is IssueCode.CONCAT_TIMEOUT else IssueCode.CONCAT_FAILED
    return ConcatenationError(code, "; ".join(_reason(*failure) for failure in failures), hint=last.issue.hint)


def _is_final(source: Path, order: JoinOrder) -> bool:
    """Whether a file's layout and tags are those of a reel, and its sound was not muted away."""
    container = order.form.container
    if order.clips[0].audio_path is None or boxes.layout_problem(source, container) is not None:
        return False
    foreign = container is not Container.MKV and boxes.has_foreign_boxes(source)
    return not foreign and not proof.carries_metadata(source)

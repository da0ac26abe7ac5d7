"""ConcatenationService: joins by the first engine whose output proves right."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mpt_cli.errors import ConcatenationError, Issue, IssueCode, MptError, VerificationError
from mpt_cli.events import ConcatFinished, ConcatStarted, Notice
from mpt_cli.media import boxes, proof
from mpt_cli.media.files import writing
from mpt_cli.models import Container
from mpt_cli.results import ConcatenationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.events import RunContext
    from mpt_cli.media.files import TempFileManager
    from mpt_cli.models import ProcessedClip, TargetForm
    from mpt_cli.monitoring.memory import MemoryManager
    from mpt_cli.monitoring.performance import PerformanceMonitor
    from mpt_cli.results import OutputInfo

logger = logging.getLogger(__name__)

DIRECT_COPY = "DirectCopy"
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
        self,
        clips: Sequence[ProcessedClip],
        output: Path,
        form: TargetForm,
        *,
        allow_mixed: bool,
        reuse: bool,
        timeout_seconds: float,
        files: TempFileManager,
        context: RunContext,
    ) -> bool:
        """Write the join to ``output``; whether pictures were copied. Raises ConcatenationError."""
        ...


@dataclass(frozen=True, slots=True)
class JoinOrder:
    """What is to be joined: clips in the order of the reel, and the rules that hold."""

    clips: tuple[ProcessedClip, ...]
    form: TargetForm
    allow_mixed: bool
    timeout_seconds: float
    reuse: bool = True
    """Whether what was finished before may be used, and what is finished now is kept."""


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
    ) -> None:
        """Try the engines in this order; ``copy_file`` is the seam for a disk that fails."""
        self._engines, self._memory, self._performance = tuple(engines), memory_manager, performance_monitor
        self._copy_file = copy_file

    def concatenate(
        self, order: JoinOrder, output: Path, *, verify: Verify, files: TempFileManager, context: RunContext
    ) -> tuple[ConcatenationResult, OutputInfo]:
        """How the clips were joined into ``output``, and what the proven file holds.

        Raises :class:`~mpt_cli.errors.ConcatenationError` when no engine's output is right; nothing
        is then left at ``output``.
        """
        if not order.clips:
            raise ConcatenationError(IssueCode.CONCAT_FAILED, "there is no clip to join")
        total = sum(clip.segment.frames for clip in order.clips) / order.form.frame_rate
        context.emit(ConcatStarted(float(total)))
        with self._performance.start_timer("concatenation") as timer, self._memory.growth() as growth:
            joined = self.handle_single_clip(order, output, verify=verify)
            joined = joined or self._by_engine(order, output, verify, files, context)
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

    def _by_engine(
        self, order: JoinOrder, output: Path, verify: Verify, files: TempFileManager, context: RunContext
    ) -> Joined:
        """The join by the first engine whose output proves right; other errors than of a join end it."""
        failure, reason = ConcatenationError(IssueCode.CONCAT_FAILED, "there is nothing to join with"), None
        for engine in self._engines:
            try:
                copied = engine.concatenate(
                    order.clips,
                    output,
                    order.form,
                    allow_mixed=order.allow_mixed,
                    reuse=order.reuse,
                    timeout_seconds=order.timeout_seconds,
                    files=files,
                    context=context,
                )
                return Joined(engine.name, copied, verify(output, pictures_copied=copied), reason)
            except ConcatenationError as error:
                output.unlink(missing_ok=True)
                logger.warning("%s concatenation failed: %s", engine.name, error)
                failure, reason = error, f"{engine.name} failed: {error}"
                if engine is not self._engines[-1]:
                    context.emit(Notice("warning", error.code.value, f"{reason}; the next method is tried"))
        raise failure


def _is_final(source: Path, order: JoinOrder) -> bool:
    """Whether a file's layout and tags are those of a reel, and its sound was not muted away."""
    container = order.form.container
    if order.clips[0].audio_path is None or boxes.layout_problem(source, container) is not None:
        return False
    foreign = container is not Container.MKV and boxes.has_foreign_boxes(source)
    return not foreign and not proof.carries_metadata(source)

"""ConcatenationService: joins by the first engine whose output proves right."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mpt_cli.errors import ConcatenationError, Issue, IssueCode, VerificationError
from mpt_cli.events import ConcatFinished, ConcatStarted
from mpt_cli.media import boxes, proof
from mpt_cli.media.files import writing
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
    IssueCode.CONCAT_FAILED,
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
        with self._performance.start_timer("concatenation") as timer:
            before = self._memory.get_usage_bytes()
            direct = self.handle_single_clip(order, output, verify=verify)
            method, copied, info = direct or self._by_engine(order, output, verify, files, context)
            used = max(0, self._memory.get_usage_bytes() - before)
            logger.info(
                "%s concatenation completed in %.2f s, memory used: %d bytes", method, timer.duration_seconds, used
            )
            seconds = timer.stop()
        context.emit(ConcatFinished(method))
        mixed = copied and len({clip.parameter_sets for clip in order.clips}) > 1
        result = ConcatenationResult(method, copied, seconds, used, warnings=(_MIXED_WARNING,) if mixed else ())
        return result, info

    def handle_single_clip(
        self, order: JoinOrder, output: Path, *, verify: Verify
    ) -> tuple[str, bool, OutputInfo] | None:
        """A byte copy of a single clip that already is what is wanted, or None where it is not.

        It is when it is the user's own file, in the wanted container and layout, without anything
        in it that a reel does not carry, and the copy passes the proof that every reel passes.
        """
        if len(order.clips) != 1 or order.clips[0].owned:
            return None
        source = order.clips[0].processed_path
        if source.suffix.lower() != output.suffix.lower() or not _is_final(source, order):
            return None
        try:
            with writing(output):
                self._copy_file(source, output)
            return DIRECT_COPY, True, verify(output, pictures_copied=True)
        except VerificationError as error:
            output.unlink(missing_ok=True)
            logger.debug("A copy of %s is no reel: %s", source, error)
            return None

    def is_healthy(self) -> bool:
        """Whether there is an engine."""
        return bool(self._engines)

    def _by_engine(
        self, order: JoinOrder, output: Path, verify: Verify, files: TempFileManager, context: RunContext
    ) -> tuple[str, bool, OutputInfo]:
        failures: list[ConcatenationError] = []
        for engine in self._engines:
            try:
                copied = engine.concatenate(
                    order.clips,
                    output,
                    order.form,
                    allow_mixed=order.allow_mixed,
                    timeout_seconds=order.timeout_seconds,
                    files=files,
                    context=context,
                )
                return engine.name, copied, verify(output, pictures_copied=copied)
            except ConcatenationError as error:
                output.unlink(missing_ok=True)
                logger.warning("%s concatenation failed: %s", engine.name, error)
                failures.append(error)
        raise failures[-1]


def _is_final(source: Path, order: JoinOrder) -> bool:
    """Whether a file's layout and tags are those of a reel, and its sound was not muted away."""
    container = order.form.container
    muted = order.clips[0].audio_path is None
    return not muted and boxes.layout_problem(source, container) is None and not proof.carries_metadata(source)

"""A service of joining with engines and a proof that only pretend."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mpt_cli.concatenation.order import JoinOrder
from mpt_cli.concatenation.service import ConcatenationService
from mpt_cli.config.sections import MemoryConfig
from mpt_cli.model.errors import VerificationError
from mpt_cli.model.results import OutputInfo
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.monitoring.performance import PerformanceMonitor
from mpt_cli.runtime.events import RunContext
from mpt_cli.storage.temp_files import TempFileManager
from tests.builders import form_of
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.media.process.run import Limits
    from mpt_cli.model.clips import ProcessedClip, TargetForm
    from mpt_cli.model.results import ConcatenationResult
    from mpt_cli.runtime.cancel import CancelToken
    from tests.fakes import ListEmit

JOIN_SECONDS = 7.0


class FakeEngine:
    """An engine that takes some seconds and writes a word, or fails with what it was given."""

    def __init__(
        self,
        name: str,
        error: Exception | None = None,
        *,
        copied: bool = True,
        seconds: float = 0.0,
        available: bool = True,
    ) -> None:
        self.name, self.available = name, available
        self.error = error
        self.copied = copied
        self.seconds = seconds
        self.clock = FakeClock()
        self.orders: list[tuple[tuple[int, ...], bool, float]] = []
        self.patience: float | None = None

    def concatenate(self, order: JoinOrder, output: Path, *, limits: Limits, **_options: Any) -> bool:
        assert limits.total_seconds is not None
        self.orders.append((tuple(clip.index for clip in order.clips), order.allow_mixed, limits.total_seconds))
        self.patience = limits.stall_seconds
        assert order.form == form_of()
        output.write_text(self.name)
        self.clock.advance(self.seconds)
        if self.error is not None:
            raise self.error
        return self.copied

    def is_available(self, cancel: CancelToken) -> bool:
        cancel.raise_if_cancelled()
        return self.available


class Judge:
    """A proof that refuses what some engines wrote, and remembers what it was asked."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, path: Path, *, frames_copied: bool) -> OutputInfo:
        self.asked.append((path.read_text(), frames_copied))
        if path.read_text() in self.refused:
            raise VerificationError("is not what was planned", path=path)
        form = form_of()
        return OutputInfo(
            path, 1, form.container, Fraction(2), 60, form.dimensions, form.frame_rate, "h264", form.audio.codec
        )


class Desk:
    """A service with everything that it needs, and one order for it."""

    def __init__(self, folder: Path, *engines: FakeEngine, emit: ListEmit | None = None, **options: Any) -> None:
        self.folder = folder
        self.clock = FakeClock()
        for engine in engines:
            engine.clock = self.clock
        memory = MemoryManager(MemoryConfig())
        monitor = options.pop("monitor", None) or PerformanceMonitor()
        self.service = ConcatenationService(engines, memory, monitor, clock=self.clock, **options)
        self.context = RunContext("test", emit) if emit else RunContext("test")
        self.output = folder / "reel.mp4"

    def join(
        self, clips: Sequence[ProcessedClip], verify: Any, form: TargetForm | None = None, **rules: Any
    ) -> ConcatenationResult:
        """The result of a join by these rules."""
        order = JoinOrder(tuple(clips), form or form_of(), allow_mixed=False, timeout_seconds=JOIN_SECONDS, **rules)
        files = TempFileManager(self.folder)
        return self.service.concatenate(order, self.output, verify=verify, files=files, context=self.context)[0]

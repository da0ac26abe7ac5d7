"""RunningJoin: what the steps or attempts of an engine at one join share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mpt_cli.media.reel_audio import ReelAudio

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.media.process.run import Limits
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager


@dataclass(frozen=True, slots=True)
class RunningJoin:
    """One join by one engine.

    Attributes:
        order: The clips and the rules of the join.
        output: The file to write.
        audio: Audio of the reel.
        limits: The limits of time for the whole join.
        files: Temporary files of the run.
        context: The context of the run, for events and cancellation.
        clock: Clock in seconds for the time limit.
        begun: Its reading at the start of the join.
    """

    order: JoinOrder
    output: Path
    audio: ReelAudio
    limits: Limits
    files: TempFileManager
    context: RunContext
    clock: Callable[[], float]
    begun: float

    @property
    def limits_left(self) -> Limits:
        """Limits for a child that starts now."""
        return self.limits.after(self.clock() - self.begun)


def begin_join(
    order: JoinOrder,
    output: Path,
    *,
    limits: Limits,
    files: TempFileManager,
    context: RunContext,
    clock: Callable[[], float],
) -> RunningJoin:
    """Return a join whose time runs from now; the arguments are its attributes."""
    audio = ReelAudio(order.clips, order.form, order.levelled)
    return RunningJoin(order, output, audio, limits, files, context, clock, clock())

"""MoviePyConcatenator: the second engine, much slower, which shares little code with the first.

MoviePy decodes every frame, passes it through Python and encodes it again, one clip at a time. It runs in
a child (``concatenation/moviepy_child.py``): nothing of it is imported here, and the child and its ffmpegs
have limits of time and memory like any other child.

It uses the ffmpeg of the configuration, even if that failed to join: another one would be a second silent
change, with other encoders and another licence.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from mpt_cli.concatenation import moviepy_child
from mpt_cli.concatenation.audio import whole_audio
from mpt_cli.concatenation.failures import require_success
from mpt_cli.concatenation.order import MOVIEPY
from mpt_cli.concatenation.running_join import begin_join
from mpt_cli.media.ffmpeg import commands
from mpt_cli.media.formats.chapters import id3_tag
from mpt_cli.media.process.run import run as run_process
from mpt_cli.media.process.run import running_clock
from mpt_cli.media.process.spawn import child_python
from mpt_cli.model.errors import DependencyError, IssueCode, ResourceError
from mpt_cli.monitoring.pool import ResourceRequest
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.concatenation.running_join import RunningJoin
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.media.process.run import Limits, Outcome
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

_BASE_BYTES, _HELD_FRAMES = 100 * 2**20, 180
"""Memory of the child and its two ffmpegs, and the frames of 12 bits per pixel that they hold, most of them
twice as large as RGB (measured: 97 MiB at 160x90, 606 at 1080x1920; as much for 60 clips as for 3)."""


class MoviePyConcatenator:
    """Slow engine for when the fast one fails; encodes all frames again."""

    name = MOVIEPY

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        pool: ResourcePool,
        *,
        program: Sequence[str] | None = None,
        package: str = "moviepy",
        clock: Callable[[], float] = running_clock,
    ) -> None:
        """Create the engine.

        Args:
            ffmpeg: The ffmpeg that MoviePy uses.
            pool: Grants the memory of the child.
            program: Command of the child; None for the usual one.
            package: Package that must be installed.
            clock: Clock in seconds for the time limit.
        """
        self._ffmpeg, self._pool, self._clock = ffmpeg, pool, clock
        self._program = program or child_python("mpt_cli.concatenation.moviepy_child")
        self._package = package

    def concatenate(
        self, order: JoinOrder, output: Path, *, limits: Limits, files: TempFileManager, context: RunContext
    ) -> bool:
        """Join clips into a file, which the caller then proves; encode every frame again.

        Args:
            order: The clips and the rules of the join.
            output: The file to write.
            limits: The limits of time for the whole join.
            files: Temporary files of the run.
            context: The context of the run, for events and cancellation.

        Returns:
            False: no frames are copied.

        Raises:
            ConcatenationError: The join failed.
            DependencyError: MoviePy is not installed.
            ResourceError: Memory or disk ran out.
        """
        if not self._is_installed():
            raise DependencyError("MoviePy is not installed", hint="pip install moviepy")
        join = begin_join(order, output, limits=limits, files=files, context=context, clock=self._clock)
        try:
            if not self._attempt(join, alone=False) and not self._attempt(join, alone=True):
                raise ResourceError(
                    IssueCode.MEMORY_EXHAUSTED,
                    "the join by MoviePy needs more memory than there is",
                    hint="raise --max-memory",
                )
        finally:
            files.discard(*files.folder.glob("moviepy*"))
            files.discard_links()
        return False

    def is_available(self, cancel: CancelToken) -> bool:
        """Return True if MoviePy is installed, and the ffmpeg that it uses runs.

        Args:
            cancel: Stops the question.

        Raises:
            Cancelled: The question was stopped.
        """
        return self._is_installed() and self._ffmpeg.is_usable(cancel)

    def _is_installed(self) -> bool:
        return importlib.util.find_spec(self._package) is not None

    def _attempt(self, join: RunningJoin, *, alone: bool) -> bool:
        """Run the child once; return False if it was stopped for lack of memory."""
        token = CancelToken(join.context.cancel)
        need = _BASE_BYTES + join.order.form.dimensions.pixels * 3 // 2 * _HELD_FRAMES
        request = ResourceRequest(
            need, join.context.workflow_id, join.context.priority, alone=alone, preempt=token.force
        )
        with self._pool.resource(request, timeout_seconds=None, cancel=token):
            outcome, messages = self._run(join, token)
        join.context.cancel.raise_if_cancelled()
        if token.cancelled:
            return False
        _raise_failure(outcome, messages)
        return True

    def _run(self, join: RunningJoin, cancel: CancelToken) -> tuple[Outcome, list[str]]:
        """Run the child; return its outcome and its messages."""
        messages: list[str] = []
        furthest = 0

        def on_line(line: str) -> bool:
            nonlocal furthest
            if not line.isdigit():
                messages.append(line)
                return False
            moved, furthest = int(line) > furthest, int(line)
            join.context.emit(ConcatProgress(float(furthest / join.order.form.frame_rate)))
            return moved

        piece = whole_audio(join.order.samples)
        outcome = run_process(
            self._program,
            cancel=cancel,
            limits=join.limits_left,
            on_line=on_line,
            feed=chain([self._order(join)], join.audio.read(piece.first, piece.end)),
            on_memory=lambda _rss_bytes: None,  # adds the ffmpegs below the child to its peak
            cwd=join.files.folder,
        )
        return outcome, messages

    def _order(self, join: RunningJoin) -> bytes:
        """Return the order for the child as a line of JSON."""
        order = {
            "ffmpeg": str(self._ffmpeg.binary),
            "clips": [(join.files.linked(clip).name, clip.segment.frames) for clip in join.order.clips],
            "sound": commands.moviepy_audio(join.order.form),
            "packets": whole_audio(join.order.samples).kept,
            "chapters": id3_tag(join.order.chapters).hex(),
            "pictures": commands.moviepy_video(join.order.form, join.output),
        }
        return json.dumps(order).encode() + b"\n"


def _raise_failure(outcome: Outcome, messages: list[str]) -> None:
    """Raise the error of the child, if it failed."""
    if outcome.returncode == moviepy_child.NO_MOVIEPY and messages:
        raise DependencyError(messages[-1], hint="pip install --force-reinstall moviepy")
    require_success(replace(outcome, stderr_tail="\n".join(messages)) if messages else outcome, program="MoviePy")

"""The ffmpeg program: search, version, run, and its errors."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
import sys
import time
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.media.ffmpeg.progress import ProgressParser
from mpt_cli.media.process.run import Ended, Limits, Outcome
from mpt_cli.media.process.run import run as run_process
from mpt_cli.media.process.shortage import child_shortage
from mpt_cli.model.errors import Cancelled, DependencyError, IssueCode, MptError, ProcessingError, ResourceError
from mpt_cli.model.formatting import seconds_text
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.keyed_lock import KeyedLocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mpt_cli.media.ffmpeg.progress import Progress
    from mpt_cli.model.errors import Issue

logger = logging.getLogger(__name__)

OLDEST, _REPORTS_FRAMES, _DECODES_HEVC_ALPHA = (5, 1), (6, 0), (9, 0)
"""Versions; the libavcodec of 8.1 does not decode alpha (measured)."""
_INSTALL_HINT = "pip install imageio-ffmpeg, or name a binary with MPT_FFMPEG__BINARY"
_QUESTION_SECONDS = 20
_FAILURE_SECONDS = 60.0
"""Time for which a failure is remembered: the jobs of a batch do not wait in turn for an ffmpeg that hangs."""
_LOGGED = 2000
"""Characters of ffmpeg's stderr that a log gets after a failure."""
_MORE_TIME = {IssueCode.CLIP_TIMEOUT: "raise --clip-timeout", IssueCode.CONCAT_TIMEOUT: "raise concat.timeout"}
_MORE_PATIENCE = "raise processing.stall_timeout if the machine or its disk is slow"
_ECHOES = (
    "Last message repeated",
    "Terminating thread with return code",
    "Task finished with error code",
    "Nothing was written into output file",
    "Could not open encoder before EOF",
    "Error sending frames to consumers",
    "Error while opening encoder",
    "Error parsing global options",
    "Failed to set value",
    "Device creation failed",
    "Error reinitializing filters",
)
"""Lines that follow an error in ffmpeg's log and add nothing."""


class Ffmpeg:
    """One ffmpeg binary. Its properties are looked up when needed, and then once."""

    def __init__(
        self,
        binary: Path | None = None,
        *,
        package: str = "imageio_ffmpeg",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use this binary, or the one inside this package, or the one on PATH.

        Args:
            binary: The program, or None.
            package: Name of a package that carries a program.
            clock: Returns seconds, by which a failure is forgotten.
        """
        self._wanted, self._package, self._clock = binary, package, clock
        self._asking = KeyedLocks()
        self._build: str | None = None
        self._encoders: frozenset[str] | None = None
        self._failure: Issue | None = None
        self._failed_at = 0.0

    @cached_property
    def binary(self) -> Path:
        """Path of the program; raises DependencyError where there is none."""
        if self._wanted is not None:
            if not self._wanted.is_file():
                what = "is not a file" if self._wanted.exists() else "does not exist"
                raise DependencyError(f"{what}, but ffmpeg.binary names it", path=self._wanted, hint=_INSTALL_HINT)
            return self._wanted.absolute()
        if packaged := _packaged(self._package):
            return packaged
        if on_path := shutil.which("ffmpeg"):
            return Path(on_path)
        raise DependencyError("ffmpeg was not found", hint=_INSTALL_HINT)

    @property
    def reports_frames(self) -> bool:
        """True if it reports the decoded frame of each encoded one; raises DependencyError as ``build``."""
        return _number(self.build) >= _REPORTS_FRAMES

    @property
    def decodes_hevc_alpha(self) -> bool:
        """True if it decodes the second layer of HEVC, the alpha channel; raises DependencyError as ``build``."""
        return _number(self.build) >= _DECODES_HEVC_ALPHA

    @property
    def build(self) -> str:
        """Build string, such as ``9.0.2-static``; raises DependencyError as :meth:`ask_build`."""
        return self.ask_build(CancelToken())

    def ask_build(self, cancel: CancelToken) -> str:
        """Return the build string; ffmpeg is asked once, and after a failure again a minute later.

        Args:
            cancel: Stops the question, which takes 20 s where ffmpeg hangs.

        Raises:
            DependencyError: ffmpeg is missing, older than 5.1, or does not run.
            ResourceError: The system has no room for it.
            Cancelled: The question was stopped.
        """
        if self._build is None:
            with self._asking.hold("build", cancel):
                cancel.raise_if_cancelled()
                if self._build is None:
                    self._build = self._ask_build(cancel)
        return self._build

    def is_usable(self, cancel: CancelToken) -> bool:
        """Return True if it is there and runs.

        Args:
            cancel: Stops the question.

        Raises:
            Cancelled: The question was stopped.
        """
        try:
            self.ask_build(cancel)
        except DependencyError:
            return False
        return True

    def ask_encoders(self, cancel: CancelToken) -> frozenset[str]:
        """Return the names of the encoders that it lists, working or not; empty if it does not list them.

        Args:
            cancel: Stops the question.

        Raises:
            DependencyError: ffmpeg is missing.
            Cancelled: The question was stopped.
        """
        if self._encoders is None:
            listed = self._answer(["-hide_banner", "-encoders"], cancel).stdout_tail
            self._encoders = frozenset(re.findall(r"^ [VAS][A-Z.]{5} (\S+) ", listed, re.MULTILINE))
        return self._encoders

    def _ask_build(self, cancel: CancelToken) -> str:
        if self._failure is not None and self._clock() - self._failed_at < _FAILURE_SECONDS:
            raise DependencyError(self._failure.message, path=self._failure.path, hint=self._failure.hint)
        try:
            return self._build_of(self._answer(["-version"], cancel))
        except DependencyError as error:
            self._failure, self._failed_at = error.issue, self._clock()
            raise

    def _build_of(self, outcome: Outcome) -> str:
        if (shortage := child_shortage(outcome.returncode, outcome.stderr_tail)) is not None:
            raise shortage
        match = re.search(r"ffmpeg version (\S+)", outcome.stdout_tail)
        if outcome.returncode != 0 or not match:
            raise DependencyError("does not run as ffmpeg", path=self.binary, hint=_INSTALL_HINT)
        build = match[1]
        if _number(build) < OLDEST:
            raise DependencyError(
                f"is ffmpeg {build}, older than 5.1, the oldest that mpt uses", path=self.binary, hint=_INSTALL_HINT
            )
        return build

    def _answer(self, question: Sequence[str], cancel: CancelToken) -> Outcome:
        limits = Limits(total_seconds=_QUESTION_SECONDS)
        outcome = run_process([str(self.binary), *question], cancel=cancel, limits=limits)
        if outcome.ended is Ended.CANCELLED:
            raise Cancelled
        return outcome

    def run(
        self,
        arguments: Sequence[str],
        *,
        cancel: CancelToken,
        limits: Limits,
        on_progress: Callable[[Progress], object] | None = None,
        on_memory: Callable[[int], None] | None = None,
        feed: Iterable[bytes] | None = None,
        cwd: Path | None = None,
        may_fail: bool = False,
    ) -> Outcome:
        """Run ffmpeg once; a stall is judged by the output's time.

        Args:
            arguments: Arguments without the program's name.
            cancel: Stops the run.
            limits: Time limits.
            on_progress: Gets each block of progress, in a thread.
            on_memory: Gets the resident bytes about four times a second.
            feed: Chunks to write to stdin.
            cwd: Folder to run in.
            may_fail: True where a failure is an answer, and nothing that a log must explain.

        Returns:
            The outcome.
        """
        parser, furthest = ProgressParser(), -1.0

        def on_line(line: str) -> bool:
            nonlocal furthest
            progress = parser.feed(line)
            if progress is None:
                return False
            if on_progress is not None:
                on_progress(progress)
            position = max(float(progress.done_seconds), float(progress.frames or 0))
            moved, furthest = position > furthest, max(furthest, position)
            return moved

        argv = [str(self.binary), *arguments]
        outcome = run_process(
            argv,
            cancel=cancel,
            limits=limits,
            on_line=on_line,
            on_memory=on_memory,
            feed=feed,
            cwd=cwd,
            descendants=False,  # ffmpeg starts no other program
        )
        _log(argv, outcome, may_fail=may_fail)
        return outcome


def _log(argv: Sequence[str], outcome: Outcome, *, may_fail: bool) -> None:
    """Log the end of ffmpeg, after a failure with its command line and the end of its stderr."""
    good = outcome.ended is Ended.CANCELLED or (outcome.ended is Ended.EXITED and outcome.returncode == 0)
    news = not (good or may_fail)
    level = logging.INFO if news else logging.DEBUG
    if not logger.isEnabledFor(level):
        return  # the command line of each clip takes a while to quote
    said = f"; it said: {outcome.stderr_tail[-_LOGGED:].strip()}" if news else ""
    how = f"{outcome.ended.value} with exit code {outcome.returncode} after {outcome.elapsed_seconds:.1f} s"
    logger.log(level, "ffmpeg %s: %s%s", how, shlex.join(argv), said)


def explain(
    outcome: Outcome, *, failed: IssueCode, timed_out: IssueCode, stalled: IssueCode, program: str = "ffmpeg"
) -> MptError | None:
    """Return the error that a run ended with, or None; a run without an error may still have written rubbish."""
    said = last_words(outcome.stderr_tail)
    if outcome.ended is Ended.TIMED_OUT:
        time = seconds_text(outcome.elapsed_seconds)
        return ProcessingError(timed_out, f"took longer than {time} and was stopped", hint=_MORE_TIME.get(timed_out))
    if outcome.ended is Ended.STALLED:
        return ProcessingError(stalled, "made no progress and was stopped", hint=_MORE_PATIENCE)
    if outcome.returncode == 0:
        return None
    if (shortage := child_shortage(outcome.returncode, outcome.stderr_tail)) is not None:
        return shortage
    if outcome.killed_by_system:
        return ResourceError(
            IssueCode.MEMORY_EXHAUSTED, f"the system killed {program}, most likely for its memory", hint="try --jobs 1"
        )
    return ProcessingError(failed, f"{program} failed: {said or f'exit code {outcome.returncode}'}")


def last_words(stderr: str) -> str:
    """Return the last line in which ffmpeg names an error, without its addresses."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    lines = [line for line in lines if not any(echo in line for echo in _ECHOES)] or lines
    return re.sub(r" @ 0x[0-9a-f]+", "", lines[-1]) if lines else ""


def _number(build: str) -> tuple[int, int]:
    """Return the version in a build string; a build without one (``N-12345-gabc``) counts as the newest."""
    number = re.match(r"n?(\d+)\.(\d+)", build)
    return (int(number[1]), int(number[2])) if number else (sys.maxsize, 0)


def _packaged(package: str) -> Path | None:
    """Return the binary inside imageio-ffmpeg; the package's own function would start it just to see that it runs."""
    try:
        folder = Path(str(resources.files(package) / "binaries"))
    except ModuleNotFoundError:
        return None
    return next((path for path in sorted(folder.glob("ffmpeg-*")) if path.is_file()), None)

"""Processes that open untrusted files for us, so that none of them can take the run with it.

A worker is started when a file is to be opened and none is idle, and lives while somebody uses the
workers: as many come to be as files are looked into at once. One that crashes, hangs or needs too
much memory is replaced, and its file gets ``probe_crashed``, ``probe_timeout`` or ``probe_failed``.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter

from mpt_cli.media.inspect.audio.comparison import AudioMatch, MadeAudio
from mpt_cli.media.inspect.audio.decoding import AudioLoss
from mpt_cli.media.process.pipes import Requests
from mpt_cli.media.process.run import Ended, Limits, Outcome
from mpt_cli.media.process.run import run as run_process
from mpt_cli.media.process.shortage import child_shortage
from mpt_cli.media.process.spawn import child_python
from mpt_cli.model.errors import Issue, IssueCode, ProbeError, ResourceError
from mpt_cli.model.media_info import MediaInfo, Still
from mpt_cli.model.splice import Splice
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction
    from pathlib import Path

    from mpt_cli.config.sections import ValidationConfig
    from mpt_cli.model.audio_form import AudioForm
    from mpt_cli.model.clips import Dimensions

LEAST_BYTES_PER_SECOND = 5_000_000
"""A file that is read more slowly, from its first byte to its last, takes too long."""
_GRACE_SECONDS = 0.2
_BEATS = 4
"""How often an idle worker is told so within the time after which it would be ended for standing still; to
start one takes 0.3 s of CPU."""
_CANCEL_SECONDS = 0.1
"""How long a thread that waits for a worker looks away from a stop."""


class _Answer(BaseModel):
    """What a worker says: one of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    media: MediaInfo | None = None
    share: float | None = None
    loss: AudioLoss | None = None
    match: AudioMatch | None = None
    stills: tuple[Still | None, ...] | None = None
    error: Issue | None = None


class Workers:
    """Opens files in child processes; several threads may ask at once."""

    def __init__(
        self, *, most: int, timeout_seconds: float, memory_bytes: int, program: Sequence[str] | None = None
    ) -> None:
        """Start ``most`` children at most, however many ask: each job of a batch does so with many threads.

        Each file has this much time without progress, and its worker this much memory.
        """
        self._timeout_seconds, self._memory_bytes = timeout_seconds, memory_bytes
        self._free = threading.Semaphore(most)
        self._program = program or child_python("mpt_cli.media.inspect.sandbox_child")
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._users = 0

    def __enter__(self) -> Self:
        """Keep workers from now on; they are started when they are needed."""
        with self._lock:
            self._users += 1
        return self

    def __exit__(self, *_exception: object) -> None:
        """End idle workers until no more are left than there are users."""
        with self._lock:
            self._users -= 1
            idle, self._idle = self._idle[self._users :], self._idle[: self._users]
        for worker in idle:
            worker.close()

    def probe(
        self, path: Path, *, scan: bool, limits: ValidationConfig, cancel: CancelToken | None = None
    ) -> MediaInfo:
        """Return what a file holds, see ``probe.probe``; raise ProbeError, and Cancelled on a stop."""
        how = {"scan": scan, "max_streams": limits.max_streams, "max_pixels": limits.max_pixels}
        question = {"ask": "probe", "how": how}
        media = self._ask(path, question, cancel).media
        assert media is not None
        return media.named(path)

    def decoded_share(
        self,
        path: Path,
        media: MediaInfo,
        span: tuple[Fraction, Fraction] | None = None,
        *,
        cancel: CancelToken | None = None,
    ) -> float:
        """Return how much of a file, or of a span of its clock, decodes; see ``damage.decoded_share``."""
        question = {
            "ask": "share",
            "stream": media.video.index,
            "interlaced": media.video.has_fields,
            "span": [str(time) for time in span] if span else None,
            **_part(media),
        }
        share = self._ask(path, question, cancel).share
        assert share is not None
        return share

    def audio_loss(
        self, path: Path, media: MediaInfo, span: tuple[Fraction, Fraction] | None = None, *, cancel: CancelToken
    ) -> AudioLoss:
        """Return how much of the audio of a file, or of a span of its clock, does not decode."""
        assert media.audio is not None
        spanned = [str(time) for time in span] if span else None
        question = {"ask": "loss", "stream": media.audio.index, "span": spanned, **_part(media)}
        loss = self._ask(path, question, cancel).loss
        assert loss is not None
        return loss

    def render_audio(
        self,
        path: Path,
        media: MediaInfo,
        start: Fraction,
        samples: int,
        output: Path,
        form: AudioForm,
        *,
        splice: Splice | None = None,
        cancel: CancelToken,
    ) -> AudioLoss:
        """Render the audio of a file, see ``audio_render.render``; return how much of it does not decode."""
        assert media.audio is not None
        track = media.audio
        wanted = {
            "index": track.index,
            "part": track.channels[0] if track.is_part else None,
            "tremble": str(track.tremble or 0),
            "anchors": track.anchors,
        }
        what = {"start": str(start), "samples": samples, "output": str(output.absolute()), **_part(media)}
        what |= {"form": dataclasses.asdict(form), "splice": _plain(splice)}
        loss = self._ask(path, {"ask": "render", "track": wanted, **what}, cancel).loss
        assert loss is not None
        return loss

    def compare_audio(self, path: Path, made: MadeAudio, *, cancel: CancelToken) -> AudioMatch:
        """Compare what was made of the audio of a file with it, see ``audio_proof.compare``."""
        what = dataclasses.asdict(made) | {"path": str(made.path.absolute())}
        what |= {"origin": str(made.origin), "begun": str(made.begun), "clock_moves": list(map(str, made.clock_moves))}
        what["splice"] = _plain(made.splice)
        match = self._ask(path, {"ask": "compare", "made": what}, cancel).match
        assert match is not None
        return match

    def stills(
        self, path: Path, times: Sequence[Fraction], box: Dimensions, *, cancel: CancelToken | None = None
    ) -> Sequence[Still | None]:
        """Return single frames of a file, see ``stills.read_stills``; ProbeError, Cancelled."""
        question = {"ask": "stills", "times": [str(time) for time in times], "box": str(box)}
        stills = self._ask(path, question, cancel, looks=len(times)).stills
        assert stills is not None
        return stills

    def _worker(self) -> _Worker:
        """One that is idle, or a new one."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is not None and not worker.is_fresh:
            worker.close()
            worker = None
        return worker or _Worker(self._program, self._timeout_seconds, self._memory_bytes)

    def _ask(self, path: Path, question: dict[str, Any], cancel: CancelToken | None, *, looks: int = 1) -> _Answer:
        limit_seconds = looks * self._timeout_seconds + path.stat().st_size / LEAST_BYTES_PER_SECOND
        question |= {"path": str(path.absolute()), "limit_seconds": limit_seconds}
        cancel = cancel or CancelToken()
        while not self._free.acquire(timeout=_CANCEL_SECONDS):
            cancel.raise_if_cancelled()
        try:
            answer = self._answer(path, question, cancel)
        finally:
            self._free.release()
        if (issue := answer.error) is not None:
            if issue.code in (IssueCode.MEMORY_EXHAUSTED, IssueCode.DISK_FULL):  # it is not about the file
                raise ResourceError(issue.code, issue.message, hint=issue.hint)
            raise ProbeError(issue.code, issue.message, path=path, hint=issue.about(path).hint)
        return answer

    def _answer(self, path: Path, question: dict[str, Any], cancel: CancelToken) -> _Answer:
        for last in (False, True):
            worker = self._worker()
            try:
                answer = worker.ask(path, question, cancel)
                break
            except _KilledError as killed:  # by the system, or by somebody: the file is asked about once more
                worker.close()
                if last:
                    raise killed.error from None
            except BaseException:
                worker.close()
                raise
        with self._lock:
            keep = self._users > 0
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.close()
        return answer


class _Worker:
    """One child, and the thread that attends to it."""

    def __init__(self, program: Sequence[str], timeout_seconds: float, memory_bytes: int) -> None:
        """Start the child."""
        self._program = program
        self._timeout_seconds, self._memory_bytes = timeout_seconds, memory_bytes
        self._is_asked = False
        beat_seconds = timeout_seconds / _BEATS
        self._questions = Requests(is_idle=lambda: not self._is_asked, beat_seconds=beat_seconds)
        self._cancel = CancelToken()
        self._answers: SimpleQueue[str | Outcome | BaseException | None] = SimpleQueue()
        self._pieces: list[str] = []
        self._thread = threading.Thread(target=self._attend, name="worker", daemon=True)
        start_thread(self._thread)

    @property
    def is_fresh(self) -> bool:
        """Whether it may still be asked."""
        return self._thread.is_alive()

    def ask(self, path: Path, question: dict[str, Any], cancel: CancelToken) -> _Answer:
        """Return the answer; raise ProbeError where the child ended instead, Cancelled on a stop."""
        with cancel.waking(lambda: self._answers.put(None)):
            self._is_asked = True
            self._questions.put(json.dumps(question).encode() + b"\n")
            while not isinstance(said := self._answers.get(), str):
                cancel.raise_if_cancelled()
                if said is not None:
                    raise self._error(said, path)
        self._is_asked = False
        return _Answer.model_validate_json(said)

    def close(self) -> None:
        """End the child: at once if it works, gladly if it waits."""
        self._questions.close()
        self._cancel.cancel()
        self._cancel.cancel()
        self._thread.join()

    def _attend(self) -> None:
        try:
            end = run_process(
                [*self._program, str(self._memory_bytes)],
                cancel=self._cancel,
                limits=Limits(stall_seconds=self._timeout_seconds, grace_seconds=_GRACE_SECONDS),
                on_line=self._take,
                feed=self._questions,
                on_memory=self._weigh,
                descendants=False,
            )
        except BaseException as error:  # raised by ``ask``
            self._answers.put(error)
        else:
            self._answers.put(end)

    def _take(self, line: str) -> bool:
        """Put an answer together from its pieces; an empty line only shows that the child gets on."""
        self._pieces.append(line[1:])
        if line.startswith("="):
            self._answers.put("".join(self._pieces))
            self._pieces.clear()
        return True

    def _weigh(self, rss_bytes: int) -> None:
        if rss_bytes > self._memory_bytes:
            raise _TooLargeError

    def _error(self, end: Outcome | BaseException, path: Path) -> BaseException:
        hint = "leave it out: the file is damaged, or made to harm"
        if isinstance(end, _TooLargeError):
            message = f"needs more than {self._memory_bytes >> 20} MiB of memory to be opened"
            return ProbeError(IssueCode.PROBE_FAILED, message, path=path, hint=hint)
        if not isinstance(end, Outcome):
            return end
        if end.ended is Ended.STALLED:
            message = f"could not be opened within {self._timeout_seconds:g} s"
            return ProbeError(IssueCode.PROBE_TIMEOUT, message, path=path, hint=hint)
        if (shortage := child_shortage(end.returncode, end.stderr_tail)) is not None:
            return shortage
        said = end.stderr_tail.strip().splitlines()
        why = _signal_name(end.returncode) or (said[-1] if said else f"exit code {end.returncode}")
        error = ProbeError(IssueCode.PROBE_CRASHED, f"crashed the process that opened it ({why})", path=path, hint=hint)
        return _KilledError(error) if end.killed_by_system else error


class _KilledError(Exception):
    """A worker was killed from outside; ``error`` is what is said where that happens again."""

    def __init__(self, error: ProbeError) -> None:
        super().__init__(str(error))
        self.error = error


class _TooLargeError(Exception):
    """A worker uses more memory than it may."""


def _part(media: MediaInfo) -> dict[str, Any]:
    """Return which part of a file is read, and the moves of its clock."""
    return {"clock_moves": [str(move) for move in media.clock_moves], "end": media.readable_bytes}


def _plain(splice: Splice | None) -> Any:
    """Return a splice as JSON has it, with the whole paths of its files."""
    return TypeAdapter(Splice | None).dump_python(splice and splice.absolute, mode="json")


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return ""

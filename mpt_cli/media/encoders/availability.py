"""Availability of encoders, determined by encoding a few frames and remembered for a day.

An encoder that ffmpeg lists need not work: without a GPU, ffmpeg lists NVENC, QSV, AMF and Vulkan,
and all of them fail. Trials of several encoders run side by side (six take 0.2 s, measured).
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from mpt_cli.media.encoders.smoke_test import LIMIT_SECONDS, encode_gray
from mpt_cli.model.errors import Cancelled, IssueCode, MptError
from mpt_cli.runtime.threads import ThreadPool
from mpt_cli.storage.bounded_folder import Records, listed
from mpt_cli.storage.file_identity import identity_of
from mpt_cli.storage.temp_files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import Dimensions, EncoderSettings
    from mpt_cli.runtime.cancel import CancelToken

_KEPT_SECONDS = 24 * 3600
"""Lifetime of an answer: a driver that is installed or repaired is noticed after this time."""
_FRAMES = 3
_FOLDERS = ("/dev/dri", "/proc/driver/nvidia/gpus")
_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
_LABELS = re.compile(r"^ffmpeg failed: (\[[^\]]*\] )*")
_OURS = r"[0-9a-f]{40}\.json(\.[0-9a-f]{32})?"
"""Names of records, and of those that earlier versions left unfinished."""


_OF_THE_ENCODER = (IssueCode.ENCODER_UNAVAILABLE, IssueCode.VERIFY_FAILED)
"""Failures that are the encoder's own; a full disk, or memory that is short, will pass."""


class _Answers(BaseModel):
    """Remembered answers for one ffmpeg with the devices of a machine, and the time of the first one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: float
    encoders: frozenset[str] = frozenset()
    failures: dict[str, str | None] = {}


class EncoderTrials:
    """Trials of encoders; several threads may ask."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        folder: Path | None,
        *,
        remember: bool = True,
        devices: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
        limit_seconds: float = LIMIT_SECONDS,
        on_failure: Callable[[OSError], object] = lambda _error: None,
    ) -> None:
        """Try encoders with an ffmpeg.

        Args:
            ffmpeg: The ffmpeg to try.
            folder: Folder of remembered answers, or None.
            remember: False to only read answers from the folder.
            devices: Returns a text for the devices of the machine; with other devices everything is tried again.
            clock: Returns the time in seconds since the epoch.
            limit_seconds: Longest time of a trial; one that takes longer has failed.
            on_failure: Receives the error of answers that could not be written.
        """
        self._on_failure = on_failure
        self._ffmpeg, self._records, self._remembers = ffmpeg, Records(folder, _OURS), remember
        self._devices, self._clock, self._limit_seconds = devices or devices_here, clock, limit_seconds
        self._lock = threading.RLock()
        self._answers: _Answers | None = None

    def failures(
        self, candidates: Sequence[EncoderSettings], dimensions: Dimensions, *, cancel: CancelToken
    ) -> list[str | None]:
        """Return the reason for which each encoder cannot encode frames of a size.

        Args:
            candidates: Encoders with their settings.
            dimensions: Size of the frames, in pixels.
            cancel: Stops the trials; those in progress then leave no answer.

        Returns:
            One text of ffmpeg for each candidate; None for an encoder that works.

        Raises:
            Cancelled: The trials were stopped.
        """
        asked = {_question(each, dimensions): each for each in candidates}
        with self._lock:
            known = self._known_here(cancel)
            new = {question: each for question, each in asked.items() if question not in known.failures}
            if not new:
                return [known.failures[question] for question in asked]
            with ThreadPool(len(new), "trial") as threads:
                tried = threads.map(partial(self._tried, dimensions, cancel), new.values())
                found = dict(zip(new, tried, strict=True))
            lasting = {question: reason for question, (reason, lasts) in found.items() if lasts}
            self._note(known.model_copy(update={"failures": known.failures | lasting}))
        answers = known.failures | {question: reason for question, (reason, _) in found.items()}
        return [answers[question] for question in asked]

    def listed(self, *, cancel: CancelToken) -> frozenset[str]:
        """Return the names of the encoders that this ffmpeg lists.

        Args:
            cancel: Stops the question.

        Raises:
            Cancelled: The question was stopped.
        """
        with self._lock:
            known = self._known_here(cancel)
            if not known.encoders:
                known = known.model_copy(update={"encoders": self._ffmpeg.ask_encoders(cancel)})
                self._note(known)
        return known.encoders

    def forget(self, settings: EncoderSettings) -> None:
        """Forget the answers for an encoder, for frames of any size, so that it is tried again."""
        with self._lock:
            known, prefix = self._known(), f"{settings.encoder} "
            kept = {question: reason for question, reason in known.failures.items() if not question.startswith(prefix)}
            self._note(known.model_copy(update={"failures": kept}))

    def clear(self) -> None:
        """Remove all answers from the folder."""
        self._records.clear()

    def sweep(self) -> None:
        """Remove what killed runs left unfinished."""
        self._records.sweep()

    def _tried(self, dimensions: Dimensions, cancel: CancelToken, settings: EncoderSettings) -> tuple[str | None, bool]:
        """Return the reason for a failed trial, or None, and True if another trial would end the same."""
        try:
            with scratch_folder("trial") as folder:
                encode_gray(
                    self._ffmpeg,
                    settings,
                    folder / "frames.mp4",
                    dimensions=dimensions,
                    frames=_FRAMES,
                    limit_seconds=self._limit_seconds,
                    cancel=cancel,
                )
        except Cancelled:
            raise
        except MptError as error:
            return _LABELS.sub("", error.issue.message), error.code in _OF_THE_ENCODER
        except OSError as error:
            return f"it could not be tried ({error.strerror or error})", False
        return None, True

    def _known_here(self, cancel: CancelToken) -> _Answers:
        """Return the answers so far, once ffmpeg has said its build, which names the file; raises Cancelled."""
        if self._records.folder is not None:
            self._ffmpeg.ask_build(cancel)
        return self._known()

    def _known(self) -> _Answers:
        """Return the answers so far, at first those from the folder; none that is too old."""
        known = self._answers or self._remembered()
        if known is None or not 0 <= self._clock() - known.since < _KEPT_SECONDS:
            known = _Answers(since=self._clock())
        self._answers = known
        return known

    def _remembered(self) -> _Answers | None:
        if self._records.folder is None:
            return None
        try:
            return _Answers.model_validate_json(self._records.read(self._name))
        except (OSError, ValidationError):
            return None

    def _note(self, answers: _Answers) -> None:
        """Keep the answers, written in one step."""
        self._answers = answers
        if self._records.folder is not None and self._remembers:
            try:
                self._records.write(self._name, answers.model_dump_json().encode())
            except OSError as error:
                self._on_failure(error)

    @cached_property
    def _name(self) -> str:
        """Name of the file: one for each ffmpeg and set of devices."""
        binary = self._ffmpeg.binary
        identity = repr((self._ffmpeg.build, str(binary), identity_of(binary.stat()), self._devices()))
        return f"{hashlib.sha256(identity.encode()).hexdigest()[:40]}.json"


def devices_here() -> str:
    """Return a text for the devices of this machine, from what the system shows quickly.

    Linux shows them as files; elsewhere a change is noticed when the answers are a day old.
    """
    found = [f"{folder}/{entry.name}" for folder in _FOLDERS for entry in listed(Path(folder))]
    found += [f"{path} {_text(Path(path))}" for path in _FILES if Path(path).exists()]
    return "\n".join((sys.platform, *sorted(found)))


def _text(path: Path) -> str:
    """Return the content of a file of the driver; an empty text for a device."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _question(settings: EncoderSettings, dimensions: Dimensions) -> str:
    """Return the key of an answer: the encoder, its options and the size of the frames."""
    return " ".join((settings.encoder, str(dimensions), settings.pixel_format, *settings.options))

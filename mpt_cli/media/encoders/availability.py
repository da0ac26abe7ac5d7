"""EncoderTrials: which encoders work here, found out by encoding a picture and remembered for a day.

That an encoder is listed proves nothing: without a GPU, ffmpeg lists NVENC, QSV, AMF and Vulkan,
and all of them fail. Trials of several encoders run side by side (six take 0.2 s, measured).
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from mpt_cli.media.encoders.smoke_test import LIMIT_SECONDS, encode_gray
from mpt_cli.model.errors import Cancelled, IssueCode, MptError
from mpt_cli.storage.atomic_write import write_in_one_step
from mpt_cli.storage.file_identity import identity_of
from mpt_cli.storage.store import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import Dimensions, EncoderSettings
    from mpt_cli.runtime.cancel import CancelToken

_KEPT_SECONDS = 24 * 3600
"""A driver that is installed or mended is seen after this time."""
_FRAMES = 3
_FOLDERS = ("/dev/dri", "/proc/driver/nvidia/gpus")
_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
_LABELS = re.compile(r"^ffmpeg failed: (\[[^\]]*\] )*")
_OURS = re.compile(r"[0-9a-f]{40}\.json(\.[0-9a-f]{32})?")


_OF_THE_ENCODER = (IssueCode.ENCODER_UNAVAILABLE, IssueCode.VERIFY_FAILED)
"""Failures that say something of the encoder; a full disk, or memory that is short, will pass."""


class _Answers(BaseModel):
    """What is remembered of one ffmpeg with the devices of a machine: each question's answer, and since when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: float
    encoders: frozenset[str] = frozenset()
    failures: dict[str, str | None] = {}


class EncoderTrials:
    """Answers by trial; several threads may ask."""

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        folder: Path | None,
        *,
        remember: bool = True,
        devices: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        """Try with this ffmpeg; answers are read from a folder, if any, and kept there unless ``remember`` says no.

        ``devices`` tells what there is to encode with: with other devices everything is tried again.
        A trial that takes longer than its limit has failed.
        """
        self._ffmpeg, self._folder, self._remembers = ffmpeg, folder, remember
        self._devices, self._clock, self._limit_seconds = devices or devices_here, clock, limit_seconds
        self._lock = threading.RLock()
        self._answers: _Answers | None = None

    def failures(
        self, candidates: Sequence[EncoderSettings], dimensions: Dimensions, *, cancel: CancelToken
    ) -> list[str | None]:
        """Why each encoder does not encode pictures of this size, in ffmpeg's words; None for one that does.

        Raises :class:`~mpt_cli.model.errors.Cancelled` when it is stopped; what was begun then has no answer.
        """
        asked = {_question(each, dimensions): each for each in candidates}
        with self._lock:
            known = self._known()
            new = {question: each for question, each in asked.items() if question not in known.failures}
            if not new:
                return [known.failures[question] for question in asked]
            with ThreadPoolExecutor(len(new), thread_name_prefix="trial") as threads:
                tried = threads.map(partial(self._tried, dimensions, cancel), new.values())
                found = dict(zip(new, tried, strict=True))
            lasting = {question: why for question, (why, lasts) in found.items() if lasts}
            self._note(known.model_copy(update={"failures": known.failures | lasting}))
        answers = known.failures | {question: why for question, (why, _) in found.items()}
        return [answers[question] for question in asked]

    def listed(self) -> frozenset[str]:
        """The encoders that this ffmpeg says it has."""
        with self._lock:
            known = self._known()
            if not known.encoders:
                known = known.model_copy(update={"encoders": self._ffmpeg.encoders})
                self._note(known)
        return known.encoders

    def forget(self, settings: EncoderSettings) -> None:
        """Try an encoder again the next time it is asked for, whatever the size of its pictures."""
        with self._lock:
            known, mine = self._known(), f"{settings.encoder} "
            kept = {question: why for question, why in known.failures.items() if not question.startswith(mine)}
            self._note(known.model_copy(update={"failures": kept}))

    def clear(self) -> None:
        """Remove everything that is remembered in the folder."""
        if self._folder is None:
            return
        for path in listed(self._folder):
            if _OURS.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()
        with suppress(OSError):
            self._folder.rmdir()

    def _tried(self, dimensions: Dimensions, cancel: CancelToken, settings: EncoderSettings) -> tuple[str | None, bool]:
        """Why a trial failed, if it did, and whether the next one would end the same."""
        try:
            with tempfile.TemporaryDirectory(prefix=".mpt-trial-") as folder:
                encode_gray(
                    self._ffmpeg,
                    settings,
                    Path(folder) / "picture.mp4",
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

    def _known(self) -> _Answers:
        """The answers so far, at first those that were remembered; none that is too old."""
        known = self._answers or (self._remembered(self._folder) if self._folder else None)
        if known is None or not 0 <= self._clock() - known.since < _KEPT_SECONDS:
            known = _Answers(since=self._clock())
        self._answers = known
        return known

    def _remembered(self, folder: Path) -> _Answers | None:
        try:
            return _Answers.model_validate_json((folder / self._name).read_bytes())
        except (OSError, ValidationError):
            return None

    def _note(self, answers: _Answers) -> None:
        """Keep the answers, written in one step; a folder that cannot be written is no error."""
        self._answers = answers
        if self._folder and self._remembers:
            place, text = self._folder / self._name, answers.model_dump_json()
            with suppress(OSError):
                write_in_one_step(place, text.encode(), unfinished=f"{place.name}.")

    @cached_property
    def _name(self) -> str:
        """That of the file: one for each ffmpeg and set of devices."""
        binary = self._ffmpeg.binary
        who = repr((self._ffmpeg.build, str(binary), identity_of(binary.stat()), self._devices()))
        return f"{hashlib.sha256(who.encode()).hexdigest()[:40]}.json"


def devices_here() -> str:
    """What there is to encode with, as far as the system shows it without being asked for long.

    Linux shows it as files; elsewhere a change is seen when the answers are a day old.
    """
    found = [f"{folder}/{entry.name}" for folder in _FOLDERS for entry in listed(Path(folder))]
    found += [f"{path} {_text(Path(path))}" for path in _FILES if Path(path).exists()]
    return "\n".join((sys.platform, *sorted(found)))


def _text(path: Path) -> str:
    """What a file of the driver says; nothing of a device."""
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""


def _question(settings: EncoderSettings, dimensions: Dimensions) -> str:
    """What an answer is the answer to."""
    return " ".join((settings.encoder, str(dimensions), settings.pixel_format, *settings.options))

"""Issues, exit codes and the error tree.

An :class:`Issue` is a fact about a file, a parameter or a run, with a stable code of the contract.
Validators return issues and never raise for bad input. A step that cannot go on raises an
:class:`MptError`, which carries the issue that ended it::

    MptError                  the base; caught in the orchestrator and in ``cli``
    ├── UsageError            an option, an argument or a job file is wrong          exit 2
    ├── ConfigError           a configuration layer is wrong                         exit 2
    ├── InputError            a file or a parameter of the request is unusable       exit 3
    ├── ProcessingError       a clip failed, or too many did                         exit 4
    │   ├── ProbeError        a file could not be read; becomes an issue             exit 3
    │   └── EncoderError      a hardware encoder failed; software takes its place    exit 3
    ├── ConcatenationError    the join failed                                        exit 4
    │   └── VerificationError the finished file is not what was requested            exit 4
    ├── OutputError           the output is locked, busy or cannot be written        exit 3, 4
    ├── DependencyError       ffmpeg, or a library, is missing                       exit 6
    ├── ResourceError         out of memory, disk, threads or open files             exit 7
    ├── DeadlineReached       the time that a run may take is over                   exit 4
    └── Cancelled             stopped by a signal                                    exit 130, 143

The exit code follows from the issue code alone (:func:`exit_code_of`), so that the same fact never
ends in two different codes.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from pathlib import Path  # noqa: TC003 - what reads an issue back from JSON needs the type
from typing import TYPE_CHECKING, Self

from mpt_cli.model.formatting import escape, located_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INVALID = 3
    FAILED = 4
    PARTIAL = 5
    DEPENDENCY = 6
    RESOURCES = 7
    SIGINT = 130
    SIGTERM = 143


class IssueCode(StrEnum):
    """Stable codes of all issues."""

    # Files
    NO_MATCH = "no_match"
    DOWNLOAD_UNFINISHED = "download_unfinished"
    REEL_AMONG_CLIPS = "reel_among_clips"
    ORDER_DIFFERS = "order_differs"
    ORDER_GUESSED = "order_guessed"
    FILE_NOT_FOUND = "file_not_found"
    NOT_A_FILE = "not_a_file"
    NOT_READABLE = "not_readable"
    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    NOT_MEDIA = "not_media"
    PLAYLIST_REFUSED = "playlist_refused"
    NO_VIDEO_STREAM = "no_video_stream"
    STILL_IMAGE = "still_image"
    ENCRYPTED = "encrypted"
    UNSUPPORTED_CODEC = "unsupported_codec"
    NO_FRAMES = "no_frames"
    INVALID_DURATION = "invalid_duration"
    UNSUPPORTED_COLOR = "unsupported_color"
    URL_REFUSED = "url_refused"
    LIMIT_EXCEEDED = "limit_exceeded"
    DIMENSIONS_TOO_SMALL = "dimensions_too_small"
    DIMENSIONS_TOO_LARGE = "dimensions_too_large"
    EXTREME_ASPECT_RATIO = "extreme_aspect_ratio"
    MIXED_PARAMETER_SETS = "mixed_parameter_sets"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    DATA_NOT_READ = "data_not_read"
    LEADING_FRAMES_LOST = "leading_frames_lost"
    NO_TIMESTAMPS = "no_timestamps"
    TIMESTAMPS_REPAIRED = "timestamps_repaired"
    IMPLAUSIBLE_DURATION = "implausible_duration"
    FRAME_HELD = "frame_held"
    VIDEO_TRACKS_LEFT_OUT = "video_tracks_left_out"
    AUDIO_TRACKS_LEFT_OUT = "audio_tracks_left_out"
    AUDIO_UNDECODABLE = "audio_undecodable"
    AUDIO_DAMAGED = "audio_damaged"
    COLOR_GUESSED = "color_guessed"
    ORIENTATION_GUESSED = "orientation_guessed"
    INPUT_CHANGED = "input_changed"
    NOT_VISIBLE_ON_WORKER = "not_visible_on_worker"
    OUTPUT_CHANGED = "output_changed"
    PROBE_FAILED = "probe_failed"
    PROBE_TIMEOUT = "probe_timeout"
    PROBE_CRASHED = "probe_crashed"
    # Parameters
    OUTPUT_EXISTS = "output_exists"
    OUTPUT_IS_INPUT = "output_is_input"
    OUTPUT_NOT_WRITABLE = "output_not_writable"
    DUPLICATE_OUTPUT = "duplicate_output"
    ODD_DIMENSIONS = "odd_dimensions"
    SIZE_TURNED = "size_turned"
    HDR_CONVERTED = "hdr_converted"
    HDR_REFUSED = "hdr_refused"
    ALL_ENCODED = "all_encoded"
    TRIM_BEYOND_DURATION = "trim_beyond_duration"
    AUDIO_CHANGED = "audio_changed"
    LOUDNESS_DIFFERS = "loudness_differs"
    LOUDNESS_MISSED = "loudness_missed"
    LOUDNESS_UNCHANGED = "loudness_unchanged"
    TRUE_PEAK_EXCEEDED = "true_peak_exceeded"
    CODEC_CONTAINER_MISMATCH = "codec_container_mismatch"
    ENCODER_UNAVAILABLE = "encoder_unavailable"
    QUALITY_OUT_OF_RANGE = "quality_out_of_range"
    # Running
    VALIDATION_FAILED = "validation_failed"
    PROCESSING_FAILED = "processing_failed"
    TOO_MANY_FAILURES = "too_many_failures"
    CONCAT_TIMEOUT = "concat_timeout"
    OUTPUT_BUSY = "output_busy"
    CLIP_FAILED = "clip_failed"
    CLIP_TIMEOUT = "clip_timeout"
    CLIP_STALLED = "clip_stalled"
    MEMORY_EXHAUSTED = "memory_exhausted"
    DISK_FULL = "disk_full"
    CACHE_UNAVAILABLE = "cache_unavailable"
    STATE_UNAVAILABLE = "state_unavailable"
    CONCAT_FAILED = "concat_failed"
    VERIFY_FAILED = "verify_failed"
    CONTACT_SHEET_FAILED = "contact_sheet_failed"
    POSTER_FAILED = "poster_failed"
    LOCKED = "locked"
    DEADLINE_REACHED = "deadline_reached"
    DEPENDENCY_MISSING = "dependency_missing"
    CONFIG_INVALID = "config_invalid"
    USAGE = "usage"
    CALLBACK_FAILED = "callback_failed"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


_EXIT_CODES: dict[IssueCode, ExitCode] = {
    IssueCode.INTERNAL: ExitCode.INTERNAL,
    IssueCode.CALLBACK_FAILED: ExitCode.INTERNAL,
    IssueCode.USAGE: ExitCode.USAGE,
    IssueCode.CONFIG_INVALID: ExitCode.USAGE,
    IssueCode.PROCESSING_FAILED: ExitCode.FAILED,
    IssueCode.TOO_MANY_FAILURES: ExitCode.FAILED,
    IssueCode.CONCAT_TIMEOUT: ExitCode.FAILED,
    IssueCode.OUTPUT_BUSY: ExitCode.FAILED,
    IssueCode.CLIP_FAILED: ExitCode.FAILED,
    IssueCode.CLIP_TIMEOUT: ExitCode.FAILED,
    IssueCode.CLIP_STALLED: ExitCode.FAILED,
    IssueCode.CONCAT_FAILED: ExitCode.FAILED,
    IssueCode.VERIFY_FAILED: ExitCode.FAILED,
    IssueCode.LOCKED: ExitCode.FAILED,
    IssueCode.DEADLINE_REACHED: ExitCode.FAILED,
    IssueCode.DEPENDENCY_MISSING: ExitCode.DEPENDENCY,
    IssueCode.MEMORY_EXHAUSTED: ExitCode.RESOURCES,
    IssueCode.DISK_FULL: ExitCode.RESOURCES,
    IssueCode.CANCELLED: ExitCode.SIGINT,
}


def exit_code_of(code: IssueCode) -> ExitCode:
    """Return the exit code of a run that this issue ends.

    Args:
        code: Code of the issue.

    Returns:
        The exit code; 3 for codes of files and parameters.
    """
    return _EXIT_CODES.get(code, ExitCode.INVALID)


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem with a file, a parameter or a run.

    Attributes:
        code: Stable code of the contract.
        message: One line for people that reads behind "PATH: " and never holds the path; see :meth:`text`.
        path: File that the issue is about, or None.
        hint: Advice on what to do, or None.
    """

    code: IssueCode
    message: str
    path: Path | None = None
    hint: str | None = None

    def text(self, *, name_only: bool = False) -> str:
        """Return ``PATH: MESSAGE``, or the message alone without a path; ``name_only`` leaves out the folders."""
        return located_text(self.path, self.message, name_only=name_only)

    def about(self, path: Path | None) -> Self:
        """Return the same issue about a file of this name, which commands of its hint are given in place of ``IN``."""
        hint = self.hint
        if hint is not None:
            hint = hint.replace(_input_of(self.path), _input_of(None)).replace(_input_of(None), _input_of(path))
        return replace(self, path=path, hint=hint)


def _input_of(path: Path | None) -> str:
    """Return the option of ffmpeg that opens a file, as a shell takes it."""
    name = "IN" if path is None else shlex.quote(str(path))
    return f"-i {name if name.isprintable() else 'IN'} "


class MptError(Exception):
    """Base of every error that mpt raises on purpose; carries one :class:`Issue`, and those found beside it.

    Attributes:
        issue: The issue that ended the step.
    """

    others: tuple[Issue, ...] = ()
    """Further issues, where a whole file, or all settings, are read before they are refused."""

    def __init__(
        self,
        code: IssueCode,
        message: str,
        *,
        path: Path | None = None,
        hint: str | None = None,
    ) -> None:
        """Build the error from the parts of its issue."""
        super().__init__(message)
        self.issue = Issue(code=code, message=message, path=path, hint=hint)
        if path is not None:  # of an error that nobody catches Python shows the message and the notes
            self.add_note(f"file: {escape(str(path))}")
        if hint is not None:
            self.add_note(f"hint: {escape(hint)}")

    def __reduce__(self) -> tuple[Callable[..., MptError], tuple[object, ...], dict[str, object]]:
        """Return what pickle needs: the arguments of the classes differ, and those of Python's own would be lost."""
        return _blank, (type(self), *self.args), self.__dict__

    def beside(self, others: Iterable[MptError]) -> Self:
        """Add the issues of other errors that were found together with this one.

        Args:
            others: Errors found in the same file or in the same settings.

        Returns:
            This error.
        """
        self.others = tuple(other.issue for other in others)
        for other in self.others:
            self.add_note(f"also: {escape(other.text())}")
        return self

    @property
    def code(self) -> IssueCode:
        """Stable code of the issue."""
        return self.issue.code

    @property
    def exit_code(self) -> ExitCode:
        """Exit code that follows from the code."""
        return exit_code_of(self.issue.code)


def _blank(kind: type[MptError], *args: object) -> MptError:
    """Return an error without its issue, which pickle then restores."""
    return kind.__new__(kind, *args)


class UsageError(MptError):
    """Command line or job file that requests something impossible."""

    def __init__(self, message: str, *, path: Path | None = None, hint: str | None = None) -> None:
        """Build a usage error; its code is always ``usage``."""
        super().__init__(IssueCode.USAGE, message, path=path, hint=hint)


class ConfigError(MptError):
    """Configuration layer with an unknown key or a wrong value."""

    def __init__(self, message: str, *, path: Path | None = None, hint: str | None = None) -> None:
        """Build a configuration error; its code is always ``config_invalid``."""
        super().__init__(IssueCode.CONFIG_INVALID, message, path=path, hint=hint)


class InputError(MptError):
    """File or parameter of the request that cannot be used."""


class ProcessingError(MptError):
    """Clip that could not be processed, or too many of them."""


class ProbeError(ProcessingError):
    """File that could not be read as a clip."""


class EncoderError(ProcessingError):
    """Failure of a hardware encoder on a clip that software can encode."""

    def __init__(self, message: str) -> None:
        """Build the error; its code is always ``encoder_unavailable``."""
        super().__init__(IssueCode.ENCODER_UNAVAILABLE, message)


class ConcatenationError(MptError):
    """Failure of the join."""


class VerificationError(ConcatenationError):
    """Finished file that does not hold what was planned."""

    def __init__(self, message: str, *, path: Path | None = None, hint: str | None = None) -> None:
        """Build a verification error; its code is always ``verify_failed``."""
        super().__init__(IssueCode.VERIFY_FAILED, message, path=path, hint=hint)


class OutputError(MptError):
    """Output that cannot be written, is locked, or is busy."""


class DependencyError(MptError):
    """Required program or library that is missing or too old."""

    def __init__(self, message: str, *, path: Path | None = None, hint: str | None = None) -> None:
        """Build a dependency error; its code is always ``dependency_missing``."""
        super().__init__(IssueCode.DEPENDENCY_MISSING, message, path=path, hint=hint)


class ResourceError(MptError):
    """Exhausted memory, disk, threads or open files."""


class DeadlineReached(MptError):  # noqa: N818 - not a failure: it is what was asked for
    """End of the time that a run may take."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Build the error; its code is always ``deadline_reached``."""
        super().__init__(IssueCode.DEADLINE_REACHED, message, hint=hint)


class Cancelled(MptError):  # noqa: N818 - not a failure: the user asked for it
    """Cancellation of the run."""

    def __init__(self, message: str = "stopped") -> None:
        """Build the error; its code is always ``cancelled``."""
        super().__init__(IssueCode.CANCELLED, message)

"""FileValidator: checks of one file, and its probe result."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mpt_cli.media import color
from mpt_cli.media.audio_tracks import with_heard_tracks
from mpt_cli.media.geometry import too_many_pixels
from mpt_cli.media.inspect.damage import TOO_LITTLE, damage_issue
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import Issue, IssueCode, ProbeError
from mpt_cli.model.results import FileValidationResult
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.validation.spelling import spelling_hint

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import ValidationConfig
    from mpt_cli.media.inspect.audio.decoding import CountsAudioLoss
    from mpt_cli.media.inspect.probe import Probe
    from mpt_cli.model.choices import AudioTracks
    from mpt_cli.model.media_info import MediaInfo


class LooksDeep(Protocol):
    """Decoding of a whole file."""

    def __call__(self, path: Path, media: MediaInfo, *, cancel: CancelToken) -> float:
        """Return the share of frames (0 to 1) that decode; raise Cancelled after a stop."""
        ...


class MeasuresLoudness(Protocol):
    """Measuring of the audio of a whole file."""

    def __call__(self, path: Path, media: MediaInfo, *, cancel: CancelToken) -> float | None:
        """Return the loudness in LUFS; None for silence or where it is not known. Raise Cancelled after a stop."""
        ...


class FileValidator:
    """Validator of files, from the cheapest check to the most expensive one."""

    def __init__(
        self,
        limits: ValidationConfig,
        *,
        probe: Probe,
        decoded_share: LooksDeep,
        audio_loss: CountsAudioLoss,
        loudness: MeasuresLoudness | None = None,
    ) -> None:
        """Create a validator.

        Args:
            limits: The limits of clips.
            probe: Reads the streams of a file.
            decoded_share: Returns the share of frames that decode.
            audio_loss: Returns the loss of an audio track.
            loudness: Returns the loudness of a file that is decoded; None to measure none.
        """
        self._limits, self._probe = limits, probe
        self._decoded_share, self._audio_loss, self._loudness = decoded_share, audio_loss, loudness

    def validate_video_file(
        self,
        path: Path,
        *,
        scan: bool = False,
        deep: bool = False,
        tracks: AudioTracks = "auto",
        cancel: CancelToken | None = None,
    ) -> FileValidationResult:
        """Validate a file and report all its problems.

        Args:
            path: The file.
            scan: True to read every packet, so that lengths are exact.
            deep: True to decode the whole file.
            tracks: The audio tracks that are used.
            cancel: Stops the validation.

        Returns:
            The problems and, if the file could be read, its probe result.

        Raises:
            Cancelled: The run was stopped.
            ResourceError: The system has no room for the work.
        """
        try:
            if issue := self._refused_by_system(path):
                return FileValidationResult(path, errors=(issue,))
            found = self._probe(path, scan=scan or deep, limits=self._limits, cancel=cancel)
            media = with_heard_tracks(found, tracks, path)
        except ProbeError as error:
            return FileValidationResult(path, errors=(error.issue,))
        except OSError as error:
            refuse_shortage(error)
            return FileValidationResult(path, errors=(_unreadable(path, error),))
        except (ValueError, ArithmeticError, MemoryError) as error:
            refuse_shortage(error)
            message = f"cannot be read as a video ({type(error).__name__}: {error})"
            return FileValidationResult(path, errors=(Issue(IssueCode.PROBE_FAILED, message, path),))
        errors = self._errors(path, media)
        warnings = [*media.warnings, *self._warnings(path, media)]
        lufs = None
        if deep and not errors:
            cancel = cancel or CancelToken()
            share = self._decoded_share(path, media, cancel=cancel)
            if damage := damage_issue(path, share):
                (errors if share < TOO_LITTLE else warnings).append(damage)
            for track in media.heard:
                loss = self._audio_loss(path, replace(media, audio=track), cancel=cancel)
                if damage := loss.issue(track, path):
                    refused = track == media.audio and loss.decoded_share < TOO_LITTLE
                    (errors if refused else warnings).append(damage)
            lufs = self._loudness(path, media, cancel=cancel) if self._loudness else None
        return FileValidationResult(path, tuple(errors), tuple(warnings), media, lufs=lufs)

    def file_exists(self, path: Path) -> bool:
        """Return True if the path is a regular file, also through links."""
        return path.is_file()

    def _refused_by_system(self, path: Path) -> Issue | None:
        """Return the problem that the file system shows; open nothing, because a FIFO would never answer."""
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return Issue(IssueCode.FILE_NOT_FOUND, "does not exist", path, spelling_hint(path))
        except OSError as error:
            return _unreadable(path, error)
        if not stat.S_ISREG(status.st_mode):
            return Issue(IssueCode.NOT_A_FILE, f"is {_kind(status.st_mode)}, not a file", path)
        if status.st_size == 0:
            return Issue(IssueCode.FILE_EMPTY, "is empty (0 bytes)", path, "record it or download it again")
        if status.st_size > self._limits.max_file_size:
            message = f"has {status.st_size} bytes, above the limit of {self._limits.max_file_size} bytes"
            return Issue(IssueCode.FILE_TOO_LARGE, message, path, "raise validation.max_file_size")
        return None

    def _errors(self, path: Path, media: MediaInfo) -> list[Issue]:
        shown, limits = media.video.display, self._limits
        errors = []
        if shown.width < limits.min_width or shown.height < limits.min_height:
            message = f"is only {shown}, below the limit of {limits.min_width}x{limits.min_height}"
            hint = "lower validation.min_width or validation.min_height"
            errors.append(Issue(IssueCode.DIMENSIONS_TOO_SMALL, message, path, hint))
        if shown.width > limits.max_width or shown.height > limits.max_height:
            message = f"is {shown}, above the limit of {limits.max_width}x{limits.max_height}"
            hint = "make it smaller first, or raise validation.max_width or validation.max_height"
            errors.append(Issue(IssueCode.DIMENSIONS_TOO_LARGE, message, path, hint))
        elif shown.pixels > limits.max_pixels:
            errors.append(too_many_pixels(shown, limits.max_pixels, path))
        if media.duration <= 0:
            errors.append(Issue(IssueCode.INVALID_DURATION, "has a duration of 0 s", path, "leave it out"))
        if media.duration > limits.max_duration:
            message = f"lasts {float(media.duration):.0f} s, above the limit of {float(limits.max_duration):.0f} s"
            errors.append(Issue(IssueCode.LIMIT_EXCEEDED, message, path, "raise validation.max_duration"))
        if media.video.hdr == "dolby_vision":
            message = "is Dolby Vision without a base layer (profile 5), whose colours cannot be shown"
            errors.append(Issue(IssueCode.UNSUPPORTED_COLOR, message, path, "export it as HDR10 or SDR"))
        if refused := color.refusal(media.video.color, media.video.pixel_format, media.video.codec):
            errors.append(Issue(IssueCode.UNSUPPORTED_COLOR, refused, path, "export it as BT.709"))
        return errors

    def _warnings(self, path: Path, media: MediaInfo) -> list[Issue]:
        shown = media.video.display
        ratio = shown.width / shown.height
        if self._limits.min_aspect_ratio <= ratio <= self._limits.max_aspect_ratio:
            return []
        return [Issue(IssueCode.EXTREME_ASPECT_RATIO, f"has an extreme aspect ratio of {ratio:.2f} to 1", path)]


def _unreadable(path: Path, error: OSError) -> Issue:
    reason = error.strerror or str(error)
    hint = "check its permissions" if isinstance(error, PermissionError) else None
    return Issue(IssueCode.NOT_READABLE, f"cannot be read ({reason})", path, hint)


def _kind(mode: int) -> str:
    names = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for test, name in names if test(mode)), "a device")

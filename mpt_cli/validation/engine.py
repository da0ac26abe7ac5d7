"""ValidationEngine: all checks of a request in one pass before any work, and the proof of outputs."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.media import proof
from mpt_cli.media.seams import prove_seams
from mpt_cli.model.choices import Container, FormSource
from mpt_cli.model.errors import Issue, IssueCode, VerificationError
from mpt_cli.model.results import FileValidationResult, ValidationResult
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.threads import ThreadPool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.choices import AudioTracks
    from mpt_cli.model.clips import ProcessedClip, TargetForm, VideoClip
    from mpt_cli.model.results import OutputInfo
    from mpt_cli.validation.codec import CodecValidator
    from mpt_cli.validation.file import FileValidator
    from mpt_cli.validation.parameter import ParameterValidator


class ValidationEngine:
    """Validation of requests with three validators, and proof of outputs."""

    def __init__(
        self,
        file_validator: FileValidator,
        parameter_validator: ParameterValidator,
        codec_validator: CodecValidator,
        *,
        workers: int,
        processes: AbstractContextManager[object] | None = None,
    ) -> None:
        """Create an engine.

        Args:
            file_validator: Checks files.
            parameter_validator: Checks parameters of requests.
            codec_validator: Checks codecs.
            workers: Number of files that are validated at the same time, and of threads that decode in the
                proof of a reel.
            processes: Context that is held open while files are validated, or None.
        """
        self._files, self._parameters, self._codecs = file_validator, parameter_validator, codec_validator
        self._workers, self._processes = workers, processes or nullcontext()

    def validate_inputs(self, params: VideoParams, config: Config, *, cancel: CancelToken) -> ValidationResult:
        """Validate a whole request; read files to their end, so that their lengths are exact.

        Args:
            params: The request.
            config: Its configuration.
            cancel: Stops the validation.

        Returns:
            The problems of the request, and one result per clip in order.

        Raises:
            Cancelled: The run was stopped.
        """
        container = Container.of(params.output_path)
        errors = [
            *self._parameters.validate(params, config),
            *self._codecs.validate_compatibility(config.encode, container, params.output_path),
            *self._codecs.validate_dynamic_range(config, params.join),
            *self._codecs.validate_audio(config.audio, container, params.output_path, params.join),
        ]
        if any(issue.code is IssueCode.LIMIT_EXCEEDED for issue in errors):
            return ValidationResult(tuple(errors))
        # If the clips choose the size, the planner checks that the encoder accepts it.
        given = params.join is None and config.video.form is FormSource.GIVEN
        hardware = self._codecs.validate_hardware(config, cancel=cancel) if given else None
        if hardware is not None and not config.encode.fallback:
            errors.append(hardware)
            hardware = None
        paths = [clip.path for clip in params.clips]
        found = self.validate_files(paths, scan=True, tracks=config.audio.tracks, cancel=cancel)
        files = tuple(self._with_trim(clip, file) for clip, file in zip(params.clips, found, strict=True))
        warnings = dict.fromkeys(warning for file in files for warning in file.warnings)
        own = () if hardware is None else (hardware,)
        return ValidationResult(tuple(errors), (*own, *warnings), files)

    def validate_files(
        self,
        paths: Sequence[Path],
        *,
        cancel: CancelToken,
        scan: bool = False,
        deep: bool = False,
        tracks: AudioTracks = "auto",
    ) -> list[FileValidationResult]:
        """Validate files in parallel; a file that is named twice is validated once.

        Args:
            paths: The files.
            cancel: Stops the validation.
            scan: True to read every packet, so that lengths are exact.
            deep: True to decode every file.
            tracks: The audio tracks that are used.

        Returns:
            One result per path, in order.

        Raises:
            Cancelled: The run was stopped.
        """
        own = CancelToken(cancel)

        def look(path: Path) -> FileValidationResult:
            own.raise_if_cancelled()
            started = time.monotonic()
            verdict = self._files.validate_video_file(path, scan=scan, deep=deep, tracks=tracks, cancel=own)
            return replace(verdict, elapsed_seconds=time.monotonic() - started)

        distinct = list(dict.fromkeys(paths))
        with self._processes, ThreadPool(self._workers, "probe") as executor:
            try:
                verdicts = dict(zip(distinct, executor.map(look, distinct), strict=True))
            except BaseException:  # Ctrl-C where nobody handles signals: the executor would wait for all files
                own.cancel()
                raise
        cancel.raise_if_cancelled()
        return [verdicts[path] for path in paths]

    def validate_output(
        self,
        path: Path,
        form: TargetForm,
        clips: Sequence[ProcessedClip],
        *,
        target: Path,
        chapters: Sequence[Chapter],
        frames_copied: bool,
        levelled: Path | None = None,
    ) -> OutputInfo:
        """Prove a finished reel.

        Args:
            path: The finished file under its temporary name.
            form: The target format.
            clips: The clips of the reel in order.
            target: The final name of the reel, for messages.
            chapters: The chapters of the reel.
            frames_copied: True if frames were copied, which are then compared.
            levelled: Raw PCM of the reel, where its levels were changed.

        Returns:
            The facts of the file.

        Raises:
            VerificationError: The file is not as planned.
        """
        if not self._files.file_exists(path):
            raise VerificationError("was not created", path=target)
        info = proof.prove_reel(
            path,
            form,
            clips,
            target=target,
            chapters=chapters,
            frames_copied=frames_copied,
            levelled=levelled,
            threads=self._workers,
        )
        if frames_copied:
            prove_seams(path, form, clips)
        return info

    def is_healthy(self) -> bool:
        """Return True if there are workers for files."""
        return self._workers > 0

    def _with_trim(self, clip: VideoClip, file: FileValidationResult) -> FileValidationResult:
        if file.media is None or not file.is_valid:
            return file
        issues: list[Issue] = self._parameters.validate_trim(clip, file.media)
        return FileValidationResult(file.path, tuple(issues), file.warnings, file.media) if issues else file

"""ValidationEngine: everything that is wrong with a request, in one pass and before any work."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from mpt_cli.media import proof
from mpt_cli.model.choices import Container, FormSource
from mpt_cli.model.errors import Issue, IssueCode, VerificationError
from mpt_cli.model.results import FileValidationResult, ValidationResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.media.formats.chapters import Chapter
    from mpt_cli.model.choices import AudioTracks
    from mpt_cli.model.clips import ProcessedClip, TargetForm, VideoClip
    from mpt_cli.model.results import OutputInfo
    from mpt_cli.runtime.cancel import CancelToken
    from mpt_cli.validation.codec import CodecValidator
    from mpt_cli.validation.file import FileValidator
    from mpt_cli.validation.parameter import ParameterValidator


class ValidationEngine:
    """Asks the three validators, and proves outputs."""

    def __init__(
        self,
        file_validator: FileValidator,
        parameter_validator: ParameterValidator,
        codec_validator: CodecValidator,
        *,
        workers: int,
        processes: AbstractContextManager[object] | None = None,
    ) -> None:
        """Look into this many files at a time, and hold ``processes`` open for as long as that takes.

        As many threads decode when a reel is proven.
        """
        self._files, self._parameters, self._codecs = file_validator, parameter_validator, codec_validator
        self._workers, self._processes = workers, processes or nullcontext()

    def validate_inputs(self, params: VideoParams, config: Config, *, cancel: CancelToken) -> ValidationResult:
        """The verdict on a whole request: its own problems, and one result for each clip in order.

        Files are read to their end, so that their lengths are exact. Raises
        :class:`~mpt_cli.model.errors.Cancelled` when the run is stopped.
        """
        container = Container.of(params.output_path)
        errors = [
            *self._parameters.validate(params, config),
            *self._codecs.validate_compatibility(config.encode, container, params.output_path),
        ]
        if any(issue.code is IssueCode.LIMIT_EXCEEDED for issue in errors):
            return ValidationResult(tuple(errors))
        # Where the clips choose the size, whether the encoder takes it is seen when it is planned.
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
        """The verdict on each file, in order; a file that is named twice is looked at once."""

        def look(path: Path) -> FileValidationResult:
            cancel.raise_if_cancelled()
            started = time.monotonic()
            verdict = self._files.validate_video_file(path, scan=scan, deep=deep, tracks=tracks, cancel=cancel)
            return replace(verdict, elapsed_seconds=time.monotonic() - started)

        distinct = list(dict.fromkeys(paths))
        with self._processes, ThreadPoolExecutor(self._workers, thread_name_prefix="probe") as executor:
            verdicts = dict(zip(distinct, executor.map(look, distinct), strict=True))
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
        pictures_copied: bool,
    ) -> OutputInfo:
        """What a finished file holds; VerificationError where that is not what was planned."""
        if not self._files.file_exists(path):
            raise VerificationError("was not created", path=target)
        return proof.prove_reel(
            path,
            form,
            clips,
            target=target,
            chapters=chapters,
            pictures_copied=pictures_copied,
            threads=self._workers,
        )

    def is_healthy(self) -> bool:
        """Whether files can be looked into."""
        return self._workers > 0

    def _with_trim(self, clip: VideoClip, file: FileValidationResult) -> FileValidationResult:
        if file.media is None or not file.is_valid:
            return file
        issues: list[Issue] = self._parameters.validate_trim(clip, file.media)
        return FileValidationResult(file.path, tuple(issues), file.warnings, file.media) if issues else file

"""CodecValidator: checks of codec, encoder and container of an output."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.audio import AAC, CODECS, containers_of, nearest_rate
from mpt_cli.media.encoders.hdr import hindrance, way_out
from mpt_cli.media.encoders.software import fits_container
from mpt_cli.model.choices import DynamicRange, JoinMethod
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.samples import samples_of

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import AudioConfig, Config, QualitySettings
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.model.choices import Container
    from mpt_cli.runtime.cancel import CancelToken

_USUAL_RATE = Fraction(30)
"""Frame rate for the trial of an encoder while the clips, and so the real rate, are unknown."""


class CodecValidator:
    """Validator of codec, encoder and container of an output."""

    def __init__(self, optimizer: CodecOptimizer) -> None:
        """Use the encoders of this optimizer."""
        self._optimizer = optimizer

    def validate_compatibility(
        self, quality: QualitySettings, container: Container | None, output: Path
    ) -> list[Issue]:
        """Check that codec, encoder and container fit together; :meth:`validate_hardware` tries the encoder.

        Args:
            quality: The wanted codec, encoder and quality.
            container: The container of the output; None if unknown, which is not checked here.
            output: The path of the output, for the issues.

        Returns:
            The problems.
        """
        issues = self._optimizer.problems(quality)
        if container is not None and not fits_container(quality.codec, container):
            message = f"{quality.codec} cannot be written into .{container}"
            issues.append(Issue(IssueCode.CODEC_CONTAINER_MISMATCH, message, output, "use .mp4 or .mkv"))
        return issues

    def validate_dynamic_range(self, config: Config, join: JoinMethod | None) -> list[Issue]:
        """Check that HDR that was asked for can be written.

        Args:
            config: The configuration of the request.
            join: The join method of ``mpt concat``, or None.

        Returns:
            The problems.
        """
        wanted = config.video.dynamic_range
        reason = hindrance(config, join) if wanted in (DynamicRange.HLG, DynamicRange.PQ) else None
        if reason is None:
            return []
        return [Issue(IssueCode.HDR_REFUSED, f"{wanted} needs 10 bits, and {reason}", hint=way_out(join))]

    def validate_audio(
        self, audio: AudioConfig, container: Container | None, output: Path, join: JoinMethod | None
    ) -> list[Issue]:
        """Check that a codec of audio that was asked for fits to container, rate and join.

        Args:
            audio: The settings of audio.
            container: The container of the output; None if unknown, which is not checked here.
            output: The path of the output, for the issues.
            join: The join method of ``mpt concat``, or None.

        Returns:
            The problems.
        """
        if audio.codec is None:
            return []
        codec, issues = CODECS[audio.codec], list[Issue]()
        if container is not None and container not in codec.containers:
            takers = " or ".join(f".{each}" for each in containers_of(codec))
            message = f"{codec.family} audio cannot be written into .{container}"
            issues.append(Issue(IssueCode.CODEC_CONTAINER_MISMATCH, message, output, f"use {takers}"))
        rate = audio.sample_rate
        if rate is not None and nearest_rate(codec, rate) != rate:
            hint = f"set audio.sample_rate to {', '.join(map(str, codec.rates))} or auto"
            issues.append(
                Issue(IssueCode.USAGE, f"{codec.family} audio cannot have {rate} samples a second", hint=hint)
            )
        if join is JoinMethod.MOVIEPY and codec is not AAC:
            message = f"MoviePy writes no {codec.family} audio"
            issues.append(Issue(IssueCode.USAGE, message, hint="set audio.codec to aac, or leave out --method moviepy"))
        return issues

    def validate_hardware(self, config: Config, *, cancel: CancelToken) -> Issue | None:
        """Try the named encoder; ``auto`` is not tried.

        Args:
            config: The configuration of the request.
            cancel: Stops the trial.

        Returns:
            The issue of an encoder that does not work, or None. The caller reports it as an error if the
            configuration allows no other encoder, else as a warning.

        Raises:
            Cancelled: The run was stopped.
        """
        if self._optimizer.problems(config.encode) or config.encode.encoder == "auto":
            return None
        rate = config.video.fps or _USUAL_RATE
        size = config.video.size
        samples = samples_of(config.video.dynamic_range)
        choice = self._optimizer.choose(config.encode, dimensions=size, frame_rate=rate, cancel=cancel, samples=samples)
        return choice.issue

"""CodecValidator: can the wanted codec be made here, and written into the wanted container."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from mpt_cli.media.encoders.software import fits_container
from mpt_cli.model.errors import Issue, IssueCode

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config.sections import Config, QualitySettings
    from mpt_cli.media.encoders.optimizer import CodecOptimizer
    from mpt_cli.model.choices import Container
    from mpt_cli.runtime.cancel import CancelToken

_USUAL_RATE = Fraction(30)
"""Stands for a rate that follows from the clips, which are not known yet."""


class CodecValidator:
    """Checks codec, encoder and container of an output against one another."""

    def __init__(self, optimizer: CodecOptimizer) -> None:
        """Ask this optimizer what it can drive."""
        self._optimizer = optimizer

    def validate_compatibility(
        self, quality: QualitySettings, container: Container | None, output: Path
    ) -> list[Issue]:
        """What is wrong with the wanted coding; a container that is not known is not judged here.

        Whether an encoder works is another question: :meth:`validate_hardware`.
        """
        issues = self._optimizer.problems(quality)
        if container is not None and not fits_container(quality.codec, container):
            message = f"{quality.codec} cannot be written into .{container}"
            issues.append(Issue(IssueCode.CODEC_CONTAINER_MISMATCH, message, output, "use .mp4 or .mkv"))
        return issues

    def validate_hardware(self, config: Config, *, cancel: CancelToken) -> Issue | None:
        """What there is to say of the encoder that is named, after it was tried; nothing of ``auto``.

        An error where the configuration allows no other, else a warning; ``problems`` go first.
        Cancelled when it is stopped.
        """
        if self._optimizer.problems(config.encode) or config.encode.encoder == "auto":
            return None
        rate = config.video.fps or _USUAL_RATE
        size = config.video.size
        return self._optimizer.choose(config.encode, dimensions=size, frame_rate=rate, cancel=cancel).issue

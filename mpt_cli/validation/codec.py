"""CodecValidator: can the wanted codec be made here, and written into the wanted container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.errors import Issue, IssueCode
from mpt_cli.media.encoders import fits_container

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.config import QualitySettings
    from mpt_cli.media.encoders import CodecOptimizer
    from mpt_cli.models import Container


class CodecValidator:
    """Checks codec, encoder and container of an output against one another."""

    def __init__(self, optimizer: CodecOptimizer) -> None:
        """Ask this optimizer what it can drive."""
        self._optimizer = optimizer

    def validate_compatibility(
        self, quality: QualitySettings, container: Container | None, output: Path
    ) -> list[Issue]:
        """What is wrong with the wanted coding; a container that is not known is not judged here."""
        issues = self._optimizer.problems(quality)
        if container is not None and not fits_container(quality.codec, container):
            message = f"{quality.codec} cannot be written into .{container}"
            issues.append(Issue(IssueCode.CODEC_CONTAINER_MISMATCH, message, output, "use .mp4 or .mkv"))
        return issues

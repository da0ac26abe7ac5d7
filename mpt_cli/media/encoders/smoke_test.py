"""Trials: whether an encoder of this ffmpeg really works, shown by pictures that are decoded again."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import av

from mpt_cli.media.ffmpeg.commands import trial_arguments
from mpt_cli.media.ffmpeg.runner import explain
from mpt_cli.media.process.run import Limits
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.runtime.cancel import CancelToken

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import EncoderSettings

SMALL = Dimensions(256, 256)
"""A size that is large enough for every encoder: NVENC takes nothing below 145 in width."""
RATE = 25
LIMIT_SECONDS = 10.0
"""How long a trial may take, which is well below a second where nothing hangs."""
_NEAR = 6


def encode_gray(
    ffmpeg: Ffmpeg,
    settings: EncoderSettings,
    output: Path,
    *,
    dimensions: Dimensions = SMALL,
    luma: int = 120,
    frames: int = 1,
    limit_seconds: float = LIMIT_SECONDS,
    cancel: CancelToken | None = None,
) -> None:
    """Write gray pictures with this encoder and see that they decode to the same gray (luma 16 to 235).

    MptError where ffmpeg fails, or says that it did not and something else came out; Cancelled when
    it is stopped.
    """
    cancel = cancel or CancelToken()
    picture = bytes([luma]) * dimensions.pixels + bytes([128]) * (dimensions.pixels // 2)
    outcome = ffmpeg.run(
        trial_arguments(settings, dimensions, RATE, output),
        cancel=cancel,
        limits=Limits(total_seconds=limit_seconds),
        feed=[picture] * frames,
    )
    cancel.raise_if_cancelled()
    failed = IssueCode.ENCODER_UNAVAILABLE
    if (error := explain(outcome, failed=failed, timed_out=failed, stalled=failed)) is not None:
        raise error
    shades = _shades(output)
    if len(shades) != frames or any(abs(shade - luma) > _NEAR for shade in shades):
        message = f"wrote {len(shades)} pictures of luma {shades} where {frames} of luma {luma} were given"
        raise VerificationError(message, path=output)


def decoders() -> dict[str, bool]:
    """Which of the codecs that mpt writes PyAV decodes."""
    return {name: name in av.codecs_available for name in ("h264", "hevc", "av1", "aac")}


def library_version() -> str:
    """PyAV with the libavcodec that it carries, such as ``18.1.0 with libavcodec 62.11.100``."""
    return f"{av.__version__} with libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"


def _shades(path: Path) -> list[int]:
    """The luma in the middle of each picture; VerificationError where nothing can be decoded."""
    try:
        with closing(av.open(str(path))) as container:
            planes = [frame.reformat(format="yuv420p").planes[0] for frame in container.decode(video=0)]
            return [bytes(plane)[plane.height // 2 * plane.line_size + plane.width // 2] for plane in planes]
    except (av.FFmpegError, IndexError) as error:
        reason = error.strerror if isinstance(error, av.FFmpegError) else "it holds no pictures"
        raise VerificationError(f"wrote what cannot be decoded ({reason})", path=path) from error

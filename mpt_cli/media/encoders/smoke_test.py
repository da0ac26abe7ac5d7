"""Trial of an encoder: frames are encoded, decoded again and compared."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import av

from mpt_cli.media.ffmpeg.commands import trial_arguments
from mpt_cli.media.ffmpeg.runner import explain
from mpt_cli.media.process.run import Limits
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.clips import Dimensions
from mpt_cli.model.errors import IssueCode, VerificationError
from mpt_cli.runtime.cancel import CancelToken

if TYPE_CHECKING:
    from pathlib import Path

    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.model.clips import EncoderSettings

SMALL = Dimensions(256, 256)
"""Frame size that is large enough for every encoder: NVENC takes nothing below 145 in width."""
RATE = 25
LIMIT_SECONDS = 10.0
"""Longest time of a trial, which takes well below a second where nothing hangs."""
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
    """Encode gray frames and check that they decode to the same gray.

    Args:
        ffmpeg: The ffmpeg to use.
        settings: Encoder with its options.
        output: Path of the file to write.
        dimensions: Size of the frames, in pixels.
        luma: Gray level, 16 to 235.
        frames: Number of frames.
        limit_seconds: Longest time of the trial.
        cancel: Stops the trial.

    Raises:
        MptError: ffmpeg failed, or claimed success and something else came out.
        Cancelled: The trial was stopped.
    """
    cancel = cancel or CancelToken()
    frame = bytes([luma]) * dimensions.pixels + bytes([128]) * (dimensions.pixels // 2)
    outcome = ffmpeg.run(
        trial_arguments(settings, dimensions, RATE, output),
        cancel=cancel,
        limits=Limits(total_seconds=limit_seconds),
        feed=[frame] * frames,
        may_fail=True,
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
    """Return for each codec that mpt writes True if PyAV decodes it."""
    return {name: name in av.codecs_available for name in ("h264", "hevc", "av1", "aac")}


def library_version() -> str:
    """Return the version of PyAV and its libavcodec, such as ``18.1.0 with libavcodec 62.11.100``."""
    return f"{av.__version__} with libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"


def _shades(path: Path) -> list[int]:
    """Return the luma in the middle of each frame; raises VerificationError where nothing can be decoded."""
    try:
        with closing(av.open(str(path))) as container:
            planes = [frame.reformat(format="yuv420p").planes[0] for frame in container.decode(video=0)]
            return [bytes(plane)[plane.height // 2 * plane.line_size + plane.width // 2] for plane in planes]
    except (av.FFmpegError, IndexError) as error:
        refuse_shortage(error)
        reason = error.strerror if isinstance(error, av.FFmpegError) else "it holds no pictures"
        raise VerificationError(f"wrote what cannot be decoded ({reason})", path=path) from error

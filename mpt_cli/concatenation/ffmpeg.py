"""FFmpegConcatenator: joins processed clips by one ffmpeg, copying pictures where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.concatenation.sound import reel_sound
from mpt_cli.errors import ConcatenationError, IssueCode
from mpt_cli.events import ConcatProgress
from mpt_cli.media import commands
from mpt_cli.media.ffmpeg import explain
from mpt_cli.media.process import Limits
from mpt_cli.models import Container

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mpt_cli.events import RunContext
    from mpt_cli.media.ffmpeg import Ffmpeg
    from mpt_cli.media.files import TempFileManager
    from mpt_cli.models import ProcessedClip, TargetForm

_CODEC_DELAY = b"\x56\xaa"
"""Identifier of Matroska's CodecDelay element."""
_TRIAL_SECONDS = 20


class FFmpegConcatenator:
    """The fast way to join, and the only one that copies pictures."""

    name = "FFmpeg"

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        """Run this ffmpeg."""
        self._ffmpeg = ffmpeg
        self._signals_delay: bool | None = None

    def concatenate(
        self,
        clips: Sequence[ProcessedClip],
        output: Path,
        form: TargetForm,
        *,
        allow_mixed: bool,
        timeout_seconds: float,
        files: TempFileManager,
        context: RunContext,
    ) -> bool:
        """Join into a file that is then to be proven; whether pictures were copied.

        ``allow_mixed`` also copies clips whose parameter sets differ. Raises
        :class:`~mpt_cli.errors.ConcatenationError`, or ResourceError on a full disk.
        """
        copied = self.check_stream_copy_compatibility(clips, allow_mixed=allow_mixed)
        given_up = self._given_up_samples(form.container, files, context)
        concat_list = files.create_concat_list(clips, form)
        try:
            if copied:
                convert = len({clip.extradata for clip in clips}) > 1
                arguments = commands.join_arguments(
                    concat_list, form, output, convert=convert, given_up_samples=given_up
                )
            else:
                arguments = commands.reencode_arguments(concat_list, form, output, given_up_samples=given_up)
            self._run(arguments, clips, form, given_up, timeout_seconds, context)
        finally:
            files.cleanup_concat_list(concat_list)
        return copied

    def check_stream_copy_compatibility(self, clips: Sequence[ProcessedClip], *, allow_mixed: bool) -> bool:
        """Whether the coded pictures can follow one another as they are.

        The same codec is not enough: a decoder keeps the parameter sets of the first clip, so they
        must be byte-identical, unless the user allows them to change within the stream.
        """
        same_size = len({clip.dimensions for clip in clips}) == 1
        same_sets = len({clip.parameter_sets for clip in clips}) == 1
        return same_size and (same_sets or allow_mixed)

    def _run(
        self,
        arguments: list[str],
        clips: Sequence[ProcessedClip],
        form: TargetForm,
        given_up: int,
        timeout_seconds: float,
        context: RunContext,
    ) -> None:
        outcome = self._ffmpeg.run(
            arguments,
            cancel=context.cancel,
            limits=Limits(total_seconds=timeout_seconds),
            on_progress=lambda progress: context.emit(ConcatProgress(float(progress.done_seconds))),
            feed=reel_sound(clips, form, skip_samples=given_up),
        )
        context.cancel.raise_if_cancelled()
        timed_out = IssueCode.CONCAT_TIMEOUT
        error = explain(outcome, failed=IssueCode.CONCAT_FAILED, timed_out=timed_out, stalled=timed_out)
        if error is not None and error.code in (IssueCode.CONCAT_FAILED, IssueCode.CONCAT_TIMEOUT):
            raise ConcatenationError(
                error.code, f"the join {error.issue.message}" if error.code is timed_out else str(error)
            )
        if error is not None:
            raise error

    def _given_up_samples(self, container: Container, files: TempFileManager, context: RunContext) -> int:
        """Samples at the start of the reel that the encoder's priming takes the place of.

        MP4 and MOV are published without an edit list, so nothing tells a player to skip the
        priming. In Matroska CodecDelay does, if this ffmpeg writes it for AAC (9 does, 5.1 does not).
        """
        if container is Container.MKV and self._delay_is_signalled(files, context):
            return 0
        return commands.AAC_FRAME

    def _delay_is_signalled(self, files: TempFileManager, context: RunContext) -> bool:
        if self._signals_delay is None:
            trial = files.path("delay.mkv")
            self._ffmpeg.run(
                commands.delay_trial_arguments(trial),
                cancel=context.cancel,
                limits=Limits(total_seconds=_TRIAL_SECONDS),
            )
            context.cancel.raise_if_cancelled()
            self._signals_delay = trial.exists() and _CODEC_DELAY in trial.read_bytes()
            files.discard(trial)
        return self._signals_delay

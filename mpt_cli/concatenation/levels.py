"""ReelLevels: measure the audio of a reel, and give it the loudness that is asked for.

One constant gain for each clip and one for the reel, and a limiter only where a true peak would pass its limit. The
levelled reel is one file of raw PCM in the folder of the run: the segments keep their own samples, so that another
loudness encodes no frame again.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from mpt_cli.concatenation.failures import require_success
from mpt_cli.media.encoders.audio import given_up
from mpt_cli.media.ffmpeg import levels
from mpt_cli.media.ffmpeg.audio_chain import rendered_format
from mpt_cli.media.process.run import Limits
from mpt_cli.media.proof import prove_audio
from mpt_cli.media.reel_audio import ReelAudio
from mpt_cli.media.reel_levels import READINGS_PER_STEP, in_steps, is_finite, steps_of, with_gains
from mpt_cli.model.errors import ConcatenationError, Issue, IssueCode, VerificationError
from mpt_cli.model.loudness import (
    BLOCK_READINGS,
    READINGS_PER_SECOND,
    SILENCE_LUFS,
    TOLERANCE_LU,
    ClipLoudness,
    Loudness,
    ReelLoudness,
    difference_text,
    even_gains,
    gated_loudness,
)
from mpt_cli.monitoring.pool import ResourceRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.temp_files import TempFileManager

logger = logging.getLogger(__name__)

_LEVELLED, _READINGS = "levelled.pcm", "readings.txt"
_FFMPEG_BYTES = 64 * 2**20
"""Memory of an ffmpeg that measures or levels audio."""
_PASSES = 8
"""Most tries to meet loudness and true peak together; speech takes two or three."""
_WORTH_IT, _SURE = 0.2, 0.5
"""Smallest share of more gain that must arrive as loudness: in dense audio the limiter takes all of it. Where peaks
make the loudness, little arrives at first, and then all; a step is at most twice what is missing."""
_CLOSE_LU = 0.1
_MOST_LOSS_LU, _WRONG_LU = 0.3, 2.0
"""What an encoder with loss may take unseen (0.8 LU of limited white noise, measured), and what none takes."""
_RINGING_DB, _CODED_DB = 0.2, 0.3
"""What resampling and an encoder with loss usually add to limited peaks: a first guess that spares passes."""
_SPARE_DB = 0.1
"""Added where a peak was above the limit: figures of ffmpeg have one decimal."""
_MOST_JOINS = 4
"""Most joins: an encoder with loss adds peaks, by which the limit is then lowered."""


class ReelLevels:
    """Levels of reels, by one ffmpeg."""

    def __init__(self, ffmpeg: Ffmpeg, pool: ResourcePool) -> None:
        """Measure and level with ``ffmpeg``, in slots of ``pool``."""
        self._ffmpeg, self._pool = ffmpeg, pool

    def begin(self, order: JoinOrder, files: TempFileManager, context: RunContext) -> Levelling:
        """Measure the clips of a join, and level its audio where that is asked for.

        Args:
            order: The clips and the rules of the join; ``order.levels`` says what is wanted.
            files: Temporary files of the run.
            context: The context of the run, for cancellation.

        Raises:
            ConcatenationError: ffmpeg failed.
            ResourceError: Memory or disk ran out.
            Cancelled: The run was stopped.
        """
        levelling = Levelling(_Meter(self._ffmpeg, self._pool, order, files, context))
        levelling.prepare()
        return levelling


class _Meter:
    """Runs ffmpeg for one reel."""

    def __init__(
        self, ffmpeg: Ffmpeg, pool: ResourcePool, order: JoinOrder, files: TempFileManager, context: RunContext
    ) -> None:
        self._ffmpeg, self._pool, self._files, self._context = ffmpeg, pool, files, context
        self.order, self.form = order, order.form.audio
        self.levelled = files.path(_LEVELLED)
        self.audio = ReelAudio(order.clips, order.form)
        self._first = min(given_up(self.form, order.form.container), self.audio.samples)
        """First sample that is heard: a click in what the encoder gives up must not count."""

    def clips(self) -> dict[int, tuple[float | None, float]]:
        """Return loudness and seconds of each clip by its index."""
        path = self._files.path(_READINGS)
        self._run(levels.readings_arguments(self.form, path.name), in_steps(self.audio, self.form))
        try:
            with path.open(encoding="ascii") as lines:
                return dict(self._clips_of(levels.readings(lines)))
        except (OSError, ValueError) as error:
            message = f"ffmpeg measured nothing that can be read: {error}"
            raise ConcatenationError(IssueCode.CONCAT_FAILED, message) from error
        finally:
            self._files.discard(path)

    def _clips_of(self, readings: Iterator[float]) -> Iterator[tuple[int, tuple[float | None, float]]]:
        """Yield index, loudness and seconds of each clip from the readings of all."""
        for clip, first, end in self.audio.spans():
            own = list(islice(readings, READINGS_PER_STEP * steps_of(end - first, self.form)))
            whole = (end - first) * READINGS_PER_SECOND // self.form.sample_rate
            yield clip.index, (gated_loudness(own[BLOCK_READINGS - 1 : whole]), (end - first) / self.form.sample_rate)

    def mix(self, gains: dict[int, float]) -> Loudness:
        """Measure the audio of the clips with their gains."""
        fed = rendered_format(self.form) if gains else None
        feed = self._mixed(gains) if gains else self.audio.read(self._first, self.audio.samples)
        return self._measured(levels.measure_pcm_arguments(self.form, fed), feed)

    def level(self, gains: dict[int, float], gain_db: float, ceiling_db: float | None) -> Loudness:
        """Write the levelled audio, and measure it."""
        fed = rendered_format(self.form) if gains else self.form.samples
        arguments = levels.level_arguments(self.form, fed, gain_db, ceiling_db, self.audio.samples, self.levelled)
        self._run(arguments, self._mixed(gains))
        prove_audio(self.levelled, self.audio.samples, self.form)
        levelled = ReelAudio(self.order.clips, self.order.form, self.levelled)
        return self._measured(levels.measure_pcm_arguments(self.form), levelled.read(self._first, levelled.samples))

    def reel(self, path: Path) -> Loudness:
        """Measure the audio of a finished reel."""
        return self._measured(levels.measure_file_arguments(path))

    def _mixed(self, gains: dict[int, float]) -> Iterable[bytes]:
        return with_gains(self.audio, self.form, gains) if gains else self.audio.read(0, self.audio.samples)

    def _measured(self, arguments: list[str], feed: Iterable[bytes] | None = None) -> Loudness:
        said = self._run(arguments, feed)
        try:
            return levels.measured(said)
        except ValueError as error:
            raise ConcatenationError(IssueCode.CONCAT_FAILED, str(error)) from error

    def _run(self, arguments: list[str], feed: Iterable[bytes] | None = None) -> str:
        cancel = self._context.cancel
        request = ResourceRequest(_FFMPEG_BYTES, self._context.workflow_id, self._context.priority)
        with self._pool.resource(request, timeout_seconds=None, cancel=cancel):
            outcome = self._ffmpeg.run(
                arguments,
                cancel=cancel,
                limits=Limits(self.order.timeout_seconds, self.order.stall_seconds),
                feed=feed,
                cwd=self._files.folder,
            )
        cancel.raise_if_cancelled()
        require_success(outcome)
        return outcome.stderr_tail


class Levelling:
    """Levels of one reel: what was measured, the levelled audio, and what came of it."""

    def __init__(self, meter: _Meter) -> None:
        """Level the reel of a meter; :meth:`prepare` begins."""
        assert meter.order.levels is not None
        self._meter, self._wanted = meter, meter.order.levels
        self._limit = self._wanted.true_peak - (0.0 if meter.form.is_lossless else _CODED_DB)
        self._joins, self._gain = 0, 0.0
        self._loss, self._is_spent = 0.0, False
        self._gains: dict[int, float] = {}
        self._before = self._made = Loudness(None, None)
        self._is_levelled = False
        self.clips: dict[int, ClipLoudness] = {}
        """Loudness and gain of each clip that was measured or changed, by its index."""
        self.report: ReelLoudness | None = None
        """Loudness of the reel, where its levels were changed."""
        self.warnings: list[Issue] = []

    @property
    def order(self) -> JoinOrder:
        """The order of the join, with the levelled audio where there is one."""
        order = self._meter.order
        return replace(order, levelled=self._meter.levelled) if self._is_levelled else order

    def prepare(self) -> None:
        """Measure the clips, and level the reel if that is asked for."""
        wanted, audio = self._wanted, self._meter.audio
        if not is_finite(audio, self._meter.form):
            if wanted.changes:
                self._leave("its audio holds samples that are no numbers", "convert the clips to whole numbers first")
            return
        known = self._known()
        even = even_gains(known) if wanted.even_out else {}
        heard = {clip.index for clip, _, _ in audio.spans() if clip.audio_path is not None}
        for index in sorted(heard & {*known, *wanted.volumes}):
            gain = even.get(index, 0.0) + wanted.volumes.get(index, 0.0)
            self.clips[index] = ClipLoudness(known.get(index, (None, 0.0))[0], gain)
        self._gains = {index: clip.gain_db for index, clip in self.clips.items() if clip.gain_db}
        self._compare({index: lufs + even.get(index, 0.0) for index, (lufs, _) in known.items() if lufs is not None})
        if wanted.lufs is None and not self._gains:
            return
        self._before = before = self._meter.mix(self._gains)
        if wanted.lufs is not None and before.lufs is None:
            self._leave(self._why_unmeasured())
            self.report = ReelLoudness(wanted.lufs, wanted.true_peak, before, before, 0.0, 0.0)
        self._gain = self._missing(before)
        if before.lufs is not None or self._gains:
            self._level()

    def _known(self) -> dict[int, tuple[float | None, float]]:
        """Return loudness and seconds of each clip, where that is wanted; a warning is not worth a failed run."""
        if not self._wanted.even_out and not self._wanted.measures:
            return {}
        try:
            return self._meter.clips()
        except ConcatenationError:
            if self._wanted.even_out:
                raise
            logger.warning("The clips were not measured", exc_info=True)
            return {}

    def settle(self, path: Path) -> bool:
        """Measure a joined reel; return False if it must be joined again, with audio that was levelled again.

        Raises:
            VerificationError: The loudness in the file is not that of the levelled audio.
        """
        if not self._is_levelled:
            return True
        self._joins += 1
        heard = self._made if self._meter.form.is_lossless else self._meter.reel(path)
        _verify(heard, self._made, path)
        over = _above(heard.true_peak, self._wanted.true_peak)
        if self._joins < _MOST_JOINS and not self._meter.form.is_lossless and self._is_off(heard, over):
            self._level()
            return False
        self._finish(heard, over)
        return True

    def _is_off(self, heard: Loudness, over: float) -> bool:
        """Return True if the encoder added peaks or took loudness; correct what the next audio is made for."""
        is_off = over > 0
        if is_off:
            self._limit -= over + _SPARE_DB
        if heard.lufs is not None and self._made.lufs is not None and not self._is_spent:
            more = self._made.lufs - heard.lufs - self._loss
            if abs(self._missing(heard)) > _MOST_LOSS_LU and abs(more) > _CLOSE_LU:
                self._loss, self._gain, is_off = self._loss + more, self._gain + more, True
        return is_off

    def _level(self) -> None:
        """Write the levelled audio: one gain, raised by what a limiter takes, and a ceiling for what it lets through.

        Both are found by measuring: first the ceiling, then the gain.
        """
        self._is_levelled, before = True, self._before
        raises = self._wanted.lufs is not None or any(gain > 0 for gain in self._gains.values())
        is_limited = raises and _above(before.true_peak, self._limit - self._gain) > 0
        gain, ceiling, last = self._gain, self._limit - _RINGING_DB, None
        for _ in range(_PASSES):
            self._gain = gain
            self._made = made = self._meter.level(self._gains, gain, ceiling if is_limited else None)
            logger.debug("levelled by %.2f dB, ceiling %.1f dB, limited %s: %s", gain, ceiling, is_limited, made)
            over = _above(made.true_peak, self._limit)
            if not is_limited:
                return
            if over > 0:
                ceiling, last = ceiling - over - _SPARE_DB, None
                continue
            more = self._missing(made) + self._loss
            share = 1.0 if last is None else (last[1] - more) / (gain - last[0])
            self._is_spent = share < _WORTH_IT
            if abs(more) <= _CLOSE_LU or self._is_spent:
                return
            gain, last = gain + more / min(1.0, max(share, _SURE)), (gain, more)

    def _missing(self, made: Loudness) -> float:
        """Return what is missing to the loudness that is asked for."""
        return 0.0 if self._wanted.lufs is None or made.lufs is None else self._wanted.lufs - made.lufs

    def _finish(self, heard: Loudness, over: float) -> None:
        wanted, peak = self._wanted, self._before.true_peak
        made = self._made.true_peak
        limiter = 0.0 if peak is None or made is None else max(0.0, round(peak + self._gain - made, 1))
        self.report = ReelLoudness(wanted.lufs, wanted.true_peak, self._before, heard, round(self._gain, 2), limiter)
        if abs(self._missing(heard)) > TOLERANCE_LU:
            why = f"its peaks are limited to {wanted.true_peak:g} dBTP, which takes {limiter:g} dB"
            why = why if limiter else "its encoder changes it"
            message = f"the loudness of the reel is {heard.lufs:g} LUFS, not {wanted.lufs:g}: {why}"
            self._warn(IssueCode.LOUDNESS_MISSED, message, "ask for a lower loudness")
        if over > 0:
            message = f"the true peak of the reel is {heard.true_peak:g} dBTP, above {wanted.true_peak:g}"
            self._warn(IssueCode.TRUE_PEAK_EXCEEDED, message, "set audio.true_peak lower, or a higher audio.bitrate")

    def _compare(self, levels_of: dict[int, float]) -> None:
        """Warn where clips differ in loudness, as they are heard in the reel."""
        names = {clip.index: clip.original_path.name for clip, _, _ in self._meter.audio.spans()}
        said = difference_text([(names[index], lufs) for index, lufs in levels_of.items()])
        if said is not None:
            hint = None if self._wanted.even_out else "--even-out brings them together"
            self._warn(IssueCode.LOUDNESS_DIFFERS, said, hint)

    def _why_unmeasured(self) -> str:
        samples, rate = self._meter.audio.samples, self._meter.form.sample_rate
        is_short = samples * READINGS_PER_SECOND < BLOCK_READINGS * rate
        return "it is shorter than 0.4 s" if is_short else f"it is silent, below {SILENCE_LUFS:g} LUFS"

    def _leave(self, why: str, hint: str | None = None) -> None:
        self._warn(IssueCode.LOUDNESS_UNCHANGED, f"the loudness of the reel was not changed: {why}", hint)

    def _warn(self, code: IssueCode, message: str, hint: str | None) -> None:
        self.warnings.append(Issue(code, message, hint=hint))


def _above(peak: float | None, limit: float) -> float:
    """Return by how much a peak is above a limit; 0 or less where it is not."""
    return 0.0 if peak is None else round(peak - limit, 2)


def _verify(heard: Loudness, made: Loudness, path: Path) -> None:
    if made.lufs is None or (heard.lufs is not None and abs(heard.lufs - made.lufs) <= _WRONG_LU):
        return
    said = "silence" if heard.lufs is None else f"{heard.lufs:g} LUFS"
    raise VerificationError(f"its loudness is {said}, {made.lufs:g} LUFS were planned", path=path)

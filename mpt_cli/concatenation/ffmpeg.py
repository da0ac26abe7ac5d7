"""FFmpegConcatenator: join by one ffmpeg that copies frames where that is safe; AAC is encoded before, in parallel."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.concatenation.audio import audio_pieces
from mpt_cli.concatenation.failures import require_success
from mpt_cli.concatenation.running_join import begin_join
from mpt_cli.media.declared import matrix_of
from mpt_cli.media.encoders.audio import given_up, held_back, is_encoded_apart
from mpt_cli.media.ffmpeg import commands
from mpt_cli.media.formats import boxes
from mpt_cli.media.formats.adts import SILENT_PACKET, packets
from mpt_cli.media.formats.chapters import id3_tag
from mpt_cli.media.formats.containers import mixes_sets
from mpt_cli.media.frame_map import prove_each_once, read_frame_map
from mpt_cli.media.process.run import running_clock
from mpt_cli.model.choices import Codec, Container
from mpt_cli.model.errors import ConcatenationError, IssueCode, VerificationError
from mpt_cli.monitoring.pool import ResourceRequest
from mpt_cli.runtime.bounded_map import bounded_map
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatProgress
from mpt_cli.runtime.throttle import Throttle
from mpt_cli.storage.disk import writing
from mpt_cli.storage.store import recipe_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mpt_cli.concatenation.audio import AudioPiece
    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.concatenation.running_join import RunningJoin
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.media.process.run import Limits
    from mpt_cli.model.clips import ProcessedClip
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.store import Store
    from mpt_cli.storage.temp_files import TempFileManager

_AUDIO, _INSIDE, _FRAMES = "sound", "inside", "join.frames"
_ANY = Path("/sound")
"""Stands for the file in a command that is only compared."""
_AUDIO_ENCODER_BYTES = 64 * 2**20
"""Memory of an ffmpeg that encodes audio (measured: 45 MiB)."""


class FFmpegConcatenator:
    """Fast engine, and the only one that copies frames."""

    name = "FFmpeg"

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        pool: ResourcePool,
        *,
        store: Store | None = None,
        clock: Callable[[], float] = running_clock,
    ) -> None:
        """Create the engine.

        Args:
            ffmpeg: The ffmpeg that joins.
            pool: Limits the pieces of audio that are encoded at the same time.
            store: Cache of encoded pieces of audio, or None.
            clock: Clock in seconds for the time limit.
        """
        self._ffmpeg, self._pool, self._store, self._clock = ffmpeg, pool, store, clock

    def concatenate(
        self, order: JoinOrder, output: Path, *, limits: Limits, files: TempFileManager, context: RunContext
    ) -> bool:
        """Join clips into a file, which the caller then proves.

        If mixing is allowed, clips with different parameter sets are copied too, HEVC only where the container
        takes sets among the frames.

        Args:
            order: The clips and the rules of the join.
            output: The file to write.
            limits: The limits of time for the whole join.
            files: Temporary files of the run.
            context: The context of the run, for events and cancellation.

        Returns:
            True if frames were copied, False if they were encoded again.

        Raises:
            ConcatenationError: The join failed.
            ResourceError: The disk is full.
        """
        clips, form = order.clips, order.form
        join = begin_join(order, output, limits=limits, files=files, context=context, clock=self._clock)
        mixable = order.allow_mixed and mixes_sets(form.codec, form.container)
        copied = self.check_stream_copy_compatibility(clips, allow_mixed=mixable)
        uniform = len({clip.parameter_sets for clip in clips}) == 1
        try:
            listed = clips if form.codec != Codec.HEVC or (copied and uniform) else self._with_sets_inside(join)
            concat_list = files.create_concat_list(listed, form)
            audio = self._encode_audio(join) if is_encoded_apart(form.audio) else self._write_chapters(join)
            frame_map = files.path(_FRAMES) if not copied and self._ffmpeg.reports_frames else None
            if copied:
                convert = len({clip.extradata for clip in clips}) > 1
                arguments = commands.join_arguments(concat_list, audio, form, output, convert=convert)
            else:
                arguments = commands.reencode_arguments(concat_list, audio, form, output, frame_map_path=frame_map)
            self._join(arguments, join)
            if form.kept is not None and form.container is not Container.MKV:
                boxes.set_display_matrix(output, matrix_of(form))
            if frame_map is not None:
                prove_each_once(read_frame_map(frame_map))
        finally:
            files.cleanup_concat_list()
            files.discard(files.path(_FRAMES), *files.folder.glob(f"{_AUDIO}*"), *files.folder.glob(f"{_INSIDE}*"))
        return copied

    def is_available(self, cancel: CancelToken) -> bool:
        """Return True if ffmpeg runs.

        Args:
            cancel: Stops the question.

        Raises:
            Cancelled: The question was stopped.
        """
        return self._ffmpeg.is_usable(cancel)

    def check_stream_copy_compatibility(self, clips: Sequence[ProcessedClip], *, allow_mixed: bool) -> bool:
        """Return True if the coded frames of the clips can be joined without encoding.

        The same codec is not enough: a decoder keeps the parameter sets of the first clip, so they
        must be byte-identical, unless the user allows them to change within the stream.

        Args:
            clips: The clips in the order of the reel.
            allow_mixed: True to allow different parameter sets.
        """
        same_size = len({clip.dimensions for clip in clips}) == 1
        same_sets = len({clip.parameter_sets for clip in clips}) == 1
        return same_size and (same_sets or allow_mixed)

    def _join(self, arguments: list[str], join: RunningJoin) -> None:
        """Run the join; where it encodes the audio too, feed it the samples that the reel has room for."""
        order, emit = join.order, join.context.emit
        if is_encoded_apart(order.form.audio):
            self._run(arguments, join, lambda seconds: emit(ConcatProgress((order.seconds + seconds) / 2)))
            return
        first = given_up(order.form.audio, order.form.container)
        samples = join.audio.read(first, max(first + 1, order.samples + held_back(order.form.audio)))
        self._run(arguments, join, lambda seconds: emit(ConcatProgress(seconds)), feed=samples)

    def _write_chapters(self, join: RunningJoin) -> Path | None:
        """Write the chapters for a join of raw PCM, in front of a packet that nobody hears; None without chapters."""
        if not join.order.chapters:
            return None
        path = join.files.path(f"{_AUDIO}.aac")
        with writing(path):
            path.write_bytes(id3_tag(join.order.chapters) + SILENT_PACKET)
        return path

    def _with_sets_inside(self, join: RunningJoin) -> list[ProcessedClip]:
        """Convert HEVC clips so that their parameter sets are among their frames.

        The concat demuxer keeps the header of the first clip, and inserts the sets of the others only for
        H.264: of HEVC nothing after the first clip would decode, and ffmpeg would report success.
        """
        converted = []
        for index, clip in enumerate(join.order.clips):
            path = join.files.path(f"{_INSIDE}-{index}.nut")
            self._run(commands.annex_b_arguments(clip.processed_path, path), join, lambda _seconds: None)
            converted.append(replace(clip, processed_path=path, owned=True))
        return converted

    def _encode_audio(self, join: RunningJoin) -> Path:
        """Write the audio of the reel as AAC packets after its chapters, encoded in parallel pieces."""
        pieces = audio_pieces(join.order.samples)
        progress = _AudioProgress(len(pieces), join, self._clock)
        stop = CancelToken(join.context.cancel)  # the error of one piece would hit the others too
        stoppable = replace(join, context=replace(join.context, cancel=stop))

        def path_of(index: int) -> Path:
            return join.files.path(f"{_AUDIO}-{index}.aac")

        def encode(index: int) -> None:
            piece, path = pieces[index], path_of(index)
            self._take_or_encode(piece, stoppable, path, lambda seconds: progress.take(index, seconds))

        threads = min(len(pieces), self._pool.slots)
        for _ in bounded_map(
            encode,
            range(len(pieces)),
            workers=threads,
            max_pending=threads,
            should_stop=lambda: stop.cancelled,
            on_error=stop.force,
            thread_name="sound",
        ):
            pass
        join.context.cancel.raise_if_cancelled()
        if (store := self._store_of(join)) is not None:
            store.keep_to_limit()
        audio = join.files.path(f"{_AUDIO}.aac")
        with writing(audio), audio.open("wb") as file:
            file.write(id3_tag(join.order.chapters))
            for index, piece in enumerate(pieces):
                file.writelines(_kept_packets(path_of(index), piece))
                join.files.discard(path_of(index))
        return audio

    def _take_or_encode(
        self, piece: AudioPiece, join: RunningJoin, output: Path, report: Callable[[float], object]
    ) -> None:
        """Take a piece from the cache, or encode and store it."""
        store = self._store_of(join)
        if store is None:
            self._encode_piece(piece, join, output, report)
            return
        key = self._key_of(piece, join)
        if not _taken(store, key, output):
            self._encode_piece(piece, join, output, report)
            store.put(key, {_AUDIO: output})

    def _store_of(self, join: RunningJoin) -> Store | None:
        return self._store if join.order.reuse else None

    def _key_of(self, piece: AudioPiece, join: RunningJoin) -> str:
        """Return the cache key of a piece, from its samples and the command that encodes them."""
        samples = hashlib.blake2b(digest_size=32)
        for chunk in join.audio.read(piece.first, piece.end):
            samples.update(chunk)
        return recipe_key(
            samples.hexdigest(), self._ffmpeg.build, commands.audio_piece_arguments(join.order.form, _ANY)
        )

    def _encode_piece(
        self, piece: AudioPiece, join: RunningJoin, output: Path, report: Callable[[float], object]
    ) -> None:
        arguments = commands.audio_piece_arguments(join.order.form, output)
        cancel = join.context.cancel
        request = ResourceRequest(_AUDIO_ENCODER_BYTES, join.context.workflow_id, join.context.priority)
        with self._pool.resource(request, timeout_seconds=None, cancel=cancel):
            self._run(arguments, join, report, feed=join.audio.read(piece.first, piece.end))

    def _run(
        self,
        arguments: list[str],
        join: RunningJoin,
        report: Callable[[float], object],
        *,
        feed: Iterable[bytes] | None = None,
    ) -> None:
        outcome = self._ffmpeg.run(
            arguments,
            cancel=join.context.cancel,
            limits=join.limits_left,
            on_progress=lambda progress: report(float(progress.done_seconds)),
            feed=feed,
            cwd=join.files.folder,
        )
        join.context.cancel.raise_if_cancelled()
        require_success(outcome)


class _AudioProgress:
    """Progress of all pieces together, reported at most twice per second; audio is half of a join."""

    def __init__(self, pieces: int, join: RunningJoin, clock: Callable[[], float]) -> None:
        self._join, self._throttle, self._lock = join, Throttle(clock), threading.Lock()
        self._done, self._total = [0.0] * pieces, 0.0

    def take(self, index: int, seconds: float) -> None:
        """Update the finished seconds of a piece."""
        with self._lock:
            self._total += seconds - self._done[index]
            self._done[index] = seconds
            if self._throttle.is_due():
                self._join.context.emit(ConcatProgress(min(self._total, self._join.order.seconds) / 2))


def _taken(store: Store, key: str, output: Path) -> bool:
    """Return True if a piece was taken from the cache."""
    try:
        return store.take(key, {_AUDIO: output}) is not None
    except VerificationError:  # the entry is removed, and the piece is encoded again
        return False


def _kept_packets(path: Path, piece: AudioPiece) -> Iterator[bytes]:
    with path.open("rb") as source:
        try:
            yield from islice(packets(source), piece.skipped, piece.skipped + piece.kept)
        except ValueError as error:
            message = f"ffmpeg wrote audio that cannot be read: {error}"
            raise ConcatenationError(IssueCode.CONCAT_FAILED, message) from error

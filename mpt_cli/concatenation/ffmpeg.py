"""FFmpegConcatenator: encodes the sound, then joins by one ffmpeg that copies pictures where that is safe."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mpt_cli.concatenation.failures import require_success
from mpt_cli.concatenation.sound import ReelSound, sound_pieces
from mpt_cli.media.ffmpeg import commands
from mpt_cli.media.formats.adts import packets
from mpt_cli.media.formats.chapters import id3_tag
from mpt_cli.media.frame_map import prove_each_once, read_frame_map
from mpt_cli.media.process.run import running_clock
from mpt_cli.model.choices import Codec
from mpt_cli.model.errors import ConcatenationError, IssueCode, VerificationError
from mpt_cli.monitoring.pool import Wish
from mpt_cli.runtime.bounded_map import in_window
from mpt_cli.runtime.cancel import CancelToken
from mpt_cli.runtime.events import ConcatProgress
from mpt_cli.storage.disk import writing
from mpt_cli.storage.store import recipe_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mpt_cli.concatenation.order import JoinOrder
    from mpt_cli.concatenation.sound import SoundPiece
    from mpt_cli.media.ffmpeg.runner import Ffmpeg
    from mpt_cli.media.process.run import Limits
    from mpt_cli.model.clips import ProcessedClip
    from mpt_cli.monitoring.pool import ResourcePool
    from mpt_cli.runtime.events import RunContext
    from mpt_cli.storage.store import Store
    from mpt_cli.storage.temp_files import TempFileManager

_SOUND, _INSIDE, _FRAMES = "sound", "inside", "join.frames"
_ANY = Path("/sound")
"""Stands for the file in a command that is only to be compared."""
_SOUND_BYTES = 64 * 2**20
"""What an ffmpeg that encodes sound needs (measured: 45 MiB)."""
_PROGRESS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Join:
    """What the steps of one join share; ``begun`` is a reading of the clock."""

    order: JoinOrder
    sound: ReelSound
    limits: Limits
    begun: float
    files: TempFileManager
    context: RunContext
    store: Store | None


class FFmpegConcatenator:
    """The fast way to join, and the only one that copies pictures."""

    name = "FFmpeg"

    def __init__(
        self,
        ffmpeg: Ffmpeg,
        pool: ResourcePool,
        *,
        store: Store | None = None,
        clock: Callable[[], float] = running_clock,
    ) -> None:
        """Run this ffmpeg; encode as many pieces of sound at a time as the pool has room for.

        Pieces are kept in ``store``, where there is one, and taken from it when nothing of them changed.
        """
        self._ffmpeg, self._pool, self._store, self._clock = ffmpeg, pool, store, clock

    def concatenate(
        self, order: JoinOrder, output: Path, *, limits: Limits, files: TempFileManager, context: RunContext
    ) -> bool:
        """Join into a file that is then to be proven; whether pictures were copied.

        Where mixing is allowed it also copies clips whose parameter sets differ, but not HEVC: its tag ``hvc1``
        promises that all stand in the header. Raises :class:`~mpt_cli.model.errors.ConcatenationError`, or
        ResourceError on a full disk.
        """
        clips, form = order.clips, order.form
        mixable = form.encoder.codec is not Codec.HEVC
        copied = self.check_stream_copy_compatibility(clips, allow_mixed=order.allow_mixed and mixable)
        store = self._store if order.reuse else None
        join = _Join(order, ReelSound(clips, form), limits, self._clock(), files, context, store)
        try:
            listed = clips if copied or mixable else self._with_sets_inside(join)
            concat_list = files.create_concat_list(listed, form)
            sound = self._encoded_sound(join)
            frame_map = files.path(_FRAMES) if not copied and self._ffmpeg.tells_frames else None
            if copied:
                convert = len({clip.extradata for clip in clips}) > 1
                arguments = commands.join_arguments(concat_list, sound, form, output, convert=convert)
            else:
                arguments = commands.reencode_arguments(concat_list, sound, form, output, frame_map_path=frame_map)
            self._run(arguments, join, lambda seconds: context.emit(ConcatProgress((order.seconds + seconds) / 2)))
            if frame_map is not None:
                prove_each_once(read_frame_map(frame_map))
        finally:
            files.cleanup_concat_list()
            files.discard(files.path(_FRAMES), *files.folder.glob(f"{_SOUND}*"), *files.folder.glob(f"{_INSIDE}*"))
        return copied

    def check_stream_copy_compatibility(self, clips: Sequence[ProcessedClip], *, allow_mixed: bool) -> bool:
        """Whether the coded pictures can follow one another as they are.

        The same codec is not enough: a decoder keeps the parameter sets of the first clip, so they
        must be byte-identical, unless the user allows them to change within the stream.
        """
        same_size = len({clip.dimensions for clip in clips}) == 1
        same_sets = len({clip.parameter_sets for clip in clips}) == 1
        return same_size and (same_sets or allow_mixed)

    def _with_sets_inside(self, join: _Join) -> list[ProcessedClip]:
        """HEVC clips whose parameter sets stand among their pictures.

        The concat demuxer keeps the first clip's header, and puts the others' sets in only for H.264:
        of HEVC nothing after the first clip would decode, and ffmpeg would say that all went well.
        """
        converted = []
        for place, clip in enumerate(join.order.clips):
            path = join.files.path(f"{_INSIDE}-{place}.nut")
            self._run(commands.annex_b_arguments(clip.processed_path, path), join, lambda _seconds: None)
            converted.append(replace(clip, processed_path=path, owned=True))
        return converted

    def _encoded_sound(self, join: _Join) -> Path:
        """The sound of the reel as AAC packets in a file, encoded in pieces side by side, behind its chapters."""
        pieces = sound_pieces(join.order.samples)
        progress = _SoundProgress(len(pieces), join, self._clock)
        stop = CancelToken(join.context.cancel)  # what one piece fails for, the others would meet as well
        stoppable = replace(join, context=replace(join.context, cancel=stop))

        def path_of(place: int) -> Path:
            return join.files.path(f"{_SOUND}-{place}.aac")

        def encode(place: int) -> None:
            piece, path = pieces[place], path_of(place)
            self._encoded_piece(piece, stoppable, path, lambda seconds: progress.take(place, seconds))

        threads = min(len(pieces), self._pool.slots)
        for _ in in_window(
            range(len(pieces)),
            encode,
            threads=threads,
            size=threads,
            is_over=lambda: stop.cancelled,
            stop=stop.force,
            name="sound",
        ):
            pass
        join.context.cancel.raise_if_cancelled()
        if join.store is not None:
            join.store.keep_to_limit()
        sound = join.files.path(f"{_SOUND}.aac")
        with writing(sound), sound.open("wb") as file:
            file.write(id3_tag(join.order.chapters))
            for place, piece in enumerate(pieces):
                file.writelines(_kept_packets(path_of(place), piece))
                join.files.discard(path_of(place))
        return sound

    def _encoded_piece(self, piece: SoundPiece, join: _Join, output: Path, report: Callable[[float], object]) -> None:
        if join.store is None:
            self._encode_piece(piece, join, output, report)
            return
        key = self._key_of(piece, join)
        if not _was_kept(join.store, key, output):
            self._encode_piece(piece, join, output, report)
            join.store.put(key, {_SOUND: output})

    def _key_of(self, piece: SoundPiece, join: _Join) -> str:
        """Under which a piece is kept: by its samples and by the command that encodes them."""
        samples = hashlib.blake2b(digest_size=32)
        for chunk in join.sound.read(piece.first, piece.end):
            samples.update(chunk)
        return recipe_key(
            samples.hexdigest(), self._ffmpeg.build, commands.sound_piece_arguments(join.order.form, _ANY)
        )

    def _encode_piece(self, piece: SoundPiece, join: _Join, output: Path, report: Callable[[float], object]) -> None:
        arguments = commands.sound_piece_arguments(join.order.form, output)
        cancel = join.context.cancel
        wish = Wish(_SOUND_BYTES, join.context.workflow_id, join.context.priority)
        with self._pool.resource(wish, timeout_seconds=None, cancel=cancel):
            self._run(arguments, join, report, feed=join.sound.read(piece.first, piece.end))

    def _run(
        self,
        arguments: list[str],
        join: _Join,
        report: Callable[[float], object],
        *,
        feed: Iterable[bytes] | None = None,
    ) -> None:
        outcome = self._ffmpeg.run(
            arguments,
            cancel=join.context.cancel,
            limits=join.limits.after(self._clock() - join.begun),
            on_progress=lambda progress: report(float(progress.done_seconds)),
            feed=feed,
            cwd=join.files.folder,
        )
        join.context.cancel.raise_if_cancelled()
        require_success(outcome)


class _SoundProgress:
    """Adds up how much of the pieces is done, and tells it at most twice a second; the sound is half of a join."""

    def __init__(self, pieces: int, join: _Join, clock: Callable[[], float]) -> None:
        self._join, self._clock, self._lock = join, clock, threading.Lock()
        self._done, self._total, self._next = [0.0] * pieces, 0.0, 0.0

    def take(self, place: int, seconds: float) -> None:
        """Note how much of a piece is done."""
        with self._lock:
            self._total += seconds - self._done[place]
            self._done[place] = seconds
            now = self._clock()
            if now >= self._next:
                self._next = now + _PROGRESS_SECONDS
                self._join.context.emit(ConcatProgress(min(self._total, self._join.order.seconds) / 2))


def _was_kept(store: Store, key: str, output: Path) -> bool:
    try:
        return store.take(key, {_SOUND: output}) is not None
    except VerificationError:  # it is removed, and is made again
        return False


def _kept_packets(path: Path, piece: SoundPiece) -> Iterator[bytes]:
    with path.open("rb") as source:
        try:
            yield from islice(packets(source), piece.skipped, piece.skipped + piece.kept)
        except ValueError as error:
            message = f"ffmpeg wrote audio that cannot be read: {error}"
            raise ConcatenationError(IssueCode.CONCAT_FAILED, message) from error

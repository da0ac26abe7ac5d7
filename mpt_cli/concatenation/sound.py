"""The sound of a reel: one row of samples, cut where clips meet, encoded in pieces side by side (pure).

AAC is encoded at some fifty times real time by one core, which is most of what a join costs. So the
reel is cut into pieces between two packets. Packets overlap and an encoder has a memory: each piece
is encoded from some packets before its own to some after, and those are thrown away. Pieces begin at
fixed places, whatever the number of cores: the same reel is the same everywhere, and a piece whose
samples have not changed need not be encoded again.

The first 1,024 samples of a reel are given up to the packet that an encoder puts first. Keeping them
takes an edit list in MP4, which platforms do not want, and without one the sound comes late by them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from mpt_cli.media.proof import SAMPLE_BYTES
from mpt_cli.model.timing import AAC_FRAME, sample_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mpt_cli.model.clips import ProcessedClip, TargetForm

_CHUNK_BYTES = 1 << 18
_WARM_UP, _RUN_OUT = 48, 2
"""Packets before a piece, a second, and after it. With 48 the windows agree in 99 of 100 seams of
noise with hard onsets, and the error there is that of the codec (measured, ffmpeg 9.0 and 5.1)."""
_PIECE_PACKETS = 1410
"""Thirty seconds: in a shorter piece the warm-up would weigh."""


@dataclass(frozen=True, slots=True)
class SoundPiece:
    """Which samples of the reel (``first`` … ``end - 1``) to encode, and which packets of that to keep."""

    first: int
    end: int
    skipped: int
    kept: int


def sound_pieces(samples: int) -> list[SoundPiece]:
    """Pieces whose kept packets in a row are the reel's; the last one takes in a short rest.

    Packet p of the reel decodes to the samples from ``1024 p`` on.
    """
    total = whole_sound(samples).kept
    starts = list(range(0, max(1, total - _PIECE_PACKETS // 2), _PIECE_PACKETS))
    return [_piece(first, end) for first, end in pairwise((*starts, total))]


def whole_sound(samples: int) -> SoundPiece:
    """The reel in one piece, for who encodes it without a break."""
    return _piece(0, max(1, -(-samples // AAC_FRAME)))


def _piece(first: int, end: int) -> SoundPiece:
    """The piece of these packets; a fresh encoder puts a packet of priming before the first sample."""
    skipped = min(_WARM_UP, first)
    return SoundPiece((first - skipped + 1) * AAC_FRAME, (end + _RUN_OUT + 1) * AAC_FRAME, skipped, end - first)


class ReelSound:
    """The sound of a reel as 16-bit PCM, read from the files of its clips.

    Each clip gives exactly the samples that its frames own at its place; a clip without sound gives
    silence.
    """

    def __init__(self, clips: Sequence[ProcessedClip], form: TargetForm) -> None:
        """Know where each clip begins: of ten thousand clips that is not asked once more for every piece."""
        counts = sample_counts([clip.segment.frames for clip in clips], form.frame_rate, form.sample_rate)
        self._clips, self._bounds = clips, list(accumulate(counts, initial=0))
        self._sample_bytes = form.channels * SAMPLE_BYTES

    def read(self, first: int, end: int) -> Iterator[bytes]:
        """The samples ``first`` … ``end - 1``, in chunks; silence after the end of the reel.

        One file is open at a time, and no more than a chunk is in memory.
        """
        bounds, size = self._bounds, self._sample_bytes
        for place in range(bisect_right(bounds, first) - 1, min(bisect_left(bounds, end), len(self._clips))):
            begin, stop = max(first, bounds[place]), min(end, bounds[place + 1])
            if begin < stop:
                yield from _clip_sound(self._clips[place], (begin - bounds[place]) * size, (stop - begin) * size)
        yield from _silence((end - max(first, bounds[-1])) * size)


def _clip_sound(clip: ProcessedClip, offset: int, size: int) -> Iterator[bytes]:
    if clip.audio_path is None:
        yield from _silence(size)
        return
    with clip.audio_path.open("rb") as file:
        file.seek(offset)
        while size and (chunk := file.read(min(_CHUNK_BYTES, size))):
            size -= len(chunk)
            yield chunk


def _silence(size: int) -> Iterator[bytes]:
    for start in range(0, size, _CHUNK_BYTES):
        yield bytes(min(_CHUNK_BYTES, size - start))

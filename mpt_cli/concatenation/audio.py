"""Audio of a reel: one sequence of samples over all clips, divided into pieces for parallel encoding.

One core encodes AAC at some fifty times real time, which is most of the cost of a join. So the reel is cut
into pieces between two packets. Packets overlap and an encoder has a memory: each piece is encoded from
some packets before its own to some after, and those are dropped. Pieces begin at fixed offsets, whatever
the number of cores: the same reel is the same everywhere, and a piece with unchanged samples is not encoded
again.

The first 1,024 samples of a reel are lost to the priming packet of the encoder. Keeping them takes an edit
list in MP4, which platforms do not want, and without one the audio would be late by them.
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
"""Packets before a piece (one second) and after it. With 48 the windows agree in 99 of 100 seams of
noise with hard onsets, and the error there is that of the codec (measured, ffmpeg 9.0 and 5.1)."""
_PIECE_PACKETS = 1410
"""Thirty seconds: the warm-up would be too much of a shorter piece."""


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """Piece of audio: samples to encode (``first`` … ``end - 1``), packets to skip, packets to keep."""

    first: int
    end: int
    skipped: int
    kept: int


def audio_pieces(samples: int) -> list[AudioPiece]:
    """Return pieces whose kept packets in order are the packets of the reel; the last one includes a short rest.

    Packet p of the reel decodes to the samples from ``1024 p`` on.

    Args:
        samples: Number of samples of the reel.
    """
    total = whole_audio(samples).kept
    starts = list(range(0, max(1, total - _PIECE_PACKETS // 2), _PIECE_PACKETS))
    return [_piece(first, end) for first, end in pairwise((*starts, total))]


def whole_audio(samples: int) -> AudioPiece:
    """Return the whole reel as one piece.

    Args:
        samples: Number of samples of the reel.
    """
    return _piece(0, max(1, -(-samples // AAC_FRAME)))


def _piece(first: int, end: int) -> AudioPiece:
    """Return the piece of these packets; a fresh encoder writes a priming packet before the first sample."""
    skipped = min(_WARM_UP, first)
    return AudioPiece((first - skipped + 1) * AAC_FRAME, (end + _RUN_OUT + 1) * AAC_FRAME, skipped, end - first)


class ReelAudio:
    """Audio of a reel as 16-bit PCM, read from the files of its clips.

    Each segment gives exactly the samples of its frames, all from the one file of its clip: at a border between two
    segments nothing is cut. A clip without audio gives silence.
    """

    def __init__(self, clips: Sequence[ProcessedClip], form: TargetForm) -> None:
        """Compute the offset of each clip once, not for every piece."""
        counts = sample_counts([clip.segment.frames for clip in clips], form.frame_rate, form.sample_rate)
        self._clips, self._bounds = clips, list(accumulate(counts, initial=0))
        self._begun = list[int]()  # offset in the reel at which the clip of each segment begins
        for clip, bound in zip(clips, self._bounds, strict=False):
            self._begun.append(self._begun[-1] if clip.segment.first_frame else bound)
        self._sample_bytes = form.channels * SAMPLE_BYTES

    def read(self, first: int, end: int) -> Iterator[bytes]:
        """Yield the samples ``first`` … ``end - 1`` in chunks of bytes, with silence after the end of the reel.

        One file is open at a time, and one chunk is in memory.
        """
        bounds, size = self._bounds, self._sample_bytes
        for index in range(bisect_right(bounds, first) - 1, min(bisect_left(bounds, end), len(self._clips))):
            begin, stop = max(first, bounds[index]), min(end, bounds[index + 1])
            if begin < stop:
                offset = begin - self._begun[index]
                yield from _clip_audio(self._clips[index], offset * size, (stop - begin) * size)
        yield from _silence((end - max(first, bounds[-1])) * size)


def _clip_audio(clip: ProcessedClip, offset: int, size: int) -> Iterator[bytes]:
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

"""Samples of a reel: one sequence over all clips, read from the raw PCM beside each."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from mpt_cli.model.timing import sample_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm

_CHUNK_BYTES = 1 << 18


class ReelAudio:
    """Audio of a reel as raw PCM, read from the files of its clips.

    Each segment gives exactly the samples of its frames, all from the one file of its clip: at a border between two
    segments nothing is cut. A clip without audio gives silence.
    """

    def __init__(self, clips: Sequence[ProcessedClip], form: TargetForm, levelled: Path | None = None) -> None:
        """Compute the offset of each clip once, not for every piece.

        Args:
            clips: Clips in the order of the reel.
            form: Target format.
            levelled: Raw PCM of the whole reel, where its levels were changed; None for that of the clips.
        """
        self._levelled = levelled
        counts = sample_counts([clip.segment.frames for clip in clips], form.frame_rate, form.audio.sample_rate)
        self._clips, self._bounds = clips, list(accumulate(counts, initial=0))
        self._begun = list[int]()  # offset in the reel at which the clip of each segment begins
        for clip, bound in zip(clips, self._bounds, strict=False):
            self._begun.append(self._begun[-1] if clip.segment.first_frame else bound)
        self._sample_bytes = form.audio.frame_bytes

    def read(self, first: int, end: int) -> Iterator[bytes]:
        """Yield the samples ``first`` … ``end - 1`` in chunks of bytes, with silence after the end of the reel.

        One file is open at a time, and one chunk is in memory.
        """
        bounds, size = self._bounds, self._sample_bytes
        if self._levelled is not None:
            stop = min(end, bounds[-1])
            yield from _file_audio(self._levelled, first * size, max(0, stop - first) * size)
            yield from _silence((end - max(first, bounds[-1])) * size)
            return
        for index in range(bisect_right(bounds, first) - 1, min(bisect_left(bounds, end), len(self._clips))):
            begin, stop = max(first, bounds[index]), min(end, bounds[index + 1])
            if begin < stop:
                offset = begin - self._begun[index]
                yield from _clip_audio(self._clips[index], offset * size, (stop - begin) * size)
        yield from _silence((end - max(first, bounds[-1])) * size)

    @property
    def samples(self) -> int:
        """Number of samples of the reel."""
        return self._bounds[-1]

    def spans(self) -> Iterator[tuple[ProcessedClip, int, int]]:
        """Yield each clip, and the offsets in the reel at which it begins and ends; its segments are one clip."""
        for _, several in groupby(
            zip(self._clips, self._begun, self._bounds[1:], strict=True), key=lambda each: each[0].index
        ):
            parts = list(several)
            yield parts[0][0], parts[0][1], parts[-1][2]

    def crc(self) -> int:
        """Return the CRC-32 over all samples of the reel."""
        crc = 0
        for chunk in self.read(0, self._bounds[-1]):
            crc = zlib.crc32(chunk, crc)
        return crc


def _clip_audio(clip: ProcessedClip, offset: int, size: int) -> Iterator[bytes]:
    if clip.audio_path is None:
        yield from _silence(size)
        return
    yield from _file_audio(clip.audio_path, offset, size)


def _file_audio(path: Path, offset: int, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while size and (chunk := file.read(min(_CHUNK_BYTES, size))):
            size -= len(chunk)
            yield chunk


def _silence(size: int) -> Iterator[bytes]:
    for start in range(0, size, _CHUNK_BYTES):
        yield bytes(min(_CHUNK_BYTES, size - start))

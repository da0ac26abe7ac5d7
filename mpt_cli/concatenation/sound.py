"""The sound of a reel as one stream of PCM, cut to the sample where clips meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpt_cli.media.proof import SAMPLE_BYTES
from mpt_cli.media.timing import sample_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mpt_cli.models import ProcessedClip, TargetForm

_CHUNK_BYTES = 1 << 18


def reel_sound(clips: Sequence[ProcessedClip], form: TargetForm, *, skip_samples: int = 0) -> Iterator[bytes]:
    """16-bit PCM of the reel in chunks, without its first ``skip_samples``.

    Each clip gives exactly the samples that its frames own at its place; a clip without sound gives
    silence. One file is open at a time, and no more than a chunk is in memory.
    """
    frame_bytes = form.channels * SAMPLE_BYTES
    skip = skip_samples * frame_bytes
    counts = sample_counts([clip.segment.frames for clip in clips], form.frame_rate, form.sample_rate)
    for clip, samples in zip(clips, counts, strict=True):
        for chunk in _clip_sound(clip, samples * frame_bytes):
            yield chunk[skip:]
            skip = max(0, skip - len(chunk))


def _clip_sound(clip: ProcessedClip, size: int) -> Iterator[bytes]:
    if clip.audio_path is None:
        for start in range(0, size, _CHUNK_BYTES):
            yield bytes(min(_CHUNK_BYTES, size - start))
        return
    with clip.audio_path.open("rb") as file:
        while size and (chunk := file.read(min(_CHUNK_BYTES, size))):
            size -= len(chunk)
            yield chunk

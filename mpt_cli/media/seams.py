"""Proof that frames decode where those of one clip change from encoded to copied ones, or back.

All parts were proven before, each by itself. What is left is a decoder that goes from one to the next: it changes its
parameter sets, mostly, and must show what it still holds.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

import av

from mpt_cli.media.inspect.demux import open_container
from mpt_cli.media.process.shortage import refuse_shortage
from mpt_cli.model.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mpt_cli.model.clips import ProcessedClip, TargetForm

_AROUND = 8
"""Frames on each side of a seam that are looked at; a decoder holds at most 16 back, of which players show all."""
_MOST_HELD = 16


def seams_of(clips: Sequence[ProcessedClip]) -> list[int]:
    """Return the frames of a reel with which copied frames of a clip begin that others precede, or end."""
    found, frame = list[int](), 0
    for before, after in pairwise(clips):
        frame += before.segment.frames
        if before.index == after.index and before.is_copied != after.is_copied:
            found.append(frame)
    return found


def prove_seams(path: Path, form: TargetForm, clips: Sequence[ProcessedClip]) -> None:
    """Decode the frames around each seam of a reel, and require each of them once, in order and whole.

    Raises:
        VerificationError: Some frame does not come out of the decoder as it should.
    """
    seams, frames = seams_of(clips), sum(clip.segment.frames for clip in clips)
    if not seams:
        return
    try:
        with open_container(path) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for seam in seams:
                _prove_seam(path, container, form, seam, min(seam + _AROUND, frames))
    except av.FFmpegError as error:
        refuse_shortage(error)
        raise VerificationError(
            f"does not decode where copied frames begin or end ({error.strerror})", path=path
        ) from error


def _prove_seam(path: Path, container: Any, form: TargetForm, seam: int, end: int) -> None:
    begin = max(0, seam - _AROUND)
    decoded = _decoded(container, form, max(0, begin - _MOST_HELD), end)
    found = [(number, is_whole) for number, is_whole in decoded if number >= begin]
    for number, due in zip_longest(found, range(begin, end)):
        if number != (due, True):
            where = seam if due is None else due
            raise VerificationError(f"frame {where} is not shown as it should, beside copied frames", path=path)


def _decoded(container: Any, form: TargetForm, begin: int, end: int) -> Iterator[tuple[int, bool]]:
    """Yield the numbers of frames from a keyframe on that is not after ``begin``, and whether they are whole."""
    video = container.streams.video[0]
    base = Fraction(video.time_base)
    container.seek(int(begin / form.frame_rate / base), stream=video)
    for frame in container.decode(video):
        number = round(frame.pts * base * form.frame_rate)
        yield number, not frame.is_corrupt
        if number >= end - 1:
            return

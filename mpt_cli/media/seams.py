"""Proof that frames decode where those of one clip change from encoded to copied ones, or back.

All parts were proven before, each by itself. What is left is a decoder that goes from one to the next: it changes its
parameter sets, mostly, and must show what it still holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, groupby, pairwise, zip_longest
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


@dataclass(frozen=True, slots=True)
class Seam:
    """The frame of a reel with which copied frames of a clip begin that others precede, or end; and its clip.

    Attributes:
        first: First frame of the clip.
        frame: First frame of the part that begins there.
        end: First frame behind the clip.
    """

    first: int
    frame: int
    end: int


def seams_of(clips: Sequence[ProcessedClip]) -> list[Seam]:
    """Return the seams of a reel."""
    found, first = list[Seam](), 0
    for _, group in groupby(clips, key=lambda clip: clip.index):
        parts = list(group)
        frames = list(accumulate((part.segment.frames for part in parts), initial=first))
        for (before, after), frame in zip(pairwise(parts), frames[1:-1], strict=True):
            if before.is_copied != after.is_copied:
                found.append(Seam(first, frame, frames[-1]))
        first = frames[-1]
    return found


def prove_seams(path: Path, form: TargetForm, clips: Sequence[ProcessedClip]) -> None:
    """Decode the frames around each seam of a reel, and require each of them once, in order and whole.

    Raises:
        VerificationError: Some frame does not come out of the decoder as it should.
    """
    seams = seams_of(clips)
    if not seams:
        return
    try:
        with open_container(path) as container:
            container.streams.video[0].codec_context.thread_count = 1
            for seam in seams:
                _prove_seam(path, container, form, seam)
    except av.FFmpegError as error:
        refuse_shortage(error)
        message = f"does not decode where copied frames begin or end ({error.strerror})"
        raise VerificationError(message, path=path) from error


def _prove_seam(path: Path, container: Any, form: TargetForm, seam: Seam) -> None:
    begin, end = max(seam.first, seam.frame - _AROUND), min(seam.end, seam.frame + _AROUND)
    found = [(number, is_whole) for number, is_whole in _decoded(container, form, begin, end) if number >= begin]
    for number, due in zip_longest(found, range(begin, end)):
        if number != (due, True):
            where = seam.frame if due is None else due
            raise VerificationError(f"frame {where} is not shown as it should, beside copied frames", path=path)


def _decoded(container: Any, form: TargetForm, begin: int, end: int) -> Iterator[tuple[int, bool]]:
    """Yield the numbers of frames until ``end`` from a keyframe before ``begin`` on, and whether they are whole.

    Frames before ``begin`` may be of the clip before, and need some before that keyframe.
    """
    video = container.streams.video[0]
    base = Fraction(video.time_base)
    container.seek(int(max(0, begin - _MOST_HELD) / form.frame_rate / base), stream=video)
    for packet in container.demux(video):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            if packet.pts is None or round(packet.pts * base * form.frame_rate) >= begin:
                raise
            continue
        for frame in frames:
            number = round(frame.pts * base * form.frame_rate)
            yield number, not frame.is_corrupt
            if number >= end - 1:
                return

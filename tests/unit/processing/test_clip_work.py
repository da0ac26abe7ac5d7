"""ClipWork: the time of a clip whose parts are worked on side by side."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mpt_cli.model.choices import Action
from mpt_cli.model.clips import ProcessedClip, Segment, VideoClip
from mpt_cli.planning.planned_clip import PlannedClip
from mpt_cli.processing.clip import Processed
from mpt_cli.processing.clip_work import ClipWork, PartResult
from mpt_cli.runtime.events import ClipFinished
from tests.builders import form_of, media_of

if TYPE_CHECKING:
    from tests.fakes import FakeClock, ListEmit

FORM = form_of()
WHOLE = PlannedClip(0, VideoClip(Path("0.mp4")), media_of(), Segment(0, 0, 60), Action.ENCODE, (), 1000, 0)


def result_of(part: PlannedClip, seconds: float) -> PartResult:
    """A part that was worked on for so long."""
    path, lasts = part.clip.path, part.segment.frames / FORM.frame_rate
    made = ProcessedClip(0, path, path, None, FORM.dimensions, part.segment, lasts, 0, "", b"", owned=False)
    return PartResult(part, Processed(made, 4711), None, seconds)


@pytest.mark.fast
def test_parts_side_by_side_count_once_for_the_user_and_each_for_the_machine(emit: ListEmit, clock: FakeClock) -> None:
    halves = tuple(replace(WHOLE, segment=Segment(0, first, 30)) for first in (0, 30))
    work = ClipWork(replace(WHOLE, parts=halves), Fraction(30), emit, clock)
    work.begin()
    clock.advance(8)
    assert not work.take(result_of(halves[1], 8))
    clock.advance(2)
    assert work.take(result_of(halves[0], 10))
    result = work.end()
    assert result is not None
    assert (result.elapsed_seconds, work.busy_seconds) == (10, 18)
    assert emit.of(ClipFinished) == [ClipFinished(0, 10, 4711)]


@pytest.mark.fast
def test_a_clip_in_one_piece_takes_the_time_of_its_work(emit: ListEmit, clock: FakeClock) -> None:
    work = ClipWork(WHOLE, Fraction(30), emit, clock)
    work.begin()
    clock.advance(10)  # some of it waiting, before an attempt
    assert work.take(result_of(WHOLE, 4))
    result = work.end()
    assert result is not None
    assert (result.elapsed_seconds, work.busy_seconds) == (4, 4)

"""The model of many cores schedules tasks as mpt does, and names what holds a run back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.benchmarks.many_cores import CORES, COUNTS, parts_table, predictions, table
from tests.benchmarks.model import CORES as BUSY
from tests.benchmarks.model import Parts, predict, schedule, segments

FREE = Parts(
    start=0.0,
    probe=0.0,
    probe_second=0.0,
    own_probe=0.0,
    own_task=0.0,
    hash_per_byte=0.0,
    source_bytes=1e6,
    reel_bytes=1e6,
    encode_start=0.0,
    encode=1.0,
    decode_audio=0.0,
    encode_audio=0.0,
    copy_per_byte=0.0,
    proof=0.0,
    proof_start=0.0,
)
"""Only encoding costs, a second for each second of the reel."""


@pytest.mark.parametrize(
    ("tasks", "cores", "own", "wall"),
    [
        pytest.param([1, 2, 3], 1, 0, 6, id="one core does all"),
        pytest.param([1, 1, 2], 2, 0, 2, id="the longest first fills both cores"),
        pytest.param([10, 1, 1], 4, 0, 10, id="the longest task is the least"),
        pytest.param([0, 0, 0, 0], 4, 1, 4, id="own Python runs one at a time"),
        pytest.param([3, 3], 2, 1, 5, id="own Python delays the second task"),
        pytest.param([], 2, 1, 0, id="nothing takes no time"),
    ],
)
def test_schedule_of_tasks_on_cores(tasks: list[float], cores: int, own: float, wall: float) -> None:
    assert schedule(tasks, cores, own) == wall


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (4, [4]),
        (24, [24]),
        (25, [17, 8]),
        (45, [20, 17, 8]),
        (64, [20, 20, 24]),
    ],
)
def test_segments_of_a_clip(seconds: float, expected: list[float]) -> None:
    assert segments(seconds) == expected


def test_hour_is_cut_into_segments_without_loss() -> None:
    assert sum(segments(3600)) == 3600
    assert all(8 <= piece <= 24 for piece in segments(3600))


def test_clip_in_one_piece_holds_all_cores_back() -> None:
    clips = [4.0] * 3 + [120.0]
    whole, cut = predict(FREE, clips, 4, cut=False), predict(FREE, clips, 4)
    assert whole.wall == 120
    assert whole.limits[0] == ("the longest segment", 1.0)
    assert cut.wall == 40
    assert whole.work == cut.work == 132


def test_equal_clips_keep_all_cores_busy() -> None:
    assert predict(FREE, [4.0] * 64, 16).limits[0] == (BUSY, 1.0)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (replace(FREE, own_task=5.0), "mpt's own Python"),
        (replace(FREE, proof=5.0), "reading of the proof"),
        (replace(FREE, copy_per_byte=1e-5), "copy of the join"),
        (replace(FREE, start=1e4), "start"),
        (replace(FREE, encode_start=1e6), "the longest segment"),
    ],
)
def test_limit_is_what_more_cores_do_not_shorten(parts: Parts, name: str) -> None:
    assert predict(parts, [4.0] * 40, 64).limits[0][0] == name


def test_more_cores_never_take_longer() -> None:
    parts = replace(FREE, own_task=0.01, probe=0.1, encode_audio=0.02, proof=0.001, proof_start=0.01)
    walls = [predict(parts, [4.0] * 60 + [300.0], cores).wall for cores in (1, 2, 4, 16, 64)]
    assert walls == sorted(walls, reverse=True)


@pytest.mark.heavy
def test_table_has_a_row_for_each_count_and_number_of_cores() -> None:
    rows = table(predictions(FREE)).splitlines()[2:]
    assert len(rows) == len(CORES) * len(COUNTS)
    assert rows[0] == "| 12 | 2 | 24.0 | 2.0 | 100% | all cores busy 100%, start 0% |"
    assert "| encode | ms per second of the reel | 1,000 |" in parts_table(FREE)

"""Reservations: what is promised to clips, and what their peaks teach about later promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mpt_cli.monitoring.reservations import Reservations
from tests.fakes import MIB, FakeClock, FakeReader
from tests.unit.monitoring.test_memory import manager


def test_what_is_added_is_there_until_it_is_removed() -> None:
    reserved = Reservations()
    reserved.add(600)
    reserved.add(400)
    assert reserved.total_bytes == 1000
    reserved.remove(600)
    assert reserved.total_bytes == 400
    reserved.remove(5000)
    assert reserved.total_bytes == 0


@pytest.mark.parametrize(("peak", "ratio"), [(100, 1.0), (150, 1.5), (70, 0.7), (1, 0.5), (10_000, 4.0)])
def test_a_peak_corrects_what_is_reserved_and_what_comes(peak: int, ratio: float) -> None:
    reserved = Reservations()
    reserved.add(1000)
    reserved.learn(100, peak)
    assert reserved.total_bytes == 1000 * ratio
    assert reserved.corrected(300) == 300 * ratio


def test_the_worst_prediction_counts() -> None:
    reserved = Reservations()
    for peak in (60, 180, 90):
        reserved.learn(100, peak)
    assert reserved.corrected(100) == 180


@pytest.mark.parametrize(("need", "peak"), [(0, 100), (100, 0), (-1, 100)])
def test_nothing_is_learned_from_a_clip_that_needed_nothing(need: int, peak: int) -> None:
    reserved = Reservations()
    reserved.learn(need, peak)
    assert reserved.corrected(100) == 100


def test_many_threads_leave_nothing_reserved() -> None:
    reserved = Reservations()

    def work(need: int) -> None:
        for _ in range(200):
            reserved.add(need)
            reserved.remove(need)

    with ThreadPoolExecutor(8) as executor:
        for future in [executor.submit(work, need) for need in range(1, 9)]:
            future.result(10)
    assert reserved.total_bytes == 0


def test_a_peak_that_is_told_at_release_is_what_the_next_clip_is_admitted_by() -> None:
    memory = manager(FakeReader(tree=100 * MIB))
    memory.sample()
    assert memory.reserve(300 * MIB)
    assert memory.fits(600 * MIB)
    memory.release(300 * MIB, peak_bytes=600 * MIB)
    assert memory.fits(450 * MIB)
    assert not memory.fits(451 * MIB)
    assert memory.reserve(300 * MIB)
    assert memory.reserved_bytes == 600 * MIB
    memory.release(300 * MIB)  # of one that failed no peak is known
    assert not memory.fits(451 * MIB)


# --- beside what is measured


def test_reservations_stand_on_what_is_used_anyway_and_nothing_is_counted_twice() -> None:
    reader = FakeReader(tree=200 * MIB)
    memory = manager(reader)
    memory.sample()  # nothing is reserved: this is what the program itself needs
    assert memory.reserve(500 * MIB)
    assert memory.fits(300 * MIB)
    assert not memory.fits(300 * MIB + 1)
    assert not memory.reserve(301 * MIB)
    assert memory.reserved_bytes == 500 * MIB
    reader.tree = 780 * MIB  # more than was reserved
    assert memory.fits(220 * MIB)
    assert not memory.fits(221 * MIB)
    assert memory.reserve(5000 * MIB, anyway=True)
    memory.release(5500 * MIB)
    memory.release(1)
    assert memory.reserved_bytes == 0


def test_a_clip_that_ends_during_the_look_is_not_what_the_program_itself_needs() -> None:
    class Ending(FakeReader):
        ends = False

        def tree_rss_bytes(self) -> int:
            if self.ends:
                memory.release(600 * MIB)
            return self.tree

    reader = Ending(tree=100 * MIB)
    memory = manager(reader)
    memory.sample()
    assert memory.reserve(600 * MIB)
    reader.ends, reader.tree = True, 700 * MIB
    memory.sample()
    assert (memory.reserved_bytes, memory.idle_bytes) == (0, 100 * MIB)


def test_after_a_release_the_tree_is_measured_anew() -> None:
    reader, clock = FakeReader(tree=900 * MIB), FakeClock(100.0)
    memory = manager(reader, clock=clock)
    assert not memory.fits(500 * MIB)
    reader.tree = 100 * MIB
    memory.release(0)
    assert memory.fits(500 * MIB)

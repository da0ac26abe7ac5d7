"""Admission of clips: which measurements it needs, and which it does not."""

from __future__ import annotations

import pytest

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.monitoring.admission import Admission
from mpt_cli.monitoring.memory import MemoryManager
from tests.fakes import MIB, FakeClock, FakeReader


def test_clip_after_clip_is_admitted_without_measuring_where_there_is_room() -> None:
    reader = FakeReader(tree=200 * MIB)
    memory = MemoryManager(MemoryConfig(max=1000 * MIB), system=reader, clock=FakeClock(100.0))
    memory.sample()
    for _ in range(20):
        assert memory.reserve(300 * MIB)
        memory.release(300 * MIB)
    assert reader.measurements == 1


def test_room_that_only_ended_clips_fill_is_found_by_measuring() -> None:
    reader = FakeReader(tree=700 * MIB)
    memory = MemoryManager(MemoryConfig(max=1000 * MIB), system=reader, clock=FakeClock(100.0))
    memory.sample()
    assert not memory.fits(301 * MIB)
    reader.tree = 100 * MIB
    memory.release(0)
    assert memory.fits(301 * MIB)
    assert reader.measurements == 2


def test_memory_of_the_machine_is_not_taken_for_used_by_a_clip_that_ended() -> None:
    reader = FakeReader(tree=100 * MIB, available=400 * MIB)
    memory = MemoryManager(MemoryConfig(max=2000 * MIB), system=reader, clock=FakeClock(100.0))
    memory.sample()
    assert memory.reserve(200 * MIB)
    assert memory.reserve(200 * MIB)
    reader.tree, reader.available = 300 * MIB, 200 * MIB  # the first uses what it reserved
    memory.sample()
    memory.release(200 * MIB)
    reader.tree, reader.available = 100 * MIB, 400 * MIB
    assert not memory.fits(201 * MIB)  # the second has used nothing yet
    assert memory.fits(200 * MIB)


@pytest.mark.parametrize("need", range(0, 60, 7))
@pytest.mark.parametrize("reserved", [0, 10, 40])
@pytest.mark.parametrize("available", [0, 20, 50, 100])
def test_what_surely_fits_does_so_at_each_lower_use(need: int, reserved: int, available: int) -> None:
    admission = Admission(need, reserved, idle=5, budget=100, most=80, available=available)
    for most_usage in range(5, 100, 5):
        if admission.surely_fits(most_usage):
            assert all(admission.fits(usage) for usage in range(5, most_usage + 1))

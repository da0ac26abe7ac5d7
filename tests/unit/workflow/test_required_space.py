"""What a plan needs is said before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mpt_cli.config.sections import MemoryConfig
from mpt_cli.monitoring.memory import MemoryManager
from mpt_cli.planning.estimates import need_bytes
from mpt_cli.workflow.required_space import tight_clips
from tests.builders import plan_of
from tests.fakes import FakeReader

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo

MIB = 2**20


@pytest.mark.parametrize(("room", "named"), [(0, []), (-1, [0, 1])])
def test_clip_that_may_not_fit_the_budget_even_alone_is_named(info: MediaInfo, room: int, named: list[int]) -> None:
    plan, itself = plan_of(info, 0, 1), 80 * MIB
    need = itself + need_bytes(plan.clips[0].media, plan.light_form)
    memory = MemoryManager(MemoryConfig(max=need + room), system=FakeReader(tree=itself), interval_seconds=0)
    notices = tight_clips(plan, memory)
    assert [notice.index for notice in notices] == named
    assert {(notice.level, notice.code) for notice in notices} == ({("info", "memory_tight")} if named else set())

"""Throttle: at most two reports a second."""

from __future__ import annotations

from mpt_cli.runtime.throttle import Throttle


def test_reports_pass_at_most_twice_a_second() -> None:
    times = iter([0.0, 0.1, 0.499, 0.5, 0.9, 1.0])
    throttle = Throttle(lambda: next(times))
    assert [throttle.is_due() for _ in range(6)] == [True, False, False, True, False, True]

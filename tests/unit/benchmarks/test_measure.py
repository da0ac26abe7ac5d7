"""Figures of the benchmarks follow from the costs of the runs, and contenders take turns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.measure import Cost, RunError, in_turns, rows_of, run, spread, table

if TYPE_CHECKING:
    from collections.abc import Callable


def cost(seconds: float, *, cpu: float = 1.0, peak: int = 2**20) -> Cost:
    """A cost of these figures."""
    return Cost(seconds, cpu, peak)


COSTS = {
    "mpt": [cost(2.0, cpu=4.0), cost(4.0, cpu=4.0), cost(3.0, cpu=4.0)],
    "peer": [cost(1.0, cpu=2.0), cost(8.0, cpu=2.0), cost(3.0, cpu=8.0, peak=3 * 2**20)],
}


def test_rows_hold_medians_and_the_median_of_the_ratios_within_rounds() -> None:
    mpt, peer = rows_of(COSTS, "mpt")
    assert (mpt.seconds, mpt.ratio, mpt.cpu_ratio) == (3.0, 1.0, 1.0)
    assert (peer.seconds, peer.ratio) == (3.0, 1.0)  # ratios 0.5, 2 and 1
    assert (peer.cpu_seconds, peer.cpu_ratio) == (2.0, 0.5)
    assert peer.peak_bytes == 2**20


def test_spread_is_a_share_of_the_median() -> None:
    assert spread([3.0, 2.0, 4.0]) == pytest.approx(2 / 3)
    assert spread([5.0]) == 0


def test_table_shows_a_row_for_each_contender() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table(rows_of(COSTS, "mpt"), "mpt").split("\n")
    ]
    assert {len(row) for row in rows} == {7}
    assert rows[3] == ["peer", "3.00", "1.00", "233%", "2.00", "0.50", "1"]


def test_missing_base_of_the_ratios_is_an_error() -> None:
    with pytest.raises(RunError):
        rows_of({"peer": [cost(1.0)]}, "mpt")


def test_each_round_begins_with_another_contender() -> None:
    order: list[str] = []

    def contender(name: str) -> Callable[[], Cost]:
        def turn() -> Cost:
            order.append(name)
            return cost(1.0)

        return turn

    costs = in_turns({name: contender(name) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert {name: len(runs) for name, runs in costs.items()} == {"a": 3, "b": 3, "c": 3}


def test_contender_that_fails_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    tries: list[str] = []

    def failing() -> Cost:
        tries.append("b")
        raise RunError("exit code 1: b")

    assert list(in_turns({"a": lambda: cost(1.0), "b": failing}, 3)) == ["a"]
    assert tries == ["b"]
    assert "b is left out: exit code 1: b" in capsys.readouterr().err


@pytest.mark.heavy
def test_run_counts_cpu_and_memory_of_children() -> None:
    child = "data = bytearray(200 << 20); sum(range(10_000_000)); import time; time.sleep(0.5)"
    found = run(sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', '''{child}'''])")
    assert found.peak_bytes > 200 << 20
    assert found.cpu_seconds > 0
    assert found.seconds >= 0.5


@pytest.mark.heavy
def test_run_that_fails_is_an_error() -> None:
    with pytest.raises(RunError, match="exit code 3"):
        run(sys.executable, "-c", "raise SystemExit(3)")

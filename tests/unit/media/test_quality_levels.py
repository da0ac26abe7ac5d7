"""The quality levels are those that the rule chooses from the measured table, and the rule does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpt_cli.media.encoders.software import DEFAULT_ENCODERS
from mpt_cli.model.choices import Codec, QualityLevel
from tests.benchmarks.quality import RULES, Point, Rule, choose, table

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "tests/benchmarks/README.md"


def measured() -> list[tuple[Point, str]]:
    """Return the rows of the measured table, each with the text of its last column."""
    part = TABLE.read_text(encoding="utf-8").split("\n## All measured settings\n", 1)[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines()]
    return [
        (point(row[1], int(row[2]), *map(float, row[3:7]), worst=float(row[7]), codec=Codec(row[0])), row[8])
        for row in rows
        if row and row[0] in list(Codec)
    ]


def point(
    preset: str,
    crf: int = 20,
    cpu: float = 1.0,
    size: float = 1.0,
    vmaf: float = 94.0,
    low: float = 90.0,
    *,
    worst: float = 92.0,
    codec: Codec = Codec.H264,
) -> Point:
    """A point of these figures, in whatever unit."""
    return Point(codec, preset, crf, round(size * 1000), vmaf, low, (worst, 99.0), (cpu,))


@pytest.mark.parametrize("level", QualityLevel)
@pytest.mark.parametrize("codec", Codec)
def test_a_level_is_the_point_that_the_rule_chooses_from_the_table(codec: Codec, level: QualityLevel) -> None:
    rows = [(row, mark) for row, mark in measured() if row.codec is codec]
    chosen = choose([row for row, _ in rows], RULES[level])
    assert chosen is not None
    assert [row for row, mark in rows if mark == f"**{level}**"] == [chosen]
    assert (chosen.preset, chosen.crf) == DEFAULT_ENCODERS[codec].levels[level]


def test_balanced_loses_nothing_that_is_seen() -> None:
    rows = [row for row, mark in measured() if mark == "**balanced**"]
    assert len(rows) == len(Codec)
    assert all(row.vmaf >= 93 for row in rows)


RULE = Rule(vmaf=93.0, most_bytes=2.0)


@pytest.mark.parametrize(
    ("points", "name"),
    [
        pytest.param([point("slow", cpu=2), point("fast", cpu=1)], "fast", id="the cheapest"),
        pytest.param([point("slow", cpu=2), point("fast", vmaf=92.9)], "slow", id="that reaches the level"),
        pytest.param([point("slow", cpu=2), point("fast", worst=86.9)], "slow", id="in no clip far below"),
        pytest.param([point("slow", cpu=2), point("fast", size=2.1)], "slow", id="not too large"),
        pytest.param([point("slow", cpu=2), point("fast", size=2.0)], "fast", id="as large as it may be"),
        pytest.param([point("a", cpu=1.0, size=1.5), point("b", cpu=1.02)], "b", id="of equal cost the smaller"),
        pytest.param([point("a", cpu=1.0, size=1.5), point("b", cpu=1.04)], "a", id="a little more is not equal"),
    ],
)
def test_the_rule_chooses(points: list[Point], name: str) -> None:
    chosen = choose(points, RULE)
    assert chosen is not None
    assert chosen.preset == name
    assert choose([*reversed(points)], RULE) == chosen


def test_the_rule_chooses_nothing_where_nothing_is_good_enough() -> None:
    assert choose([point("fast", vmaf=92.0)], RULE) is None
    assert choose([], RULE) is None


def test_the_table_names_levels_and_the_front() -> None:
    points = [
        point("level", cpu=1.0, vmaf=97.0, worst=96.0),
        point("beaten", cpu=1.2, vmaf=96.0),
        point("front", cpu=1.3, vmaf=98.0),
    ]
    rows = [[cell.strip() for cell in line.split("|")] for line in table(points).splitlines()]
    assert [(row[2], row[9]) for row in rows[2:]] == [("level", "**high**"), ("beaten", ""), ("front", "front")]

"""Metrics: read back by the grammar of the text format, which node_exporter refuses whole for one mistake."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mpt_cli.reporting.prometheus import MARK, last_success, metrics
from tests.unit.reporting import told

if TYPE_CHECKING:
    from mpt_cli.model.results import CommandEnd

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def labels(text: str) -> frozenset[tuple[str, str]]:
    """The labels of a sample, unescaped."""
    found, place = {}, 0
    while place < len(text):
        match = LABEL.match(text, place)
        assert match, text[place:]
        assert match[1] not in found
        found[match[1]] = re.sub(r"\\(.)", lambda part: "\n" if part[1] == "n" else part[1], match[2])
        place = match.end()
    return frozenset(found.items())


def parsed(text: str) -> Samples:
    """Every sample; fails where the format is not kept."""
    found: Samples = {}
    seen: list[str] = []
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in seen, "the lines of a metric stand together"
            seen.append(name)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2:] == [seen[-1], "gauge"]
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == seen[-1]
            key = (match[1], labels(match[2]))
            assert key not in found, "node_exporter refuses a sample that comes twice"
            found[key] = float(match[3])
    return found


def value(facts: CommandEnd, name: str, **wanted: str) -> float:
    """The value of the one sample that has these labels."""
    found = parsed(metrics(facts, run="nightly"))
    (only,) = [number for (key, has), number in found.items() if key == f"mpt_{name}" and set(wanted.items()) <= has]
    return only


@pytest.mark.parametrize("facts", [told.batch(), told.looked(), told.refused()], ids=lambda facts: facts.command)
def test_every_sample_says_which_run_it_is_of(facts: CommandEnd) -> None:
    text = metrics(facts, run='night "ly"\n')
    for (name, found), _ in parsed(text).items():
        assert name.startswith("mpt_")
        assert {("run", 'night "ly"\\n'), ("command", facts.command)} <= found
    assert text.startswith(MARK)
    assert value(facts, "run_exit_code") == facts.exit_code
    assert value(facts, "run_success") == 0
    assert value(facts, "run_duration_seconds") == facts.duration_seconds
    assert value(facts, "last_run_timestamp_seconds") == told.STARTED.timestamp() + facts.duration_seconds


def test_clips_are_counted_by_what_was_done_and_how_they_ended() -> None:
    facts = told.batch()
    assert value(facts, "clips", action="encode", status="processed") == 1
    assert value(facts, "clips", action="reuse", status="processed") == 1
    assert value(facts, "clips", action="copy", status="processed") == 1
    assert value(facts, "clips", action="none", status="skipped") == 1
    assert value(facts, "clips", action="none", status="not_run") == 1
    assert value(facts, "clips", action="encode", status="failed") == 0
    found = parsed(metrics(facts, run="r"))
    assert sum(number for (name, _), number in found.items() if name == "mpt_clips") == 6


def test_jobs_reels_and_memory_are_there() -> None:
    facts = told.batch()
    assert {status: value(facts, "jobs", status=status) for status in ("success", "partial", "error", "skipped")} == {
        "success": 1,
        "partial": 1,
        "error": 1,
        "skipped": 1,
    }
    assert value(facts, "output_bytes", output="/reels/a.mp4") == 4711
    assert value(facts, "output_seconds", output="/reels/a.mp4") == 6.5
    assert value(facts, "output_unchanged", output="/reels/a.mp4") == 0
    assert value(facts, "memory_peak_bytes") == 2**29
    hostile = [dict(has)["output"] for name, has in parsed(metrics(facts, run="r")) if name == "mpt_output_bytes"]
    assert r"\xff <&" in hostile[1] or r"\x1b[31m\n" in hostile[1]


def test_verdicts_are_counted() -> None:
    facts = told.looked()
    assert value(facts, "clips", status="valid") == 2
    assert value(facts, "clips", status="invalid") == 1
    names = {name for name, _ in parsed(metrics(facts, run="r"))}
    assert "mpt_jobs" not in names
    assert "mpt_memory_peak_bytes" not in names


def test_totals_of_a_batch_count_every_job() -> None:
    facts = told.batch()
    assert value(facts, "run_job_seconds") == 10.5
    assert value(facts, "run_output_bytes") == 2 * 4711
    assert value(facts, "run_output_seconds") == 13
    assert (value(facts, "run_errors"), value(facts, "run_warnings")) == (2, 1)
    assert (value(told.looked(), "run_errors"), value(told.looked(), "run_warnings")) == (3, 2)
    assert value(told.refused(), "run_errors") == 1
    names = {name for name, _ in parsed(metrics(told.refused(), run="r"))}
    assert "mpt_run_output_bytes" not in names, "nothing was run"


def test_time_of_the_last_success_survives_runs_that_fail() -> None:
    failing = told.batch()
    good = replace(failing, exit_code=0)
    when = told.STARTED.timestamp() + good.duration_seconds
    text = metrics(failing, run='night "}\n')
    assert last_success(text, "batch") == 0
    text = metrics(good, run='night "}\n')
    for _ in range(2):
        assert last_success(text, "batch") == when
        assert last_success(text, "process") == 0, "of another command that had this file"
        text = metrics(failing, run="renamed", succeeded_before=last_success(text, "batch"))
    assert dict(parsed(text))["mpt_last_success_timestamp_seconds", labels('command="batch",run="renamed"')] == when


@pytest.mark.parametrize("value", ["-1", "NaN", "+Inf", "1e400", "9" * 400, "", "1 2"])
def test_a_damaged_time_of_success_is_none(value: str) -> None:
    assert last_success(f'mpt_last_success_timestamp_seconds{{command="batch",run="r"}} {value}\n', "batch") == 0

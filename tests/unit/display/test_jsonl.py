"""JSON lines: every line fits its schema, in order, at most twice a second a clip."""

from __future__ import annotations

import io
import json
import os
import threading
from datetime import UTC, datetime
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mpt_cli.display.jsonl import JsonLinesDisplay
from mpt_cli.reporting.envelope import envelope
from mpt_cli.runtime import events
from tests.fakes import FakeClock

SCHEMA = json.loads(files("mpt_cli").joinpath("share/schemas/events.json").read_text())
NAN = float("nan")

ALL: tuple[events.Event, ...] = (
    events.RunStarted("process", "w", 3, None),
    events.ValidationFinished(3, 0),
    events.ClipStarted(0, Path("a.mp4"), "encode", Fraction(1, 3)),  # type: ignore[arg-type]
    events.ClipProgress(0, 0.1, NAN, None),
    events.ClipFinished(0, 1.5, 2**40),
    events.ClipStarted(1, Path(os.fsdecode(b"/x/bad\xff\n.mp4")), "copy", 1.0),
    events.ClipFailed(1, "clip_failed", "no"),
    events.ClipsRestarted(1, 1, 2.5),
    events.ConcatStarted(float("inf")),
    events.ConcatProgress(1.0),
    events.ConcatFinished("FFmpeg"),
    events.ResourceSample(1, 2, 3.5, None),
    events.PicturesStarted(("contact sheet", "poster")),
    events.Notice("info", "i", "日本語"),
    events.RunFinished("success"),
)


def written(*order: events.Event, job: str | None = None) -> list[dict[str, Any]]:
    stream = io.StringIO()
    moment = datetime(2025, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    with JsonLinesDisplay(stream, now=lambda: moment) as display:
        for event in order:
            display.emit(event, job=job)
        display.finish(envelope("process", status="success", exit_code=0))
    assert stream.getvalue().isascii()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_has_its_line_and_fits_the_schema() -> None:
    *lines, last = written(*ALL)
    Draft202012Validator.check_schema(SCHEMA)
    for line in lines:
        Draft202012Validator(SCHEMA).validate(line)
    assert [line["type"] for line in lines] == [event.type for event in ALL]
    assert [line["seq"] for line in lines] == list(range(1, len(ALL) + 1))
    assert {line["time"] for line in lines} == {"2025-01-02T03:04:05.678Z"}
    assert last["schema"] == "mpt.result/1"


def test_every_type_of_event_is_in_the_schema() -> None:
    named = {branch["properties"]["type"]["const"] for branch in SCHEMA["$defs"].values()}
    assert named == {kind.type for kind in events.Event.__args__} == {event.type for event in ALL}


def test_a_line_that_lacks_a_field_does_not_fit() -> None:
    line = written(ALL[0])[0]
    del line["total_seconds"]
    assert not Draft202012Validator(SCHEMA).is_valid(line)


def test_values_are_plain() -> None:
    lines = written(*ALL)
    assert lines[2]["path"] == str(Path("a.mp4").absolute())
    assert lines[2]["total_seconds"] == pytest.approx(1 / 3)
    assert lines[3]["speed"] is None
    assert os.fsencode(lines[5]["path"]) == b"/x/bad\xff\n.mp4"
    assert lines[8]["total_seconds"] is None


def test_a_batch_names_the_job() -> None:
    assert "job" not in written(ALL[0])[0]
    assert written(ALL[0], job="monday")[0]["job"] == "monday"


def test_progress_is_at_most_twice_a_second_for_each_clip() -> None:
    clock, stream = FakeClock(0.0), io.StringIO()
    display = JsonLinesDisplay(stream, clock=clock)
    for tick in range(20):
        clock.now = tick / 8
        for index in (0, 1):
            display.emit(events.ClipProgress(index, float(tick), None, None))
    display.emit(events.ClipFinished(0, 1.0, None))
    display.emit(events.ClipProgress(0, 1.0, None, None))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["done_seconds"] for line in lines if line["type"] == "clip-progress" and line["index"] == 1] == [
        0.0,
        4.0,
        8.0,
        12.0,
        16.0,
    ]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["type"] == "clip-progress"


def test_lines_of_many_threads_stay_whole_and_in_order() -> None:
    stream = io.StringIO()
    display = JsonLinesDisplay(stream)

    def work() -> None:
        for _ in range(100):
            display.emit(events.ConcatProgress(1.0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [json.loads(line)["seq"] for line in stream.getvalue().splitlines()] == list(range(1, 401))


class _Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("told", [True, False])
def test_a_closed_pipe_is_told_once(told: bool) -> None:
    calls: list[int] = []
    display = JsonLinesDisplay(_Closed(), on_broken=(lambda: calls.append(1)) if told else None)
    for event in ALL:
        display.emit(event)
    display.finish({})
    assert display.broken
    assert calls == [1] * told

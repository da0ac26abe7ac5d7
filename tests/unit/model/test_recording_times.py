"""Times of recording in tags and names."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.model.recording_times import seconds_of_day, seconds_of_name, seconds_of_tag

LOCAL = datetime(2024, 5, 1, 13, 5, 9).astimezone().timestamp()
ZULU = datetime(2024, 5, 1, 13, 5, 9, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2024-05-01T13:05:09Z", ZULU),
        ("2024-05-01T13:05:09.000000Z", ZULU),
        ("2024-05-01T13:05:09.5Z", ZULU + 0.5),
        ("2024-05-01T15:05:09+0200", ZULU),
        ("2024-05-01T08:05:09-05:00", ZULU),
        ("2024-05-01 13:05:09", LOCAL),
    ],
)
def test_tag_with_a_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of_tag(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2024", "2024-05-01", "2024-13-01T00:00:00Z", "2024-05-01T25:00:00Z", "yesterday"]
)
def test_tag_without_a_time_is_none(text: str) -> None:
    assert seconds_of_tag(text) is None


@pytest.mark.parametrize(
    "name",
    [
        "VID_20240501_130509",
        "20240501_130509",
        "DJI_20240501130509_0001_D",
        "2024-05-01 13.05.09",
        "2024-05-01_13-05-09",
        "video_2024-05-01_13-05-09",
        "signal-2024-05-01-13-05-09-123",
        "Screen Recording 2024-05-01 at 13.05.09",
        "Screen Recording 2024-05-01 at 1.05.09\u202fPM",
        "WhatsApp Video 2024-05-01 at 13.05.09",
        "VID_20240501_130509_00_001",
        "VID_20240501_130509123",
    ],
)
def test_name_with_a_time_is_local(name: str) -> None:
    assert seconds_of_name(name) == LOCAL


def test_names_of_pixels_are_utc_and_milliseconds_have_no_zone() -> None:
    assert seconds_of_name("PXL_20240501_130509123") == ZULU
    assert seconds_of_name("mmexport1714568709000") == ZULU == 1714568709


@pytest.mark.parametrize(
    "name", ["IMG_0001", "clip 20240501", "GX010021", "20241301_000000", "19700101", "x" * 300, "1" * 40]
)
def test_name_without_a_time_is_none(name: str) -> None:
    assert seconds_of_name(name) is None


def test_day_in_a_name_is_its_start() -> None:
    midnight = datetime(2024, 5, 1).astimezone().timestamp()
    for name in ("VID-20240501-WA0003", "2024-05-01 party", "clip_2024.05.01"):
        assert (seconds_of_day(name), seconds_of_name(name)) == (midnight, None)
    assert seconds_of_day("2024-0501") is None
    assert seconds_of_day("20240231") is None


@given(st.text())
def test_any_name_has_an_answer(name: str) -> None:
    for found in (seconds_of_name(name), seconds_of_day(name), seconds_of_tag(name)):
        assert found is None or abs(found) < time.time() * 100
